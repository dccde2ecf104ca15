"""The composition root: the only file that knows every part. It builds them, wires them, runs them, and drains them.

The life of the process: settings are read and the inventory is loaded, or the start ends with one line that says why
not; the socket listens; everything that repeats runs as a task that survives its failures. SIGTERM or Ctrl-C makes
PromSNMP not ready at once, lets the requests in flight finish, and ends with exit code 0 within SHUTDOWN_TIMEOUT.
Signals are handled explicitly, so that this also holds for PID 1 of a container. No child processes are started.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvloop
from prometheus_client.metrics_core import Metric

from promsnmp import __version__
from promsnmp.http.asgi import create_front
from promsnmp.http.front import Front
from promsnmp.http.listen import listen, urls
from promsnmp.http.prebuilt import Prebuilt
from promsnmp.http.server import HttpServer
from promsnmp.http.services import Services
from promsnmp.inventory.document import DocumentWriter
from promsnmp.inventory.key import load_key
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import Site, TargetList
from promsnmp.observe import families
from promsnmp.observe.counts import PollCounts, RequestCounts
from promsnmp.observe.health import Component, DiskSpace, Health, Status, loop_check
from promsnmp.observe.meters import ProcessMeters
from promsnmp.observe.selfmetrics import SelfMetrics
from promsnmp.observe.tasks import LoopLag, forever
from promsnmp.settings import Settings
from promsnmp.snmp.ber import COMPILED

log = logging.getLogger(__name__)

OK, FAILED, FORCED = 0, 1, 130
"""Exit codes: ended in order, by an error, by a second Ctrl-C."""

GRACE_SHARE = 0.95
"""Part of SHUTDOWN_TIMEOUT that requests in flight get; the rest is for ending."""
WATCH_INTERVAL = 2.0
DISK_INTERVAL = 10.0
"""Seconds between two looks at the inventory file, and at its disk."""

Step = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Work of the background: ``step`` is awaited every ``every`` seconds."""

    step: Step
    every: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """What starts with the process and ends with it."""

    start: Callable[[], object]
    stop: Step


class App:
    """PromSNMP as one value; ``run`` it once."""

    def __init__(
        self,
        *,
        front: Front,
        health: Health,
        sockets: Sequence[socket.socket],
        grace: float,
        repeated: Mapping[str, Repeated],
        lifecycles: Sequence[Lifecycle] = (),
        reload: Step,
    ) -> None:
        self._health = health
        self._sockets = list(sockets)
        self._server = HttpServer(front, sockets)
        self._grace = grace
        self._repeated = dict(repeated)
        self._lifecycles = list(lifecycles)
        self._reload = reload
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._background: set[asyncio.Task[object]] = set()

    def run(self) -> int:
        """Serve until a signal comes; returns the process's exit code."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self.serve())

    async def serve(self) -> int:
        """As ``run``, on a loop that runs already; signals are handled from here on."""
        self._handle_signals()
        for part in self._lifecycles:
            part.start()
        for name, work in self._repeated.items():
            self._spawn(forever(name, work.step, every=work.every))
        serving = asyncio.create_task(self._server.run())
        log.info("PromSNMP %s listens on %s", __version__, ", ".join(urls(self._sockets)))
        await _until(self._stop, serving)
        if serving.done():  # nobody asked it to: whatever ended it ends the process
            serving.result()
            return FAILED
        return await self._drain(serving)

    async def _drain(self, serving: asyncio.Task[None]) -> int:
        self._health.drain()
        log.info("shutting down: requests in flight have %g s to finish", self._grace)
        ending = [self._within_grace(part.stop) for part in self._lifecycles]
        draining = asyncio.gather(self._server.stop(grace=self._grace), *ending, serving)
        await _until(self._force, draining)
        if not draining.done():
            log.warning("interrupted again: ending now")
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)
            return FORCED
        draining.result()
        log.info("ended")
        return OK

    async def _within_grace(self, stop: Step) -> None:
        try:
            await asyncio.wait_for(stop(), self._grace)
        except TimeoutError:
            log.warning("a part of the background did not end within %g s", self._grace)
        except Exception:
            log.exception("a part of the background ended badly")

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_end, number)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)

    def _on_end(self, number: signal.Signals) -> None:
        if self._stop.is_set() and number is signal.SIGINT:
            self._force.set()
        self._health.drain()
        self._stop.set()

    def _on_reload(self) -> None:
        log.info("SIGHUP: reading the inventory again")
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


def build(settings: Settings) -> App:
    """Every part, built and wired, with the inventory loaded and the sockets listening.

    Raises InventoryError when the inventory cannot be used, and PromSnmpError when the port cannot be.
    """
    if not COMPILED:
        log.warning("running without the compiled decoder: slower")
    store = _open_store(settings)
    disk, lag = DiskSpace(settings.prom_inv_file), LoopLag()
    requests, polls = RequestCounts(), PollCounts()
    checks = {
        "diskSpace": disk.check,
        "eventLoop": lambda: loop_check(lag),
        "inventory": lambda: _inventory_check(store),
    }
    health = Health(checks, loaded=lambda: True)
    metrics = SelfMetrics(
        lambda: families.build_families(version=__version__, compiled=COMPILED),
        lambda: families.site_families(_site(settings)),
        lambda: families.cache_families(hits=0, misses=0, size=0),
        lambda: families.poll_families(polls),
        lambda: families.loop_families(lag.seconds),
        lambda: _inventory_families(store, disk),
        lambda: families.leadership_families(leader=True, discovered_at=0.0),
        lambda: families.request_families(requests),
    )
    services = Services(
        version=__version__,
        compiled=COMPILED,
        health=health,
        metrics=metrics,
        process_meters=ProcessMeters().meters,
        targets=_published(store, settings),
        show_inventory=partial(_shown, DocumentWriter(mask=True), store),
        replace_inventory=store.replace,
        evict=lambda: None,
    )
    return App(
        front=create_front(services, requests),
        health=health,
        sockets=listen(settings.server_address, settings.server_port),
        grace=settings.shutdown_timeout / 1000 * GRACE_SHARE,
        repeated={
            "the watch of the inventory file": Repeated(step=store.reload_if_changed, every=WATCH_INTERVAL),
            "the watch of the disk": Repeated(step=disk.refresh, every=DISK_INTERVAL),
            "the measure of the event loop": Repeated(step=lag.measure, every=0.0),
        },
        reload=store.reload_if_changed,
    )


def _open_store(settings: Settings) -> InventoryStore:
    secret = settings.prom_encrypt_key
    key = load_key(settings.prom_inv_file, secret.get_secret_value() if secret else None)
    store = InventoryStore(settings.prom_inv_file, key)
    store.load()
    return store


def _published(store: InventoryStore, settings: Settings) -> Callable[[], Prebuilt]:
    """``/targets``, made again whenever the inventory changes."""
    targets = TargetList(site=Site.from_settings(settings), modules=settings.modules)
    now = Prebuilt(targets.of(store.current), "application/json")

    def rebuild(inventory: Inventory) -> None:
        nonlocal now
        now = Prebuilt(targets.of(inventory), "application/json")

    store.subscribe(rebuild)
    return lambda: now


def _shown(writer: DocumentWriter, store: InventoryStore) -> bytes:
    return writer.json(store.current)


def _inventory_check(store: InventoryStore) -> Component:
    details = {"devices": len(store.current.devices), "revision": store.current.revision}
    if store.last_error is not None:
        return Component(Status.DOWN, {**details, "error": str(store.last_error)})
    return Component(Status.UP, details)


def _inventory_families(store: InventoryStore, disk: DiskSpace) -> Iterable[Metric]:
    devices, healthy = len(store.current.devices), store.last_error is None
    return families.inventory_families(devices=devices, changed_at=disk.modified, healthy=healthy)


def _site(settings: Settings) -> dict[str, str]:
    """Labels of ``promsnmp_site_info``: every PROM_TENANT_* and PROM_SITE_* setting."""
    names = [name for name in Settings.model_fields if name.startswith(("prom_tenant", "prom_site"))]
    values = {name.removeprefix("prom_"): getattr(settings, name) for name in names}
    return {name: "" if value is None else str(value) for name, value in values.items()}
