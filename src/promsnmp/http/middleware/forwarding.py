"""What a request carries when one replica passes it on to another: its target, its user, and some of its headers.

Pages travel compressed, whatever the caller accepts: replicas keep them so, and the longest page is some ten times as
long without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from starlette.types import Scope

from promsnmp.cluster.peers.client import LARGE
from promsnmp.cluster.peers.signing import SIGNATURE_HEADER
from promsnmp.http.responses.sending import HeaderList
from promsnmp.http.security.auth import ANONYMOUS, PRINCIPAL
from promsnmp.support.compression import decompress
from promsnmp.support.http_client import HttpResponse

_NOT_FORWARDED_NAMES = (
    "host connection keep-alive te trailer transfer-encoding content-length upgrade expect authorization cookie origin "
    "referer forwarded via x-real-ip"
)
_NOT_FORWARDED = frozenset([SIGNATURE_HEADER, *_NOT_FORWARDED_NAMES.encode().split()])
_NOT_FORWARDED_PREFIXES = (b"x-forwarded-", b"sec-fetch-", b"x-promsnmp-")
"""Headers of one connection (RFC 9110 section 7.6.1), those between the caller and this replica (the signature carries
the user), and those that replicas say something to each other with, which no caller may."""


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


def compressed_only(headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    """The headers, with which another replica answers compressed if it can."""
    return [*(pair for pair in headers if pair[0] != b"accept-encoding"), (b"accept-encoding", b"gzip")]


async def as_accepted(response: HttpResponse, *, gzip: bool) -> HttpResponse:
    """The response for a caller who accepts ``gzip``, or does not. Decompresses a large one outside the event loop."""
    if gzip or response.header(b"content-encoding") != b"gzip":
        return response
    body = response.body
    plain = decompress(body) if len(body) < LARGE else await asyncio.to_thread(decompress, body)
    return replace(response, headers=[pair for pair in response.headers if pair[0] != b"content-encoding"], body=plain)
