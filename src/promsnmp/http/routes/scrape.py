"""``GET /snmp``: one scrape, the hot path of HTTP, in plain ASGI without a framework.

In order: read the query, find the device, get its page, send it. The parameters are those of snmp_exporter. Errors are
plain text with the reason, which Prometheus shows on its targets page.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from urllib.parse import parse_qs

from cachetools import FIFOCache
from starlette.types import Scope, Send

from promsnmp.errors import (
    AddressError,
    BadTarget,
    MemoryShort,
    ModuleError,
    PeerError,
    SnmpError,
    SnmpTimeout,
    StrictFailure,
    TargetError,
    UnknownTarget,
)
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.http.responses.errors import method_not_allowed, send_error
from promsnmp.http.responses.negotiation import accepts_gzip, choose_format
from promsnmp.http.responses.sending import Body, HeaderList, LargeBody, body_headers, send_response
from promsnmp.http.route_policy import AccessLevel, RoutePolicy
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.modules import AUTO, RESERVED, requested_modules, with_health
from promsnmp.inventory.store import InventoryStore
from promsnmp.modules.catalogue import CatalogueStore
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.pages.service import PageService
from promsnmp.polling.target import Target, adhoc_target, device_target
from promsnmp.snmp.credentials import User
from promsnmp.snmp.transport import Network, parse_endpoint

log = logging.getLogger(__name__)

ScrapeAnswer = tuple[HeaderList, bytes]
"""Headers and body."""

Permit = Callable[[str, float], Awaitable[bool]]
"""Gets a device and the seconds that are left; says whether its page may show utilisation histograms. Raises PeerError
when the page may not be sent."""

SNMP_PATH = "/snmp"
SNMP_POLICY = RoutePolicy(access=AccessLevel.OPEN, plain_errors=True)
DEFAULT_MODULE = "if_mib"
DEFAULT_AUTH = "public_v2"
TIMEOUT_HEADER = b"x-prometheus-scrape-timeout-seconds"
_SINGLE_PARAMETERS = ("target", "auth", "snmp_context", "snmp_engineid")
MAX_QUERIES = 16 * 1024 * 1024
"""Bytes of memory for queries whose target is remembered: some 25,000 of usual length."""
_QUERY_OVERHEAD = 512
"""Bytes of memory of a remembered query besides its text, which the target repeats in part."""


@dataclass(frozen=True, slots=True)
class ScrapeQuery:
    """The parameters of a scrape."""

    target: str
    auth: str
    modules: tuple[str, ...] | None
    """None: no ``module`` parameter."""
    context: str = ""
    engine_id: bytes = b""
    """Context name and context engine ID (RFC 3411 sections 3.3.1 and 3.3.4), in place of those of a version 3 auth."""


@dataclass(slots=True)
class ResponseOptions:
    """What the headers ask for: seconds that Prometheus waits (None: no such header), format and its Content-Type,
    compression."""

    timeout: float | None
    format: Format
    content_type: bytes
    gzip: bool


def read_query(query_string: bytes) -> ScrapeQuery:
    """The parameters of a query. Raises BadTarget when one is missing, repeated or wrong."""
    try:
        query = parse_qs(query_string.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise BadTarget("the query is not URL-encoded") from None
    for name in _SINGLE_PARAMETERS:
        if len(query.get(name, ())) > 1:
            raise BadTarget(f"parameter {name!r} must be given once")
    target = query.get("target", [""])[0]
    if not target:
        raise BadTarget("parameter 'target' is missing: write /snmp?target=NAME_OR_ADDRESS")
    names = (name.strip() for one in query.get("module", ()) for name in one.split(","))
    modules = tuple(dict.fromkeys(name for name in names if name)) if "module" in query else None
    if modules == ():
        raise BadTarget("parameter 'module' names no module: leave it out, or write module=if_mib")
    context, engine_id = query.get("snmp_context", [""])[0], _engine_id(query.get("snmp_engineid", [""])[0])
    return ScrapeQuery(target, query.get("auth", [""])[0], modules, context, engine_id)


def _engine_id(text: str) -> bytes:
    """An engine ID of 5 to 32 octets (RFC 3411 section 5, SnmpEngineID) in hexadecimal; none when the text is empty."""
    try:
        octets = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        octets = b"?"
    if text and not 5 <= len(octets) <= 32:
        raise BadTarget("parameter 'snmp_engineid' must be 5 to 32 octets in hexadecimal")
    return octets


def with_context(poll_target: Target, context: str, engine_id: bytes) -> Target:
    """``poll_target`` in another context, if it has an SNMPv3 user: communities have no context."""
    user = poll_target.credentials
    if not isinstance(user, User) or not (context or engine_id):
        return poll_target
    changed = replace(
        user,
        context_name=context or user.context_name,
        context_engine_id=engine_id or user.context_engine_id,
    )
    return replace(
        poll_target, key=f"{poll_target.key}\0{engine_id.hex()}\0{context}", credentials=changed, managed=False
    )


def read_response_options(headers: Iterable[tuple[bytes, bytes]]) -> ResponseOptions:
    """The options in the headers of a request."""
    accept = encoding = b""
    timeout = None
    for name, value in headers:
        if name == b"accept":
            accept = accept + b"," + value if accept else value
        elif name == b"accept-encoding":
            encoding = encoding + b"," + value if encoding else value
        elif name == TIMEOUT_HEADER:
            timeout = _seconds(value)
    chosen = choose_format(accept.decode("latin-1"))
    return ResponseOptions(timeout, chosen.format, chosen.content_type, accepts_gzip(encoding.decode("latin-1")))


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds < 86_400 else None


class ScrapeRoute:
    """Answers ``/snmp``.

    ``allow_adhoc``: whether addresses outside the inventory are polled; only those of ``adhoc_networks``, if given.
    ``timeout`` and ``offset`` in seconds: how long a poll may take when Prometheus does not send its timeout, and how
    long before Prometheus's timeout the response must be sent.
    """

    def __init__(
        self,
        page_service: PageService,
        store: InventoryStore,
        catalogue_store: CatalogueStore,
        *,
        modules: Sequence[str],
        allow_adhoc: bool,
        adhoc_networks: Sequence[Network] = (),
        timeout: float,
        offset: float,
        health: bool = True,
        counts: ExporterCounts | None = None,
    ) -> None:
        self._page_service = page_service
        self._store = store
        self._catalogue_store = catalogue_store
        self._modules = tuple(modules)
        self._health = health
        self._allow_adhoc = allow_adhoc
        self._adhoc_networks = tuple(adhoc_networks)
        self._timeout = timeout
        self._offset = offset
        self._counts = ExporterCounts() if counts is None else counts
        self._targets = _query_cache()
        self._resolved_with: tuple[Inventory | None, int] = None, 0

    async def __call__(self, scope: Scope, receive: object, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_error(send, scope, 405, method_not_allowed("GET, HEAD"), [(b"allow", b"GET, HEAD")])
            return
        await send_response(send, *await self.answer(scope["query_string"], scope["headers"]))

    async def answer(
        self,
        query_string: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        *,
        owned: bool = True,
        arrived: float | None = None,
        from_memory: bool = True,
        permit: Permit | None = None,
    ) -> tuple[int, HeaderList, Body]:
        """Status, headers and body. ``owned``: whether this replica owns the device; ``arrived``: when the scrape
        arrived (seconds, monotonic; None: now); without ``from_memory`` a poll is made that begins after that.
        ``permit`` is asked before a page is sent."""
        arrived = time.monotonic() if arrived is None else arrived
        poll_target: Target | None = None
        try:
            poll_target = self._resolve(query_string)
            if not owned:
                poll_target = replace(poll_target, managed=False, owned=False)
            options = read_response_options(headers)
            deadline = arrived + self.time_limit(options.timeout)
            page = await self._page_service.page(
                poll_target,
                options.format,
                timeout=max(deadline - time.monotonic(), 0.0),
                not_before=None if from_memory else arrived,
            )
            if permit is not None:
                shows_histograms = await permit(poll_target.shard, deadline - time.monotonic())
                if owned and not (shows_histograms and self._page_service.is_current(poll_target, page)):
                    page = await page.without_utilization()
        except PeerError as error:
            return 503, *_error(error)
        except UnknownTarget as error:
            return 404, *_error(error)
        except AddressError as error:
            known = poll_target is not None and poll_target.device is not None
            return 400, *_error(
                error if known else BadTarget(f"no such device: it is not in the inventory, and {error}")
            )
        except (TargetError, ModuleError) as error:
            return 400, *_error(error)
        except SnmpTimeout as error:
            return 504, *_error(error)
        except StrictFailure as error:
            return 500, *_error(error)
        except MemoryShort as error:
            return 503, *_error(error)
        except SnmpError as error:
            return 502, *_error(error)
        return 200, *page_answer(page, options)

    def fast_answer(self, query_string: bytes, headers: HeaderList) -> ScrapeAnswer | None:
        """The response, if its page is in memory: what ``__call__`` would send, without waiting."""
        known = self._targets.get(query_string)
        if known is None or self._is_outdated():
            return None
        options = read_response_options(headers)
        page = self._page_service.cached_page(known[1], options.format)
        if page is None or (not options.gzip and page.is_large):
            return None
        head, body = page_answer(page, options)
        return None if isinstance(body, LargeBody) else (head, body)

    def histograms(self, query_string: bytes) -> Sequence[UtilizationSeries]:
        """The present utilisation histograms of the target that a query names, without a poll.

        A device of the inventory has none before its first poll and while it cannot be read. Raises TargetError
        (UnknownTarget also for an address outside the inventory that no scrape has polled) or ModuleError.
        """
        poll_target = self.resolve(query_string)
        for name in poll_target.modules:
            if name not in RESERVED:
                self._catalogue_store.current.module(name)
        found = self._page_service.histograms(poll_target)
        if found is None and self._store.find(read_query(query_string).target) is None:
            raise UnknownTarget(f"{poll_target.name} is not in the inventory, and no scrape of /snmp has polled it yet")
        return found or ()

    def _resolve(self, query_string: bytes) -> Target:
        """Like ``resolve``, for a scrape: counts wrong parameters."""
        try:
            return self.resolve(query_string)
        except (TargetError, ModuleError):
            self._counts.request_errors += 1
            raise

    def resolve(self, query_string: bytes) -> Target:
        """The target that a query names. Prometheus repeats its queries, so each is resolved once for each inventory
        and catalogue. Raises as ``poll_target`` does."""
        if self._is_outdated():
            self._resolved_with = self._store.current, self._catalogue_store.generation
            self._targets = _query_cache()
        known = self._targets.get(query_string)
        if known is not None:
            return known[1]
        query = read_query(query_string)
        found = with_context(self.poll_target(query.target, query.modules, query.auth), query.context, query.engine_id)
        self._targets[query_string] = 3 * len(query_string) + _QUERY_OVERHEAD, found
        return found

    def _is_outdated(self) -> bool:
        inventory, generation = self._resolved_with
        return inventory is not self._store.current or generation != self._catalogue_store.generation

    def poll_target(self, target: str, modules: tuple[str, ...] | None, auth: str) -> Target:
        """The device of the inventory that ``target`` names, or else an address; None as ``modules`` means its own or
        the default ones. Raises TargetError or ModuleError."""
        found = self._store.find(target)
        if found is not None and found.agent is not None:
            own = requested_modules(found.device, self._modules)
            health = self._health and with_health(modules, own)
            poll_target = device_target(found.device, found.agent, own if modules is None else modules, health=health)
            is_polled = found.agent == found.device.primary and poll_target.modules == own
            return poll_target if is_polled else replace(poll_target, managed=False)
        if found is not None:
            raise UnknownTarget(f"{target!r} is in the inventory, but has no agent to poll; add one")
        if len(named := self._store.snapshot.index.named(target)) > 1:
            addresses = ", ".join(str(device.primary.endpoint) for device in named[:9] if device.primary)
            raise UnknownTarget(
                f"{len(named)} devices have the name {target!r}; scrape one by its address: {addresses}"
            )
        endpoint = replace(parse_endpoint(target), allowed_networks=self._adhoc_networks)
        if not self._allow_adhoc:
            raise UnknownTarget(
                f"no such device: {target!r} is not in the inventory; "
                "add it there, or set SNMP_ALLOW_ADHOC_TARGETS=true to poll any address"
            )
        name = auth or DEFAULT_AUTH
        credentials = self._catalogue_store.current.auth(name)
        chosen = (DEFAULT_MODULE,) if modules is None else modules
        return adhoc_target(endpoint, credentials, name, chosen, health=self._health and AUTO in chosen)

    def time_limit(self, timeout: float | None) -> float:
        """Seconds that a response may take when Prometheus waits for ``timeout`` (None: unknown)."""
        if timeout is None:
            return self._timeout
        return max(timeout - self._offset, timeout / 2)


def page_answer(page: RenderedPage, options: ResponseOptions) -> tuple[HeaderList, Body]:
    """Headers and body of a page that has a body in the format."""
    body: Body
    if options.gzip:
        body = page.gzipped(options.format)
        size = len(body)
    else:
        size = page.size(options.format)
        body = LargeBody(partial(page.plain_parts, options.format)) if page.is_large else page.plain(options.format)
    headers = [
        (b"content-type", options.content_type),
        (b"content-length", b"%d" % size),
        (b"vary", b"Accept, Accept-Encoding"),
        (b"age", b"%d" % (time.monotonic() - page.taken_at)),
    ]
    if options.gzip:
        headers.append((b"content-encoding", b"gzip"))
    return headers, body


def _query_cache() -> FIFOCache[bytes, tuple[int, Target]]:
    """Targets by query, each with the memory that it takes; the oldest go first."""
    return FIFOCache(MAX_QUERIES, getsizeof=itemgetter(0))


def _error(error: Exception) -> ScrapeAnswer:
    body = f"{error}\n".encode()
    return body_headers(body), body
