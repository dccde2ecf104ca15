"""The composition root: the only file that knows every part. It builds the parts in the order of the layers.

Modules, the inventory, the cluster, polling, discovery, traps, HTTP: each part is made of those before it. The
settings are read and the inventory is loaded, or the start ends with one line that says why not; then the sockets
listen. What runs after that, and how it ends, is in ``http/server/lifecycle.py``.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from promsnmp import __version__
from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.inventory_port import InventoryPort
from promsnmp.discovery.examine.check_identity import check_identity
from promsnmp.discovery.factory import make_discovery, make_scheduler
from promsnmp.discovery.reconcile.lost import count_lost
from promsnmp.discovery.schedule import Scheduler
from promsnmp.discovery.service import Discovery
from promsnmp.errors import ModuleError, SettingsError
from promsnmp.http.app import create_asgi_app
from promsnmp.http.factory import (
    make_access_control,
    make_connection_table,
    make_plain_routes,
    make_scrape_route,
    make_stack,
    share_descriptors,
)
from promsnmp.http.middleware.owner_proxy import OwnerProxy
from promsnmp.http.responses.targets_cache import TargetsCache
from promsnmp.http.security.auth import AccessControl
from promsnmp.http.security.login import Login
from promsnmp.http.security.tls import PeerTlsContext
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.http.server.connections import ConnectionTable
from promsnmp.http.server.fast_path import fast_path_protocol
from promsnmp.http.server.lifecycle import Application, Lifecycle, PeriodicTask
from promsnmp.http.server.listen import listen_all
from promsnmp.http.server.systemd_sockets import systemd_sockets
from promsnmp.http.services import ExecutorUsage, Services
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.document.write import DocumentWriter
from promsnmp.inventory.health import inventory_component, inventory_families, key_warning
from promsnmp.inventory.modules import RESERVED, KnownModules
from promsnmp.inventory.query import DeviceSelector
from promsnmp.inventory.storage.installation import read_installation
from promsnmp.inventory.storage.key import load_key
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import TargetList
from promsnmp.inventory.writes.fencing import MAX_REQUEST_IDS
from promsnmp.inventory.writes.many_devices import ManyDevices
from promsnmp.modules.catalogue import CatalogueStore, load_catalogue
from promsnmp.modules.reload_catalogue import catalogue_component, reload_catalogue
from promsnmp.modules.snmp_yml.read_options import read_options
from promsnmp.observe import metric_families
from promsnmp.observe.counts import DiscoveryCounts, RequestCounts
from promsnmp.observe.health import DiskSpace, Health, loop_check
from promsnmp.observe.memory_guard import CHECK_SECONDS
from promsnmp.observe.meters import ProcessMeters
from promsnmp.observe.registry import SelfMetrics
from promsnmp.observe.tasks import LoopLag
from promsnmp.polling.detection.first_contact import ask_device
from promsnmp.polling.detection.identify import identify
from promsnmp.polling.poll import SessionFactory
from promsnmp.polling.subsystem import PollingSubsystem
from promsnmp.settings import Settings
from promsnmp.snmp.ber import COMPILED
from promsnmp.sources.factory import make_sources
from promsnmp.sources.service import SourceService
from promsnmp.support.memory import freeze_memory, gc_paused, keep_heap, release_memory
from promsnmp.traps.device_traps import DeviceTraps
from promsnmp.traps.factory import make_traps
from promsnmp.traps.subsystem import TrapSubsystem
from promsnmp.web.factory import make_interface
from promsnmp.web.peers.statuses import StatusExchange
from promsnmp.web.rates import SAMPLE_SECONDS, PollRateMeter

log = logging.getLogger(__name__)

GRACE_SHARE = 0.95
"""Part of SHUTDOWN_TIMEOUT that requests in flight get; the rest is for ending."""
WATCH_INTERVAL = 2.0
DISK_INTERVAL = 5.0
"""Seconds between two looks at the inventory file, and at its disk."""
FINDINGS_INTERVAL = 10.0
"""Seconds between two writes of what polls found out: modules, and identities that changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Everything below HTTP, and what measures the process."""

    settings: Settings
    web: WebConfigWatcher
    catalogue_store: CatalogueStore
    store: InventoryStore
    sockets: list[socket.socket]
    cluster: Cluster
    polling: PollingSubsystem
    connections: ConnectionTable
    discovery: Discovery
    sources: SourceService
    traps: TrapSubsystem
    discovery_counts: DiscoveryCounts
    scheduler: Scheduler
    disk: DiskSpace
    loop_lag: LoopLag
    poll_rates: PollRateMeter
    peer_statuses: StatusExchange


def build(settings: Settings) -> Application:
    """Every part, built and wired, with the inventory loaded and the sockets listening.

    Raises InventoryError when the inventory cannot be used, ModuleError for an unknown module, and PromSnmpError
    when the port cannot be had. What was built is taken for permanent by the garbage collector.
    """
    with gc_paused():
        if not COMPILED:
            log.warning("compiled decoder missing, polling uses more CPU; install gcc and reinstall")
        parts = _build_parts(settings)
        _connect(parts)
        app = _build_application(parts)
    freeze_memory()
    keep_heap()
    return app


# ------------------------------------------------------------------------------------------------------- below HTTP


def _build_parts(settings: Settings) -> _Parts:
    catalogue_store = CatalogueStore(load_catalogue(settings.config_patterns, options=read_options(settings)))
    release_memory()
    web = WebConfigWatcher(settings.web_config_file)
    store = _open_store(settings)
    sockets = systemd_sockets() if settings.server_systemd_socket else listen_all(settings.listen_addresses)
    cluster = _build_cluster(settings, store, web, sockets)
    shares = share_descriptors(settings)
    device_traps = DeviceTraps()
    polling = PollingSubsystem(
        settings,
        store,
        catalogue_store,
        cluster,
        check_identity=check_identity,
        scrape_polls=shares.scrape_polls,
        page_families=device_traps.families,
    )
    discovery_counts, poll_rates = DiscoveryCounts(), PollRateMeter(polling.counts)
    discovery = _build_discovery(settings, store, cluster, discovery_counts, catalogue_store.known_modules)
    return _Parts(
        settings=settings,
        web=web,
        catalogue_store=catalogue_store,
        store=store,
        sockets=sockets,
        cluster=cluster,
        polling=polling,
        connections=make_connection_table(settings, shares.connections),
        discovery=discovery,
        sources=make_sources(settings, store, cluster.leads, catalogue_store.known_modules),
        traps=make_traps(settings, store, cluster, polling, device_traps),
        discovery_counts=discovery_counts,
        scheduler=make_scheduler(settings, discovery, leads=cluster.leads),
        disk=DiskSpace(settings.prom_inv_file),
        loop_lag=LoopLag(),
        poll_rates=poll_rates,
        peer_statuses=StatusExchange(
            cluster,
            devices=lambda: store.current.devices,
            statuses=polling.poll_statuses,
            rates=poll_rates.rates,
            polls=settings.collection_interval > 0,
        ),
    )


def _open_store(settings: Settings) -> InventoryStore:
    secret = settings.prom_encrypt_key
    key = load_key(settings.prom_inv_file, secret.get_secret_value() if secret else None)
    if warning := key_warning(key.data):
        then = ", then unset PROM_ENCRYPT_KEY" if key.path is None else ""
        log.warning("%s%s (docs/how-to/operations.md, Key rotation)", warning, then)
    store = InventoryStore(settings.prom_inv_file, key)
    store.load()
    store.prepare()
    return store


def _build_cluster(
    settings: Settings, store: InventoryStore, web: WebConfigWatcher, sockets: list[socket.socket]
) -> Cluster:
    """The cluster reads the inventory; from then on the inventory is written by its leader only."""
    port = next((item.getsockname()[1] for item in sockets), settings.server_port)
    inventory = InventoryPort(
        claim_in_file=lambda: store.current.claim,
        revision=lambda: store.current.revision,
        request_ids=lambda: store.current.request_ids,
        max_request_ids=MAX_REQUEST_IDS,
        reload=store.reload_if_changed,
        write_claim=lambda wanted, check: store.claim(wanted.claim, after=wanted.after, check=check),
        volume_problem=store.volume.problem,
        installation=read_installation(settings.prom_inv_file) if settings.backend != "none" else "",
    )
    if settings.backend != "none":  # another replica should lead soon when this one cannot write
        store.volume.interval = min(store.volume.interval, settings.election_renew_interval / 2000)
    cluster = Cluster(
        settings, inventory, port=port, tls=PeerTlsContext(lambda: web.current.tls, ca_file=settings.cluster_ca_file)
    )
    store.guard_writes(cluster.leadership.claim)
    return cluster


def _build_discovery(
    settings: Settings, store: InventoryStore, cluster: Cluster, counts: DiscoveryCounts, known_modules: KnownModules
) -> Discovery:
    return make_discovery(
        settings,
        inventory=lambda: store.current,
        update=store.update,
        identify=identify,
        counts=counts,
        leads=cluster.leads,
        durable_jobs=True,
        known_modules=known_modules,
    )


def _connect(parts: _Parts) -> None:
    """What follows from a change: other replicas hear of a new inventory, and searches go on where the leader is."""
    discovery = parts.discovery
    parts.store.subscribe(lambda _: parts.cluster.announce_change())
    parts.store.subscribe(lambda _: discovery.resume())
    parts.cluster.leadership.subscribe(lambda: discovery.resume() if parts.cluster.leads() else discovery.suspend())
    parts.cluster.leadership.subscribe(parts.sources.note_leadership)


# ------------------------------------------------------------------------------------------------------------- HTTP


def _build_application(parts: _Parts) -> Application:
    settings, web, cluster = parts.settings, parts.web, parts.cluster
    requests = RequestCounts()
    access, login, confirmation = make_access_control(settings, web, cluster)
    polling = parts.polling
    scrape_route = make_scrape_route(
        settings, polling.page_service, parts.store, parts.catalogue_store, polling.exporter_counts
    )
    owner_proxy = OwnerProxy(
        scrape_route,
        cluster.members,
        cluster.scrape_forwarder,
        cluster.verifier if cluster.has_peers else None,
        cluster.read_leases,
        invalidate=parts.polling.page_service.invalidations.add,
        cut_off=lambda: parts.polling.page_service.reaches_no_device,
        better_informed=cluster.peer_inventories.newest,
    )
    health = _build_health(parts)
    services = _build_services(parts, health, _build_metrics(parts, access, requests), owner_proxy, access, login)
    plain_routes = make_plain_routes(
        owner_proxy,
        cluster,
        on_detected_modules=parts.polling.receive_findings,
        on_handover=parts.polling.handover.receive,
        on_poll_status=parts.peer_statuses.answer,
        confirmation=confirmation,
        people=services.people,
        on_traps=parts.traps.peers.receive,
        on_recent_traps=parts.traps.recent.message,
    )
    stack = make_stack(cluster, web, access, login, services.people, owner_proxy, requests)
    return Application(
        asgi_app=create_asgi_app(services, stack, plain_routes.all),
        in_flight=stack.request_metrics.in_flight,
        health=health,
        sockets=parts.sockets,
        protocol=fast_path_protocol(
            plain_routes.snmp.path, stack.fast_answer(plain_routes.snmp), requests, web.client_name
        ),
        tls=web.tls,
        connections=parts.connections,
        grace=settings.shutdown_timeout / 1000 * GRACE_SHARE,
        delay=settings.shutdown_delay_seconds,
        periodic_tasks=_periodic_tasks(parts),
        lifecycles=_lifecycles(parts),
        reload=partial(_reload_on_signal, parts),
    )


def _build_services(
    parts: _Parts,
    health: Health,
    metrics: SelfMetrics,
    owner_proxy: OwnerProxy,
    access: AccessControl,
    login: Login,
) -> Services:
    settings, store, polling = parts.settings, parts.store, parts.polling
    search, devices = DeviceSelector(settings.modules), Devices(store, parts.catalogue_store.known_modules)
    targets = TargetList.from_settings(settings)
    writer = DocumentWriter(mask=True)
    return Services(
        version=__version__,
        compiled=COMPILED,
        settings=settings,
        health=health,
        metrics=metrics,
        process_meters=ProcessMeters().meters,
        targets=TargetsCache(store, targets, search).get,
        show_inventory=lambda: writer.json(store.current),
        cluster=parts.cluster,
        devices=devices,
        discovery=parts.discovery,
        sources=parts.sources,
        search=search,
        poll_status=polling.poll_status,
        replace_inventory=store.replace,
        reload=partial(_reload, parts),
        catalogue_store=parts.catalogue_store,
        evict_pages=polling.cache.evict_all,
        access=access,
        login=login,
        poll_now=polling.poll_now,
        ask_device=partial(ask_device, sessions=SessionFactory(source_address=settings.snmp_source_address)),
        people=make_interface(
            settings,
            parts.poll_rates,
            devices=devices,
            many_devices=ManyDevices(store, parts.catalogue_store.known_modules),
            reload=partial(_reload, parts),
            select=search,
            targets=targets,
            polling=polling,
            catalogue_store=parts.catalogue_store,
            cluster=parts.cluster,
            peer_statuses=parts.peer_statuses,
            discovery=parts.discovery,
            scheduler=parts.scheduler,
            health=health,
            traps=parts.traps,
        ),
        histograms=owner_proxy.histograms,
        polling=lambda: ExecutorUsage(*polling.figures()),
    )


# ---------------------------------------------------------------------------------------------- health and metrics


def _build_health(parts: _Parts) -> Health:
    checks = {
        "diskSpace": parts.disk.check,
        "eventLoop": lambda: loop_check(parts.loop_lag),
        "inventory": lambda: inventory_component(parts.store, lag=parts.cluster.peer_inventories.lag()),
        "leaderElection": parts.cluster.check_election,
        "memory": parts.polling.memory.check,
        "modules": lambda: catalogue_component(parts.catalogue_store),
        "poller": parts.polling.check,
        "replicas": parts.cluster.check_members,
        **({"sources": parts.sources.check} if parts.sources.is_on else {}),
        **({"traps": parts.traps.check} if parts.traps.is_on else {}),
        "webConfig": parts.web.check,
    }
    return Health(checks)


def _build_metrics(parts: _Parts, access: AccessControl, requests: RequestCounts) -> SelfMetrics:
    store, catalogue_store, discovery = parts.store, parts.catalogue_store, parts.discovery
    return SelfMetrics(
        lambda: metric_families.build_families(version=__version__, compiled=COMPILED),
        lambda: metric_families.site_families(parts.settings.site_labels),
        parts.polling.families,
        lambda: metric_families.loop_families(parts.loop_lag.seconds),
        lambda: inventory_families(store, parts.disk),
        lambda: metric_families.leadership_families(leader=parts.cluster.leads(), discovered_at=discovery.finished_at),
        parts.cluster.families,
        lambda: metric_families.discovery_families(
            parts.discovery_counts, lost=count_lost(store.current), next_at=parts.scheduler.next
        ),
        parts.sources.families,
        parts.traps.families,
        lambda: metric_families.request_families(requests),
        lambda: metric_families.connection_families(
            connections=len(parts.connections), most=parts.connections.limits.most, closed=parts.connections.closed
        ),
        parts.web.families,
        lambda: metric_families.config_families(
            read_at=catalogue_store.read_at, healthy=catalogue_store.last_error is None
        ),
        lambda: metric_families.login_families(access.failures.total),
    )


# --------------------------------------------------------------------------------------------------- while it runs


def _periodic_tasks(parts: _Parts) -> Mapping[str, PeriodicTask]:
    return {
        "inventory file watch": PeriodicTask(step=parts.store.reload_if_changed, every=WATCH_INTERVAL),
        "web configuration watch": PeriodicTask(step=parts.web.refresh, every=WATCH_INTERVAL),
        "storing of findings": PeriodicTask(step=parts.polling.store_findings, every=FINDINGS_INTERVAL),
        "memory watch": PeriodicTask(step=parts.polling.watch_memory, every=CHECK_SECONDS),
        "disk watch": PeriodicTask(step=parts.disk.refresh, every=DISK_INTERVAL),
        "inventory volume check": PeriodicTask(
            step=parts.store.volume.run, every=min(DISK_INTERVAL, parts.store.volume.interval)
        ),
        "cluster key watch": PeriodicTask(step=parts.cluster.refresh_key, every=WATCH_INTERVAL),
        "measurement of poll rates": PeriodicTask(step=parts.poll_rates.sample, every=SAMPLE_SECONDS),
        "event loop measurement": PeriodicTask(step=parts.loop_lag.measure, every=0.0),
    }


def _lifecycles(parts: _Parts) -> list[Lifecycle]:
    """In the order in which they start and end."""
    leave = partial(parts.cluster.leave, parts.polling.hand_over)
    return [
        Lifecycle(start=parts.cluster.start, stop=parts.cluster.stop, drain=leave),
        Lifecycle(start=parts.polling.start, stop=parts.polling.stop),
        Lifecycle(start=parts.traps.start, stop=parts.traps.stop),
        Lifecycle(start=parts.discovery.resume, stop=parts.discovery.close),
        Lifecycle(start=parts.scheduler.start, stop=parts.scheduler.stop),
        Lifecycle(start=parts.sources.start, stop=parts.sources.stop),
    ]


async def _reload(parts: _Parts) -> None:
    """Reads all files again. Raises ModuleError or SettingsError, and then keeps what it had of that file."""
    settings = parts.settings
    await parts.web.reload()
    await reload_catalogue(
        parts.catalogue_store,
        settings.config_patterns,
        options=read_options(settings),
        needed=[name for name in settings.modules if name not in RESERVED],
    )
    await parts.store.reload_if_changed()


async def _reload_on_signal(parts: _Parts) -> None:
    try:
        await _reload(parts)
    except (ModuleError, SettingsError) as error:
        log.error("reload failed, the configuration stays as it was: %s", error)  # the text says it all
