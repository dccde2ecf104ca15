"""Why something that a module wants is not there: pure reasoning over what was asked and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from promsnmp.modules.model import Metric, Module
from promsnmp.snmp import ber, oid

DROPPED = {
    "not_a_number": "its values are no numbers",
    "not_octets": "its values are no octets",
    "not_a_date": "its values are no dates: 8 or 11 octets for DateAndTime, 8 or more for NTPTimeStamp",
    "unparsed_date": "its values could not be read as dates by its datetime_pattern",
    "no_extract": "none of its regex_extracts finds a number in its values",
    "duplicate": "its series are on the page already, made by another metric or row",
    "reserved_name": "its name is that of a metric that PromSNMP adds to every page",
}
"""What a reason of ``promsnmp_dropped_total`` means for a metric that lost all of its values to it."""


class WalkEnd(StrEnum):
    """How a walk ended."""

    WHOLE = "whole"
    PARTIAL = "partial"
    """Cut short by an error, after some objects."""
    FAILED = "failed"
    """An error before any object."""
    NOT_ASKED = "not asked"
    """The poll was over before its turn came."""


@dataclass(frozen=True, slots=True)
class WalkEvidence:
    """How one walk went. OIDs are content octets."""

    root: bytes
    end: WalkEnd
    last: bytes
    """The last OID that it brought; empty: none."""
    error: str
    ordered: bool

    def passed(self, column: bytes) -> bool:
        """Whether it went by ``column``, so that it would have brought what is there."""
        if not self.ordered or not self.last or self.last.startswith(column):
            return False
        return ber.oid_follows(self.last, column)


@dataclass(frozen=True, slots=True)
class PollEvidence:
    """What is known of a poll."""

    walks: tuple[WalkEvidence, ...]
    gets: Mapping[bytes, str]
    """What came of each object fetched: "" for a value; see ``recording.PollRecording.gets``."""
    error: str
    """What ended the poll early."""

    def why_empty(self, column: bytes) -> str:
        """Why no value lies under ``column``."""
        reasons = [self._by_walk(one, column) for one in self.walks if _touches(one.root, column)]
        reasons += [self._by_get(one, outcome) for one, outcome in self.gets.items() if one.startswith(column)]
        return "; ".join(dict.fromkeys(reasons)) or "nothing asks for it: it lies outside of what is walked and fetched"

    def why_filtered(self, metric: Metric, module: Module) -> str:
        """That a filter left all rows of a metric out; empty when the filter, if any, did not."""
        column = oid.encode(metric.oid)
        if any(_touches(one.root, column) for one in self.walks) or any(one.startswith(column) for one in self.gets):
            return ""
        for one in module.filters:
            if any(_covers(target, metric.oid) for target in one.targets):
                root, wanted = oid.encode(one.oid), " or ".join(map(repr, one.values))
                came = any(walk.root == root and walk.last for walk in self.walks)
                why = f"no value under {one.oid} matches {wanted}" if came else self.why_empty(root)
                return f"the module's filter lets no row through: {why}"
        return ""

    def _by_walk(self, walk: WalkEvidence, column: bytes) -> str:
        root = oid.to_text(walk.root) or "1"
        if walk.end is WalkEnd.NOT_ASKED:
            return f"the walk of {root} did not begin: {walk.error}"
        if walk.end is WalkEnd.FAILED:
            return f"the walk of {root} failed: {walk.error}"
        if walk.end is WalkEnd.PARTIAL and not walk.passed(column):
            return f"the walk of {root} was cut short after {oid.to_text(walk.last)}: {walk.error}"
        if not walk.last:
            return f"the device has no object under {root}, which is walked for it"
        return f"the device has no object under {oid.to_text(column)}"

    def _by_get(self, requested: bytes, outcome: str) -> str:
        if outcome == "no answer":
            return f"no answer came to the GET of {oid.to_text(requested)}{f': {self.error}' if self.error else ''}"
        if outcome == "not asked":
            return f"{oid.to_text(requested)} was not asked for any more{f': {self.error}' if self.error else ''}"
        if outcome in ("noSuchObject", "noSuchInstance", "noSuchName"):
            return f"the device has no {oid.to_text(requested)}: it answered {outcome}"
        return f"the GET of {oid.to_text(requested)} failed: {outcome or 'the answer is no value'}"


def _touches(root: bytes, column: bytes) -> bool:
    return column.startswith(root) or root.startswith(column)


def why_unplanned(metric: Metric, module: Module) -> str:
    """Why a metric of ``module`` can never have a sample, whatever the device holds."""
    if metric.oid.startswith("."):
        return "its OID starts with a dot, and then matches nothing: remove the dot"
    column = oid.encode(metric.oid)
    others = [(oid.encode(one.oid), one) for one in module.metrics if one != metric and not one.oid.startswith(".")]
    same = [one for octets, one in others if octets == column]
    if same:
        return f"its OID is also that of {same[-1].name}, which stands later in the module and takes its values"
    above = [(octets, one) for octets, one in others if column.startswith(octets)]
    if above:
        taker = min(above, key=lambda pair: len(pair[0]))[1]
        return f"its values belong to the shallower metric {taker.name} ({taker.oid})"
    return (
        f"its column lies outside of what the module {module.name} walks and fetches:"
        f" add {metric.oid} under walk, or an instance of it under get"
    )


def _covers(outer: str, inner: str) -> bool:
    outer, inner = outer.lstrip("."), inner.lstrip(".")
    return inner == outer or inner.startswith(f"{outer}.")


def why_dropped(dropped: Mapping[str, int], rows: int) -> str:
    """Why none of ``rows`` values became a sample."""
    if not dropped:
        return "its values say nothing that the module has a name for (enum_values)"
    return "; ".join(f"{DROPPED.get(reason, reason)} ({count} of {rows})" for reason, count in dropped.items())
