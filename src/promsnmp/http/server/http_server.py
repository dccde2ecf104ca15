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
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CHECK_INTERVAL = 0.02
"""Seconds between two checks of the requests in flight."""
MIN_CLOSE_TIME = 0.2
"""Minimum of seconds that connections have to close after the grace period."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: above Prometheus's usual scrape interval, so that it is reused."""


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to the program; uvicorn would raise them again at its end."""
        yield


class HttpServer:
    """Serves ``asgi_app`` on ``sockets`` (already listening) until stopped, over TLS when there is ``tls``;
    ``protocol`` reads and writes HTTP, and ``in_flight`` has the requests that are being answered."""

    def __init__(
        self,
        asgi_app: ASGIApp,
        sockets: Sequence[socket.socket],
        protocol: type[HttpToolsProtocol] = HttpToolsProtocol,
        *,
        in_flight: AbstractSet[int],
        tls: ssl.SSLContext | None = None,
    ) -> None:
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
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._config.load()
        self._config.ssl = tls  # uvicorn itself would read files
        self._server = _Uvicorn(self._config)

    async def run(self) -> None:
        """Serves; returns when stopped."""
        await self._server.serve(self._sockets)

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
