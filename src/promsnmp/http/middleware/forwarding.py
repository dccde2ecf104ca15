"""What a request carries when one replica passes it on to another: its target, its user, and some of its headers."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope

from promsnmp.cluster.peers.signing import SIGNATURE_HEADER
from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.security.auth import ANONYMOUS, PRINCIPAL

_NOT_FORWARDED_NAMES = (
    "host connection keep-alive te trailer transfer-encoding content-length upgrade expect authorization cookie origin "
    "referer forwarded via x-real-ip"
)
_NOT_FORWARDED = frozenset([SIGNATURE_HEADER, *_NOT_FORWARDED_NAMES.encode().split()])
_NOT_FORWARDED_PREFIXES = (b"x-forwarded-", b"sec-fetch-")
"""Headers of one connection (RFC 9110 section 7.6.1), and those between the caller and this replica: the signature
carries the user."""


def target_of(scope: Scope) -> bytes:
    """Path and query as they were sent."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def forwarded_user(scope: Scope) -> str:
    """The caller, for the replica that answers: the name that access control gave, and the address."""
    return f"{scope.get(PRINCIPAL, ANONYMOUS)}@{(scope.get('client') or ('unknown',))[0]}"


def forwarded_headers(headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    """The headers of a request that mean something to another replica."""
    return [
        (name, value)
        for name, value in headers
        if name not in _NOT_FORWARDED and not name.startswith(_NOT_FORWARDED_PREFIXES)
    ]
