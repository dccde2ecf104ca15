"""Forms as browsers send them, and what is none."""

from __future__ import annotations

import pytest

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.responses.forms import MAX_FIELDS, parse_form

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=----abc"


def part(head: bytes, content: bytes) -> bytes:
    return b"------abc\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def test_fields_keep_their_order_and_empty_values() -> None:
    assert parse_form(URLENCODED, b"id=1&id=2&a=&b=%C3%A4+x%0D%0A") == {"id": ["1", "2"], "a": [""], "b": ["ä x\r\n"]}


def test_a_file_comes_with_its_name_and_every_octet_of_it() -> None:
    text = "a: 1\r\n--abc\r\n\r\nä\n"
    body = (
        part(b'name="token"', b"x") + part(b'name="file"; filename="m\xc3\xa4.yml"', text.encode()) + b"------abc--\r\n"
    )
    assert parse_form(MULTIPART, body) == {"token": ["x"], "file.filename": ["mä.yml"], "file": [text]}


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (URLENCODED, b"a=%ff", 400),
        (URLENCODED, b"\xff=1", 400),
        (URLENCODED, b"&".join(b"a=%d" % number for number in range(MAX_FIELDS + 1)), 400),
        (MULTIPART, b"nothing", 400),
        (MULTIPART, part(b'name="a"', b"1"), 400),
        (MULTIPART, part(b"", b"1") + b"------abc--", 400),
        (MULTIPART, part(b'name="a"', b"\xff") + b"------abc--", 400),
        (MULTIPART, b"".join(part(b'name="a"', b"1") for _ in range(MAX_FIELDS + 1)) + b"------abc--", 400),
        ("multipart/form-data", b"x", 415),
        ("application/json", b"{}", 415),
        ("", b"x", 415),
    ],
)
def test_what_is_no_form_is_refused(kind: str, body: bytes, status: int) -> None:
    with pytest.raises(ApiError) as refused:
        parse_form(kind, body)
    assert refused.value.status_code == status


def test_nothing_is_an_empty_form() -> None:
    assert parse_form("", b"") == {}
