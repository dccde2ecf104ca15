"""Server-sent events (WHATWG HTML, section 9.2), with a bound on how many streams there are."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from promsnmp.http.responses.errors import RETRY, ApiError

MOST_STREAMS = 20
"""Streams of one process at a time; who gets none asks again and again instead."""


def event(data: str, name: str = "") -> bytes:
    """One event; ``data`` may have several lines."""
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    head = f"event: {name}\n" if name else ""
    return f"{head}{''.join(f'data: {line}{chr(10)}' for line in lines)}\n".encode()


class EventStreams:
    """Counts the streams that are open."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self.open = 0

    def respond(self, events: AsyncIterator[bytes], headers: dict[str, str]) -> StreamingResponse:
        """The response that sends ``events``. Raises ApiError (503) when there are too many streams."""
        if self.open >= self._most:
            raise ApiError(503, f"{self._most} streams of events are open; retry later", headers=RETRY)
        self.open += 1
        return _Counted(self, events, headers)

    def closed(self) -> None:
        """A stream has ended."""
        self.open -= 1


class _Counted(StreamingResponse):
    """A response that counts until it has ended, however that is."""

    def __init__(self, streams: EventStreams, events: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.closed()
