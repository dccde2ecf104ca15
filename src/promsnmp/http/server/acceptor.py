"""Accepts connections, so that each one is counted before its TLS handshake, and refused where there is no room.

The event loop's own server counts nothing, and hands out a connection only after the handshake: a client that never
completes it would hold a file descriptor unseen.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable

from promsnmp.http.server.connections import ConnectionEntry, ConnectionTable

log = logging.getLogger(__name__)

BATCH = 16
"""Connections to accept before others of the loop's callbacks run."""
PAUSE_SECONDS = 0.5
"""Without file descriptors or memory for another connection, accepting pauses for so long."""
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

MakeProtocol = Callable[[ConnectionEntry], asyncio.Protocol]


class Acceptor:
    """Accepts on ``listener`` and serves each connection by a protocol; ``tls`` is read for each connection."""

    def __init__(
        self, listener: socket.socket, table: ConnectionTable, make_protocol: MakeProtocol, tls: ssl.SSLContext | None
    ) -> None:
        self._listener = listener
        self._table = table
        self._make_protocol = make_protocol
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        self._closed = False
        self._resume()

    def close(self) -> None:
        """Stops accepting; connections stay."""
        self._closed = True
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener.fileno())
        if self._tls is not None:
            for task in self._opening:
                task.cancel()

    async def wait_closed(self) -> None:
        """Returns when the handshakes that were running at ``close`` have ended."""
        await asyncio.gather(*self._opening, return_exceptions=True)

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        for _ in range(BATCH):
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._on_error(error)
                return
            self._open(connection, peer)

    def _on_error(self, error: OSError) -> None:
        if error.errno in _EXHAUSTED and not self._closed:
            log.warning("cannot accept connections: %s; trying again in %g s", error.strerror, PAUSE_SECONDS)
            self._loop.remove_reader(self._listener.fileno())
            self._pause = self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _open(self, connection: socket.socket, peer: tuple[object, ...]) -> None:
        entry = self._table.admit(connection, peer)
        if entry is None:
            connection.close()
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._serve(connection, entry))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _serve(self, connection: socket.socket, entry: ConnectionEntry) -> None:
        timeout = None if self._tls is None else self._table.limits.head_timeout
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._make_protocol(entry), connection, ssl=self._tls, ssl_handshake_timeout=timeout
            )
        except (OSError, asyncio.CancelledError):  # ssl.SSLError and a timeout of the handshake are among them
            self._table.remove(entry)
            connection.close()
