"""Compares what snmp_exporter and PromSNMP gave of one device in the same rounds, sample by sample.

The two read the device at different moments: PromSNMP's page may be as old as its interval. So a counter is compared by
what it can have been: within what it grew by in one round before and after what the other saw. A gauge that moves may
differ by as much as it moved, a gauge that stands still must be equal, or within the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.migration.verify.pages import Page, Series
from promsnmp.migration.verify.reasons import OWN, OtherPage, reason_of

MISSING, ADDED, VALUE, TYPE = "only old", "only new", "value", "type"
"""Kinds of differences."""
_SUFFIXES = ("_total", "_count", "_sum", "_bucket")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of a device."""

    kind: str
    series: Series
    old: float | None = None
    new: float | None = None
    reason: str = ""
    """Why it is expected; empty: it is not."""

    @property
    def is_expected(self) -> bool:
        return bool(self.reason)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result for one device."""

    device: str
    compared: int
    """Series that both have, with equal or plausible values."""
    differences: tuple[Difference, ...]
    failure: str = ""
    """Why nothing could be compared."""

    @property
    def unexpected(self) -> list[Difference]:
        return [one for one in self.differences if not one.is_expected]

    @property
    def is_same(self) -> bool:
        """Whether all differences are expected ones."""
        return not self.failure and not self.unexpected


def compare(device: str, rounds: Sequence[tuple[Page, Page]], *, tolerance: float) -> Comparison:
    """Compares the pages (old, new) of several rounds. ``tolerance`` is relative, for gauges."""
    old_pages, new_pages = [old for old, _ in rounds], [new for _, new in rounds]
    old, new = _by_series(old_pages), _by_series(new_pages)
    old_types, new_types = _types(old_pages), _types(new_pages)
    in_old, in_new = OtherPage(old), OtherPage(new)
    differences = []
    equal = 0
    for series, values in old.items():
        others = new.get(series)
        if others is None:
            if len(values) == len(rounds):  # else it came or went meanwhile
                differences.append(_explained(MISSING, series, values[-1], None, in_new))
            continue
        kind = _type(series[0], old_types)
        if _is_plausible(kind, values, others, tolerance):
            equal += 1
        else:
            differences.append(_explained(VALUE, series, values[-1], others[-1], in_new))
    for series, values in new.items():
        if series not in old and len(values) == len(rounds):
            differences.append(_explained(ADDED, series, None, values[-1], in_old))
    for name in sorted(old_types.keys() & new_types.keys()):
        if old_types[name] != new_types[name]:
            series = (f"{name}: {old_types[name]}, now {new_types[name]}", ())
            differences.append(_explained(TYPE, series, None, None, in_new))
    return Comparison(device, equal, tuple(differences))


def _explained(kind: str, series: Series, old: float | None, new: float | None, other: OtherPage) -> Difference:
    return Difference(kind, series, old, new, reason_of(kind, series, old, other))


def _by_series(pages: Sequence[Page]) -> dict[Series, list[float]]:
    found: dict[Series, list[float]] = {}
    for page in pages:
        for series, value in page.samples.items():
            if not OWN.match(series[0]):
                found.setdefault(series, []).append(value)
    return found


def _types(pages: Sequence[Page]) -> dict[str, str]:
    return {name: kind for page in pages for name, kind in page.types.items()}


def _type(name: str, types: Mapping[str, str]) -> str:
    return types.get(name) or next(_families(name, types), "untyped")


def _families(name: str, types: Mapping[str, str]) -> Iterator[str]:
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and (kind := types.get(name.removesuffix(suffix))):
            yield "counter" if kind in ("histogram", "summary") else kind


def _is_plausible(kind: str, old: Sequence[float], new: Sequence[float], tolerance: float) -> bool:
    if any(map(math.isnan, (*old, *new))):
        return all(map(math.isnan, (*old, *new)))
    if all(value in old for value in new):
        return True
    low, high = min(old), max(old)
    if kind == "counter" and old[-1] < old[0]:  # it was reset meanwhile, and began at 0 again
        low = 0.0
    margin = high - low
    if kind == "counter":
        rounds = max(1, len(old) - 1)
        margin = max(2 * margin / rounds, max(new) - min(new) if margin else 0.0)
        return low - margin <= min(new) and max(new) <= high + margin
    margin = max(2 * margin, tolerance * max(abs(low), abs(high)))
    return low - margin <= min(new) and max(new) <= high + margin
