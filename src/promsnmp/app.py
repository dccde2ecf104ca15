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
from promsnmp.cluster.cluster import Cluster, Ledger
from promsnmp.discovery.factory import make_discovery
from promsnmp.discovery.schedule import Schedule, Scheduler, read_cron, read_zone
from promsnmp.errors import ModuleError, SettingsError
from promsnmp.http.app import create_front
from promsnmp.http.middleware.access import Gate
from promsnmp.http.middleware.leader_proxy import Leading
from promsnmp.http.middleware.owner_proxy import SharedScrapes
from promsnmp.http.middleware.peer_auth import Door, SealedCallers, peer_routes
from promsnmp.http.responses.targets_cache import Published
from promsnmp.http.routes.scrape import ScrapeRoute
from promsnmp.http.security.auth import Access, Basic, Certificate, Token
from promsnmp.http.security.tls import ReplicaTls
from promsnmp.http.security.web_config_watcher import WebFile
from promsnmp.http.server.fast_path import express_protocol
from promsnmp.http.server.lifecycle import App, Lifecycle, Repeated
from promsnmp.http.server.listen import listen_everywhere
from promsnmp.http.services import Executor, Services
from promsnmp.inventory.devices import Devices
from promsnmp.inventory.document.write import DocumentWriter
from promsnmp.inventory.model import LOST, Inventory
from promsnmp.inventory.modules import AUTO
from promsnmp.inventory.query import Search
from promsnmp.inventory.storage.key import load_key
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import Site, TargetList
from promsnmp.inventory.writes.fencing import KEPT, Fence
from promsnmp.modules.catalogue import Catalogues, load_catalogue
from promsnmp.modules.snmp_yml.writer import to_yaml
from promsnmp.observe import families
from promsnmp.observe.counts import DiscoveryCounts, RequestCounts
from promsnmp.observe.health import Component, DiskSpace, Health, Status, loop_check
from promsnmp.observe.meters import ProcessMeters
from promsnmp.observe.selfmetrics import SelfMetrics
from promsnmp.observe.tasks import LoopLag
from promsnmp.polling.detection.identify import identify
from promsnmp.polling.subsystem import Collection
from promsnmp.settings import Settings
from promsnmp.snmp.ber import COMPILED
from promsnmp.support.memory import collector_at_rest, release_memory, settle_memory

log = logging.getLogger(__name__)

GRACE_SHARE = 0.95
"""Part of SHUTDOWN_TIMEOUT that requests in flight get; the rest is for ending."""
WATCH_INTERVAL = 2.0
DISK_INTERVAL = 5.0
"""Seconds between two looks at the inventory file, and at its disk."""
FINDINGS_INTERVAL = 10.0
"""Seconds between two writes of what was found out of devices."""


def build(settings: Settings) -> App:
    """As ``_build``; what was built is taken for permanent."""
    with collector_at_rest():
        app = _build(settings)
    settle_memory()
    return app


def _build(settings: Settings) -> App:
    """Every part, built and wired, with the inventory loaded and the sockets listening.

    Raises InventoryError when the inventory cannot be used, ModuleError for an unknown module, and PromSnmpError
    when the port cannot be had.
    """
    if not COMPILED:
        log.warning("running without the compiled decoder: slower")
    catalogues = Catalogues(load_catalogue(settings.config_patterns, expand=settings.snmp_expand_environment))
    release_memory()
    web = WebFile(settings.web_config_file)
    store = _open_store(settings, fence=lambda: cluster.leadership.fence())
    sockets = listen_everywhere(settings.listen_addresses)
    port = next((one.getsockname()[1] for one in sockets), settings.server_port)
    cluster = Cluster(settings, _ledger(store), port=port, tls=ReplicaTls(lambda: web.current.tls))
    collection = Collection(settings, store, catalogues, cluster)
    searches = DiscoveryCounts()
    leadership = cluster.leadership

    def leads() -> bool:
        return leadership.leads

    discovery = make_discovery(
        settings,
        inventory=lambda: store.current,
        update=lambda change, who: store.update(change, who=who),
        identify=identify,
        counts=searches,
        leads=leads,
    )
    schedule = _schedule(settings)
    scheduler = Scheduler(discovery.run_seeds, schedule, leads=leads, on_start=settings.discovery_on_start)
    snmp = ScrapeRoute(
        collection.scraper,
        store,
        catalogues,
        modules=settings.modules,
        allow_adhoc=settings.adhoc_targets,
        adhoc_networks=settings.adhoc_networks,
        timeout=settings.scrape_timeout / 1000,
        offset=settings.scrape_timeout_offset / 1000,
    )
    shared = SharedScrapes(
        snmp, cluster.members, cluster.forwarder, cluster.seals, cut_off=lambda: collection.scraper.is_cut_off
    )
    leading = Leading(cluster.leadership, cluster.delegation)
    door = Door(cluster.seals)
    disk, lag, requests = DiskSpace(settings.prom_inv_file), LoopLag(), RequestCounts()
    checks = {
        "diskSpace": disk.check,
        "eventLoop": lambda: loop_check(lag),
        "inventory": lambda: _inventory_check(store),
        "leaderElection": cluster.check_election,
        "modules": lambda: _modules_check(catalogues),
        "poller": collection.check,
        "replicas": cluster.check_members,
        "webConfig": web.check,
    }
    access = _access(settings, web)
    gate = Gate(access, web)
    health = Health(checks, loaded=lambda: True)
    metrics = SelfMetrics(
        lambda: families.build_families(version=__version__, compiled=COMPILED),
        lambda: families.site_families(_site(settings)),
        collection.families,
        lambda: families.loop_families(lag.seconds),
        lambda: _inventory_families(store, disk),
        lambda: families.leadership_families(leader=leads(), discovered_at=discovery.finished_at),
        cluster.families,
        lambda: families.discovery_families(searches, lost=_lost(store.current), next_at=scheduler.next),
        lambda: families.request_families(requests),
        web.families,
        lambda: families.config_families(read_at=catalogues.read_at, healthy=catalogues.last_error is None),
        lambda: families.login_families(access.failures.total),
    )
    search = Search(settings.modules)
    services = Services(
        version=__version__,
        compiled=COMPILED,
        health=health,
        metrics=metrics,
        process_meters=ProcessMeters().meters,
        targets=Published(store, TargetList(site=Site.from_settings(settings), modules=settings.modules), search).of,
        show_inventory=partial(_shown, DocumentWriter(mask=True), store),
        cluster=cluster,
        devices=Devices(store),
        discovery=discovery,
        search=search,
        standing=collection.standing,
        replace_inventory=store.replace,
        reload=partial(_reload, settings, catalogues, web, store),
        show_config=partial(_config, catalogues),
        evict=collection.cache.evict_all,
        histograms=snmp.histograms,
        polling=lambda: Executor(*collection.figures()),
    )
    store.subscribe(lambda _: cluster.changed())
    leadership.subscribe(lambda: None if leads() else discovery.stop_all())
    return App(
        front=create_front(
            services,
            requests,
            gate,
            hot={"/snmp": shared},
            outside=door.around,
            inside=lambda api: leading.around(shared.metrics(api)),
            open_paths=peer_routes(
                door,
                news=cluster.team.received if cluster.team is not None else None,
                findings=collection.heard,
            ),
        ),
        health=health,
        sockets=sockets,
        protocol=express_protocol(gate.ready(shared.ready), requests, web.peer),
        tls=web.tls,
        grace=settings.shutdown_timeout / 1000 * GRACE_SHARE,
        repeated={
            "the watch of the inventory file": Repeated(step=store.reload_if_changed, every=WATCH_INTERVAL),
            "the watch of the web configuration": Repeated(step=web.refresh, every=WATCH_INTERVAL),
            "the storing of what devices are": Repeated(step=collection.store_findings, every=FINDINGS_INTERVAL),
            "the watch of the disk": Repeated(step=disk.refresh, every=DISK_INTERVAL),
            "the watch for writes that fail": Repeated(step=store.probe, every=DISK_INTERVAL),
            "the measure of the event loop": Repeated(step=lag.measure, every=0.0),
        },
        lifecycles=[
            Lifecycle(start=cluster.start, stop=cluster.stop, drain=cluster.leave),
            Lifecycle(start=collection.start, stop=collection.stop),
            Lifecycle(start=scheduler.start, stop=scheduler.stop),
            Lifecycle(start=lambda: None, stop=discovery.close),
        ],
        reload=partial(_reload_on_signal, settings, catalogues, web, store),
    )


def _schedule(settings: Settings) -> Schedule | None:
    """When the saved seeds are searched; None for never. Raises SettingsError."""
    expression, zone = read_cron(settings.discovery_cron), read_zone(settings.discovery_tz)
    return Schedule(expression, zone, datetime.now(UTC)) if expression is not None else None


def _lost(inventory: Inventory) -> int:
    return sum(device.status == LOST for device in inventory.devices)


def _access(settings: Settings, web: WebFile) -> Access:
    """Who may do what. A certificate alone is a login only where nothing else is: scrapers have some, too."""
    token = Token(settings.api_token.get_secret_value() if settings.api_token else "")
    basic = Basic(web.passwords)
    certificate = Certificate(lambda: web.trusts_certificates and not (token.configured or basic.configured))
    access = Access(
        [SealedCallers(), token, basic, certificate],
        allow_anonymous=settings.api_allow_anonymous,
        protect_scrapes=settings.api_protect_scrapes,
    )
    if settings.api_allow_anonymous and access.configured:
        log.warning("API_ALLOW_ANONYMOUS has no effect: there are credentials, and they are asked for")
    return access


async def _reload(settings: Settings, catalogues: Catalogues, web: WebFile, store: InventoryStore) -> None:
    """Reads all files again. Raises ModuleError or SettingsError, and then uses what it had of that file."""
    await web.reload()
    try:
        expand, before = settings.snmp_expand_environment, catalogues.current
        load = partial(load_catalogue, settings.config_patterns, expand=expand, before=before)
        catalogue = await asyncio.to_thread(load)
        for name in settings.modules:
            if name != AUTO:
                catalogue.module(name)
    except ModuleError as error:
        catalogues.last_error = error
        raise
    catalogues.replace(catalogue)
    release_memory()
    log.info("read the configuration again: %d modules, %d auths", len(catalogue.modules), len(catalogue.auths))
    await store.reload_if_changed()


async def _reload_on_signal(settings: Settings, catalogues: Catalogues, web: WebFile, store: InventoryStore) -> None:
    try:
        await _reload(settings, catalogues, web, store)
    except (ModuleError, SettingsError) as error:
        log.error("the configuration stays as it was: %s", error)  # the text says it all


async def _config(catalogues: Catalogues) -> str:
    catalogue = catalogues.current
    text = await asyncio.to_thread(to_yaml, catalogue.modules, catalogue.auths)
    release_memory()
    return text


def _modules_check(catalogues: Catalogues) -> Component:
    details: dict[str, object] = {"modules": len(catalogues.current.modules), "auths": len(catalogues.current.auths)}
    if catalogues.last_error is not None:
        details["error"] = str(catalogues.last_error)
    return Component(Status.UP, details)


def _open_store(settings: Settings, *, fence: Fence) -> InventoryStore:
    secret = settings.prom_encrypt_key
    key = load_key(settings.prom_inv_file, secret.get_secret_value() if secret else None)
    store = InventoryStore(settings.prom_inv_file, key, fence=fence)
    store.load()
    store.prepare()
    return store


def _ledger(store: InventoryStore) -> Ledger:
    """What replicas have to know of the inventory."""
    return Ledger(
        key=lambda: store.key,
        term=lambda: store.current.term,
        revision=lambda: store.current.revision,
        writes=lambda: store.current.writes,
        kept=KEPT,
        reload=store.reload_if_changed,
        claim=store.claim,
    )


def _shown(writer: DocumentWriter, store: InventoryStore) -> bytes:
    return writer.json(store.current)


def _inventory_check(store: InventoryStore) -> Component:
    details = {"devices": len(store.current.devices), "revision": store.current.revision, "term": store.current.term}
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
