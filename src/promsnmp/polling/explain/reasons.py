"""Says why something that a module needs is missing, from what was asked for and how that ended. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from promsnmp.modules.model import Metric, Module
from promsnmp.snmp import ber, oid

DROPPED = {
    "not_a_number": "its values are not numbers",
    "not_octets": "its values are not octets",
    "not_a_date": "its values are not dates: a DateAndTime has 8 or 11 octets in range, an NTPTimeStamp at least 8",
    "unparsed_date": "its values could not be read as dates by its datetime_pattern",
    "no_extract": "none of its regex_extracts finds a number in its values",
    "duplicate": "its series are on the page already, made by another metric or row",
    "page_size": "it does not fit on the page, which COLLECTION_MAX_PAGE_BYTES limits",
    "reserved_name": "its name is reserved: PromSNMP adds a metric of this name to every page",
}
"""By ``reason`` of ``promsnmp_dropped_total``: why a metric has no samples."""
DOUBTFUL = {
    "unknown_type": "its values have types that SNMP does not have",
    "invalid_index": "the index of its rows has another form than its indexes say",
}
"""By ``reason``, too: why the labels of samples may be wrong or empty."""


class WalkEnd(StrEnum):
    """How a walk ended."""

    WHOLE = "whole"
    PARTIAL = "partial"
    """An error ended it after some objects."""
    FAILED = "failed"
    """An error ended it before any object."""
    NOT_ASKED = "not asked"
    """The poll ended before this walk began."""


@dataclass(frozen=True, slots=True)
class WalkEvidence:
    """How one walk ended. OIDs are content octets."""

    root: bytes
    end: WalkEnd
    last: bytes
    """The last OID that it returned; empty: none."""
    error: str
    ordered: bool

    def passed(self, column: bytes) -> bool:
        """Whether it got beyond ``column``, so that it would have returned any value there."""
        if not self.ordered or not self.last or self.last.startswith(column):
            return False
        return ber.oid_follows(self.last, column)


@dataclass(frozen=True, slots=True)
class PollEvidence:
    """How the walks and GETs of a poll ended."""

    walks: tuple[WalkEvidence, ...]
    gets: Mapping[bytes, str]
    """The outcome of each object: "" for a value; see ``recorder.PollRecording.gets``."""
    error: str
    """What ended the poll early."""

    def why_empty(self, column: bytes) -> str:
        """Why there is no value under ``column``."""
        reasons = [self._by_walk(one, column) for one in self.walks if _touches(one.root, column)]
        reasons += [self._by_get(one, outcome) for one, outcome in self.gets.items() if one.startswith(column)]
        return "; ".join(dict.fromkeys(reasons)) or "not requested: no walk or get of the modules covers it"

    def why_filtered(self, metric: Metric, module: Module) -> str:
        """How a filter excluded all rows of a metric; empty when no filter did."""
        column = oid.encode(metric.oid)
        if any(_touches(one.root, column) for one in self.walks) or any(one.startswith(column) for one in self.gets):
            return ""
        for one in module.filters:
            if any(_covers(target, metric.oid) for target in one.targets):
                root, wanted = oid.encode(one.oid), " or ".join(map(repr, one.values))
                came = any(walk.root == root and walk.last for walk in self.walks)
                why = f"no value under {one.oid} matches {wanted}" if came else self.why_empty(root)
                return f"the module's filter matches no row: {why}"
        return ""

    def _by_walk(self, walk: WalkEvidence, column: bytes) -> str:
        root = oid.to_text(walk.root) or "1"
        if walk.end is WalkEnd.NOT_ASKED:
            return f"the walk of {root} did not start: {walk.error}"
        if walk.end is WalkEnd.FAILED:
            return f"the walk of {root} failed: {walk.error}"
        if walk.end is WalkEnd.PARTIAL and not walk.passed(column):
            return f"the walk of {root} ended early after {oid.to_text(walk.last)}: {walk.error}"
        if not walk.last:
            return f"the device has no object under {root}, the subtree that is walked for it"
        return f"the device has no object under {oid.to_text(column)}"

    def _by_get(self, requested: bytes, outcome: str) -> str:
        if outcome == "no answer":
            return f"no answer to the GET of {oid.to_text(requested)}{f': {self.error}' if self.error else ''}"
        if outcome == "not asked":
            return f"{oid.to_text(requested)} was never requested{f': {self.error}' if self.error else ''}"
        if outcome in ("noSuchObject", "noSuchInstance", "noSuchName"):
            return f"the device has no {oid.to_text(requested)}: it answered {outcome}"
        return f"the GET of {oid.to_text(requested)} failed: {outcome or 'the response has no value'}"


def _touches(root: bytes, column: bytes) -> bool:
    return column.startswith(root) or root.startswith(column)


def why_unplanned(metric: Metric, module: Module) -> str:
    """Why a metric of ``module`` can never have a sample, whatever the device returns."""
    if metric.oid.startswith("."):
        return "its OID starts with a dot, so it matches nothing: remove the dot"
    column = oid.encode(metric.oid)
    others = [(oid.encode(one.oid), one) for one in module.metrics if one != metric and not one.oid.startswith(".")]
    same = [one for octets, one in others if octets == column]
    if same:
        return f"its OID is also that of {same[-1].name}, which comes later in the module and takes its values"
    above = [(octets, one) for octets, one in others if column.startswith(octets)]
    if above:
        taker = min(above, key=lambda pair: len(pair[0]))[1]
        return f"its values belong to the shallower metric {taker.name} ({taker.oid})"
    return (
        f"the module {module.name} neither walks nor gets its column:"
        f" add {metric.oid} under walk, or an instance of it under get"
    )


def _covers(outer: str, inner: str) -> bool:
    outer, inner = outer.lstrip("."), inner.lstrip(".")
    return inner == outer or inner.startswith(f"{outer}.")


def why_dropped(dropped: Mapping[str, int], rows: int) -> str:
    """Why none of ``rows`` values gave a sample."""
    reasons = {**DROPPED, **DOUBTFUL}
    if not dropped:
        return "its values match none of the module's enum_values"
    return "; ".join(f"{reasons.get(reason, reason)} ({count} of {rows})" for reason, count in dropped.items())
