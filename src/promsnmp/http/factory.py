"""HTTP as the settings want it: who may send requests, the scrape route, and the middleware."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from promsnmp.cluster.cluster import Cluster
from promsnmp.errors import PeerError
from promsnmp.http.middleware.access import AccessMiddleware
from promsnmp.http.middleware.leader_proxy import LeaderProxy
from promsnmp.http.middleware.owner_proxy import OwnerProxy
from promsnmp.http.middleware.page_errors import ErrorPages, PageErrorsMiddleware
from promsnmp.http.middleware.page_forms import PageFormsMiddleware
from promsnmp.http.middleware.peer_auth import PeerAuthenticator, PeerAuthMiddleware, peer_routes
from promsnmp.http.middleware.rate_limit import RateLimitMiddleware
from promsnmp.http.middleware.request_metrics import RequestMetricsMiddleware
from promsnmp.http.middleware.response_headers import ResponseHeadersMiddleware
from promsnmp.http.middleware.stack import MiddlewareStack
from promsnmp.http.route_policy import PlainRoute
from promsnmp.http.routes.scrape import SNMP_PATH, SNMP_POLICY, ScrapeRoute
from promsnmp.http.security.auth import (
    TOKEN_PRINCIPAL,
    USER_PRINCIPAL,
    AccessControl,
    BasicAuthenticator,
    CertificateAuthenticator,
    FailedLogins,
    TokenAuthenticator,
)
from promsnmp.http.security.login import Login, SessionAuthenticator
from promsnmp.http.security.login_limit import LoginLimit
from promsnmp.http.security.logouts import Logouts, logout_folder
from promsnmp.http.security.origin import Hosts
from promsnmp.http.security.session_confirmation import SessionConfirmation
from promsnmp.http.security.sessions import Sessions
from promsnmp.http.security.web_config_watcher import WebConfigWatcher
from promsnmp.http.server.connections import ConnectionLimits, ConnectionTable
from promsnmp.http.services import PeoplePages
from promsnmp.inventory.store import InventoryStore
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.observe.counts import RequestCounts
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.polling.pages.service import PageService
from promsnmp.settings import Settings
from promsnmp.settings.reading.parsing import parts
from promsnmp.support.descriptors import DescriptorShares, raise_limit, share

log = logging.getLogger(__name__)


def make_access_control(
    settings: Settings, web: WebConfigWatcher, cluster: Cluster
) -> tuple[AccessControl, Login, SessionConfirmation]:
    """Decides who may send what, and who logs in; confirms with other replicas who has logged in. A client certificate
    is a login only where there are no other credentials, since scrapers have certificates, too."""
    limit, failures = LoginLimit(), FailedLogins()
    basic = BasicAuthenticator(web.passwords, limit)
    token = TokenAuthenticator(
        settings.api_token.get_secret_value() if settings.api_token else "",
        is_password=lambda: not basic.configured,
    )
    certificate = CertificateAuthenticator(
        lambda: web.trusts_certificates and not (token.configured or basic.configured)
    )
    sessions = Sessions(
        cluster.key.derive,
        lambda principal: _credentials_of(principal, token, basic),
        lifetime=settings.web_session_lifetime / 1000,
        logouts=Logouts(logout_folder(settings.prom_inv_file)),
    )
    confirmation = SessionConfirmation(cluster, sessions)
    access = AccessControl(
        [PeerAuthenticator(), SessionAuthenticator(sessions, confirmation.is_valid), token, basic, certificate],
        allow_anonymous=settings.api_allow_anonymous,
        protect_scrapes=settings.api_protect_scrapes,
        read_anonymous=settings.web_read_anonymous,
        hosts=Hosts(parts(settings.api_allowed_hosts)),
        failures=failures,
    )
    if settings.api_allow_anonymous and access.configured:
        log.warning("API_ALLOW_ANONYMOUS has no effect: credentials are configured, and management needs them")
    return access, Login(token, basic, sessions, failures, limit), confirmation


def _credentials_of(principal: str, token: TokenAuthenticator, basic: BasicAuthenticator) -> bytes | None:
    """What a session of a principal depends on; None for one that may not log in any more."""
    if principal.startswith(USER_PRINCIPAL):
        return basic.hash_of(principal.removeprefix(USER_PRINCIPAL))
    return (token.token or None) if principal == TOKEN_PRINCIPAL else None


def share_descriptors(settings: Settings) -> DescriptorShares:
    """Raises the limit of file descriptors, and shares them; the log says when there are too few."""
    descriptors = raise_limit()
    wanted = DescriptorShares(settings.server_max_connections, settings.scrape_concurrency)
    shares = share(
        descriptors,
        polls=settings.collection_concurrency,
        connections=wanted.connections,
        scrape_polls=wanted.scrape_polls,
    )
    if shares != wanted:
        log.warning(
            "only %d file descriptors are allowed: at most %d connections (SERVER_MAX_CONNECTIONS) and %d polls for "
            "scrapes (SCRAPE_CONCURRENCY) at a time; raise the hard limit (ulimit -Hn, LimitNOFILE=)",
            descriptors,
            shares.connections,
            shares.scrape_polls,
        )
    return shares


def make_connection_table(settings: Settings, connections: int) -> ConnectionTable:
    """Bounds on connections, of which the system allows ``connections``."""
    limits = ConnectionLimits(
        most=connections,
        per_address=settings.server_max_connections_per_address or max(connections // 2, 1),
        head_timeout=settings.server_header_timeout / 1000,
        idle_timeout=settings.server_idle_timeout / 1000,
    )
    return ConnectionTable(limits)


def make_scrape_route(
    settings: Settings,
    page_service: PageService,
    store: InventoryStore,
    catalogue_store: CatalogueStore,
    counts: ExporterCounts,
) -> ScrapeRoute:
    """The answers of ``/snmp``."""
    return ScrapeRoute(
        page_service,
        store,
        catalogue_store,
        modules=settings.modules,
        health=settings.health_metrics,
        allow_adhoc=settings.adhoc_targets,
        adhoc_networks=settings.adhoc_networks,
        timeout=settings.scrape_timeout / 1000,
        offset=settings.scrape_timeout_offset / 1000,
        counts=counts,
    )


def make_stack(
    cluster: Cluster,
    web: WebConfigWatcher,
    access: AccessControl,
    login: Login,
    pages: ErrorPages | None,
    owner_proxy: OwnerProxy,
    counts: RequestCounts,
) -> MiddlewareStack:
    """The middleware; ``pages`` are those for people."""
    return MiddlewareStack(
        request_metrics=RequestMetricsMiddleware(counts),
        response_headers=ResponseHeadersMiddleware(web),
        peer_auth=PeerAuthMiddleware(cluster.verifier if cluster.has_peers else None),
        rate_limit=RateLimitMiddleware(web),
        access=AccessMiddleware(access),
        page_errors=PageErrorsMiddleware(pages, lambda: login.is_possible),
        page_forms=PageFormsMiddleware(login.sessions),
        leader_proxy=LeaderProxy(cluster.leadership, cluster.write_forwarder),
        owner_proxy=owner_proxy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRoutes:
    """The routes that are answered without FastAPI."""

    snmp: PlainRoute
    peers: list[PlainRoute]

    @property
    def all(self) -> list[PlainRoute]:
        return [self.snmp, *self.peers]


def make_plain_routes(
    owner_proxy: OwnerProxy,
    cluster: Cluster,
    *,
    on_detected_modules: Callable[[bytes], bytes],
    on_handover: Callable[[bytes], bytes],
    on_poll_status: Callable[[bytes], Awaitable[bytes]],
    confirmation: SessionConfirmation,
    people: PeoplePages | None,
    on_traps: Callable[[bytes], Awaitable[bytes]],
    on_recent_traps: Callable[[bytes], bytes],
) -> PlainRoutes:
    """``/snmp``, and the paths for replicas where there are several."""
    on_status = cluster.gossip.receive if cluster.gossip is not None else None
    return PlainRoutes(
        snmp=PlainRoute(SNMP_PATH, owner_proxy, SNMP_POLICY),
        peers=peer_routes(
            on_status=on_status,
            on_detected_modules=on_detected_modules,
            on_challenge=cluster.challenges.answer,
            on_read_lease=cluster.read_leases.receive,
            on_handover=on_handover,
            on_poll_status=on_poll_status,
            on_session=confirmation.answer,
            on_neighbours=_no_pages if people is None else people.neighbours,
            on_traps=on_traps,
            on_recent_traps=on_recent_traps,
        ),
    )


async def _no_pages(_: bytes) -> bytes:
    raise PeerError("this replica has no map: WEB_UI=false")
