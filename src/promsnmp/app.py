"""The composition root: the only file that knows every part. It builds them and wires them together.

Settings are read and the inventory is loaded, or the start ends with one line that says why not; then the sockets
listen. What runs after that, and how it ends, is in ``http/server/lifecycle.py``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from prometheus_client.metrics_core import Metric

from promsnmp import __version__
from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.inventory_port import InventoryPort
from promsnmp.discovery.factory import make_discovery
from promsnmp.discovery.schedule import Schedule, Scheduler, read_cron, read_zone
from promsnmp.errors import ModuleError, SettingsError
from promsnmp.http.app import create_asgi_app
from promsnmp.http.middleware.access import AccessMiddleware
from promsnmp.http.middleware.leader_proxy import LeaderProxy
from promsnmp.http.middleware.owner_proxy import OwnerProxy
from promsnmp.http.middleware.peer_auth import PeerAuthenticator, PeerAuthMiddleware, peer_routes
from promsnmp.http.middleware.rate_limit import RateLimitMiddleware
from promsnmp.http.middleware.request_metrics import RequestMetricsMiddleware
from promsnmp.http.middleware.response_headers import ResponseHeadersMiddleware
from promsnmp.http.middleware.stack import MiddlewareStack
from promsnmp.http.responses.targets_cache import TargetsCache
from promsnmp.http.routes.scrape import SNMP_PATH, SNMP_POLICY, ScrapeRoute
from promsnmp.http.routing import PlainRoute
from promsnmp.http.security.auth import AccessControl, BasicAuthenticator, CertificateAuthenticator, TokenAuthenticator
from promsnmp.http.security.tls import PeerTlsContext
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.http.server.fast_path import fast_path_protocol
from promsnmp.http.server.lifecycle import Application, Lifecycle, PeriodicTask
from promsnmp.http.server.listen import listen_all
from promsnmp.http.services import ExecutorUsage, Services
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.document.write import DocumentWriter
from promsnmp.inventory.model import STALE, Inventory
from promsnmp.inventory.modules import AUTO
from promsnmp.inventory.query import DeviceSelector
from promsnmp.inventory.storage.key import load_key
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import Site, TargetList
from promsnmp.inventory.writes.fencing import MAX_REQUEST_IDS, GetFencingToken
from promsnmp.modules.catalogue import CatalogueStore, load_catalogue
from promsnmp.modules.snmp_yml.writer import to_yaml
from promsnmp.observe import families
from promsnmp.observe.counts import DiscoveryCounts, RequestCounts
from promsnmp.observe.health import Component, DiskSpace, Health, Status, loop_check
from promsnmp.observe.meters import ProcessMeters
from promsnmp.observe.selfmetrics import SelfMetrics
from promsnmp.observe.tasks import LoopLag
from promsnmp.polling.detection.identify import identify
from promsnmp.polling.subsystem import PollingSubsystem
from promsnmp.settings import Settings
from promsnmp.snmp.ber import COMPILED
from promsnmp.support.memory import freeze_memory, gc_paused, release_memory

log = logging.getLogger(__name__)

GRACE_SHARE = 0.95
"""Part of SHUTDOWN_TIMEOUT that requests in flight get; the rest is for ending."""
WATCH_INTERVAL = 2.0
DISK_INTERVAL = 5.0
"""Seconds between two looks at the inventory file, and at its disk."""
FINDINGS_INTERVAL = 10.0
"""Seconds between two writes of what was found out of devices."""


def build(settings: Settings) -> Application:
    """As ``_build``; what was built is taken for permanent."""
    with gc_paused():
        app = _build(settings)
    freeze_memory()
    return app


def _build(settings: Settings) -> Application:
    """Every part, built and wired, with the inventory loaded and the sockets listening.

    Raises InventoryError when the inventory cannot be used, ModuleError for an unknown module, and PromSnmpError
    when the port cannot be had.
    """
    if not COMPILED:
        log.warning("running without the compiled decoder: slower")
    catalogue_store = CatalogueStore(load_catalogue(settings.config_patterns, expand=settings.snmp_expand_environment))
    release_memory()
    web = WebConfigWatcher(settings.web_config_file)
    store = _open_store(settings, get_fencing_token=lambda: cluster.leadership.fencing_token())
    sockets = listen_all(settings.listen_addresses)
    port = next((one.getsockname()[1] for one in sockets), settings.server_port)
    cluster = Cluster(settings, _inventory_port(store), port=port, tls=PeerTlsContext(lambda: web.current.tls))
    polling = PollingSubsystem(settings, store, catalogue_store, cluster)
    discovery_counts = DiscoveryCounts()
    leadership = cluster.leadership

    def leads() -> bool:
        return leadership.leads

    discovery = make_discovery(
        settings,
        inventory=lambda: store.current,
        update=store.update,
        identify=identify,
        counts=discovery_counts,
        leads=leads,
    )
    schedule = _schedule(settings)
    scheduler = Scheduler(discovery.run_seeds, schedule, leads=leads, on_start=settings.discovery_on_start)
    scrape_route = ScrapeRoute(
        polling.page_service,
        store,
        catalogue_store,
        modules=settings.modules,
        allow_adhoc=settings.adhoc_targets,
        adhoc_networks=settings.adhoc_networks,
        timeout=settings.scrape_timeout / 1000,
        offset=settings.scrape_timeout_offset / 1000,
    )
    owner_proxy = OwnerProxy(
        scrape_route,
        cluster.members,
        cluster.scrape_forwarder,
        cluster.signer,
        cut_off=lambda: polling.page_service.reaches_no_device,
    )
    disk, loop_lag, requests = DiskSpace(settings.prom_inv_file), LoopLag(), RequestCounts()
    checks = {
        "diskSpace": disk.check,
        "eventLoop": lambda: loop_check(loop_lag),
        "inventory": lambda: _inventory_check(store),
        "leaderElection": cluster.check_election,
        "modules": lambda: _modules_check(catalogue_store),
        "poller": polling.check,
        "replicas": cluster.check_members,
        "webConfig": web.check,
    }
    access = _access(settings, web)
    health = Health(checks, loaded=lambda: True)
    metrics = SelfMetrics(
        lambda: families.build_families(version=__version__, compiled=COMPILED),
        lambda: families.site_families(_site(settings)),
        polling.families,
        lambda: families.loop_families(loop_lag.seconds),
        lambda: _inventory_families(store, disk),
        lambda: families.leadership_families(leader=leads(), discovered_at=discovery.finished_at),
        cluster.families,
        lambda: families.discovery_families(discovery_counts, stale=_count_lost(store.current), next_at=scheduler.next),
        lambda: families.request_families(requests),
        web.families,
        lambda: families.config_families(read_at=catalogue_store.read_at, healthy=catalogue_store.last_error is None),
        lambda: families.login_families(access.failures.total),
    )
    search = DeviceSelector(settings.modules)
    services = Services(
        version=__version__,
        compiled=COMPILED,
        health=health,
        metrics=metrics,
        process_meters=ProcessMeters().meters,
        targets=TargetsCache(
            store, TargetList(site=Site.from_settings(settings), modules=settings.modules), search
        ).get,
        show_inventory=partial(_inventory_json, DocumentWriter(mask=True), store),
        cluster=cluster,
        devices=Devices(store),
        discovery=discovery,
        search=search,
        standing=polling.poll_status,
        replace_inventory=store.replace,
        reload=partial(_reload, settings, catalogue_store, web, store),
        show_config=partial(_config_yaml, catalogue_store),
        evict_pages=polling.cache.evict_all,
        histograms=scrape_route.histograms,
        polling=lambda: ExecutorUsage(*polling.figures()),
    )
    store.subscribe(lambda _: cluster.announce_change())
    leadership.subscribe(lambda: None if leads() else discovery.stop_all())
    snmp_route = PlainRoute(SNMP_PATH, owner_proxy, SNMP_POLICY)
    stack = MiddlewareStack(
        request_metrics=RequestMetricsMiddleware(requests),
        response_headers=ResponseHeadersMiddleware(web),
        peer_auth=PeerAuthMiddleware(cluster.signer),
        rate_limit=RateLimitMiddleware(web),
        access=AccessMiddleware(access),
        leader_proxy=LeaderProxy(cluster.leadership, cluster.write_forwarder),
        owner_proxy=owner_proxy,
    )
    plain_routes = [
        snmp_route,
        *peer_routes(
            on_status=cluster.gossip.receive if cluster.gossip is not None else None,
            on_detected_modules=polling.receive_detected_modules,
        ),
    ]
    return Application(
        asgi_app=create_asgi_app(services, stack, plain_routes),
        in_flight=stack.request_metrics.in_flight,
        health=health,
        sockets=sockets,
        protocol=fast_path_protocol(snmp_route.path, stack.fast_answer(snmp_route), requests, web.client_name),
        tls=web.tls,
        grace=settings.shutdown_timeout / 1000 * GRACE_SHARE,
        periodic_tasks={
            "the watch of the inventory file": PeriodicTask(step=store.reload_if_changed, every=WATCH_INTERVAL),
            "the watch of the web configuration": PeriodicTask(step=web.refresh, every=WATCH_INTERVAL),
            "the storing of what devices are": PeriodicTask(
                step=polling.store_detected_modules, every=FINDINGS_INTERVAL
            ),
            "the watch of the disk": PeriodicTask(step=disk.refresh, every=DISK_INTERVAL),
            "the watch for writes that fail": PeriodicTask(step=store.probe, every=DISK_INTERVAL),
            "the measure of the event loop": PeriodicTask(step=loop_lag.measure, every=0.0),
        },
        lifecycles=[
            Lifecycle(start=cluster.start, stop=cluster.stop, drain=cluster.leave),
            Lifecycle(start=polling.start, stop=polling.stop),
            Lifecycle(start=scheduler.start, stop=scheduler.stop),
            Lifecycle(start=lambda: None, stop=discovery.close),
        ],
        reload=partial(_reload_on_signal, settings, catalogue_store, web, store),
    )


def _schedule(settings: Settings) -> Schedule | None:
    """When the saved seeds are searched; None for never. Raises SettingsError."""
    expression, zone = read_cron(settings.discovery_cron), read_zone(settings.discovery_tz)
    return Schedule(expression, zone, datetime.now(UTC)) if expression is not None else None


def _count_lost(inventory: Inventory) -> int:
    return sum(device.status == STALE for device in inventory.devices)


def _access(settings: Settings, web: WebConfigWatcher) -> AccessControl:
    """Who may do what. A certificate alone is a login only where nothing else is: scrapers have some, too."""
    token = TokenAuthenticator(settings.api_token.get_secret_value() if settings.api_token else "")
    basic = BasicAuthenticator(web.passwords)
    certificate = CertificateAuthenticator(
        lambda: web.trusts_certificates and not (token.configured or basic.configured)
    )
    access = AccessControl(
        [PeerAuthenticator(), token, basic, certificate],
        allow_anonymous=settings.api_allow_anonymous,
        protect_scrapes=settings.api_protect_scrapes,
    )
    if settings.api_allow_anonymous and access.configured:
        log.warning("API_ALLOW_ANONYMOUS has no effect: there are credentials, and they are asked for")
    return access


async def _reload(
    settings: Settings, catalogue_store: CatalogueStore, web: WebConfigWatcher, store: InventoryStore
) -> None:
    """Reads all files again. Raises ModuleError or SettingsError, and then uses what it had of that file."""
    await web.reload()
    try:
        expand, before = settings.snmp_expand_environment, catalogue_store.current
        load = partial(load_catalogue, settings.config_patterns, expand=expand, before=before)
        catalogue = await asyncio.to_thread(load)
        for name in settings.modules:
            if name != AUTO:
                catalogue.module(name)
    except ModuleError as error:
        catalogue_store.last_error = error
        raise
    catalogue_store.replace(catalogue)
    release_memory()
    log.info("read the configuration again: %d modules, %d auths", len(catalogue.modules), len(catalogue.auths))
    await store.reload_if_changed()


async def _reload_on_signal(
    settings: Settings, catalogue_store: CatalogueStore, web: WebConfigWatcher, store: InventoryStore
) -> None:
    try:
        await _reload(settings, catalogue_store, web, store)
    except (ModuleError, SettingsError) as error:
        log.error("the configuration stays as it was: %s", error)  # the text says it all


async def _config_yaml(catalogue_store: CatalogueStore) -> str:
    catalogue = catalogue_store.current
    text = await asyncio.to_thread(to_yaml, catalogue.modules, catalogue.auths)
    release_memory()
    return text


def _modules_check(catalogue_store: CatalogueStore) -> Component:
    details: dict[str, object] = {
        "modules": len(catalogue_store.current.modules),
        "auths": len(catalogue_store.current.auths),
    }
    if catalogue_store.last_error is not None:
        details["error"] = str(catalogue_store.last_error)
    return Component(Status.UP, details)


def _open_store(settings: Settings, *, get_fencing_token: GetFencingToken) -> InventoryStore:
    secret = settings.prom_encrypt_key
    key = load_key(settings.prom_inv_file, secret.get_secret_value() if secret else None)
    store = InventoryStore(settings.prom_inv_file, key, get_fencing_token=get_fencing_token)
    store.load()
    store.prepare()
    return store


def _inventory_port(store: InventoryStore) -> InventoryPort:
    """What replicas have to know of the inventory."""
    return InventoryPort(
        key=lambda: store.key,
        fencing_token=lambda: store.current.fencing_token,
        revision=lambda: store.current.revision,
        request_ids=lambda: store.current.request_ids,
        max_request_ids=MAX_REQUEST_IDS,
        reload=store.reload_if_changed,
        claim=store.write_fencing_token,
    )


def _inventory_json(writer: DocumentWriter, store: InventoryStore) -> bytes:
    return writer.json(store.current)


def _inventory_check(store: InventoryStore) -> Component:
    details = {
        "devices": len(store.current.devices),
        "revision": store.current.revision,
        "term": store.current.fencing_token,
    }
    error = store.last_error or store.write_error
    if error is not None:
        return Component(Status.DOWN, {**details, "error": str(error)})
    return Component(Status.UP, details)


def _inventory_families(store: InventoryStore, disk: DiskSpace) -> Iterable[Metric]:
    inventory = store.current
    return families.inventory_families(
        devices=len(inventory.devices),
        seeds=len(inventory.seeds),
        revision=inventory.revision,
        changed_at=disk.modified,
        healthy=store.last_error is None and store.write_error is None and not disk.is_silent,
    )


def _site(settings: Settings) -> dict[str, str]:
    """Labels of ``promsnmp_site_info``: every PROM_TENANT_* and PROM_SITE_* setting."""
    names = [name for name in Settings.model_fields if name.startswith(("prom_tenant", "prom_site"))]
    values = {name.removeprefix("prom_"): getattr(settings, name) for name in names}
    return {name: "" if value is None else str(value) for name, value in values.items()}
