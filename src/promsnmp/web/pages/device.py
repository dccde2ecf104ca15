"""One device: who it is, its interfaces and health, modules and why, its last poll, and its page as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import AUTO, effective_modules, requested_modules
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.web.fleet import ELSEWHERE, Row
from promsnmp.web.pages import interfaces, readings
from promsnmp.web.scrape_text import Sample, blocks, matching, samples
from promsnmp.web.sources import Sources

MOST_LINES = 500
"""Lines of the page's text that are shown."""
MOST_FIND = 200
MOST_SAMPLES = 20_000
"""Samples of health and modules that are read."""
MOST_CONTENTS = 8
"""Devices, or searches in them, whose contents are kept."""
_MODULES = ("promsnmp_module_up", "snmp_scrape_duration_seconds", "snmp_scrape_pdus_returned")
_PREFIXES = (*interfaces.PREFIXES, *readings.PREFIXES, *_MODULES)


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """A module of a device, and what the last poll says of it; None: nothing."""

    name: str
    is_complete: bool | None = None
    seconds: float | None = None
    varbinds: float | None = None


class DeviceViews:
    """The values of the pages of devices. What is read from a device's page is kept for those who look at the same
    device: a page may have a hundred megabytes."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._contents: LRUCache[tuple[str, float, str], Mapping[str, object]] = LRUCache(MOST_CONTENTS)

    async def view(self, wanted: str, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """The values of the page of a device, by id, name or address. Raises UnknownDevice."""
        sources = self._sources
        device = sources.devices.find(wanted)
        find = dict(query).get("find", "")[:MOST_FIND]
        is_elsewhere = sources.owner(device) != sources.cluster.members.me.name and sources.interval > 0
        row = Row(device, ELSEWHERE if is_elsewhere else sources.status(device))
        page = None if is_elsewhere else sources.last_page(device)
        contents = await self._contents_of(device, page, find)
        module_samples = contents["module_samples"]
        return {
            "row": row,
            "device": device,
            "owner": sources.owner(device) if is_elsewhere else "",
            "versions": VERSION_NAMES,
            "has_page": page is not None,
            "age": None if page is None else time.monotonic() - page.taken_at,
            "find": find,
            "shows_rates": sources.shows_rates,
            "why": _why(device, sources.modules),
            "definitions": sources.definitions_of(device),
            **contents,
            "module_rows": _module_rows(device, sources.modules, module_samples),
        }

    async def _contents_of(self, device: Device, page: RenderedPage | None, find: str) -> Mapping[str, object]:
        key = device.id, 0.0 if page is None else page.taken_at, find
        contents = self._contents.get(key)
        if contents is None:
            rates = self._sources.interface_rates(device)
            contents = await asyncio.to_thread(page_contents, page, rates, find)
            self._contents[key] = contents
        return contents


def page_contents(page: RenderedPage | None, rates: Mapping[str, tuple[float, float]], find: str) -> dict[str, object]:
    """What the page has, in a thread."""
    others: list[Sample] = []

    def of_interfaces() -> Iterator[Sample]:
        for text in _blocks(page):
            for sample in samples(text, _PREFIXES):
                if sample.name in interfaces.NAMES:
                    yield sample
                elif len(others) < MOST_SAMPLES:
                    others.append(sample)

    interface_rows, interface_count = interfaces.interface_rows(of_interfaces(), rates)
    reading_rows, reading_count, info = readings.reading_rows(others)
    lines, line_count = matching(_blocks(page), find, MOST_LINES)
    return {
        "interfaces": interface_rows,
        "interface_count": interface_count,
        "readings": reading_rows,
        "reading_count": reading_count,
        "info": info,
        "lines": lines,
        "line_count": line_count,
        "module_samples": {
            (one.name, one.labels.get("module", "")): one.value for one in others if one.name in _MODULES
        },
    }


def _blocks(page: RenderedPage | None) -> Iterator[str]:
    return iter(()) if page is None else blocks(page.any_parts())


def _module_rows(device: Device, configured: Sequence[str], known: object) -> Sequence[ModuleRow]:
    assert isinstance(known, dict)
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
