"""Why a difference to snmp_exporter is expected: those of docs/reference/conformance.md that pages show."""

from __future__ import annotations

import re
from collections.abc import Iterable

from promsnmp.migration.verify.pages import Series

Labels = tuple[tuple[str, str], ...]
MOST_ROWS = 1000
"""Rows of one metric that are looked at for another spelling of a label."""
OWN = re.compile(r"snmp_scrape_|promsnmp_")
"""Names of metrics that describe the scrape and not the device: not compared."""
_ADDED = re.compile(r"interface_utilization")
_TICKS = re.compile(r"%!s\(uint32=\d+\)")


class OtherPage:
    """The series of the other page: labels by name, and all label sets."""

    def __init__(self, series: Iterable[Series]) -> None:
        self.by_name: dict[str, list[Labels]] = {}
        self.rows: set[Labels] = set()
        for name, labels in series:
            self.by_name.setdefault(name, []).append(labels)
            self.rows.add(labels)


def reason_of(kind: str, series: Series, old: float | None, other: OtherPage) -> str:
    """The reason for an expected difference; empty for one that has to be looked at.

    ``other`` is the page that lacks a series which only one of them has.
    """
    name, labels = series
    if kind == "only old":
        if any(":" in label or _TICKS.search(text) for label, text in labels):
            return "snmp_exporter formats this label wrongly; PromSNMP writes the value"
        row = tuple(pair for pair in labels if pair[0] != name)
        if old == 0 and labels and (labels in other.rows or row in other.rows):
            return "snmp_exporter gives 0 for a value that is no number; SNMP_ZERO_FOR_NON_NUMBERS=true shows it"
    if kind == "only new":
        if _ADDED.match(name):
            return "PromSNMP adds the utilization of interfaces (docs/utilization.md)"
        if any(_same_but_format(labels, one) for one in other.by_name.get(name, ())[:MOST_ROWS]):
            return "snmp_exporter formats this label wrongly; PromSNMP writes the value"
    return ""


def _same_but_format(labels: Labels, others: Labels) -> bool:
    if len(labels) != len(others):
        return False
    pairs = zip(labels, others, strict=True)
    return all(
        one == other or _TICKS.sub("", other[1]) != other[1] or one[0] == other[0].replace(":", "_")
        for one, other in pairs
    ) and any(_TICKS.search(text) or ":" in label for label, text in others)
