"""The pages for people by name, as ``http.services.PeoplePages`` wants them: this file passes on who makes which."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial

from promsnmp.errors import UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.web.assets import assets
from promsnmp.web.browse.mib_build import MibBuilder
from promsnmp.web.browse.mib_names import MibNameReader
from promsnmp.web.browse.module import generator_text, mib_objects, module_text, read_wanted
from promsnmp.web.browse.names import CatalogueNames
from promsnmp.web.device_table.service import DeviceTables
from promsnmp.web.device_table.table import DeviceTable
from promsnmp.web.edit.editor import Editor
from promsnmp.web.edit.notices import notice_of
from promsnmp.web.edit.selection import pack_ids
from promsnmp.web.edit.viewer import NOBODY, Form, Sender, Viewer
from promsnmp.web.map_pages import MapPages
from promsnmp.web.page_views import PageViews, Query
from promsnmp.web.pages.overview import overview_view
from promsnmp.web.rates import PollRateMeter
from promsnmp.web.rendering import PageRenderer, to_overview
from promsnmp.web.shared_pages import SharedPage, SharedPages
from promsnmp.web.sources import Sources

_FORMS = {
    "edit": ("edit/device", "../../"),
    "remove": ("edit/remove", "../../"),
    "add": ("edit/device", ""),
    "add-credentials": ("credentials/form", ""),
    "change-credentials": ("credentials/form", "../../"),
    "remove-credentials": ("credentials/remove", "../../"),
}
"""Pages that are a form: their template, and the way from their path to the overview."""
_SHARED = ("overview", "map")
"""Pages that are the same for all who look."""
_BELOW = ("explain",)
"""Pages whose path goes on behind that of a device."""


class WebInterface:
    """The pages, of ``sources``; ``meter`` measures polls per second. ``clock``: Unix time."""

    def __init__(self, sources: Sources, meter: PollRateMeter, clock: Callable[[], float] = time.time) -> None:
        self._sources = sources
        self._meter = meter
        self._renderer = PageRenderer(sources, clock)
        self._tables = DeviceTables(sources, wall=clock)
        self._names = CatalogueNames(
            sources.catalogue_store, self._renderer.in_thread, MibNameReader(sources.mib_folders)
        )
        self._views = PageViews(sources, self._tables, self._renderer, self._names, clock)
        self._map = MapPages(sources, self._tables, self._renderer)
        self._overviews = SharedPages(self._renderer.in_thread)
        self._editor = Editor(sources, self._tables)
        self._mibs = MibBuilder(sources.mib_folders)
        self._assets = assets()

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
        if name in _SHARED:
            page = await self.shared_page(name, query=query, is_fragment=is_fragment)
            return page.status, page.html.decode()
        base = "../" * (item.count("/") + 1 + (name in _BELOW)) if item else ""
        try:
            if name in _FORMS:
                template, base = _FORMS[name]
                return 200, self._renderer.form(template, self._editor.view(name, item, query), viewer, base=base)
            values = await self._views.values(name, item, query)
            status = int(str(values.get("status", 200)))
        except UnknownDevice as error:
            name, status, values = "missing", 404, {"error": str(error), "wanted": item}
        shown = {"viewer": viewer, "notice": notice_of(query), **values}
        html = await self._renderer.render(name, base, shown, is_fragment=is_fragment)
        return (200 if is_fragment else status), html

    async def shared_page(self, name: str, *, query: Query = (), is_fragment: bool = False) -> SharedPage:
        """The overview or the map: the same for all who look."""
        if name == "map":
            return await self._map.page(query, is_fragment=is_fragment)
        table = await self._tables.table()
        return await self._overviews.page(table, is_fragment, partial(self._overview, table, is_fragment=is_fragment))

    def _overview(self, table: DeviceTable, *, is_fragment: bool) -> tuple[int, str]:
        values = {"viewer": NOBODY, **overview_view(self._sources, table, self._meter.rates())}
        return 200, self._renderer.html("overview", "", values, is_fragment=is_fragment)

    async def submit(self, name: str, form: Form, sender: Sender, *, item: str = "") -> tuple[int, str]:
        """What ``Editor.submit`` answers: status and HTML, or 303 and where to go on."""
        status, template, answer = await self._editor.submit(name, item, form, sender)
        if isinstance(answer, str):
            return status, answer
        base = _FORMS[name][1] if name in _FORMS else "" if name == "confirm" else "../"
        return status, self._renderer.form(template, answer, sender.viewer, base=base)

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
        while part := await self._renderer.in_thread(lambda: next(parts, b"")):
            yield part

    def login_page(self, viewer: Viewer, **shown: object) -> str:
        """The page at which people log in, or out; see ``http.services.PeoplePages``."""
        return self._renderer.form("edit/login", shown, viewer, base="")

    def error_page(self, path: str, status: int, text: str, problems: Sequence[str]) -> str:
        """What is wrong with a request for ``path``."""
        shown = {"status": status, "error": text, "problems": problems}
        return self._renderer.form("edit/error", shown, NOBODY, base=to_overview(path))

    def continue_page(self, path: str) -> str:
        """A page that asks for ``path`` once more, without a click."""
        base = to_overview(path.partition("?")[0])
        return self._renderer.form("edit/continue", {"target": f"{base or './'}{path[1:]}"}, NOBODY, base=base)

    async def file(self, name: str, *, query: Query = ()) -> bytes:
        """What a page offers as a file. Raises ValueError for a wrong query, and of a module ModuleError and
        BuildBusy."""
        match name:
            case "module.yml" | "generator.yml" | "mibs.yml":
                return await self._module(name, query)
            case "map.json":
                return await self._map.document(query)
            case _:
                return await self._map.picture(query)

    async def neighbours(self, _: bytes) -> bytes:
        """What this replica knows of its devices' neighbours, for the map of another replica."""
        return await self._map.neighbours()

    async def _module(self, kind: str, query: Query) -> bytes:
        name = dict(query).get("name", "")
        wanted = [read_wanted(value) for key, value in query if key == "column"]
        match kind:
            case "generator.yml":
                return generator_text(name, wanted).encode()
            case "mibs.yml":
                if not self._mibs.folders:
                    raise ValueError("no MIB files: MIB_FOLDERS is not set")
                return await self._mibs.build(name, mib_objects(name, wanted))
            case _:
                names = await self._names.current()
                return (await self._renderer.in_thread(module_text, name, wanted, names)).encode(errors="replace")

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """Media type and contents of a file that pages load."""
        return self._assets.get(name)
