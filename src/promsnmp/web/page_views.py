"""The values of each page, by its name."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from promsnmp.web.browse.names import CatalogueNames
from promsnmp.web.credentials.listing import credentials_view
from promsnmp.web.device_table.service import DeviceTables
from promsnmp.web.pages.browse import browse_form, walk_device, walk_values
from promsnmp.web.pages.device_page.explain import explain_view
from promsnmp.web.pages.device_page.view import DeviceViews
from promsnmp.web.pages.devices import devices_view
from promsnmp.web.pages.discovery import check_view, discovery_view
from promsnmp.web.pages.modules import modules_view
from promsnmp.web.pages.replicas import replicas_view
from promsnmp.web.pages.service import health_view, targets_view
from promsnmp.web.pages.traps import traps_view
from promsnmp.web.rendering import PageRenderer
from promsnmp.web.sources import Sources

Query = Sequence[tuple[str, str]]
Values = Mapping[str, object]


class PageViews:
    """The pages that depend on who looks, or on what they ask for. ``clock``: Unix time."""

    def __init__(
        self,
        sources: Sources,
        tables: DeviceTables,
        renderer: PageRenderer,
        names: CatalogueNames,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._tables = tables
        self._in_thread = renderer.in_thread
        self._names = names
        self._clock = clock
        self._devices = DeviceViews(sources, renderer.in_thread)
        self._by_name: dict[str, Callable[[str, Query], Awaitable[Values]]] = {
            "devices": self._device_list,
            "device": self._devices.view,
            "explain": self._explain,
            "service/targets": self._targets,
            "service/health": self._health,
            "replicas": self._replicas,
            "modules": self._modules,
            "traps": self._traps,
            "credentials": self._credentials,
            "discovery": self._discovery,
            "check": self._check,
            "browse": self._browse,
            "walk": self._walk,
        }

    async def values(self, name: str, item: str, query: Query) -> Values:
        """What the template ``name`` prints, for the ``item`` that the path names. Raises UnknownDevice."""
        return await self._by_name[name](item, query)

    async def _device_list(self, item: str, query: Query) -> Values:
        has_changed = any(key == "done" for key, _ in query)
        table = await self._tables.table(is_current=has_changed)
        return await self._in_thread(devices_view, self._sources, table, query)

    async def _explain(self, item: str, query: Query) -> Values:
        return await explain_view(self._sources, item, query)

    async def _targets(self, item: str, query: Query) -> Values:
        return await self._in_thread(targets_view, self._sources, query)

    async def _health(self, item: str, query: Query) -> Values:
        return health_view(self._sources, item)

    async def _replicas(self, item: str, query: Query) -> Values:
        return replicas_view(self._sources, await self._tables.table())

    async def _discovery(self, item: str, query: Query) -> Values:
        return discovery_view(self._sources, query, self._clock())

    async def _check(self, item: str, query: Query) -> Values:
        return await self._in_thread(check_view, self._sources, query)

    async def _browse(self, item: str, query: Query) -> Values:
        return browse_form(self._sources, query)

    async def _walk(self, item: str, query: Query) -> Values:
        names = await self._names.current()
        form = await walk_device(self._sources, names, query)
        values = await self._in_thread(walk_values, self._sources, names, form)
        return {**values, "template": "browse", "page": "browse"}

    async def _traps(self, item: str, query: Query) -> Values:
        return await self._in_thread(traps_view, self._sources, await self._sources.traps.report(), query)

    async def _credentials(self, item: str, query: Query) -> Values:
        values = await self._in_thread(credentials_view, self._sources, query)
        return {**values, "template": "credentials/list"}

    async def _modules(self, item: str, query: Query) -> Values:
        return modules_view(self._sources)
