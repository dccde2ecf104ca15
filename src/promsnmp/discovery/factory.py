"""Creates discovery from the settings, for the service and for commands, which keep the inventory elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from promsnmp.discovery.examine.examine import Examiner, Identify
from promsnmp.discovery.reconcile.batch_writer import UpdateInventory
from promsnmp.discovery.reconcile.merge import last_discovery
from promsnmp.discovery.scan.rate import ScanLimits
from promsnmp.discovery.scan.target_syntax import read_networks
from promsnmp.discovery.schedule import Schedule, Scheduler, read_cron, read_zone
from promsnmp.discovery.search import SearchContext
from promsnmp.discovery.seed_run import SeedRun
from promsnmp.discovery.service import Discovery
from promsnmp.errors import SettingsError
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.modules import KnownModules
from promsnmp.observe.counts import DiscoveryCounts
from promsnmp.settings import Settings
from promsnmp.snmp.v3.keys import KeyCache


def make_discovery(
    settings: Settings,
    *,
    inventory: Callable[[], Inventory],
    update: UpdateInventory,
    identify: Identify,
    counts: DiscoveryCounts,
    leads: Callable[[], bool] = lambda: True,
    durable_jobs: bool = False,
    known_modules: KnownModules | None = None,
) -> Discovery:
    """Discovery that reads ``inventory`` and changes it by ``update``; ``durable_jobs`` as for ``Discovery``,
    ``known_modules`` as for ``SavedSeeds``.

    Raises SettingsError.
    """
    texts = [part.strip() for part in settings.discovery_neighbour_networks.split(",") if part.strip()]
    networks, problems = read_networks(texts, "DISCOVERY_NEIGHBOUR_NETWORKS")
    if problems:
        raise SettingsError("\n".join(problems))
    keys = KeyCache()
    scan_limits = ScanLimits(
        packets_per_second=settings.discovery_packets_per_second,
        in_flight=settings.discovery_in_flight,
        timeout=settings.discovery_timeout / 1000,
        retries=settings.discovery_retries,
    )
    examiner = Examiner(
        keys=keys, timeout=scan_limits.timeout, retries=scan_limits.retries, identify=identify, clock=time.time
    )
    context = SearchContext(
        inventory=inventory,
        update=update,
        scan_limits=scan_limits,
        keys=keys,
        examiner=examiner,
        lost_after=settings.discovery_lost_after / 1000,
    )
    return Discovery(
        context,
        counts,
        neighbours=networks,
        remove_lost=settings.discovery_remove_lost,
        leads=leads,
        durable_jobs=durable_jobs,
        finished_at=last_discovery(inventory()),
        known_modules=known_modules,
    )


def make_scheduler(settings: Settings, discovery: Discovery, *, leads: Callable[[], bool]) -> Scheduler:
    """What searches the saved seeds at the times of the settings. Raises SettingsError."""
    expression, zone = read_cron(settings.discovery_cron), read_zone(settings.discovery_tz)
    schedule = Schedule(expression, zone, datetime.now(UTC)) if expression is not None else None
    text = f"{' '.join(settings.discovery_cron.split())} {settings.discovery_tz}".strip()
    run = SeedRun(discovery, schedule=text, leads=leads)
    return Scheduler(run, schedule, leads=leads, on_start=settings.discovery_on_start)
