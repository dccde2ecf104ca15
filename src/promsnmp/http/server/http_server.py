"""Runs uvicorn as a part of this program.

uvicorn does not handle signals here (``lifecycle.py`` does), and stops in two steps. While requests that were in flight
when the shutdown began are answered, new ones are still accepted: readiness probes see that the service is not ready,
and no connection is refused before the load balancer has noticed. Then the sockets close.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import uvicorn
from starlette.types import ASGIApp

from promsnmp.http.server.acceptor import Acceptor
from promsnmp.http.server.bounded_protocol import BoundedProtocol
from promsnmp.http.server.connections import ConnectionEntry, ConnectionLimits, ConnectionTable

CHECK_INTERVAL = 0.02
"""Seconds between two checks of the requests in flight."""
MIN_CLOSE_TIME = 0.2
"""Minimum of seconds that connections have to close after the grace period."""


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, protocol: type[BoundedProtocol], table: ConnectionTable) -> None:
        super().__init__(config)
        self._protocol = type("TabledProtocol", (protocol,), {"table": table})
        self._table = table

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accepts connections by ``Acceptor``, which counts them."""
        await self.lifespan.startup()
        tls = self.config.ssl
        self.servers = [Acceptor(item, self._table, self._make_protocol, tls) for item in sockets or ()]  # type: ignore[misc]  # they have what uvicorn calls: close, wait_closed
        self.started = True

    def _make_protocol(self, entry: ConnectionEntry) -> BoundedProtocol:
        protocol: BoundedProtocol = self._protocol(self.config, self.server_state, self.lifespan.state)
        protocol.entry = entry
        return protocol

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to the program; uvicorn would raise them again at its end."""
        yield


class HttpServer:
    """Serves ``asgi_app`` on ``sockets`` (already listening) until stopped, over TLS when there is ``tls``;
    ``protocol`` reads and writes HTTP, ``in_flight`` has the requests that are being answered, and ``table`` bounds the
    connections."""

    def __init__(
        self,
        asgi_app: ASGIApp,
        sockets: Sequence[socket.socket],
        protocol: type[BoundedProtocol] = BoundedProtocol,
        *,
        in_flight: AbstractSet[int],
        tls: ssl.SSLContext | None = None,
        table: ConnectionTable | None = None,
    ) -> None:
        self._table = ConnectionTable(ConnectionLimits()) if table is None else table
        self._in_flight = in_flight
        self._sockets = list(sockets)
        self._config = uvicorn.Config(
            asgi_app,
            loop="none",
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=self._table.limits.idle_timeout,  # type: ignore[arg-type]  # it waits for a float as well
        )
        self._config.load()
        self._config.ssl = tls  # uvicorn itself would read files
        self._server = _Uvicorn(self._config, protocol, self._table)

    async def run(self) -> None:
        """Serves; returns when stopped."""
        try:
            await self._server.serve(self._sockets)
        finally:
            self._table.close()

    async def stop(self, *, grace: float) -> None:
        """Lets the requests in flight finish, for at most ``grace`` seconds, then lets ``run`` return."""
        deadline = time.monotonic() + grace
        in_flight_at_stop = frozenset(self._in_flight)
        accept_until = deadline - grace / 10
        while in_flight_at_stop & self._in_flight and time.monotonic() < accept_until:  # noqa: ASYNC110  # an event would cost each request
            await asyncio.sleep(CHECK_INTERVAL)
        left = max(deadline - time.monotonic(), MIN_CLOSE_TIME)
        self._config.timeout_graceful_shutdown = left  # type: ignore[assignment]  # it waits for a float as well
        self._server.should_exit = True
