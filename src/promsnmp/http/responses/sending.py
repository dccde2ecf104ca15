"""Sends whole responses over plain ASGI, for everything that does not go through FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

from starlette.types import Send

from promsnmp.support.http_client import HttpResponse

HeaderList = list[tuple[bytes, bytes]]
TEXT = b"text/plain; charset=utf-8"
JSON = b"application/json"

_NOT_RELAYED = (b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"date", b"server")
"""Headers of another replica's response that this connection has of its own (RFC 9110 section 7.6.1)."""


def body_headers(body: bytes, media_type: bytes = TEXT, more: Iterable[tuple[bytes, bytes]] = ()) -> HeaderList:
    """The headers of a response that has ``body``, and ``more``."""
    return [
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]


class LargeBody:
    """A body that is made while it is sent, part by part, as fast as the client reads it."""

    def __init__(self, parts: Callable[[], Iterator[bytes]]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts():
            yield part
            await asyncio.sleep(0)  # others run between two parts


Body = bytes | LargeBody


async def send_response(send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: Body) -> None:
    """Sends a whole response; of a large body ``headers`` say the length."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
        return
    async for part in body:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def send_text(send: Send, status: int, text: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Sends one line of plain text."""
    body = f"{text}\n".encode()
    await send_response(send, status, body_headers(body, more=headers), body)


async def relay_response(send: Send, response: HttpResponse) -> None:
    """Sends another replica's response as ours."""
    headers = [pair for pair in response.headers if pair[0] not in _NOT_RELAYED]
    headers.append((b"content-length", b"%d" % len(response.body)))
    await send_response(send, response.status, headers, response.body)
