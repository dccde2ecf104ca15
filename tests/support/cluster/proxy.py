"""A TCP proxy that delays, holds back or closes connections, as networks and overloaded servers do."""

from __future__ import annotations

import asyncio
import contextlib

from tests.support.service.threaded_server import ThreadedServer


class Proxy(ThreadedServer):
    """Forwards connections to a port of loopback.

    ``delay`` (seconds) delays what the server sends; ``hang`` holds everything back; ``drop`` closes each new
    connection at once; ``cut`` closes the open ones.
    """

    def __init__(self, port: int, *, address: str = "127.0.0.1") -> None:
        self.delay = 0.0
        self.hang = False
        self.drop = False
        self.connections = 0
        """How many connections were opened so far."""
        self._server_address = (address, port)
        super().__init__()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.drop:
            return
        server_reader, server_writer = await asyncio.open_connection(*self._server_address)
        self._open.add(server_writer)
        try:
            await asyncio.gather(
                self._pump(reader, server_writer, slow=False), self._pump(server_reader, writer, slow=True)
            )
        finally:
            self._open.discard(server_writer)
            server_writer.close()

    async def _pump(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                while self.hang:
                    await asyncio.sleep(0.01)
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                to.write(data)
                await to.drain()
        to.close()
