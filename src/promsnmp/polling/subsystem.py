"""All that polls, as one: built from the settings, fed with the devices of the inventory that this replica owns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import Metric

from promsnmp.cluster.cluster import Cluster
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import wanted_modules
from promsnmp.inventory.per_device_cache import Fragments
from promsnmp.inventory.store import InventoryStore
from promsnmp.modules.catalogue import Catalogues
from promsnmp.observe import families
from promsnmp.observe.counts import PollCounts
from promsnmp.observe.health import Component, Status
from promsnmp.polling.cache import PageCache
from promsnmp.polling.collector import Collector, Options
from promsnmp.polling.detection.findings import Findings
from promsnmp.polling.pages import NEVER_POLLED, Scraper, Standing
from promsnmp.polling.poller import Poller
from promsnmp.polling.target import Source, device_source
from promsnmp.settings import Settings

SHARED_SECONDS = 1.0
"""Age up to which the page of an address that is not in the inventory answers another scrape, too."""
HANDED_OVER_WITHIN = 0.5
"""Share of the interval in which devices of other replicas that are this one's now are polled, if they are many."""


class Collection:
    """The parts that poll: wired to the settings and to the inventory, and shown to health and metrics."""

    def __init__(self, settings: Settings, store: InventoryStore, catalogues: Catalogues, cluster: Cluster) -> None:
        interval = settings.collection_interval / 1000
        self._settings = settings
        self._store = store
        self._cluster = cluster
        self._starting: asyncio.Task[None] | None = None
        self.counts = PollCounts()
        self.cache = PageCache(settings.cache_entry_cnt, settings.page_lifetime, time.monotonic)
        self.findings = Findings()
        self.collector = Collector(
            catalogues,
            Options(
                utilization=settings.interface_utilization,
                wrap=settings.snmp_wrap_large_counters,
                zeros=settings.snmp_zero_for_non_numbers,
                strict=settings.scrape_strict,
                own_metrics=settings.page_own_metrics,
                source_address=settings.snmp_source_address,
                label_refresh=settings.collection_label_refresh if interval else 1,
                label_age=settings.collection_label_refresh * interval,
            ),
            tell=self.findings.note,
        )
        self.collector.max_known = settings.cache_entry_cnt
        self.collector.check(settings.modules)  # an unknown module ends the start
        self.scraper = Scraper(
            self.collector,
            self.cache,
            self.counts,
            poll_timeout=settings.collection_timeout / 1000,
            freshness=min(interval / 2, SHARED_SECONDS) if interval else None,
        )
        self.poller = Poller(
            self.scraper,
            self.counts,
            interval=interval,
            backoff_max=settings.backoff_max,
            concurrency=settings.collection_concurrency,
        )
        self._polls = interval > 0
        self._sources = Fragments(self._source)
        self._all: list[Source] = []
        self.owned = 0

    def start(self) -> None:
        """Poll the inventory's devices, and follow its changes: those that this replica owns."""
        if self._polls:
            self._starting = asyncio.create_task(self._start(), name="start of the poller")

    async def _start(self) -> None:
        await self._cluster.known()
        await asyncio.to_thread(self._sources.of, self._store.current.devices)  # so that the next line has little to do
        self._store.derive(lambda now: self._sources.of(now.inventory.devices), self._follow)
        if self._cluster.team is not None:
            self._cluster.team.subscribe(self._share)
        self.poller.start()

    async def stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        await self.poller.stop()

    async def store_findings(self) -> None:
        """Puts what was found out of devices into the inventory, or has the leader do it."""
        if self._cluster.leadership.leads:
            await self.findings.store(self._store.update)
        else:
            await self.findings.tell(self._cluster.tell_findings)

    def heard(self, body: bytes) -> bytes:
        """Another replica tells what it found out. Raises NotLeader and ValueError."""
        self._cluster.leadership.fence()
        self.findings.heard(body)
        return b"{}"

    def standing(self, device: Device) -> Standing:
        """How the last poll of a device of the inventory ended."""
        source = self._source(device)
        return NEVER_POLLED if source is None else self.scraper.standing(source)

    def figures(self) -> tuple[int, int, int]:
        """Polls under way (those of scrapes count as well), how many may be at once, and how many wait."""
        return self.scraper.active, self.poller.concurrency, self.poller.queued

    def check(self) -> Component:
        details = {"enabled": self._polls, "active": self.scraper.active}
        return Component(Status.UP, details)

    def families(self) -> Iterable[Metric]:
        yield families.gauge("promsnmp_cluster_owned_devices", "Devices that this replica polls.", self.owned)
        yield from families.cache_families(hits=self.cache.hits, misses=self.cache.misses, size=len(self.cache))
        yield from families.poll_families(self.counts)
        yield from families.dropped_families(self.collector.dropped)

    def _follow(self, found: Sequence[Source | None]) -> None:
        self._all = [source for source in found if source is not None]
        self._share()

    def _share(self) -> None:
        """Polls what is this replica's of all."""
        ring = self._cluster.members.ring
        sources = [source for source in self._all if ring.is_mine(source.shard)]
        self.owned = len(sources)
        self.collector.max_known = self._settings.cache_entry_cnt + len(sources)
        self.poller.set_sources(sources, within=1.0 if len(ring.members) < 2 else HANDED_OVER_WITHIN)

    def _source(self, device: Device) -> Source | None:
        """What is polled of a device that has an agent: its own modules, or else those of the settings."""
        if device.primary is None:
            return None
        return device_source(device, device.primary, wanted_modules(device, self._settings.modules))
