"""The map as a page, as SVG and as JSON, of the present topology."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from promsnmp.inventory.model import Inventory
from promsnmp.web.device_table.service import DeviceTables
from promsnmp.web.pages.map import map_document, map_view, read_choice
from promsnmp.web.rendering import PageRenderer
from promsnmp.web.shared_pages import SharedPage, SharedPages
from promsnmp.web.sources import Sources
from promsnmp.web.topology.service import Topology, TopologyService

Query = Sequence[tuple[str, str]]


class MapPages:
    """The map of ``sources``."""

    def __init__(self, sources: Sources, tables: DeviceTables, renderer: PageRenderer) -> None:
        self._sources = sources
        self._renderer = renderer
        self._topologies = TopologyService(sources, tables.table)
        self._shared = SharedPages(renderer.in_thread)

    async def page(self, query: Query, *, is_fragment: bool) -> SharedPage:
        """The page, made once for all who look at the same part of the map."""
        topology = await self._topologies.topology()
        make = partial(self._make, topology, self._inventory, query, is_fragment=is_fragment)
        return await self._shared.page(topology, (read_choice(query), is_fragment), make)

    async def document(self, query: Query) -> bytes:
        """The map as JSON. Raises ValueError for a wrong query; so does ``picture``."""
        topology = await self._topologies.topology()
        return await self._renderer.in_thread(map_document, self._sources, topology, self._inventory, query)

    async def picture(self, query: Query) -> bytes:
        """The map as SVG."""
        topology = await self._topologies.topology()
        return await self._renderer.in_thread(self._picture, topology, self._inventory, query)

    async def neighbours(self) -> bytes:
        """What this replica knows of the devices that it polls, for another replica."""
        return await self._topologies.part()

    @property
    def _inventory(self) -> Inventory:
        return self._sources.devices.snapshot.inventory

    def _make(self, topology: Topology, inventory: Inventory, query: Query, *, is_fragment: bool) -> tuple[int, str]:
        values = map_view(self._sources, topology, inventory, query)
        html = self._renderer.html("map", "", values, is_fragment=is_fragment)
        return 200 if is_fragment else int(str(values["status"])), html

    def _picture(self, topology: Topology, inventory: Inventory, query: Query) -> bytes:
        values = map_view(self._sources, topology, inventory, query)
        if values["error"]:
            raise ValueError(values["error"])
        picture = self._renderer.macro("parts/drawing.html", "picture")
        return str(picture(values["drawing"], "", is_file=True)).strip().encode(errors="replace")
