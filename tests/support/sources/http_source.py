"""An HTTP server that a source is read from: answers, delays and faults are the test's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]


@dataclass(slots=True)
class Answered:
    """An answer. ``announced`` (bytes) may be more than there are; a hanging one never comes."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    announced: int | None = None
    hangs: bool = False


@dataclass(slots=True)
class HttpSourceServer:
    """``answer`` decides; ``asked`` has all requests."""

    answer: Callable[[Asked], Answered]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            parts = urlsplit(head[0].split(" ")[1])
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            request = Asked(parts.path, parse_qsl(parts.query), headers)
            self.asked.append(request)
            answer = self.answer(request)
            if answer.hangs:
                await reader.read()
                return
            size = len(answer.body) if answer.announced is None else answer.announced
            lines = [f"HTTP/1.1 {answer.status} x", f"content-length: {size}", "connection: close"]
            lines += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + answer.body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def http_source(
    answer: Callable[[Asked], Answered], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpSourceServer]:
    """Serves on a free port of loopback meanwhile."""
    source = HttpSourceServer(answer)
    server = await asyncio.start_server(source.serve, "127.0.0.1", 0, ssl=tls)
    source.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield source
    finally:
        server.close()
