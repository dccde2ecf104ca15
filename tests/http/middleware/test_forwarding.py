"""What a forwarded request carries."""

from __future__ import annotations

from promsnmp.http.middleware.forwarding import forwarded_headers, forwarded_user, target_of
from promsnmp.http.security.auth import PRINCIPAL


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
