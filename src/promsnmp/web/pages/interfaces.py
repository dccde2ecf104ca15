"""The interfaces of a device, from the samples of its page (IF-MIB, RFC 2863)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.web.scrape_text import Sample

MOST_ROWS = 2_000
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
_UNLIMITED = 4_294_967_295
"""ifSpeed of interfaces that are too fast for it; then ifHighSpeed says it."""


@dataclass(slots=True)
class InterfaceRow:
    """One interface. Speeds and rates are bits per second; 0, None or empty: unknown."""

    labels: Mapping[str, str]
    values: dict[str, float] = field(default_factory=dict)
    rates: tuple[float, float] | None = None

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
        high, low = self.values.get("ifHighSpeed", 0.0), self.values.get("ifSpeed", 0.0)
        return high * 1e6 if high > 0 else 0.0 if low == _UNLIMITED else low

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
"""Of the samples that are shown."""


def interface_rows(
    found: Iterable[Sample], rates: Mapping[str, tuple[float, float]]
) -> tuple[Sequence[InterfaceRow], int]:
    """The first MOST_ROWS interfaces, by ifIndex, and how many there are. ``rates`` by the text of the labels.

    A page has the rows of a table in the order of their indexes.
    """
    rows: dict[str, InterfaceRow] = {}
    more: set[str] = set()
    for sample in found:
        if sample.name not in NAMES or not ({"ifIndex", "ifName", "ifDescr"} & sample.labels.keys()):
            continue
        key = sample.labels.get("ifIndex") or sample.key
        row = rows.get(key)
        if row is None and len(rows) >= MOST_ROWS:
            more.add(key)
            continue
        if row is None:
            row = rows[key] = InterfaceRow(sample.labels)
        row.values[sample.name] = sample.value
        if row.rates is None:
            row.rates = rates.get(sample.key)
    ordered = sorted(rows.values(), key=lambda row: (not row.index.isdigit(), len(row.index), row.index, row.name))
    return ordered, len(ordered) + len(more)
