"""Starts the background tasks of the serving process, handles signals, and shuts down gracefully.

SIGTERM or Ctrl-C makes PromSNMP not ready at once, lets the requests in flight finish, and ends with exit code 0
within the grace period; a second Ctrl-C does not wait. After SIGTERM it goes on serving for ``delay``: Kubernetes sends
it while load balancers and other nodes still send new requests. Signals are handled explicitly, so that this also works
for PID 1 of a container, to which the kernel delivers only signals that it handles. No child processes are started.
What SIGHUP reloads is in ``app.py``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import uvloop
from starlette.types import ASGIApp

from promsnmp import __version__
from promsnmp.http.server.bounded_protocol import BoundedProtocol
from promsnmp.http.server.connections import ConnectionTable
from promsnmp.http.server.http_server import HttpServer
from promsnmp.http.server.listen import urls
from promsnmp.observe.health import Health
from promsnmp.observe.tasks import end_within, forever

log = logging.getLogger(__name__)

OK, FAILED, FORCED = 0, 1, 130
"""Exit codes: graceful end, error, second Ctrl-C."""

STOP_TIMEOUT = 1.0
"""Seconds that each background part has to stop."""

Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicTask:
    """Background work: ``step`` is awaited every ``every`` seconds."""

    step: Step
    every: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """A part that starts and stops with the process; ``drain`` runs as soon as the shutdown begins, while requests in
    flight are still answered."""

    start: Callable[[], object]
    stop: Step
    drain: Step | None = None


class Application:
    """PromSNMP as one value; ``run`` it once."""

    def __init__(
        self,
        *,
        asgi_app: ASGIApp,
        in_flight: AbstractSet[int],
        health: Health,
        sockets: Sequence[socket.socket],
        protocol: type[BoundedProtocol] = BoundedProtocol,
        tls: ssl.SSLContext | None = None,
        connections: ConnectionTable | None = None,
        grace: float,
        delay: float = 0.0,
        periodic_tasks: Mapping[str, PeriodicTask],
        lifecycles: Sequence[Lifecycle] = (),
        reload: Step,
    ) -> None:
        self.asgi_app = asgi_app
        """What the server serves."""
        self._health = health
        self._sockets = list(sockets)
        self._server = HttpServer(asgi_app, sockets, protocol, in_flight=in_flight, tls=tls, table=connections)
        self._scheme = "http" if tls is None else "https"
        self._grace = grace
        self._delay = delay
        self._periodic_tasks = dict(periodic_tasks)
        self._lifecycles = list(lifecycles)
        self._reload = reload
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._hurry = asyncio.Event()
        """Set by Ctrl-C, after which nobody waits for load balancers."""
        self._background: set[asyncio.Task[object]] = set()
        self._drains: list[asyncio.Future[object]] = []

    def run(self) -> int:
        """Serves until a signal comes; returns the process's exit code."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self.serve())

    async def serve(self) -> int:
        """As ``run``, on a running loop; handles signals from here on."""
        self._handle_signals()
        for part in self._lifecycles:
            part.start()
        for name, work in self._periodic_tasks.items():
            self._spawn(forever(name, work.step, every=work.every))
        serving = asyncio.create_task(self._server.run())
        log.info("PromSNMP %s listens on %s", __version__, ", ".join(urls(self._sockets, self._scheme)))
        await _until(self._stop, serving)
        if serving.done():  # without a signal: its error ends the process
            serving.result()
            return FAILED
        return await self._drain(serving)

    async def _drain(self, serving: asyncio.Task[None]) -> int:
        self._health.drain()
        await self._serve_on(serving)
        log.info("shutting down: requests in flight have %g s to finish", self._grace)
        self._drains = [asyncio.ensure_future(part.drain()) for part in self._lifecycles if part.drain is not None]
        draining = asyncio.ensure_future(self._end(serving))
        await _until(self._force, draining)
        if not draining.done():
            log.warning("interrupted again, ending without waiting")
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)
            return FORCED
        draining.result()
        log.info("ended")
        return OK

    async def _serve_on(self, serving: asyncio.Task[None]) -> None:
        """Serves for ``delay`` while not ready."""
        if not self._delay or self._hurry.is_set():
            return
        log.info("not ready any more; new requests are answered for %g s (SHUTDOWN_DELAY)", self._delay)
        delay = asyncio.ensure_future(asyncio.wait({serving}, timeout=self._delay))
        await _until(self._hurry, delay)
        delay.cancel()

    async def _end(self, serving: asyncio.Task[None]) -> None:
        """The server stops first: a request in flight may wait for a background part."""
        leaving = end_within(self._grace, self._drains, "hand over its work")
        await asyncio.gather(self._server.stop(grace=self._grace), serving, leaving)
        for part in self._lifecycles:
            await end_within(STOP_TIMEOUT, [asyncio.ensure_future(part.stop())], "stop")

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_end, number)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)

    def _on_end(self, number: signal.Signals) -> None:
        if number is signal.SIGINT:
            if self._stop.is_set():
                self._force.set()
            self._hurry.set()
        self._health.drain()
        self._stop.set()

    def _on_reload(self) -> None:
        log.info("SIGHUP received, reloading the configuration")
        self._spawn(self._reload())

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _until(event: asyncio.Event, work: asyncio.Future[Any]) -> None:
    """Returns when ``event`` is set or ``work`` is done, and leaves both as they are."""
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({waiting, work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
