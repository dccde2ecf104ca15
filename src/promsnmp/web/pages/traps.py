"""The last traps: a page of 100, the newest first, of those that the filters let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.follow_up.recent import RecentTrap
from promsnmp.traps.names.model import Severity
from promsnmp.web.pages.paging import page_number, page_of
from promsnmp.web.peers.recent_traps import TrapReport
from promsnmp.web.sources import Sources

SIZE = 100
"""Traps on a page."""
MOST_FILTER = 200
"""Characters of a filter."""
SEVERITIES, CONFIRMATIONS = tuple(map(str, Severity)), tuple(map(str, Finding))
_FILTERS = ("device", "trap", "severity", "confirmation")


def traps_view(sources: Sources, report: TrapReport, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the page; a filter that is not known counts as none."""
    last = dict(query)
    choice = {name: last.get(name, "").strip()[:MOST_FILTER] for name in _FILTERS}
    if choice["severity"] not in SEVERITIES:
        choice["severity"] = ""
    if choice["confirmation"] not in CONFIRMATIONS:
        choice["confirmation"] = ""
    found = [one for one in report.traps if _is_chosen(one, choice)]
    shown, number, pages = page_of(found, page_number(last.get("page", "")), SIZE)

    def url(page: int) -> str:
        pairs = {**choice, "page": str(page) if page > 1 else ""}
        wanted = urlencode({name: value for name, value in pairs.items() if value}, errors="replace")
        return f"traps?{wanted}" if wanted else "traps"

    return {
        "template": "service/traps",
        "traps": shown,
        "found": len(found),
        "total": len(report.traps),
        "choice": choice,
        "severities": SEVERITIES,
        "confirmations": CONFIRMATIONS,
        "silent": sorted(report.problems),
        "receives_traps": sources.receives_traps,
        "number": number,
        "pages": pages,
        "url_of": url,
    }


def _is_chosen(one: RecentTrap, choice: Mapping[str, str]) -> bool:
    device, trap = choice["device"].casefold(), choice["trap"].casefold()
    return (
        (not device or device in one.device.casefold() or device in (one.sender, one.device_id))
        and trap in one.trap.casefold()
        and choice["severity"] in ("", one.severity)
        and choice["confirmation"] in ("", one.confirmation)
    )
