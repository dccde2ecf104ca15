"""The pages by name, rendered: templates with the values that ``pages/`` puts together.

Every string that a template prints is escaped (autoescape), and its hidden characters are shown as codes
(``finalize``), so no template can forget it. ``live/NAME.html`` is what is replaced while a page is open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from promsnmp.errors import UnknownDevice
from promsnmp.web import text
from promsnmp.web.fleet import Board, Fleet
from promsnmp.web.pages.device import DeviceViews
from promsnmp.web.pages.devices import devices_view
from promsnmp.web.pages.modules import modules_view
from promsnmp.web.pages.overview import overview_view
from promsnmp.web.pages.replicas import replicas_view
from promsnmp.web.rates import PollRateMeter
from promsnmp.web.sources import Sources

MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
"""Of the files that pages load, by suffix; other files are not served."""

PAGES_AT_ONCE = 2
"""Pages that are made at the same time: each takes a thread, which others need as well."""

Query = Sequence[tuple[str, str]]


class WebInterface:
    """The pages, of ``sources``; ``meter`` measures polls per second. ``clock``: Unix time."""

    def __init__(self, sources: Sources, meter: PollRateMeter, clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._meter = meter
        self._clock = clock
        self._fleet = Fleet(sources)
        self._device_views = DeviceViews(sources)
        self._slots = asyncio.Semaphore(PAGES_AT_ONCE)
        self._environment = environment()
        self._views: dict[str, Callable[[str, Query], Awaitable[Mapping[str, object]]]] = {
            "devices": self._devices,
            "device": self._device,
            "replicas": self._replicas,
            "modules": self._modules,
        }
        self._assets = assets()
        self._shared: dict[bool, tuple[Board, str]] = {}
        """The overview that all get who ask while its board is shown, whole and as a fragment."""

    async def page(self, name: str, *, item: str = "", query: Query = (), is_fragment: bool = False) -> tuple[int, str]:
        """Status and HTML of a page; ``is_fragment``: only its live part."""
        async with self._slots:
            return await self._page(name, item, query, is_fragment=is_fragment)

    async def _page(self, name: str, item: str, query: Query, *, is_fragment: bool) -> tuple[int, str]:
        if name == "overview":
            return 200, await self._shared_overview(is_fragment=is_fragment)
        values: Mapping[str, object]
        try:
            values = await self._views[name](item, query)
            status = int(str(values.get("status", 200)))
        except UnknownDevice as error:
            name, status, values = "missing", 404, {"error": str(error), "wanted": item}
        return (200 if is_fragment else status), await self._render(name, item, values, is_fragment=is_fragment)

    async def _render(self, name: str, item: str, values: Mapping[str, object], *, is_fragment: bool) -> str:
        folder = "live/" if is_fragment and name != "missing" else ""
        shown = {
            "version": self._sources.version,
            "site": self._sources.site,
            "base": "../" * (1 + item.count("/")) if item else "",
            "page": name,
            "now": self._clock(),
            "interval": self._sources.interval,
            **values,
        }
        return await asyncio.to_thread(
            lambda: self._environment.get_template(f"{folder}{name}.html").render(shown)
        )  # thousands of rows take longer than the event loop can wait

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """Media type and contents of a file that pages load."""
        return self._assets.get(name)

    async def _shared_overview(self, *, is_fragment: bool) -> str:
        board = await self._fleet.board()
        known, html = self._shared.get(is_fragment, (None, ""))
        if known is not board:
            values = overview_view(self._sources, board, self._meter.rates())
            html = await self._render("overview", "", values, is_fragment=is_fragment)
            self._shared[is_fragment] = board, html
        return html

    async def _devices(self, item: str, query: Query) -> Mapping[str, object]:
        return await asyncio.to_thread(devices_view, self._sources, await self._fleet.board(), query)

    async def _device(self, item: str, query: Query) -> Mapping[str, object]:
        return await self._device_views.view(item, query)

    async def _replicas(self, item: str, query: Query) -> Mapping[str, object]:
        return replicas_view(self._sources, await self._fleet.board())

    async def _modules(self, item: str, query: Query) -> Mapping[str, object]:
        return modules_view(self._sources)


def environment() -> Environment:
    """The templates, with filters for numbers."""
    made = Environment(
        loader=PackageLoader("promsnmp.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "ago": text.ago,
        "bits": lambda value: text.scaled(value, "bit/s"),
        "bytes": lambda value: text.scaled(value, "B", 1024.0),
        "count": text.count,
        "number": text.number,
        "percent": text.percent,
        "seconds": text.seconds,
        "short": text.visible,
        "timestamp": text.timestamp,
        "url": lambda value: quote(value, safe="", errors="replace"),
    }
    return made


def _finalize(value: object) -> object:
    return text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def assets() -> Mapping[str, tuple[str, bytes]]:
    """The files of ``static`` that pages load."""
    found = {}
    for file in resources.files("promsnmp.web").joinpath("static").iterdir():
        media_type = MEDIA_TYPES.get(f".{file.name.rpartition('.')[2]}")
        if media_type is not None:
            found[file.name] = media_type, file.read_bytes()
    return found
