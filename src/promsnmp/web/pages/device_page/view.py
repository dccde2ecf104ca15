"""One device: who it is, its interfaces, neighbours and health, modules and why, its last polls, its page as text."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from cachetools import LRUCache

from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import AUTO, effective_modules, requested_modules
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.web.device_table.rows import ELSEWHERE, Row
from promsnmp.web.pages.credentials_text import credentials_text
from promsnmp.web.pages.device_page import interfaces, neighbours, readings
from promsnmp.web.pages.device_page.interfaces import MOST_FILTER, InterfaceData, interface_page
from promsnmp.web.pages.device_page.neighbours import InventoryFinder
from promsnmp.web.pages.paging import page_number
from promsnmp.web.scrape_text import Sample, blocks, matching, samples
from promsnmp.web.sources import Sources

MOST_LINES = 500
"""Lines of the page's text that are shown."""
MOST_FIND = 200
MOST_AGENTS = 20
MOST_TRAPS = 20
MOST_SAMPLES, MOST_TEXT = 20_000, 4 * 1024 * 1024
"""Samples of health, neighbours and modules that are read, and characters of their labels."""
MOST_CONTENTS = 8
"""Devices, or searches in them, whose contents are kept."""
_MODULES = ("promsnmp_module_up", "snmp_scrape_duration_seconds", "snmp_scrape_pdus_returned")
_PREFIXES = (*interfaces.PREFIXES, *readings.PREFIXES, *neighbours.PREFIXES, *_MODULES)


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """A module of a device, and what the last poll says of it; None: nothing."""

    name: str
    is_complete: bool | None = None
    seconds: float | None = None
    varbinds: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceContents:
    """What the page of a device has."""

    values: Mapping[str, object]
    """For the template."""
    module_samples: Mapping[tuple[str, str], float]
    """Values by metric and module."""


class DeviceViews:
    """The values of the pages of devices. What is read from a device's page is kept for those who look at the same
    device: a page may have a hundred megabytes."""

    def __init__(self, sources: Sources, in_thread: Callable[..., Awaitable[DeviceContents]]) -> None:
        self._sources = sources
        self._in_thread = in_thread
        self._finder = InventoryFinder()
        self._contents: LRUCache[tuple[str, float, int, Choice], DeviceContents] = LRUCache(MOST_CONTENTS)

    async def view(self, wanted: str, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """The values of the page of a device, by id, name or address. Raises UnknownDevice."""
        sources = self._sources
        device = sources.devices.find(wanted)
        choice = Choice.of(query)
        is_elsewhere = sources.owner(device) != sources.cluster.members.me.name and sources.interval > 0
        status, silence = sources.status(device), ""
        if is_elsewhere:
            report = await sources.peer_report()
            status = report.statuses.get(device.id, PollStatus(ELSEWHERE))
            silence = report.problems.get(sources.owner(device), "")
        page = None if is_elsewhere else sources.last_page(device)
        contents = await self._contents_of(device, page, choice)
        traps = await sources.traps.report()
        return {
            "traps": [one for one in traps.traps if one.device_id == device.id][:MOST_TRAPS],
            "row": Row(device, status),
            "device": device,
            "owner": sources.owner(device) if is_elsewhere else "",
            "silence": silence,
            "versions": VERSION_NAMES,
            "agents": [(agent, credentials_text(agent.credentials)) for agent in device.agents[:MOST_AGENTS]],
            "has_page": page is not None,
            "age": None if page is None else time.monotonic() - page.taken_at,
            "choice": choice,
            "find": choice.find,
            "shows_rates": sources.shows_rates,
            "keeps_history": sources.keeps_history,
            "past_polls": sources.past_polls(device),
            "why": _why(device, sources.modules),
            "definitions": sources.definitions_of(device),
            **contents.values,
            "module_rows": _module_rows(device, sources.modules, contents.module_samples),
        }

    async def _contents_of(self, device: Device, page: RenderedPage | None, choice: Choice) -> DeviceContents:
        sources = self._sources
        snapshot = sources.devices.snapshot
        key = device.id, 0.0 if page is None else page.taken_at, snapshot.inventory.revision, choice
        contents = self._contents.get(key)
        if contents is None:
            data = InterfaceData(
                sources.interface_rates(device), sources.rate_history(device), sources.error_rates(device)
            )
            contents = await self._in_thread(page_contents, page, data, choice, snapshot, self._finder)
            self._contents[key] = contents
        return contents


@dataclass(frozen=True, slots=True)
class Choice:
    """What the parameters of the page say."""

    find: str = ""
    """Text to find in the scrape."""
    interfaces: str = ""
    """The filter of interfaces."""
    page: int = 1
    """Of the interfaces."""

    @classmethod
    def of(cls, query: Sequence[tuple[str, str]]) -> Choice:
        last = dict(query)
        return cls(
            last.get("find", "")[:MOST_FIND],
            last.get("interfaces", "").strip()[:MOST_FILTER],
            page_number(last.get("page", "")),
        )

    def query(self, page: int) -> str:
        """The query of another page of the same interfaces."""
        pairs = {"find": self.find, "interfaces": self.interfaces, "page": str(page) if page > 1 else ""}
        return urlencode({key: value for key, value in pairs.items() if value}, errors="replace")


def page_contents(
    page: RenderedPage | None, data: InterfaceData, choice: Choice, snapshot: Snapshot, finder: InventoryFinder
) -> DeviceContents:
    """What the page has, in a thread."""
    others: list[Sample] = []

    def of_interfaces() -> Iterator[Sample]:
        left = MOST_TEXT
        for sample in samples(_blocks(page), _PREFIXES):
            if sample.name in interfaces.NAMES:
                yield sample
            elif len(others) < MOST_SAMPLES and (left := left - len(sample.key)) >= 0:
                others.append(sample)

    shown = interface_page(of_interfaces(), data, wanted=choice.interfaces, number=choice.page)
    reading_rows, reading_count, info = readings.reading_rows(others)
    neighbour_rows, neighbour_count = neighbours.neighbour_rows(others)
    if neighbour_rows:
        neighbours.identify(neighbour_rows, finder.of(snapshot.inventory.devices), snapshot.index)
    lines, line_count = matching(_blocks(page), choice.find, MOST_LINES)
    values: dict[str, object] = {
        "interfaces": shown,
        "knows_errors": data.errors is not None,
        "readings": reading_rows,
        "reading_count": reading_count,
        "neighbours": neighbour_rows,
        "neighbour_count": neighbour_count,
        "info": info,
        "lines": lines,
        "line_count": line_count,
    }
    of_modules = (one for one in others if one.name in _MODULES)
    return DeviceContents(values, {(one.name, one.labels.get("module", "")): one.value for one in of_modules})


def _blocks(page: RenderedPage | None) -> Iterator[str]:
    return iter(()) if page is None else blocks(page.any_parts())


def _module_rows(
    device: Device, configured: Sequence[str], known: Mapping[tuple[str, str], float]
) -> Sequence[ModuleRow]:
    """The modules of a device, with what its page says of each: values by metric and module."""
    polled = [module for name, module in known if name == _MODULES[0]]
    rows = []
    for name in dict.fromkeys((*polled, *(() if polled else effective_modules(device, configured)))):
        up, seconds, varbinds = (known.get((metric, name)) for metric in _MODULES)
        rows.append(ModuleRow(name, None if up is None else up == 1, seconds, varbinds))
    return rows


def _why(device: Device, configured: Sequence[str]) -> str:
    """Where the modules of a device come from."""
    requested = requested_modules(device, configured)
    whose = "set for this device" if device.modules else "COLLECTION_MODULES"
    listed = f"{whose}: {', '.join(requested)}"
    if AUTO not in requested:
        return listed
    if not device.detected_modules:
        return f"{listed}; {AUTO} has not been detected yet"
    found = f"{AUTO} detected {', '.join(device.detected_modules)}"
    of = f", by sysObjectID {device.sys_object_id} and the tables that answer" if device.sys_object_id else ""
    return f"{listed}; {found}{of}"
