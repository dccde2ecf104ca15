"""What is said of one poll: plain values, for whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.explain.reasons import WalkEnd
from promsnmp.polling.explain.unclaimed import UnclaimedColumn
from promsnmp.snmp.operations.walk import Cost


@dataclass(frozen=True, slots=True)
class WalkExplanation:
    """A subtree that was to be walked. OIDs here and below are dotted text."""

    oid: str
    modules: tuple[str, ...]
    cost: Cost
    end: WalkEnd
    error: str
    """What cut it short, or kept it from being walked."""
    last: str
    """The last OID that it brought."""


@dataclass(frozen=True, slots=True)
class GetExplanation:
    """An object that was to be fetched."""

    oid: str
    modules: tuple[str, ...]
    outcome: str
    """``value``; or what came instead of one; or which walk reads it."""


@dataclass(frozen=True, slots=True)
class ColumnExplanation:
    """A column that came back and that a module wants."""

    oid: str
    rows: int
    types: Mapping[int, int]
    """How many values of each ASN.1 tag."""
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookupExplanation:
    """A label of a metric that is taken from another column."""

    label: str
    oid: str
    rows: int
    """Rows that came of its column."""
    missed: int
    """Rows of the metric for which it had none, so that the label is empty."""
    reason: str
    """Why the column is empty."""


@dataclass(frozen=True, slots=True)
class MetricExplanation:
    """A metric of a module, and what became of it."""

    name: str
    module: str
    oid: str
    type: str
    help: str
    rows: int
    types: Mapping[int, int]
    samples: int
    families: Mapping[str, int]
    """Samples by family: an EnumAsInfo or an extract has another name than its metric."""
    labels: Mapping[str, str]
    """Those of its first row."""
    examples: tuple[str, ...]
    """Its first samples, as they stand on the page."""
    dropped: Mapping[str, int]
    """Values that gave no sample, by reason."""
    short: int
    """Rows whose indexes lack something: zeros stand in its place."""
    long: int
    """Rows whose indexes have more than the metric says: it is ignored."""
    lookups: tuple[LookupExplanation, ...]
    given_by: str
    """The module that brought this very metric before."""
    reason: str
    """Why it has no samples."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that there is to say of one poll."""

    target: str
    modules: tuple[str, ...]
    module_reasons: Mapping[str, str]
    """By module: why the device is asked for it."""
    identity: DeviceIdentity | None
    """What the device is, where its modules depend on it."""
    problem: str
    """What was wrong with the poll as a whole; empty when it was complete."""
    total: Cost
    discarded: Mapping[str, int]
    """Datagrams that were not taken for answers, by reason."""
    walks: tuple[WalkExplanation, ...]
    gets: tuple[GetExplanation, ...]
    gets_cost: Cost
    columns: tuple[ColumnExplanation, ...]
    metrics: tuple[MetricExplanation, ...]
    dropped: Mapping[str, int]
    """All values that are not on the page, by reason."""
    unclaimed: tuple[UnclaimedColumn, ...]
