"""Wires the parts that receive traps: built from the settings, fed with the inventory, connected with polling."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.metrics_core import Metric

from promsnmp.cluster.cluster import Cluster
from promsnmp.errors import PromSnmpError
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.store import InventoryStore
from promsnmp.observe.health import Component, Status
from promsnmp.observe.tasks import forever
from promsnmp.polling.subsystem import PollingSubsystem
from promsnmp.polling.target import Target
from promsnmp.settings import Settings
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.traps.device_traps import DeviceTraps
from promsnmp.traps.events import DeviceEvents, TrapEvent
from promsnmp.traps.follow_up.peer_notes import PeerNotes
from promsnmp.traps.follow_up.recent import RecentTraps
from promsnmp.traps.follow_up.service import FollowUp
from promsnmp.traps.identify import DeviceFinder, engine_ids
from promsnmp.traps.metrics import TrapMeters
from promsnmp.traps.model import Notification
from promsnmp.traps.names.model import NamedNotification
from promsnmp.traps.naming import TrapNames
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.pass_on import PassOn
from promsnmp.traps.peers import TrapPeers
from promsnmp.traps.receive.accepted import AcceptedCredentials, accepted_of
from promsnmp.traps.receive.counts import TrapCounts
from promsnmp.traps.receive.engine_clocks import EngineClocks, clocks_file
from promsnmp.traps.receive.listener import TrapListener
from promsnmp.traps.receive.own_engine import REFRESH_SECONDS, OwnEngine, engine_file
from promsnmp.traps.receive.receiver import Claim, ReceiverOptions, Sink, TrapReceiver
from promsnmp.traps.receive.usm import TrapReceiverModel

log = logging.getLogger(__name__)

OVERFLOW_SECONDS = 1.0
"""Seconds between two counts of what the system has dropped."""
NAMES_REFRESH = 60.0
"""Seconds between two look-ups of the host names in the inventory."""
MAX_NAMES = 5_000
"""Host names that are looked up."""


async def no_outputs(_: Notification) -> None:
    """Accepts every notification, and does nothing with it."""


class _Derived(NamedTuple):
    """What follows from an inventory."""

    accepted: AcceptedCredentials
    engines: dict[bytes, str]
    device_ids: frozenset[str]
    names: dict[str, str]
    """Ids of devices whose agents have host names, by name."""


class TrapSubsystem:
    """Receives traps while it runs. ``device_traps`` are on the pages of devices; ``outputs`` accepts each
    notification, or raises: then an inform is not acknowledged."""

    def __init__(
        self,
        settings: Settings,
        store: InventoryStore,
        cluster: Cluster,
        polling: PollingSubsystem,
        device_traps: DeviceTraps,
        *,
        names: TrapNames | None = None,
        outputs: Sink = no_outputs,
        pass_on: PassOn | None = None,
    ) -> None:
        """Binds the sockets. Raises PromSnmpError when that is not possible."""
        self._pass_on = pass_on
        self._settings = settings
        self._store = store
        self._polling = polling
        self._names = names or TrapNames()
        self._outputs = outputs if pass_on is None else pass_on.accept
        self._tasks: list[asyncio.Task[None]] = []
        self._listens = False
        self._host_names: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self.recent = RecentTraps()
        self.notes = PeerNotes(cluster)
        self.follow_up = FollowUp(
            pass_on.outputs if pass_on is not None else Outputs(),
            self.notes,
            self.recent,
            is_confirmable=lambda oid: self._names.confirmation_of(oid) is not None,
        )
        self.counts = TrapCounts()
        self.meters = TrapMeters()
        self.engine = OwnEngine(engine_file(settings.prom_inv_file), engine_id=bytes.fromhex(settings.trap_engine_id))
        self._finder = DeviceFinder(
            lambda: store.snapshot, proxies=settings.trap_proxy_networks, addresses=lambda: self._addresses
        )
        self._clocks = EngineClocks(
            clocks_file(settings.prom_inv_file), polled_clock=self._polled_clock, trusts_first=False
        )
        self._usm = TrapReceiverModel(self.engine, clocks=self._clocks)
        self.events = DeviceEvents(
            polling,
            self._find_device,
            self.meters,
            device_traps,
            which=settings.trap_polls,
            interval=settings.trap_poll_interval / 1000,
            unauthenticated_interval=settings.trap_unauthenticated_poll_interval / 1000,
            confirmation_of=self._names.confirmation_of,
            tell=self.follow_up.found,
        )
        self.peers = TrapPeers(
            cluster, self.events.handle, self.follow_up.receive, confirmation_of=self._names.confirmation_of
        )
        self.receiver = TrapReceiver(
            self._usm,
            self._finder,
            self.accept,
            self.counts,
            ReceiverOptions(
                rate=settings.trap_rate,
                sender_rate=settings.trap_sender_rate,
                queue_octets=settings.trap_queue_bytes,
                unknown_senders=settings.trap_unknown_senders,
            ),
            claims=self,
        )
        self.listener = TrapListener(self.receiver.take, self.counts)
        if self.is_on:
            self.listener.open(settings.trap_address, settings.trap_port)
            polling.page_service.polled.subscribe(self._on_polled)

    @property
    def is_on(self) -> bool:
        """Whether TRAP_PORT is set."""
        return self._settings.trap_port > 0

    @property
    def port(self) -> int:
        """The port that it listens on; 0 when it does not."""
        return self.listener.port

    def start(self) -> None:
        """Receives from now on."""
        if self.is_on:
            self._tasks.append(asyncio.create_task(self._start(), name="start of traps"))

    async def _start(self) -> None:
        if self._pass_on is not None:
            try:
                await self._pass_on.start()
            except PromSnmpError as error:
                log.error("no traps are received: %s", error)
                return
        await asyncio.to_thread(self.engine.load)
        await asyncio.to_thread(self._clocks.load)
        self._store.derive(self._derive, self._use)
        self.receiver.start()
        self.listener.start()
        self._listens = True
        self._tasks += [
            asyncio.create_task(forever("keeping of clocks", self._keep_clocks, every=REFRESH_SECONDS)),
            asyncio.create_task(forever("look at the SNMP engine", self._refresh_engine, every=REFRESH_SECONDS)),
            asyncio.create_task(
                forever("count of dropped traps", self.listener.count_overflows, every=OVERFLOW_SECONDS)
            ),
            asyncio.create_task(forever("look-up of host names", self._look_up_names, every=NAMES_REFRESH)),
        ]
        log.info("receiving traps on UDP port %d, engine id %s", self.port, self.engine.engine_id.hex())

    async def stop(self) -> None:
        """Ends the receiving; what waits is dropped, and senders of informs repeat them."""
        if not self.is_on:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        was_listening, self._listens = self._listens, False
        self.listener.stop()
        await self.receiver.stop()
        if was_listening:
            await self._keep_clocks()
        await self.peers.stop()
        await self.events.stop()
        await self.notes.stop()
        await self.follow_up.stop()
        if self._pass_on is not None:
            await self._pass_on.stop()

    async def accept(self, notification: Notification) -> None:
        """Gives a new notification to the outputs, and counts it. Raises what they raise."""
        named = await self._outputs(notification)
        if isinstance(named, NamedNotification):
            self.follow_up.passed_on(named)
        name = self._names.known_name(notification.oid)
        self.meters.add(name, self._names.severity_of(notification))

    async def claim(self, notification: Notification, key: bytes) -> Claim:
        """As ``Claims``: the owner of the device decides, counts the trap, and polls the device."""
        if not notification.device_id:
            return Claim.NEW
        event = TrapEvent(
            notification.device_id,
            notification.oid,
            self._names.known_name(notification.oid),
            notification.received_at,
            notification.authenticated,
            notification.varbinds,
            notification.id,
            self.notes.me,
        )
        return await self.peers.claim(event, key)

    def done(self, notification: Notification, key: bytes) -> None:
        """As ``Claims``."""
        if notification.device_id:
            self.peers.done(notification.device_id, key)

    def release(self, notification: Notification, key: bytes) -> None:
        """As ``Claims``."""
        if notification.device_id:
            self.peers.release(notification.device_id, key)

    def check(self) -> Component:
        """The component ``traps`` of the health: DOWN while no traps are received. An output that fails is among the
        details, and keeps it UP: what is queued is delivered later."""
        outputs = self._pass_on.outputs.details() if self._pass_on is not None else {}
        details = {"port": self.port, "listening": self._listens, "waiting": self.receiver.waiting, "outputs": outputs}
        return Component(Status.UP if self._listens else Status.DOWN, details)

    def families(self) -> Iterator[Metric]:
        """Own metrics; none while no traps are received."""
        if self.is_on:
            yield from self.meters.families(self.counts, waiting=self.receiver.waiting)
            if self._pass_on is not None:
                yield from self._pass_on.families()

    # ----------------------------------------------------------------------------------------------- the inventory

    def _derive(self, snapshot: Snapshot) -> _Derived:
        """In a thread."""
        inventory: Inventory = snapshot.inventory
        return _Derived(
            accepted_of(inventory, self._settings.more_trap_communities),
            engine_ids(inventory.devices),
            frozenset(device.id for device in inventory.devices),
            _host_names(inventory.devices),
        )

    def _use(self, derived: _Derived) -> None:
        self._usm.accepted = derived.accepted
        self._finder.engines = derived.engines
        self.events.retain(derived.device_ids)
        self._host_names = derived.names

    def _find_device(self, device_id: str) -> Device | None:
        return self._store.snapshot.index.device(device_id)

    def _polled_clock(self, engine_id: bytes) -> EngineState | None:
        device = self._finder.by_engine(engine_id)
        engine = None if device is None else self._polling.engine(device)
        return engine if engine is not None and engine.engine_id == engine_id else None

    def _on_polled(self, target: Target, began: float, has_page: bool) -> None:
        if target.device_id:
            changes = self._polling.link_changes(target) if has_page else {}
            self.events.on_polled(target.device_id, began, has_page=has_page, changes=changes)

    async def _refresh_engine(self) -> None:
        await asyncio.to_thread(self.engine.refresh)

    async def _keep_clocks(self) -> None:
        """Writes the clocks of engines that send traps, and takes those that other replicas have learned."""
        self._clocks.take(await asyncio.to_thread(self._clocks.exchange, self._clocks.changed()))

    async def _look_up_names(self) -> None:
        """The addresses of devices that the inventory knows by a host name."""
        loop, found = asyncio.get_running_loop(), dict[str, str]()
        for name, device_id in list(self._host_names.items())[:MAX_NAMES]:
            try:
                answers = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
            except (OSError, UnicodeError):
                continue
            for answer in answers:
                address = str(answer[4][0])
                found[address] = device_id if found.get(address, device_id) == device_id else ""
        self._addresses = found


def _host_names(devices: tuple[Device, ...]) -> dict[str, str]:
    """Ids of devices by the host names of their agents."""
    names: dict[str, str] = {}
    for device in devices:
        for agent in device.agents:
            address = agent.endpoint.address
            if ":" not in address and not address.rpartition(".")[2].isdigit():
                names[address] = device.id
    return names
