"""The list of devices: a page of 100, in the order of a column, of those that a query selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from promsnmp.inventory.modules import effective_modules
from promsnmp.inventory.query import parse_parameters
from promsnmp.web.device_table.rows import STATES, Row
from promsnmp.web.device_table.table import COLUMNS, DeviceTable
from promsnmp.web.pages.paging import page_number, page_of
from promsnmp.web.sources import Sources

SIZE = 100
"""Devices on a page."""
SHOWN_STATES = (*STATES, "new", "stale", "lost", "failed", "degraded")
"""What can be chosen as a state: that of the last poll, and what else the overview counts."""
_OWN = ("page", "sort", "order", "state", "done", "number")


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the parameters of the page say."""

    text: str
    states: tuple[str, ...]
    sort: str
    is_descending: bool
    page: int
    others: tuple[tuple[str, str], ...]
    """The filters, as given."""

    def url(self, **changed: str) -> str:
        """The list with some parameters changed; empty ones are left out."""
        own: dict[str, str] = {
            "sort": "" if self.sort == "state" else self.sort,
            "order": "desc" if self.is_descending else "",
            "page": "" if self.page == 1 else str(self.page),
            **{key: value for key, value in changed.items() if key != "state"},
        }
        states = [changed["state"]] if "state" in changed else list(self.states)
        pairs = [*self.others, *(("state", one) for one in states if one), *((k, v) for k, v in own.items() if v)]
        return f"devices?{urlencode(pairs, errors='replace')}" if pairs else "devices"

    def sorted_by(self, column: str) -> str:
        """The list in the order of a column; in the other direction if it is so already."""
        turned = column == self.sort and not self.is_descending
        return self.url(sort="" if column == "state" else column, order="desc" if turned else "", page="")


def devices_view(sources: Sources, table: DeviceTable, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the list; ``status`` is 400 when the query is wrong."""
    choice = _choice(query)
    error, rows = "", list[Row]()
    try:
        rows = _selected(sources, table, choice)
    except ValueError as problem:
        error = str(problem)
    shown, page, pages = page_of(rows, choice.page, SIZE)
    return {
        "status": 400 if error else 200,
        "error": error,
        "choice": choice,
        "device_table": table,
        "states": SHOWN_STATES,
        "rows": shown,
        "first": (page - 1) * SIZE + 1 if shown else 0,
        "found": len(rows),
        "total": len(table.rows),
        "page_number": page,
        "pages": pages,
        "modules_of": lambda row: effective_modules(row.device, sources.modules),
    }


def all_rows(sources: Sources, table: DeviceTable, query: Sequence[tuple[str, str]]) -> list[Row]:
    """All rows of the list, in order. Raises ValueError with the reason."""
    return _selected(sources, table, _choice(query))


def _choice(query: Sequence[tuple[str, str]]) -> _Choice:
    last = dict(query)
    sort = last.get("sort", "")
    others = tuple((key, value) for key, value in query if key not in _OWN and (key != "query" or value.strip()))
    return _Choice(
        text=last.get("query", "").strip(),
        states=tuple(dict.fromkeys(value for key, value in query if key == "state" and value in SHOWN_STATES)),
        sort=sort if sort in COLUMNS else "state",
        is_descending=last.get("order") == "desc",
        page=page_number(last.get("page", "")),
        others=others,
    )


def _selected(sources: Sources, table: DeviceTable, choice: _Choice) -> list[Row]:
    """The rows that the query selects, in order. Raises ValueError with the reason."""
    rows = table.ordered(choice.sort)
    conditions = parse_parameters(choice.others)
    if conditions:
        found = table.selected(conditions, sources.select)
        rows = [row for row in rows if row.device.id in found]
    if choice.states:
        rows = [row for row in rows if any(_is_in(row, state) for state in choice.states)]
    return rows[::-1] if choice.is_descending else rows


def _is_in(row: Row, state: str) -> bool:
    match state:
        case "lost":
            return row.is_lost
        case "new":
            return row.is_new
        case "stale":
            return row.is_stale
        case "failed":
            return row.status.health.failed > 0
        case "degraded":
            return row.status.health.degraded > 0
        case _:
            return row.status.state == state
