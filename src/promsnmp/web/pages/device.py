"""One device: who it is, its interfaces and health, modules and why, its last poll, and its page as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import AUTO, effective_modules, requested_modules
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.web.fleet import ELSEWHERE, Row
from promsnmp.web.pages import interfaces, readings
from promsnmp.web.scrape_text import matching, samples
from promsnmp.web.sources import Sources

MOST_LINES = 500
"""Lines of the page's text that are shown."""
MOST_FIND = 200
_MODULES = ("promsnmp_module_up", "snmp_scrape_duration_seconds", "snmp_scrape_pdus_returned")


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """A module of a device, and what the last poll says of it; None: nothing."""

    name: str
    is_complete: bool | None = None
    seconds: float | None = None
    varbinds: float | None = None


async def device_view(sources: Sources, wanted: str, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the page of a device, by id, name or address. Raises UnknownDevice."""
    device = sources.devices.find(wanted)
    find = dict(query).get("find", "")[:MOST_FIND]
    is_elsewhere = sources.owner(device) != sources.cluster.members.me.name and sources.interval > 0
    row = Row(device, ELSEWHERE if is_elsewhere else sources.status(device))
    page = None if is_elsewhere else sources.last_page(device)
    contents = await asyncio.to_thread(_contents, page, sources.interface_rates(device), find)
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
        "module_rows": _module_rows(device, sources.modules, contents["module_samples"]),
    }


def _contents(page: RenderedPage | None, rates: Mapping[str, tuple[float, float]], find: str) -> dict[str, object]:
    """What the page has, in a thread: it may have megabytes."""
    text = "" if page is None else page.as_text().decode(errors="replace")
    found = list(samples(text, (*interfaces.PREFIXES, *readings.PREFIXES, *_MODULES)))
    interface_rows, interface_count = interfaces.interface_rows(found, rates)
    reading_rows, reading_count, info = readings.reading_rows(found)
    lines, line_count = matching(text, find, MOST_LINES)
    return {
        "interfaces": interface_rows,
        "interface_count": interface_count,
        "readings": reading_rows,
        "reading_count": reading_count,
        "info": info,
        "lines": lines,
        "line_count": line_count,
        "module_samples": {
            (one.name, one.labels.get("module", "")): one.value for one in found if one.name in _MODULES
        },
    }


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
