"""The explanation of a poll as plain values, to be printed or written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.explain.reasons import WalkEnd
from promsnmp.polling.explain.unclaimed import UnclaimedColumn
from promsnmp.snmp.operations.base import Cost


@dataclass(frozen=True, slots=True)
class WalkExplanation:
    """A subtree to walk. OIDs here and below are dotted text."""

    oid: str
    modules: tuple[str, ...]
    cost: Cost
    end: WalkEnd
    error: str
    """What ended it early, or kept it from starting."""
    last: str
    """The last OID that it returned."""


@dataclass(frozen=True, slots=True)
class GetExplanation:
    """An object to get."""

    oid: str
    modules: tuple[str, ...]
    outcome: str
    """``value``, or what the device returned instead, or which walk reads it."""


@dataclass(frozen=True, slots=True)
class ColumnExplanation:
    """A column that the device returned and that a module uses."""

    oid: str
    rows: int
    types: Mapping[int, int]
    """Number of values by ASN.1 tag."""
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookupExplanation:
    """A label of a metric whose text comes from another column."""

    label: str
    oid: str
    rows: int
    """Rows of its column that the device returned."""
    missed: int
    """Rows of the metric that have no row there, so that the label is empty."""
    reason: str
    """Why the column is empty."""


@dataclass(frozen=True, slots=True)
class MetricExplanation:
    """A metric of a module, its samples, and why it has none."""

    name: str
    module: str
    oid: str
    type: str
    help: str
    rows: int
    types: Mapping[int, int]
    samples: int
    families: Mapping[str, int]
    """Samples by family: the family of an EnumAsInfo or an extract is named differently from its metric."""
    labels: Mapping[str, str]
    """The labels of its first row."""
    examples: tuple[str, ...]
    """Its first samples, as on the page."""
    dropped: Mapping[str, int]
    """Values that gave no sample, by reason."""
    short: int
    """Rows whose index is too short for the metric's indexes: padded with zeros."""
    long: int
    """Rows whose index is too long: the rest is ignored."""
    lookups: tuple[LookupExplanation, ...]
    given_by: str
    """The earlier module that has this very metric."""
    reason: str
    """Why it has no samples."""


@dataclass(frozen=True, slots=True)
class PollValue:
    """A value by which the device was polled, and where it comes from."""

    name: str
    """The key of a device in the inventory."""
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one poll."""

    target: str
    modules: tuple[str, ...]
    module_reasons: Mapping[str, str]
    """By module: why the device is polled for it."""
    poll_values: tuple[PollValue, ...]
    """How it was polled: repetitions, varbinds, encoding and the like."""
    identity: DeviceIdentity | None
    """What the device is, if its modules were detected."""
    differences: tuple[str, ...]
    """What differs from the inventory, when it is another device than the inventory knows."""
    problem: str
    """What was wrong with the poll as a whole; empty when it was complete."""
    total: Cost
    agent: tuple[str, ...]
    """What was learned about how the agent wants to be asked; empty for an ordinary one."""
    discarded: Mapping[str, int]
    """Datagrams that were discarded, by reason."""
    walks: tuple[WalkExplanation, ...]
    gets: tuple[GetExplanation, ...]
    gets_cost: Cost
    columns: tuple[ColumnExplanation, ...]
    metrics: tuple[MetricExplanation, ...]
    dropped: Mapping[str, int]
    """All values that are not on the page, by reason."""
    unclaimed: tuple[UnclaimedColumn, ...]
