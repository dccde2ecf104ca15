"""The interfaces of a device, from the samples of its page (IF-MIB, RFC 2863): those that a filter selects, in pages.

A device may have tens of thousands. All are counted and filtered, but only those of one page are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.exposition.utilization.histogram import speed_of
from promsnmp.web.pages.paging import page_of
from promsnmp.web.scrape_text import Sample
from promsnmp.web.sparkline import Sparkline, sparkline

SIZE = 200
"""Interfaces on a page."""
MOST_FILTER = 200
"""Characters of a filter."""
MOST_TEXT = 16 * 1024 * 1024
"""Characters of the labels of all interfaces that are listed; further ones are only counted."""
_OPER: Mapping[float, str] = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "not present",
    7: "lower layer down",
}
"""ifOperStatus."""


@dataclass(slots=True)
class InterfaceRow:
    """One interface. Speeds and rates are bits per second; 0, None or empty: unknown."""

    labels: Mapping[str, str]
    values: dict[str, float] = field(default_factory=dict)
    rates: tuple[float, float] | None = None
    keys: list[str] = field(default_factory=list)
    """The texts of its labels: one, unless its metrics have different labels."""
    error_rate: float | None = None
    """Per second, both directions together, between the last two polls; so the next."""
    discard_rate: float | None = None
    spark: Sparkline | None = None

    @property
    def index(self) -> str:
        return self.labels.get("ifIndex", "")

    @property
    def name(self) -> str:
        return next((found for key in ("ifName", "ifDescr") if (found := self.labels.get(key))), self.index)

    @property
    def description(self) -> str:
        return self.labels.get("ifAlias", "")

    @property
    def state(self) -> str:
        """``up``, ``down`` (should be up), ``off`` (switched off by its administrator), or another ifOperStatus."""
        if self.values.get("ifAdminStatus") == 2:
            return "off"
        return _OPER.get(self.values.get("ifOperStatus", 4), "unknown")

    @property
    def speed(self) -> float:
        return speed_of(self.values.get("ifHighSpeed"), self.values.get("ifSpeed"))

    @property
    def shares(self) -> tuple[float, float] | None:
        """The rates as shares of the speed, from 0 to 1."""
        if self.rates is None or not self.speed:
            return None
        return min(self.rates[0] / self.speed, 1.0), min(self.rates[1] / self.speed, 1.0)

    @property
    def errors(self) -> float | None:
        return self._sum("ifInErrors", "ifOutErrors")

    @property
    def discards(self) -> float | None:
        return self._sum("ifInDiscards", "ifOutDiscards")

    def _sum(self, *names: str) -> float | None:
        found = [self.values[name] for name in names if name in self.values]
        return sum(found) if found else None


NAMES = frozenset(
    (
        "ifAdminStatus", "ifOperStatus", "ifHighSpeed", "ifSpeed", "ifInErrors", "ifOutErrors", "ifInDiscards",
        "ifOutDiscards", "ifHCInOctets", "ifInOctets",
    )
)  # fmt: skip
PREFIXES = tuple(f"{name}{{" for name in sorted(NAMES))
"""Of the lines with these samples."""


@dataclass(frozen=True, slots=True)
class InterfaceData:
    """What polls on this replica know besides the page of a device: rates and codes of the last hour by the text of an
    interface's labels, errors and discards by ifIndex."""

    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    histories: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)
    errors: Mapping[str, tuple[float | None, float | None]] | None = None


@dataclass(frozen=True, slots=True)
class InterfacePage:
    """A page of the interfaces that a filter selects."""

    rows: Sequence[InterfaceRow]
    found: int
    total: int
    number: int
    pages: int
    wanted: str
    """The filter."""

    @property
    def first(self) -> int:
        """The number of the first row, from 1."""
        return (self.number - 1) * SIZE + 1


def interface_page(found: Iterable[Sample], data: InterfaceData, *, wanted: str = "", number: int = 1) -> InterfacePage:
    """The interfaces whose index, name, description or state contains ``wanted``, whatever the case, by ifIndex."""
    rows, total = _rows(found)
    folded = wanted.casefold()
    matching = [row for row in rows if not folded or _matches(row, folded)]
    matching.sort(key=lambda row: (not row.index.isdigit(), len(row.index), row.index, row.name))
    shown, number, pages = page_of(matching, number, SIZE)
    for row in shown:
        _complete(row, data)
    return InterfacePage(shown, len(matching), total, number, pages, wanted)


def _rows(found: Iterable[Sample]) -> tuple[Sequence[InterfaceRow], int]:
    """The interfaces whose labels fit into MOST_TEXT, and how many there are."""
    rows: dict[str, InterfaceRow] = {}
    more: set[int] = set()
    left = MOST_TEXT
    for sample in found:
        if sample.name not in NAMES or not ({"ifIndex", "ifName", "ifDescr"} & sample.labels.keys()):
            continue
        key = sample.labels.get("ifIndex") or sample.key
        row = rows.get(key)
        if row is None:
            left -= len(sample.key)
            if left < 0:
                more.add(hash(key))
                continue
            row = rows[key] = InterfaceRow(sample.labels)
        row.values[sample.name] = sample.value
        if sample.key not in row.keys and len(row.keys) < len(NAMES):
            row.keys.append(sample.key)
    return list(rows.values()), len(rows) + len(more)


def _matches(row: InterfaceRow, folded: str) -> bool:
    if folded in (row.state, row.index):
        return True
    return folded in row.name.casefold() or folded in row.description.casefold()


def _complete(row: InterfaceRow, data: InterfaceData) -> None:
    """Adds what polls know of an interface."""
    row.rates = next((data.rates[key] for key in row.keys if key in data.rates), None)
    codes = next((data.histories[key] for key in row.keys if key in data.histories), None)
    row.spark = None if codes is None else sparkline(*codes)
    if data.errors is not None:
        errors, discards = data.errors.get(row.index, (0.0, 0.0))
        row.error_rate = None if row.errors is None else errors
        row.discard_rate = None if row.discards is None else discards
