"""The health of a device, from the samples of its page: readings with their limits, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.modules.health.families import KINDS
from promsnmp.web import text
from promsnmp.web.scrape_text import Sample

MOST_ROWS = 2_000
PREFIXES = ("hw_", "system_", "snmp_device_info")
INFO = "snmp_device_info"
_STATUS = "hw_status"
_OWN_LABELS = frozenset(("hw_state", "limit_type"))
_UNITS = {
    "celsius": "°C", "volts": "V", "amperes": "A", "watts": "W", "rpm": "rpm", "hertz": "Hz", "dbm": "dBm",
    "seconds": "s",
}  # fmt: skip
"""By the end of a family's name; a ratio is shown in percent."""
_SHOWN = {
    family: kind for kind in KINDS.values() for part, family in kind.families.items() if part in ("value", "ratio")
}
"""Kinds by the family that has their reading."""
_LIMITS = {kind.limit: family for family, kind in _SHOWN.items() if kind.limit}
FAILED, DEGRADED, UNKNOWN, OK = "failed", "degraded", "unknown", "ok"
_RANKS = {FAILED: 0, DEGRADED: 1, UNKNOWN: 2, "": 3, OK: 4}
_LIMIT_NAMES = {"high.critical": "max", "high.degraded": "warn", "low.degraded": "warn low", "low.critical": "min"}


@dataclass(slots=True)
class ReadingRow:
    """A reading of a component. ``state``: one of ``hw_state``, or what its limits say; empty where nothing says it."""

    kind: str
    family: str
    labels: Mapping[str, str]
    value: float | None = None
    state: str = ""
    limits: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return next((self.labels[key] for key in ("hw_name", "cpu", "pool", "mountpoint") if key in self.labels), "")

    @property
    def where(self) -> str:
        """Its place: the interface, the location, the component that it is part of, or its type."""
        keys = ("ifName", "hw_sensor_location", "hw_type", "direction")
        return ", ".join(self.labels[key] for key in keys if key in self.labels)

    @property
    def shown(self) -> str:
        return "" if self.value is None else _with_unit(self.family, self.value)

    @property
    def shown_limits(self) -> str:
        return ", ".join(
            f"{label} {_with_unit(self.family, self.limits[key])}"
            for key, label in _LIMIT_NAMES.items()
            if key in self.limits
        )

    @property
    def share(self) -> float | None:
        """For a bar: a ratio from 0 to 1."""
        return self.value if self.family.endswith("_ratio") and self.value is not None else None

    def judge(self) -> None:
        """Sets the state by the limits."""
        if self.value is None or not self.limits:
            return
        lows = {"low.critical": FAILED, "low.degraded": DEGRADED}
        highs = {"high.critical": FAILED, "high.degraded": DEGRADED}
        crossed = [state for key, state in lows.items() if self.value <= self.limits.get(key, float("-inf"))]
        crossed += [state for key, state in highs.items() if self.value >= self.limits.get(key, float("inf"))]
        self.state = min(crossed, key=_RANKS.__getitem__, default=OK)


def reading_rows(found: Iterable[Sample]) -> tuple[Sequence[ReadingRow], int, Mapping[str, str]]:
    """The first MOST_ROWS readings, the worst first, how many there are, and the labels of ``snmp_device_info``."""
    rows: dict[tuple[str, tuple[tuple[str, str], ...]], ReadingRow] = {}
    info: Mapping[str, str] = {}
    for sample in found:
        if sample.name == INFO:
            info = sample.labels
        family = _LIMITS.get(sample.name, sample.name)
        kind = _SHOWN.get(family)
        if kind is None:
            continue
        labels = {key: value for key, value in sample.labels.items() if key not in _OWN_LABELS}
        row = rows.setdefault((family, tuple(labels.items())), ReadingRow(kind.key, family, labels))
        if sample.name == _STATUS:
            row.state = sample.labels.get("hw_state", UNKNOWN) if sample.value else row.state
        elif sample.name in _LIMITS:
            row.limits[sample.labels.get("limit_type", "")] = sample.value
        else:
            row.value = sample.value
    for row in rows.values():
        row.judge()
    ordered = sorted(rows.values(), key=lambda row: (_RANKS.get(row.state, 2), row.kind, row.name))
    return ordered[:MOST_ROWS], len(ordered), info


def _with_unit(family: str, value: float) -> str:
    end = family.rpartition("_")[2]
    if end == "ratio":
        return text.percent(value)
    if end == "seconds":
        return text.seconds(value)
    return f"{text.number(value)} {_UNITS[end]}" if end in _UNITS else text.number(value)
