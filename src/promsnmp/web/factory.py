"""The pages as the settings want them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from promsnmp import __version__
from promsnmp.cluster.cluster import Cluster
from promsnmp.discovery.schedule import Scheduler
from promsnmp.discovery.service import Discovery
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.query import DeviceSelector
from promsnmp.inventory.targets import TargetList
from promsnmp.inventory.writes.many_devices import ManyDevices
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.modules.snmp_yml.read_options import read_options
from promsnmp.observe.health import Health
from promsnmp.polling.subsystem import PollingSubsystem
from promsnmp.settings import Settings
from promsnmp.settings.reading.parsing import parts
from promsnmp.traps.subsystem import TrapSubsystem
from promsnmp.web.interface import WebInterface
from promsnmp.web.peers.recent_traps import TrapExchange
from promsnmp.web.peers.statuses import StatusExchange
from promsnmp.web.rates import PollRateMeter
from promsnmp.web.sources import Sources


def make_interface(
    settings: Settings,
    meter: PollRateMeter,
    *,
    devices: Devices,
    many_devices: ManyDevices,
    reload: Callable[[], Awaitable[object]],
    select: DeviceSelector,
    targets: TargetList,
    polling: PollingSubsystem,
    catalogue_store: CatalogueStore,
    cluster: Cluster,
    peer_statuses: StatusExchange,
    discovery: Discovery,
    scheduler: Scheduler,
    health: Health,
    traps: TrapSubsystem,
) -> WebInterface | None:
    """The pages; None when they are off (WEB_UI)."""
    if not settings.web_ui:
        return None
    sources = Sources(
        version=__version__,
        site=settings.prom_site_label or settings.prom_site_id,
        mib_folders=parts(settings.mib_folders),
        modules=settings.modules,
        interval=settings.collection_interval / 1000,
        shows_rates=settings.interface_utilization,
        devices=devices,
        many_devices=many_devices,
        reload=reload,
        read_options=read_options(settings),
        select=select,
        statuses=polling.poll_statuses,
        peer_report=peer_statuses.report,
        status=polling.poll_status,
        last_page=polling.last_page,
        interface_rates=polling.interface_rates,
        rate_history=polling.rate_history,
        keeps_history=polling.collector.rate_histories.is_on and settings.interface_utilization,
        error_rates=polling.error_rates,
        past_polls=polling.past_polls,
        explain=polling.explainer.modules_of,
        explain_health=polling.explainer.health_of,
        definitions_of=polling.health_definitions,
        definitions=polling.used_definitions,
        catalogue_store=catalogue_store,
        cluster=cluster,
        discovery=discovery,
        next_search=lambda: scheduler.next,
        walk=polling.walk,
        upcoming_searches=scheduler.upcoming,
        schedule=f"{settings.discovery_cron} {settings.discovery_tz}".strip(),
        health=health,
        traps=TrapExchange(cluster, traps.recent),
        receives_traps=traps.is_on,
        target_groups=targets.groups,
    )
    return WebInterface(sources, meter)
