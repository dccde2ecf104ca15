"""``GET /snmp``: the hot path of HTTP, plain ASGI without a framework.

It reads in order: what is asked for, which device that is, its page, the answer. Parameters are those of snmp_exporter.
Errors are plain text with the reason, as Prometheus shows them on its targets page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from promsnmp.collect.page import Format, Page
from promsnmp.collect.service import Scraper
from promsnmp.collect.source import Source, adhoc_source, device_source
from promsnmp.errors import AddressError, BadTarget, ModuleError, SnmpError, SnmpTimeout, TargetError, UnknownTarget
from promsnmp.http.negotiate import choose_format, wants_gzip
from promsnmp.inventory.store import InventoryStore
from promsnmp.modules.catalogue import Catalogue
from promsnmp.snmp.transport import parse_endpoint

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DEFAULT_MODULE = "if_mib"
DEFAULT_AUTH = "public_v2"
TIMEOUT_HEADER = b"x-prometheus-scrape-timeout-seconds"
_ONCE = ("target", "auth")


class Question:
    """What one request asks: device, modules, format, and how long it may take."""

    __slots__ = ("auth", "gzip", "modules", "target", "timeout", "wanted")

    def __init__(self, scope: Scope) -> None:
        """Raises BadTarget when a parameter is missing or stands where it must not."""
        try:
            query = parse_qs(scope["query_string"].decode("ascii"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise BadTarget("the query cannot be read: it is not URL-encoded") from None
        for name in _ONCE:
            if len(query.get(name, ())) > 1:
                raise BadTarget(f"parameter {name!r} must be given once")
        self.target = query.get("target", [""])[0]
        if not self.target:
            raise BadTarget("parameter 'target' is missing: write /snmp?target=NAME_OR_ADDRESS")
        self.auth = query.get("auth", [""])[0]
        names = (name.strip() for one in query.get("module", ()) for name in one.split(","))
        self.modules = tuple(dict.fromkeys(name for name in names if name))
        self.timeout: float | None = None
        accept, encoding = "", ""
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = f"{accept},{value.decode('latin-1')}" if accept else value.decode("latin-1")
            elif name == b"accept-encoding":
                encoding = value.decode("latin-1")
            elif name == TIMEOUT_HEADER:
                self.timeout = _seconds(value)
        self.wanted = choose_format(accept)
        self.gzip = wants_gzip(encoding)


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds < 86_400 else None


class ScrapeRoute:
    """Answers ``/snmp``. ``timeout`` and ``offset`` in seconds: the wait when Prometheus does not say how long it waits,
    and how much earlier than Prometheus gives up the answer must be out."""

    def __init__(
        self,
        scraper: Scraper,
        store: InventoryStore,
        catalogue: Catalogue,
        *,
        modules: Sequence[str],
        allow_adhoc: bool,
        timeout: float,
        offset: float,
    ) -> None:
        self._scraper = scraper
        self._store = store
        self._catalogue = catalogue
        self._modules = tuple(modules)
        self._allow_adhoc = allow_adhoc
        self._timeout = timeout
        self._offset = offset

    async def __call__(self, scope: Scope, receive: object, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"only GET is allowed here\n", [(b"allow", b"GET, HEAD")])
            return
        try:
            question = Question(scope)
            source = self.source(question.target, question.modules, question.auth)
            page = await self._scraper.page(source, question.wanted, timeout=self._wait(question))
        except UnknownTarget as error:
            await _refuse(send, 404, error)
        except (TargetError, ModuleError, AddressError) as error:
            await _refuse(send, 400, error)
        except SnmpTimeout as error:
            await _refuse(send, 504, error)
        except SnmpError as error:
            await _refuse(send, 502, error)
        else:
            await _send_page(send, page, question.wanted, gzip=question.gzip)

    def source(self, target: str, modules: tuple[str, ...], auth: str) -> Source:
        """What ``target`` names: a device of the inventory, or else an address. Raises TargetError or ModuleError."""
        found = self._store.find(target)
        if found is not None and found.agent is not None:
            return device_source(found.device, found.agent, modules or found.device.modules or self._modules)
        if found is not None:
            raise UnknownTarget(f"{target!r} is in the inventory, but has no agent to poll")
        endpoint = parse_endpoint(target)
        if not self._allow_adhoc:
            raise UnknownTarget(
                f"{target!r} is not in the inventory; add it there, or set SNMP_ALLOW_ADHOC_TARGETS=true to poll any address"
            )
        name = auth or DEFAULT_AUTH
        return adhoc_source(endpoint, self._catalogue.auth(name), name, modules or (DEFAULT_MODULE,))

    def _wait(self, question: Question) -> float:
        if question.timeout is None:
            return self._timeout
        return max(question.timeout - self._offset, question.timeout / 2)


async def _send_page(send: Send, page: Page, wanted: Format, *, gzip: bool) -> None:
    body = page.gzipped(wanted) if gzip else page.plain(wanted)
    age = asyncio.get_running_loop().time() - page.taken_at
    headers = [
        (b"content-type", wanted.value.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"vary", b"Accept, Accept-Encoding"),
        (b"age", b"%d" % age),
    ]
    if gzip:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, status: int, error: Exception) -> None:
    await _answer(send, status, f"{error}\n".encode(), [])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
