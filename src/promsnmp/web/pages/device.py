"""One device: who it is, its interfaces, neighbours and health, modules and why, its last polls, its page as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from promsnmp.inventory.document.parsing import VERSION_NAMES
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Device
from promsnmp.inventory.modules import AUTO, effective_modules, requested_modules
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.snmp.credentials import LEVEL_NAMES, Credentials, SecurityLevel, User
from promsnmp.web.fleet import ELSEWHERE, Row
from promsnmp.web.pages import interfaces, neighbours, readings
from promsnmp.web.pages.interfaces import MOST_FILTER, InterfaceData, interface_page
from promsnmp.web.pages.neighbours import MacIndex
from promsnmp.web.scrape_text import matching, samples
from promsnmp.web.sources import Sources

MOST_LINES = 500
"""Lines of the page's text that are shown."""
MOST_FIND = 200
MOST_AGENTS = 20
_MODULES = ("promsnmp_module_up", "snmp_scrape_duration_seconds", "snmp_scrape_pdus_returned")


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """A module of a device, and what the last poll says of it; None: nothing."""

    name: str
    is_complete: bool | None = None
    seconds: float | None = None
    varbinds: float | None = None


async def device_view(
    sources: Sources, wanted: str, query: Sequence[tuple[str, str]], macs: MacIndex
) -> Mapping[str, object]:
    """The values of the page of a device, by id, name or address. Raises UnknownDevice."""
    device = sources.devices.find(wanted)
    choice = _Choice.of(query)
    is_elsewhere = sources.owner(device) != sources.cluster.members.me.name and sources.interval > 0
    status, silence = sources.status(device), ""
    if is_elsewhere:
        report = await sources.peer_report()
        status = report.statuses.get(device.id, ELSEWHERE)
        silence = report.problems.get(sources.owner(device), "")
    page = None if is_elsewhere else sources.last_page(device)
    data = InterfaceData(sources.interface_rates(device), sources.rate_history(device), sources.error_rates(device))
    snapshot = sources.devices.snapshot
    contents = await asyncio.to_thread(_contents, page, data, choice, snapshot, macs)
    return {
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
        "knows_errors": data.errors is not None,
        "past_polls": sources.past_polls(device),
        "why": _why(device, sources.modules),
        "definitions": sources.definitions_of(device),
        **contents,
        "module_rows": _module_rows(device, sources.modules, contents["module_samples"]),
    }


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the parameters of the page say."""

    find: str = ""
    """Text to find in the scrape."""
    interfaces: str = ""
    """The filter of interfaces."""
    page: int = 1
    """Of the interfaces."""

    @classmethod
    def of(cls, query: Sequence[tuple[str, str]]) -> _Choice:
        last = dict(query)
        number = last.get("page", "")
        is_number = number.isascii() and number.isdigit() and len(number) < 9
        return cls(
            last.get("find", "")[:MOST_FIND],
            last.get("interfaces", "").strip()[:MOST_FILTER],
            int(number) if is_number else 1,
        )

    def query(self, page: int) -> str:
        """The query of another page of the same interfaces."""
        pairs = {"find": self.find, "interfaces": self.interfaces, "page": str(page) if page > 1 else ""}
        return urlencode({key: value for key, value in pairs.items() if value}, errors="replace")


def _contents(
    page: RenderedPage | None, data: InterfaceData, choice: _Choice, snapshot: Snapshot, macs: MacIndex
) -> dict[str, object]:
    """What the page has, in a thread: it may have megabytes."""
    text = "" if page is None else page.as_text().decode(errors="replace")
    found = list(samples(text, (*interfaces.PREFIXES, *readings.PREFIXES, *neighbours.PREFIXES, *_MODULES)))
    reading_rows, reading_count, info = readings.reading_rows(found)
    neighbour_rows, neighbour_count = neighbours.neighbour_rows(found)
    if neighbour_rows:
        neighbours.identify(neighbour_rows, snapshot.index, macs.of(snapshot.inventory.devices))
    lines, line_count = matching(text, choice.find, MOST_LINES)
    return {
        "interfaces": interface_page(found, data, wanted=choice.interfaces, number=choice.page),
        "readings": reading_rows,
        "reading_count": reading_count,
        "neighbours": neighbour_rows,
        "neighbour_count": neighbour_count,
        "info": info,
        "lines": lines,
        "line_count": line_count,
        "module_samples": {
            (one.name, one.labels.get("module", "")): one.value for one in found if one.name in _MODULES
        },
    }


def credentials_text(credentials: Credentials) -> str:
    """The kind of credentials, and the name of a user; never a secret."""
    if not isinstance(credentials, User):
        return f"SNMP {VERSION_NAMES[credentials.version]}, community"
    parts = [f"SNMP {VERSION_NAMES[credentials.version]}, user {credentials.name}", LEVEL_NAMES[credentials.level]]
    if credentials.level >= SecurityLevel.AUTH_NO_PRIV:
        parts.append(str(credentials.auth_protocol))
    if credentials.level >= SecurityLevel.AUTH_PRIV:
        parts.append(str(credentials.priv_protocol))
    return ", ".join(parts)


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
