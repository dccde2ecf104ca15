"""The pages by name, rendered: templates with the values that ``pages/`` puts together.

Every string that a template prints is escaped (autoescape), and its hidden characters are shown as codes
(``finalize``), so no template can forget it. ``live/NAME.html`` is what is replaced while a page is open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import TypeVar
from urllib.parse import quote

from cachetools import LRUCache
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from promsnmp.errors import UnknownDevice
from promsnmp.inventory.model import Device, Inventory
from promsnmp.web import text
from promsnmp.web.browse.module import module_text, read_wanted
from promsnmp.web.browse.names import Names
from promsnmp.web.edit.editor import Editor
from promsnmp.web.edit.notices import notice_of
from promsnmp.web.edit.selection import pack_ids
from promsnmp.web.edit.viewer import NOBODY, Form, Sender, Viewer
from promsnmp.web.fleet import Board, Fleet
from promsnmp.web.pages.browse import browse_form, walk_device, walk_values
from promsnmp.web.pages.device_page.explain import explain_view
from promsnmp.web.pages.device_page.view import DeviceViews
from promsnmp.web.pages.devices import devices_view
from promsnmp.web.pages.discovery import check_view, discovery_view
from promsnmp.web.pages.map import MapChoice, map_document, map_view, read_choice
from promsnmp.web.pages.modules import modules_view
from promsnmp.web.pages.overview import overview_view
from promsnmp.web.pages.replicas import replicas_view
from promsnmp.web.pages.service import health_view, targets_view
from promsnmp.web.rates import PollRateMeter
from promsnmp.web.sources import Sources
from promsnmp.web.topology.atlas import Atlas, AtlasMaker

_FORMS = {
    "edit": ("edit/device", "../../"),
    "remove": ("edit/remove", "../../"),
    "add": ("edit/device", ""),
}
"""Pages that are a form: their template, and the way from their path to the overview."""
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
"""Of the files that pages load, by suffix; other files are not served."""

FRAGMENTS = frozenset(("check",))
"""What is never a whole page."""
MOST_SHARED = 4 * 1024 * 1024
"""Characters of a map that is kept for the next who looks at it."""
PAGES_AT_ONCE = 2
"""Pages that are made at the same time: each takes a thread, which others need as well. Waiting for a device is not
making a page."""

Query = Sequence[tuple[str, str]]
_Result = TypeVar("_Result")
_BELOW = ("explain",)
"""Pages whose path goes on behind that of a device."""


class WebInterface:
    """The pages, of ``sources``; ``meter`` measures polls per second. ``clock``: Unix time."""

    def __init__(self, sources: Sources, meter: PollRateMeter, clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._meter = meter
        self._clock = clock
        self._fleet = Fleet(sources, wall=clock)
        self._device_views = DeviceViews(sources, self._in_thread)
        self._slots = asyncio.Semaphore(PAGES_AT_ONCE)
        self._environment = environment()
        self._views: dict[str, Callable[[str, Query], Awaitable[Mapping[str, object]]]] = {
            "devices": self._devices,
            "device": self._device,
            "explain": self._explain,
            "service/targets": self._targets,
            "service/health": self._health,
            "replicas": self._replicas,
            "modules": self._modules,
            "discovery": self._discovery,
            "check": self._check,
            "browse": self._browse,
            "walk": self._walk,
        }
        self._atlases = AtlasMaker(sources, self._fleet.board)
        self._maps: LRUCache[tuple[MapChoice, bool], tuple[int, str]] = LRUCache(8)
        self._maps_of: Atlas | None = None
        self._known_names: tuple[int, Names] | None = None
        """The generation of the catalogue, and its names."""
        self._editor = Editor(sources, self._fleet)
        self._assets = assets()
        self._shared: dict[bool, tuple[Board, str]] = {}
        """The overview that all get who ask while its board is shown, whole and as a fragment."""

    async def page(
        self,
        name: str,
        *,
        item: str = "",
        query: Query = (),
        is_fragment: bool = False,
        viewer: Viewer = NOBODY,
    ) -> tuple[int, str]:
        """Status and HTML of a page; ``is_fragment``: only its live part."""
        if name == "overview":
            return 200, await self._shared_overview(is_fragment=is_fragment)
        if name == "map":
            return await self._map(query, is_fragment=is_fragment)
        values: Mapping[str, object]
        base = "../" * (item.count("/") + 1 + (name in _BELOW)) if item else ""
        try:
            if name in _FORMS:
                template, base = _FORMS[name]
                return 200, self._form(template, self._editor.view(name, item), viewer, base=base)
            values = await self._views[name](item, query)
            status = int(str(values.get("status", 200)))
        except UnknownDevice as error:
            name, status, values = "missing", 404, {"error": str(error), "wanted": item}
        shown = {"viewer": viewer, "notice": notice_of(query), **values}
        html = await self._render(name, base, shown, is_fragment=is_fragment)
        return (200 if is_fragment else status), html

    async def submit(self, name: str, form: Form, sender: Sender, *, item: str = "") -> tuple[int, str]:
        """What ``Editor.submit`` answers: status and HTML, or 303 and where to go on."""
        status, template, answer = await self._editor.submit(name, item, form, sender)
        if isinstance(answer, str):
            return status, answer
        base = _FORMS[name][1] if name in _FORMS else "" if name == "confirm" else "../"
        return status, self._form(template, answer, sender.viewer, base=base)

    async def selection(self, form: Form) -> Sequence[Device]:
        """As ``Editor.selection``."""
        return await self._editor.selection(form)

    def pack(self, devices: Iterable[Device]) -> str:
        """Devices as a field of a form."""
        return pack_ids(devices)

    async def csv(self, query: Query) -> AsyncIterator[bytes]:
        """As ``Editor.csv``."""
        return self._made_in_thread(await self._editor.csv(query))

    async def csv_of(self, form: Form) -> AsyncIterator[bytes]:
        """As ``Editor.csv_of``."""
        return self._made_in_thread(await self._editor.csv_of(form))

    async def _made_in_thread(self, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
        while part := await self._in_thread(lambda: next(parts, b"")):
            yield part

    def login_page(self, viewer: Viewer, **shown: object) -> str:
        """The page at which people log in, or out; see ``http.services.PeoplePages``."""
        return self._form("edit/login", shown, viewer, base="")

    def error_page(self, path: str, status: int, text: str, problems: Sequence[str]) -> str:
        """What is wrong with a request for ``path``."""
        shown = {"status": status, "error": text, "problems": problems}
        return self._form("edit/error", shown, NOBODY, base=_to_overview(path))

    def continue_page(self, path: str) -> str:
        """A page that asks for ``path`` once more, without a click."""
        base = _to_overview(path.partition("?")[0])
        return self._form("edit/continue", {"target": f"{base or './'}{path[1:]}"}, NOBODY, base=base)

    def _form(self, template: str, values: Mapping[str, object], viewer: Viewer, *, base: str) -> str:
        shown = {"viewer": viewer, "notice": "", **values}
        return self._html(template, base, shown, is_fragment=False)

    async def _in_thread(self, work: Callable[..., _Result], *values: object) -> _Result:
        """What takes longer than the event loop can wait: at most PAGES_AT_ONCE at a time."""
        async with self._slots:
            return await asyncio.to_thread(work, *values)

    async def _render(self, name: str, base: str, values: Mapping[str, object], *, is_fragment: bool) -> str:
        """A page, which may have thousands of rows."""
        return await self._in_thread(partial(self._html, name, base, values, is_fragment=is_fragment))

    def _html(self, name: str, base: str, values: Mapping[str, object], *, is_fragment: bool) -> str:
        folder = "live/" if (is_fragment and name != "missing") or name in FRAGMENTS else ""
        shown = {
            "version": self._sources.version,
            "site": self._sources.site,
            "base": base,
            "page": name,
            "now": self._clock(),
            "interval": self._sources.interval,
            **values,
        }
        return self._environment.get_template(f"{folder}{values.get('template', name)}.html").render(shown)

    async def file(self, name: str, *, query: Query = ()) -> bytes:
        """What a page offers as a file. Raises ValueError for a wrong query."""
        if name == "module.yml":
            return await self._module(query)
        if name == "map/part.json":
            return await self._atlases.part()
        atlas, inventory = await self._atlases.atlas(), self._sources.devices.snapshot.inventory
        if name == "map.json":
            return await self._in_thread(map_document, self._sources, atlas, inventory, query)
        return await self._in_thread(self._picture, atlas, inventory, query)

    async def _module(self, query: Query) -> bytes:
        names, last = await self._names(), dict(query)
        wanted = [read_wanted(value) for name, value in query if name == "column"]
        text = await self._in_thread(module_text, last.get("name", ""), wanted, names)
        return text.encode(errors="replace")

    def _picture(self, atlas: Atlas, inventory: Inventory, query: Query) -> bytes:
        values = map_view(self._sources, atlas, inventory, query)
        if values["error"]:
            raise ValueError(values["error"])
        picture = self._environment.get_template("parts/drawing.html").module.picture  # type: ignore[attr-defined]  # macros have no types
        return str(picture(values["drawing"], "", is_file=True)).strip().encode(errors="replace")

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """Media type and contents of a file that pages load."""
        return self._assets.get(name)

    async def _shared_overview(self, *, is_fragment: bool) -> str:
        board = await self._fleet.board()
        known, html = self._shared.get(is_fragment, (None, ""))
        if known is not board:
            values = {"viewer": NOBODY, **overview_view(self._sources, board, self._meter.rates())}
            html = await self._render("overview", "", values, is_fragment=is_fragment)
            self._shared[is_fragment] = board, html
        return html

    async def _devices(self, item: str, query: Query) -> Mapping[str, object]:
        has_changed = any(key == "done" for key, _ in query)
        board = await self._fleet.board(is_current=has_changed)
        return await self._in_thread(devices_view, self._sources, board, query)

    async def _device(self, item: str, query: Query) -> Mapping[str, object]:
        return await self._device_views.view(item, query)

    async def _explain(self, item: str, query: Query) -> Mapping[str, object]:
        return await explain_view(self._sources, item, query)

    async def _targets(self, item: str, query: Query) -> Mapping[str, object]:
        return await self._in_thread(targets_view, self._sources, query)

    async def _health(self, item: str, query: Query) -> Mapping[str, object]:
        return health_view(self._sources, item)

    async def _replicas(self, item: str, query: Query) -> Mapping[str, object]:
        return replicas_view(self._sources, await self._fleet.board())

    async def _map(self, query: Query, *, is_fragment: bool) -> tuple[int, str]:
        """The map, made once for all who look at the same part of it."""
        atlas, key = await self._atlases.atlas(), (read_choice(query), is_fragment)
        if self._maps_of is not atlas:
            self._maps_of = atlas
            self._maps.clear()
        status, html = self._maps.get(key, (0, ""))
        if not html:
            inventory = self._sources.devices.snapshot.inventory
            status, html = await self._in_thread(
                partial(self._render_map, atlas, inventory, query, is_fragment=is_fragment)
            )
            if len(html) < MOST_SHARED and self._maps_of is atlas:
                self._maps[key] = status, html
        return (200 if is_fragment else status), html

    def _render_map(self, atlas: Atlas, inventory: Inventory, query: Query, *, is_fragment: bool) -> tuple[int, str]:
        values = map_view(self._sources, atlas, inventory, query)
        return int(str(values["status"])), self._html("map", "", values, is_fragment=is_fragment)

    async def _discovery(self, item: str, query: Query) -> Mapping[str, object]:
        return discovery_view(self._sources, query, self._clock())

    async def _check(self, item: str, query: Query) -> Mapping[str, object]:
        return await self._in_thread(check_view, self._sources, query)

    async def _browse(self, item: str, query: Query) -> Mapping[str, object]:
        return browse_form(query)

    async def _walk(self, item: str, query: Query) -> Mapping[str, object]:
        names = await self._names()
        form = await walk_device(self._sources, names, query)
        values = await self._in_thread(walk_values, self._sources, names, form)
        return {**values, "template": "browse", "page": "browse"}

    async def _names(self) -> Names:
        """The names of the present catalogue, which take a moment to collect."""
        store = self._sources.catalogue_store
        if self._known_names is None or self._known_names[0] != store.generation:
            self._known_names = store.generation, await self._in_thread(Names, store.current)
        return self._known_names[1]

    async def _modules(self, item: str, query: Query) -> Mapping[str, object]:
        return modules_view(self._sources)


def _to_overview(path: str) -> str:
    return "../" * (path.count("/") - 1)


@cache
def environment() -> Environment:
    """The templates, with filters for numbers; compiled once, whoever uses them."""
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
        "counted": text.counted,
        "number": text.number,
        "detail": text.detail,
        "percent": text.percent,
        "seconds": text.seconds,
        "short": text.visible,
        "short_number": text.short_number,
        "timestamp": text.timestamp,
        "whole": escape,
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
