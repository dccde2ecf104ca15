"""When the label columns of a device are read again, and what they held when they were read last.

Names of interfaces and the like make up the labels of nearly every sample and hardly ever change, so they are read less
often than the counters: at every ``every``-th poll, and at once when the device tells of a change
(``CHANGE_INDICATORS``), when it started anew, when the rows that get the labels are other ones than before, and
after a poll that was not whole.

A table whose rows come and go (connections, neighbours) would make this poll after poll. Its labels are read at every
poll until its rows are the same twice running.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.exposition.partial_plan import ColumnSize, PartialPlan, make_partial_plan
from promsnmp.exposition.plan import Plan
from promsnmp.exposition.renderer import Renderer
from promsnmp.snmp import ber, oid

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
CHANGE_INDICATORS: Mapping[str, tuple[str, ...]] = {
    SYS_UP_TIME: ("1",),
    "1.3.6.1.2.1.2.1.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifNumber
    "1.3.6.1.2.1.31.1.5.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifTableLastChange
    "1.3.6.1.2.1.31.1.6.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifStackLastChange
    "1.3.6.1.2.1.47.1.4.1.0": ("1.3.6.1.2.1.47",),  # entLastChangeTime
    "1.0.8802.1.1.2.1.2.1.0": ("1.0.8802.1.1.2",),  # lldpStatsRemTablesLastChangeTime
}
"""Objects that tell of changes, and the subtrees that they tell of (RFC 2863 section 6, RFC 6933, IEEE 802.1AB)."""
MIN_SAVED_PACKETS = 2.0
"""Packets that have to be saved: looking at the indicators takes one."""
MAX_PARTIAL_PLANS = 8
"""Plans that are kept for a device, for columns that are left out together."""


@dataclass(slots=True)
class _CachedColumn:
    octets: bytes
    size: ColumnSize
    read_at: float
    polls: int = 0
    """Polls since it was read."""


class LabelCache:
    """The label columns of one device under one plan, from poll to poll.

    They are read at every ``every``-th poll, and at least every ``seconds``. A poll is ``begin``, the asking,
    ``columns_to_reread``, more asking where that says so, and ``end``. Times are of one clock, in seconds.
    """

    def __init__(self, *, every: int, seconds: float) -> None:
        self._every = every
        self._seconds = seconds
        self._columns: dict[int, _CachedColumn] = {}
        self._unsteady: set[int] = set()
        """Label tables whose rows changed at the last poll."""
        self._indicator_values: dict[bytes, int] = {}
        self._indicators: Sequence[bytes] = ()
        self._missing_indicators: set[bytes] = set()
        """Indicators that the device did not have since everything was read."""
        self._names: tuple[bytes, ...] = ()
        """The columns of the plan: others mean that everything kept is of another plan."""
        self._is_worthwhile = False
        """Whether as much can be left out as looking at the indicators costs."""
        self._plan: Plan | None = None
        self._partial_plans: dict[tuple[int, frozenset[int]], PartialPlan] = {}

    def forget(self) -> None:
        """The next poll reads everything."""
        self._columns.clear()
        self._unsteady.clear()
        self._missing_indicators.clear()
        self._partial_plans.clear()

    def indicators(self, plan: Plan, *, batch_size: int) -> tuple[bytes, ...]:
        """The objects to look at before anything else; none when too little could be left out to be worth it."""
        if plan.columns is not self._names:
            self._names, self._indicators = plan.columns, _indicators_of(plan)
            self.forget()
        self._is_worthwhile = (
            not self._columns
            or self._partial_plan(plan, frozenset(self._columns), batch_size).packets >= MIN_SAVED_PACKETS
        )
        if not self._is_worthwhile:
            return ()
        return tuple(one for one in self._indicators if one not in self._missing_indicators)

    def begin(self, plan: Plan, *, values: Mapping[bytes, int], now: float, batch_size: int) -> PartialPlan:
        """What to ask for in a poll of ``plan``, when ``values`` are the numbers that the indicators have."""
        if any(_has_changed(name, self._indicator_values.get(name), value) for name, value in values.items()):
            self.forget()
        self._indicator_values.update(values)
        if values:
            self._missing_indicators.update(name for name in self._indicators if name not in values)
        columns = self._columns.items() if self._is_worthwhile else ()
        reused = frozenset(at for at, cached in columns if self._is_reusable(plan, at, cached, now))
        return self._partial_plan(plan, reused, batch_size)

    def _is_reusable(self, plan: Plan, at: int, cached: _CachedColumn, now: float) -> bool:
        is_young = cached.polls < self._every - 1 and now - cached.read_at < self._seconds
        return is_young and not plan.label_columns[at] & self._unsteady

    def _partial_plan(self, plan: Plan, reused: frozenset[int], batch_size: int) -> PartialPlan:
        if plan is not self._plan:
            self._plan = plan
            self._partial_plans.clear()
        found = self._partial_plans.get((batch_size, reused))
        if found is None:
            if len(self._partial_plans) >= MAX_PARTIAL_PLANS:
                self._partial_plans.clear()
            sizes = {at: self._columns[at].size for at in reused}
            found = self._partial_plans[batch_size, reused] = make_partial_plan(plan, sizes, batch_size=batch_size)
        return found

    def octets(self, columns: Iterable[int]) -> dict[int, bytes]:
        """What columns held when they were read last."""
        return {at: self._columns[at].octets for at in columns}

    def columns_to_reread(self, plan: Plan, changed_tables: set[int], without: frozenset[int]) -> frozenset[int]:
        """Those of the columns ``without`` which a poll was made that have to be read after all: the rows of the label
        tables ``changed_tables`` are others than at the last poll."""
        self._unsteady = changed_tables if self._columns else set()
        return frozenset(at for at in without if plan.label_columns[at] & changed_tables)

    def end(self, plan: Plan, renderer: Renderer, *, without: frozenset[int], complete: bool, now: float) -> None:
        """Ends a poll that did not read the columns ``without``, and that was ``complete`` or not."""
        if not complete:
            self.forget()
            return
        if not without:
            self._missing_indicators.clear()
        for at in plan.label_columns:
            cached = self._columns.get(at)
            if cached is not None and at in without:
                cached.polls += 1
            else:
                self._store(at, renderer.column_octets(at), now)

    def _store(self, at: int, octets: bytes, now: float) -> None:
        cached = self._columns.get(at)
        if cached is None or cached.octets != octets:
            self._columns[at] = _CachedColumn(
                octets, ColumnSize(len(ber.varbinds(octets, 0, len(octets))), len(octets)), now
            )
            self._partial_plans.clear()
        else:
            cached.polls, cached.read_at = 0, now


def _indicators_of(plan: Plan) -> list[bytes]:
    """Those of CHANGE_INDICATORS that tell of label columns of the plan."""
    columns = [plan.columns[at] for at in plan.label_columns]
    return [name for name, trees in _CHANGE_INDICATORS if any(column.startswith(trees) for column in columns)]


def _has_changed(name: bytes, before: int | None, value: int) -> bool:
    """Whether the device says by an indicator that its labels may have changed."""
    return before is None or (value < before if name == _UP_TIME else value != before)


_UP_TIME = oid.encode(SYS_UP_TIME)
_CHANGE_INDICATORS = tuple(
    (oid.encode(name), tuple(map(oid.encode, trees))) for name, trees in CHANGE_INDICATORS.items()
)
