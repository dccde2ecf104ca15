"""Responses that are built once."""

from __future__ import annotations

import gzip

import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse

from promsnmp.http.responses.cached import CachedResponse
from promsnmp.http.responses.negotiation import accepts_gzip


def cached_response(body: bytes, etag: str = 'W/"1"') -> CachedResponse:
    return CachedResponse(
        gzip.compress(body), media_type="application/json", etag=etag, plain=lambda: [body], size=len(body)
    )


def _request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=much", False),
    ],
)
async def test_gzip_is_sent_only_when_accepted(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
    answer = cached_response(b"[]").answer(_request(accept_encoding=header))
    assert answer.headers.get("content-encoding") == ("gzip" if accepted else None)
    if isinstance(answer, StreamingResponse):
        assert [piece async for piece in answer.body_iterator] == [b"[]"]
        assert answer.headers["content-length"] == "2"
    else:
        assert gzip.decompress(answer.body) == b"[]"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', "*"])
def test_a_client_with_the_present_etag_gets_304(form: str) -> None:
    made = cached_response(b"[]")
    answer = made.answer(_request(if_none_match=form.format(made.etag.removeprefix("W/"))))
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == made.etag


def test_another_body_has_another_etag() -> None:
    old, new = cached_response(b"[]"), cached_response(b"[1]", 'W/"2"')
    assert new.answer(_request(if_none_match=old.etag)).status_code == 200
