"""Wires the parts that poll: built from the settings, fed with the devices of the inventory that this replica owns."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.metrics_core import Metric

from promsnmp.cluster.cluster import Cluster
from promsnmp.errors import UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import requested_modules
from promsnmp.inventory.per_device_cache import PerDeviceCache
from promsnmp.inventory.store import InventoryStore
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.observe import metric_families
from promsnmp.observe.counts import PollCounts
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.observe.exporter_families import exporter_families
from promsnmp.observe.health import Component, Status
from promsnmp.observe.memory_guard import MemoryGuard
from promsnmp.polling.collector import Collector
from promsnmp.polling.detection.detected_modules import DetectedModules
from promsnmp.polling.detection.findings import Findings
from promsnmp.polling.detection.identity_watch import CheckIdentity
from promsnmp.polling.detection.seen_identities import KEY as IDENTITIES
from promsnmp.polling.detection.seen_identities import SeenIdentities
from promsnmp.polling.device_state import DeviceState, DeviceStates
from promsnmp.polling.explain.service import Explainer
from promsnmp.polling.handover.handover import Handover
from promsnmp.polling.history.poll_history import PastPoll
from promsnmp.polling.options import CollectorOptions, with_limits
from promsnmp.polling.overrides import aged_by_sleep
from promsnmp.polling.pages.cache import CacheEntry, PageCache
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.polling.pages.row_updates import OwnFamily, RowUpdate, names_on_page, row_lines
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.poll import SessionFactory
from promsnmp.polling.poller import Poller
from promsnmp.polling.render import PageFamilies, no_families
from promsnmp.polling.target import Target, device_target
from promsnmp.polling.walks.walker import DeviceWalker, Walked
from promsnmp.settings import Settings
from promsnmp.snmp.ber import VarBind
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.support.memory import cgroup_limit

log = logging.getLogger(__name__)

ADHOC_PAGE_SECONDS = 1.0
"""Seconds for which the page of an address outside the inventory answers further scrapes."""
REQUESTED_AT_ONCE = 500
"""Devices whose polls are scheduled in one step: some five milliseconds."""
HANDOVER_SPREAD = 0.5
"""Share of the interval within which this replica polls devices that it takes over from others, if they are many."""


class PollingSubsystem:
    """The parts that poll, with their settings, inventory, health and metrics."""

    def __init__(
        self,
        settings: Settings,
        store: InventoryStore,
        catalogue_store: CatalogueStore,
        cluster: Cluster,
        *,
        check_identity: CheckIdentity | None = None,
        scrape_polls: int = 0,
        page_families: PageFamilies = no_families,
    ) -> None:
        """``page_families``: more families on the page of a device. ``scrape_polls`` replaces SCRAPE_CONCURRENCY,
        where the system allows too few file descriptors for it."""
        interval = settings.collection_interval / 1000
        self._settings = settings
        self._store = store
        self._cluster = cluster
        self._starting: asyncio.Task[None] | None = None
        self.counts = PollCounts()
        self.exporter_counts = ExporterCounts()
        self.cache = PageCache(
            settings.cache_entry_cnt, settings.page_lifetime, time.monotonic, max_octets=settings.cache_max_bytes
        )
        self.memory = MemoryGuard(_memory_limit(settings), drop_pages=self.cache.drop_oldest)
        self.detected_modules = DetectedModules()
        self.seen_identities = SeenIdentities()
        self.collector = Collector(
            catalogue_store,
            with_limits(_collector_options(settings), settings),
            on_detected=self.detected_modules.add,
            check_identity=check_identity,
            on_identity=self.seen_identities.add,
            counts=self.exporter_counts,
            observes=lambda device: self.handover.observes(device),
            memory=self.memory,
            page_families=page_families,
        )
        self.collector.states = DeviceStates(settings.cache_entry_cnt, max_octets=settings.cache_max_bytes)
        self.collector.check(settings.modules)  # an unknown module stops the start
        self.page_service = PageService(
            self.collector,
            self.cache,
            self.counts,
            poll_timeout=settings.collection_timeout / 1000,
            freshness=min(interval / 2, ADHOC_PAGE_SECONDS) if interval else None,
            max_scrape_polls=scrape_polls or settings.scrape_concurrency,
            memory=self.memory,
        )
        self.poller = Poller(
            self.page_service,
            self.counts,
            interval=interval,
            backoff_max=settings.backoff_max,
            concurrency=settings.collection_concurrency,
            is_memory_short=self.memory.is_high,
        )
        self.handover = Handover(cluster, self.page_service, self.collector.states)
        cluster.revoked.subscribe(self.handover.on_revoked)
        cluster.awake.subscribe(self._on_awake)
        self._walker = DeviceWalker(SessionFactory(source_address=settings.snmp_source_address))
        self.explainer = Explainer(
            lambda: catalogue_store.current,
            with_limits(_collector_options(settings), settings),
            modules=settings.modules,
            timeout=settings.collection_timeout / 1000,
            interval=settings.collection_interval,
            check_identity=check_identity,
            is_memory_short=self.memory.is_high,
        )
        self._interval = interval
        self._polls = interval > 0
        self._targets = PerDeviceCache(self._target)
        self._all_targets: list[Target] = []
        self._requested_polls: set[asyncio.Task[CacheEntry]] = set()
        self.owned = 0
        self._owned_shards: set[str] = set()

    def start(self) -> None:
        """Starts to poll the inventory's devices that this replica owns, and to follow changes."""
        self._starting = asyncio.create_task(self._start(), name="start of the poller")

    async def _start(self) -> None:
        if self._cluster.gossip is not None:
            self._cluster.gossip.subscribe(self.handover.on_members_changed)
        if not self._polls:
            return
        await self._cluster.wait_for_members()
        await self._cluster.read_leases.wait_until_settled()
        await asyncio.to_thread(
            self._targets.of, self._store.current.devices
        )  # in a thread, so that the next line is fast
        self._store.derive(lambda now: self._targets.of(now.inventory.devices), self._set_targets)
        if self._cluster.gossip is not None:
            self._cluster.gossip.subscribe(self._poll_owned)
        self.poller.start()

    async def hand_over(self) -> None:
        """Stops to poll, and hands pages and histograms over to the other replicas."""
        if self._starting is not None:
            self._starting.cancel()
        self.poller.pause()
        await self.handover.hand_over_all()

    async def stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        await self.handover.stop()
        await self.poller.stop()
        self.collector.step_runner.close()

    async def watch_memory(self) -> None:
        """One look at the memory; polls that waited for it start when it is free again."""
        was_high = self.memory.is_high()
        await self.memory.refresh()
        if was_high and not self.memory.is_high():
            self.poller.wake()

    def _on_awake(self, seconds: float) -> None:
        """After a sleep no page is shown that the sleep made much older than the interval of its device."""
        if self._polls:
            self.page_service.on_awake(aged_by_sleep(self._all_targets, seconds, interval=self._interval))

    async def store_findings(self) -> None:
        """Writes seen identities and newly detected modules to the inventory, or sends them to the leader."""
        kinds: tuple[Findings[Any], ...] = (self.seen_identities, self.detected_modules)
        for findings in kinds:
            if self._cluster.leadership.leads:
                await findings.store(self._store.update)
            else:
                await findings.forward(self._cluster.send_detected_modules)

    def receive_findings(self, body: bytes) -> bytes:
        """Takes what another replica detected, or saw. Raises NotLeader and ValueError."""
        self._cluster.leadership.claim()
        message = json.loads(body)
        if isinstance(message, dict) and IDENTITIES in message:
            self.seen_identities.receive(message)
        else:
            self.detected_modules.receive(message)
        return b"{}"

    async def poll_now(self, devices: Sequence[Device], *, detect: bool = False, within: float = 0.0) -> int:
        """Polls those of the devices that this replica polls, as soon as there is room; returns how many these are.

        ``detect``: their modules are detected again first. Waits ``within`` seconds for the polls to end.
        """
        number, polls = 0, set[asyncio.Task[CacheEntry]]()
        for at in range(0, len(devices), REQUESTED_AT_ONCE):
            found = [self._target(device) for device in devices[at : at + REQUESTED_AT_ONCE]]
            targets = [target for target in found if target is not None and self._is_polled_here(target)]
            number += len(targets)
            if detect:
                for target in targets:
                    self.collector.states.of(target).detection.request()
            if self._polls:
                self.poller.poll_soon(target.key for target in targets)
            if not self._polls or within:
                polls |= {asyncio.create_task(self.page_service.poll(target)) for target in targets}
            await asyncio.sleep(0)  # others run in between
        self._requested_polls |= polls
        for poll in polls:
            poll.add_done_callback(self._on_requested_poll)
        if polls and within:
            await asyncio.wait(polls, timeout=within)
        return number

    def poll_again(self, device: Device) -> bool:
        """Polls a device because something happened there: as soon as there is room, and once more if a poll is
        running, which may have read the state before. False when this replica does not poll it."""
        target = self._target(device)
        if target is None or not self._is_polled_here(target):
            return False
        if self._polls:
            return self.poller.poll_soon([target.key], again=True) > 0
        poll = asyncio.create_task(self.page_service.poll(target, not_before=time.monotonic()))
        self._requested_polls.add(poll)
        poll.add_done_callback(self._on_requested_poll)
        return True

    async def get(self, device: Device, names: Sequence[bytes]) -> Mapping[bytes, VarBind]:
        """Those of the objects ``names`` (content octets) that a device returns. Raises SnmpError."""
        target, state = self._target(device), self._state(device)
        if target is None:
            return {}
        return await self._walker.get(target, names, EngineState() if state is None else state.engine)

    async def get_rows(self, device: Device, names: Sequence[bytes]) -> Mapping[bytes, VarBind]:
        """As ``get``; with the other states that the page of the device has of the rows of ``names``."""
        target = self._target(device)
        plan = None if target is None else self.collector.known_plan(target)
        return await self.get(device, names if plan is None else names_on_page(plan, names))

    async def update_page(
        self, device: Device, answers: Mapping[bytes, VarBind], answered_at: float, families: Sequence[OwnFamily] = ()
    ) -> bool:
        """Puts what ``get_rows`` has returned, by ``answered_at`` (seconds, monotonic), onto the page of a device, and
        ``families``, which replace those of the same names. Whether its page has it now."""
        target = self._target(device)
        plan = None if target is None else self.collector.known_plan(target)
        state = None if target is None else self.collector.states.find(target)
        if target is None or plan is None or state is None:
            return False
        unsigned = self._settings.snmp_unsigned_sizes
        lines = row_lines(plan, state.render_state, answers.values(), unsigned_sizes=unsigned)
        names = frozenset(name for name, *_ in families)
        return await self.page_service.update_rows(target, RowUpdate(answered_at, lines, families, names))

    def link_changes(self, target: Target) -> Mapping[bytes, int]:
        """The new ``ifOperStatus`` of interfaces that the last poll found changed, by OID suffix."""
        state = self.collector.states.find(target)
        return {} if state is None else state.links.changes

    def engine(self, device: Device) -> EngineState | None:
        """What polls know of the SNMPv3 engine of a device; None before the first."""
        state = self._state(device)
        return None if state is None else state.engine

    def _on_requested_poll(self, poll: asyncio.Task[CacheEntry]) -> None:
        self._requested_polls.discard(poll)
        if not poll.cancelled() and (error := poll.exception()) is not None:
            log.warning("a poll that somebody asked for failed: %s", error)

    def poll_status(self, device: Device) -> PollStatus:
        """How the last poll of a device of the inventory ended."""
        target = self._target(device)
        return NEVER_POLLED if target is None else self.page_service.poll_status(target)

    def poll_statuses(self, devices: tuple[Device, ...]) -> list[PollStatus | None]:
        """``poll_status`` of many devices, in order; None for those that another replica polls.

        ``devices`` should be all devices of an inventory: then it takes a microsecond for each.
        """
        targets = self._targets.of(devices)
        statuses = self.collector.states.statuses(targets)
        if self._polls_all:
            return list(statuses)
        owned = self._owned_shards
        return [
            status if target is None or target.shard in owned else None
            for target, status in zip(targets, statuses, strict=True)
        ]

    @property
    def _polls_all(self) -> bool:
        """Whether this replica may poll every device."""
        return not self._polls or len(self._cluster.members.ring.members) < 2

    def _is_polled_here(self, target: Target) -> bool:
        return self._polls_all or target.shard in self._owned_shards

    def last_page(self, device: Device) -> RenderedPage | None:
        """The page of a device of the inventory that is in memory, however old; None without one."""
        target = self._target(device)
        return None if target is None else self.page_service.stored_page(target.key, target.modules)

    async def walk(self, device: Device, root: bytes) -> Walked:
        """Walks a device of the inventory at and below ``root`` (content octets), for people. Raises SnmpError,
        WalksBusy, and UnknownDevice for a device without an agent."""
        target = self._target(device)
        if target is None:
            raise UnknownDevice(f"{device.sys_name or device.id} has no SNMP agent")
        return await self._walker.walk(target, root)

    def interface_rates(self, device: Device) -> dict[str, tuple[float, float]]:
        """Bits per second received and sent by each interface of a device between its last two polls, by the text of
        the labels of its counters; as far as they are known."""
        target = self._target(device)
        series = None if target is None else self.page_service.histograms(target)
        return {one.labels.decode(errors="replace").strip(): one.rates for one in series or () if one.rates is not None}

    def rate_history(self, device: Device) -> dict[str, tuple[bytes, bytes]]:
        """Codes of the rates of a device's interfaces in the last hour (``history.rate_history``), by the text of the
        labels of its counters; as far as they are kept."""
        target = self._target(device)
        return {} if target is None else self.collector.rate_histories.codes(target.key, time.monotonic())

    def error_rates(self, device: Device) -> Mapping[str, tuple[float | None, float | None]] | None:
        """Errors and discards per second of a device's interfaces, as ``ErrorRates.by_index``."""
        state = self._state(device)
        return None if state is None else state.errors.by_index()

    def past_polls(self, device: Device) -> Sequence[PastPoll]:
        """The last polls of a device on this replica, the newest first."""
        state = self._state(device)
        return () if state is None else tuple(state.polls.newest_first())

    def _state(self, device: Device) -> DeviceState | None:
        target = self._target(device)
        return None if target is None else self.collector.states.find(target)

    def health_definitions(self, device: Device) -> tuple[str, ...]:
        """The health definitions that suit a device, as its polls on this replica found them."""
        state = self._state(device)
        return () if state is None else state.health.names

    def used_definitions(self) -> dict[str, int]:
        """The health definitions in use on this replica, each with the number of its devices."""
        return self.collector.states.count_definitions()

    def figures(self) -> tuple[int, int, int]:
        """Running polls (including those for scrapes), how many may run at once, and how many wait."""
        return self.page_service.active, self.poller.concurrency, self.poller.queued

    def check(self) -> Component:
        details = {"enabled": self._polls, "active": self.page_service.active}
        return Component(Status.UP, details)

    def families(self) -> Iterable[Metric]:
        yield metric_families.gauge("promsnmp_cluster_owned_devices", "Devices that this replica polls.", self.owned)
        changed = sum(device.identity_change is not None for device in self._store.current.devices)
        yield metric_families.gauge(
            "promsnmp_devices_identity_changed",
            "Devices at whose address another device than the inventory knows answers; the same on all replicas.",
            changed,
        )
        yield from metric_families.cache_families(hits=self.cache.hits, misses=self.cache.misses, size=len(self.cache))
        yield metric_families.gauge(
            "promsnmp_cache_bytes", "Memory that the pages in the cache take.", self.cache.octets
        )
        yield from metric_families.poll_families(self.counts)
        yield from metric_families.dropped_families(self.collector.dropped)
        yield from exporter_families(
            self.exporter_counts,
            in_flight=self.page_service.active,
            unexpected_types=self.collector.dropped.get("unknown_type", 0),
        )
        yield from self.memory.families()

    def _set_targets(self, found: Sequence[Target | None]) -> None:
        self._all_targets = [target for target in found if target is not None]
        self._poll_owned()

    def _poll_owned(self) -> None:
        """Polls those of all targets that this replica owns."""
        ring = self._cluster.members.ring
        targets = [target for target in self._all_targets if ring.is_mine(target.shard)]
        self.owned = len(targets)
        self._owned_shards = {target.shard for target in targets}
        self.collector.states.max_states = self._settings.cache_entry_cnt + len(targets)
        self.poller.set_targets(targets, within=1.0 if len(ring.members) < 2 else HANDOVER_SPREAD)

    def _target(self, device: Device) -> Target | None:
        """The target of a device that has an agent: with its own modules, or else those of the settings."""
        if device.primary is None:
            return None
        modules, health = requested_modules(device, self._settings.modules), self._settings.health_metrics
        return device_target(device, device.primary, modules, health=health)


def _collector_options(settings: Settings) -> CollectorOptions:
    interval = settings.collection_interval / 1000
    return CollectorOptions(
        utilization=settings.interface_utilization,
        wrap=settings.snmp_wrap_large_counters,
        zeros=settings.snmp_zero_for_non_numbers,
        unsigned_sizes=settings.snmp_unsigned_sizes,
        strict=settings.scrape_strict,
        own_metrics=settings.page_own_metrics,
        start_times=settings.page_own_metrics and settings.page_start_timestamps,
        source_address=settings.snmp_source_address,
        deadline_setting="COLLECTION_TIMEOUT",
        label_refresh=settings.collection_label_refresh if interval else 1,
        label_age=settings.collection_label_refresh * interval,
        error_rates=settings.web_ui,
        link_changes=settings.trap_port > 0,
        history_octets=settings.web_history_max_bytes if settings.web_ui else 0,
    )


def _memory_limit(settings: Settings) -> int:
    """Bytes; 0: none."""
    limit = settings.memory_limit
    return (cgroup_limit() or 0) if limit is None else limit
