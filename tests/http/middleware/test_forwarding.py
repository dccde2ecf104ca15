"""What a forwarded request carries."""

from __future__ import annotations

from promsnmp.cluster.peers.client import REFUSED
from promsnmp.cluster.peers.forward_write import NOT_LEADER
from promsnmp.cluster.peers.signing import ANSWER_HEADER, SIGNATURE_HEADER
from promsnmp.http.middleware.forwarding import (
    as_accepted,
    compressed_only,
    forwarded_headers,
    forwarded_user,
    target_of,
)
from promsnmp.http.middleware.owner_proxy import CUT_OFF
from promsnmp.http.routes.pages.answers import VIEWER_HEADER
from promsnmp.http.routes.pages.discovery import RUNS
from promsnmp.http.security.auth import PRINCIPAL
from promsnmp.support.compression import compress
from promsnmp.support.http_client import MAX_BODY, HttpResponse


def test_the_target_is_path_and_query_as_they_were_sent() -> None:
    scope = {"path": "/a b", "raw_path": b"/a%20b", "query_string": b"x=%2F"}
    assert target_of(scope) == b"/a%20b?x=%2F"
    assert target_of({"path": "/a", "query_string": b""}) == b"/a"


def test_the_user_is_the_caller_and_its_address() -> None:
    assert forwarded_user({PRINCIPAL: "token", "client": ("192.0.2.9", 1)}) == "token@192.0.2.9"
    assert forwarded_user({"client": None}) == "anonymous@unknown"


def test_credentials_and_headers_of_the_connection_stay_behind() -> None:
    forwarded = [(b"accept", b"*/*"), (b"if-match", b'"x"')]
    dropped = [(b"authorization", b"x"), (b"x-forwarded-for", b"x"), (b"sec-fetch-site", b"x"), (b"host", b"x")]
    assert forwarded_headers([*forwarded, *dropped]) == forwarded


def test_no_caller_says_what_only_replicas_say_to_each_other() -> None:
    spoken = [VIEWER_HEADER, RUNS.encode(), CUT_OFF, NOT_LEADER, REFUSED, SIGNATURE_HEADER, ANSWER_HEADER]
    assert forwarded_headers([(name, b"1") for name in spoken]) == []


def test_another_replica_is_asked_for_compressed_pages_only() -> None:
    headers = [(b"accept-encoding", b"identity"), (b"accept", b"*/*"), (b"accept-encoding", b"br")]
    assert compressed_only(headers) == [(b"accept", b"*/*"), (b"accept-encoding", b"gzip")]


async def test_a_page_that_is_too_large_for_a_response_between_replicas_travels_compressed() -> None:
    page = b'sysUpTime{instance="core1"} 7\n' * (MAX_BODY // 29)
    body = compress(page)
    assert len(body) < MAX_BODY // 10 < MAX_BODY < len(page)
    sent = HttpResponse(200, [(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")], body)
    assert await as_accepted(sent, gzip=True) is sent
    plain = await as_accepted(sent, gzip=False)
    assert (plain.status, plain.headers) == (200, [(b"content-type", b"text/plain")])
    assert plain.body == page


async def test_a_response_that_is_not_compressed_is_relayed_as_it_is() -> None:
    sent = HttpResponse(504, [(b"content-type", b"text/plain")], b"no answer")
    assert await as_accepted(sent, gzip=False) is sent
