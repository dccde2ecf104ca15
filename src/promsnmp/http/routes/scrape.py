"""``GET /snmp``: the hot path of HTTP, plain ASGI without a framework.

It reads in order: what is asked for, which device that is, its page, the answer. Parameters are those of snmp_exporter.
Errors are plain text with the reason, as Prometheus shows them on its targets page.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from promsnmp.errors import (
    AddressError,
    BadTarget,
    ModuleError,
    SnmpError,
    SnmpTimeout,
    StrictFailure,
    TargetError,
    UnknownTarget,
)
from promsnmp.exposition.utilization.histogram import Series
from promsnmp.http.responses.negotiation import choose_format, wants_gzip
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.modules import AUTO, wanted_modules
from promsnmp.inventory.store import InventoryStore
from promsnmp.modules.catalogue import Catalogues
from promsnmp.polling.page import Format, Page
from promsnmp.polling.pages import Scraper
from promsnmp.polling.target import Source, adhoc_source, device_source
from promsnmp.snmp.credentials import User
from promsnmp.snmp.transport import Network, parse_endpoint

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body."""

DEFAULT_MODULE = "if_mib"
DEFAULT_AUTH = "public_v2"
TIMEOUT_HEADER = b"x-prometheus-scrape-timeout-seconds"
_ONCE = ("target", "auth", "snmp_context", "snmp_engineid")
_CONTENT_TYPES = {one: one.value.encode() for one in Format}
_MAX_SOURCES = 50_000
"""Queries whose source is remembered, at most."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the query of a request asks for."""

    target: str
    auth: str
    modules: tuple[str, ...] | None
    """None: not said; none: ``module=`` was given, empty."""
    context: str = ""
    engine_id: bytes = b""
    """Context name and context engine ID (RFC 3411 sections 3.3.1 and 3.3.4), in place of those of a version 3 auth."""


@dataclass(slots=True)
class Terms:
    """How the answer is wanted, by the headers: seconds that Prometheus waits (None: not said), format, coding."""

    timeout: float | None
    wanted: Format
    gzip: bool


def read_query(query_string: bytes) -> Question:
    """The question of a query. Raises BadTarget when a parameter is missing or stands where it must not."""
    try:
        query = parse_qs(query_string.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise BadTarget("the query cannot be read: it is not URL-encoded") from None
    for name in _ONCE:
        if len(query.get(name, ())) > 1:
            raise BadTarget(f"parameter {name!r} must be given once")
    target = query.get("target", [""])[0]
    if not target:
        raise BadTarget("parameter 'target' is missing: write /snmp?target=NAME_OR_ADDRESS")
    names = (name.strip() for one in query.get("module", ()) for name in one.split(","))
    modules = tuple(dict.fromkeys(name for name in names if name)) if "module" in query else None
    context, engine_id = query.get("snmp_context", [""])[0], _engine_id(query.get("snmp_engineid", [""])[0])
    return Question(target, query.get("auth", [""])[0], modules, context, engine_id)


def _engine_id(text: str) -> bytes:
    """An engine ID of 5 to 32 octets (RFC 3411 section 5, SnmpEngineID) in hexadecimal; none when the text is empty."""
    try:
        octets = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        octets = b"?"
    if text and not 5 <= len(octets) <= 32:
        raise BadTarget("parameter 'snmp_engineid' must be 5 to 32 octets in hexadecimal")
    return octets


def in_context(source: Source, context: str, engine_id: bytes) -> Source:
    """``source`` asked in another context, if it has a user of version 3: communities have none."""
    user = source.credentials
    if not isinstance(user, User) or not (context or engine_id):
        return source
    changed = replace(
        user,
        context_name=context or user.context_name,
        context_engine_id=engine_id or user.context_engine_id,
    )
    return replace(source, key=f"{source.key}\0{engine_id.hex()}\0{context}", credentials=changed, managed=False)


def read_headers(headers: Iterable[tuple[bytes, bytes]]) -> Terms:
    """The terms of a request's headers."""
    accept = encoding = b""
    timeout = None
    for name, value in headers:
        if name == b"accept":
            accept = accept + b"," + value if accept else value
        elif name == b"accept-encoding":
            encoding = encoding + b"," + value if encoding else value
        elif name == TIMEOUT_HEADER:
            timeout = _seconds(value)
    return Terms(timeout, choose_format(accept.decode("latin-1")), wants_gzip(encoding.decode("latin-1")))


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds < 86_400 else None


class ScrapeRoute:
    """Answers ``/snmp``.

    ``allow_adhoc``: whether addresses outside of the inventory are polled; those of ``adhoc_networks`` only, if given.
    ``timeout`` and ``offset`` in seconds: the wait when Prometheus does not say how long it waits, and how much earlier
    than Prometheus gives up the answer must be out.
    """

    def __init__(
        self,
        scraper: Scraper,
        store: InventoryStore,
        catalogues: Catalogues,
        *,
        modules: Sequence[str],
        allow_adhoc: bool,
        adhoc_networks: Sequence[Network] = (),
        timeout: float,
        offset: float,
    ) -> None:
        self._scraper = scraper
        self._store = store
        self._catalogues = catalogues
        self._modules = tuple(modules)
        self._allow_adhoc = allow_adhoc
        self._adhoc_networks = tuple(adhoc_networks)
        self._timeout = timeout
        self._offset = offset
        self._sources: dict[bytes, Source] = {}
        self._known_by: tuple[Inventory | None, int] = None, 0

    async def __call__(self, scope: Scope, receive: object, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_answer(send, 405, *plain(b"only GET is allowed here\n", [(b"allow", b"GET, HEAD")]))
            return
        await send_answer(send, *await self.answer(scope["query_string"], scope["headers"]))

    async def answer(
        self, query_string: bytes, headers: Iterable[tuple[bytes, bytes]], *, away: bool = False
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body. ``away``: the device is another replica's, so that a page is kept for a short
        while only."""
        try:
            source = self.asked(query_string)
            if away:
                source = replace(source, managed=False)
            terms = read_headers(headers)
            page = await self._scraper.page(source, terms.wanted, timeout=self.wait(terms.timeout))
        except UnknownTarget as error:
            return 404, *plain(f"{error}\n".encode())
        except (TargetError, ModuleError, AddressError) as error:
            return 400, *plain(f"{error}\n".encode())
        except SnmpTimeout as error:
            return 504, *plain(f"{error}\n".encode())
        except StrictFailure as error:
            return 500, *plain(f"{error}\n".encode())
        except SnmpError as error:
            return 502, *plain(f"{error}\n".encode())
        return 200, *answer_of(page, terms)

    def ready(self, query_string: bytes, headers: list[tuple[bytes, bytes]]) -> Answer | None:
        """The whole answer, when it is in memory: what ``__call__`` would send, without waiting for anything."""
        source = self._sources.get(query_string)
        if source is None or self._is_outdated():
            return None
        terms = read_headers(headers)
        page = self._scraper.page_at_once(source, terms.wanted)
        return None if page is None else answer_of(page, terms)

    def histograms(self, query_string: bytes) -> Sequence[Series]:
        """The utilisation histograms of the target that a query names, as they are now: nothing is polled for them.

        There are none before the first poll of an inventory device, and while it cannot be read. Raises TargetError
        (UnknownTarget also for an address that is not in the inventory and that no scrape has named) or ModuleError.
        """
        source = self.asked(query_string)
        for name in source.modules:
            if name != AUTO:
                self._catalogues.current.module(name)
        found = self._scraper.histograms(source)
        if found is None and self._store.find(read_query(query_string).target) is None:
            raise UnknownTarget(f"{source.name} is not in the inventory, and no scrape of /snmp has polled it yet")
        return found or ()

    def asked(self, query_string: bytes) -> Source:
        """The source that a query names. Prometheus asks the same at every scrape, so it is worked out once for each
        inventory and catalogue. Raises as ``source`` does."""
        if self._is_outdated() or len(self._sources) >= _MAX_SOURCES:
            self._known_by = self._store.current, self._catalogues.generation
            self._sources.clear()
        source = self._sources.get(query_string)
        if source is None:
            question = read_query(query_string)
            found = self.source(question.target, question.modules, question.auth)
            source = self._sources[query_string] = in_context(found, question.context, question.engine_id)
        return source

    def _is_outdated(self) -> bool:
        inventory, generation = self._known_by
        return inventory is not self._store.current or generation != self._catalogues.generation

    def source(self, target: str, modules: tuple[str, ...] | None, auth: str) -> Source:
        """What ``target`` names: a device of the inventory, or else an address; without ``modules`` (None) the device's
        own or the default ones. Raises TargetError or ModuleError."""
        found = self._store.find(target)
        if found is not None and found.agent is not None:
            own = wanted_modules(found.device, self._modules)
            source = device_source(found.device, found.agent, own if modules is None else modules)
            is_polled = found.agent == found.device.primary and source.modules == own
            return source if is_polled else replace(source, managed=False)
        if found is not None:
            raise UnknownTarget(f"{target!r} is in the inventory, but has no agent to poll")
        if len(named := self._store.snapshot.index.named(target)) > 1:
            addresses = ", ".join(str(device.primary.endpoint) for device in named[:9] if device.primary)
            raise UnknownTarget(f"{len(named)} devices are called {target!r}; ask for one by its address: {addresses}")
        endpoint = replace(parse_endpoint(target), within=self._adhoc_networks)
        if not self._allow_adhoc:
            raise UnknownTarget(
                f"{target!r} is not in the inventory; "
                "add it there, or set SNMP_ALLOW_ADHOC_TARGETS=true to poll any address"
            )
        name = auth or DEFAULT_AUTH
        return adhoc_source(
            endpoint, self._catalogues.current.auth(name), name, (DEFAULT_MODULE,) if modules is None else modules
        )

    def wait(self, timeout: float | None) -> float:
        """Seconds that an answer may take when Prometheus waits for ``timeout`` (None: not said)."""
        if timeout is None:
            return self._timeout
        return max(timeout - self._offset, timeout / 2)


def answer_of(page: Page, terms: Terms) -> Answer:
    """Headers and body of a page."""
    body = page.gzipped(terms.wanted) if terms.gzip else page.plain(terms.wanted)
    headers = [
        (b"content-type", _CONTENT_TYPES[terms.wanted]),
        (b"content-length", b"%d" % len(body)),
        (b"vary", b"Accept, Accept-Encoding"),
        (b"age", b"%d" % (time.monotonic() - page.taken_at)),
    ]
    if terms.gzip:
        headers.append((b"content-encoding", b"gzip"))
    return headers, body


def plain(body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
    """Headers and body of a text for people."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    return headers, body


async def send_answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Sends a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
