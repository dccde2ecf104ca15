"""The HTTP server on the test's own event loop, with bounds that a test chooses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp.http.responses.bodies import read_body
from promsnmp.http.responses.sending import body_headers, send_response
from promsnmp.http.server.connections import ConnectionLimits, ConnectionTable
from promsnmp.http.server.http_server import HttpServer
from promsnmp.http.server.listen import listen


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the request's body."""
    body = await read_body(scope, receive, max_bytes=1 << 20)
    text = b"%d octets" % len(body)
    await send_response(send, 200, body_headers(text), text)


class RunningServer:
    """Where the server listens, and its connections."""

    def __init__(self, port: int, table: ConnectionTable) -> None:
        self.port = port
        self.table = table

    async def connect(self, source: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))

    async def exchange(self, request: bytes) -> bytes:
        """Everything that the server sends until it closes the connection."""
        reader, writer = await self.connect()
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def running_server(
    app: ASGIApp = echo, *, limits: ConnectionLimits | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RunningServer]:
    """Serves ``app`` on a free port of loopback meanwhile."""
    sockets = listen("127.0.0.1", 0)
    table = ConnectionTable(limits or ConnectionLimits())
    server = HttpServer(app, sockets, in_flight=set(), tls=tls, table=table)
    port = sockets[0].getsockname()[1]
    serving = asyncio.create_task(server.run())
    try:
        yield RunningServer(port, table)
    finally:
        await server.stop(grace=0.0)
        await asyncio.wait_for(serving, 20)


async def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Waits on the loop until ``condition()`` holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # there is no event to wait for
            await asyncio.sleep(0.01)
