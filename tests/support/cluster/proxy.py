"""A TCP proxy that delays, holds back or closes connections, as networks and overloaded servers do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards connections to a port of loopback, in a thread of its own.

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
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._started.wait(10)

    def cut(self) -> None:
        """Closes the connections that are open."""
        self._loop.call_soon_threadsafe(self._close_all)

    def close(self) -> None:
        """Stops the proxy and closes its connections."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def _end(self) -> None:
        self._server.close()
        self._close_all()
        for task in self._tasks:
            task.cancel()
        self._loop.stop()

    def _close_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            if self.drop:
                return
            with contextlib.suppress(OSError):
                server_reader, server_writer = await asyncio.open_connection(*self._server_address)
                self._open.add(server_writer)
                await asyncio.gather(
                    self._pump(reader, server_writer, slow=False), self._pump(server_reader, writer, slow=True)
                )
                self._open.discard(server_writer)
                server_writer.close()
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.close()

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
