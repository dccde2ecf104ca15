"""Caches the label columns of a device, and decides when they are read again.

Interface names and the like are labels of nearly every sample and hardly ever change, so they are read less often
than the counters: at every ``every``-th poll, and at once when the device signals a change (``CHANGE_INDICATORS``),
when it has restarted, when the labelled rows differ from those of the last poll, and after an incomplete poll. One
column of names of each table (``label_keys.py``) is read at every poll: when it has changed, so are the others at once.

The rows of some tables (connections, neighbours) change at every poll, and each time labels would be read after the
fact. Labels of such a table are read with every poll until its rows are the same in two polls in a row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from promsnmp.exposition.partial_plan import PartialPlan, make_partial_plan
from promsnmp.exposition.plan import Plan
from promsnmp.exposition.renderer import Renderer
from promsnmp.polling.label_keys import LabelColumn, LabelKeys
from promsnmp.snmp import oid
from promsnmp.support.steps import Steps

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
CHANGE_INDICATORS: Mapping[str, tuple[str, ...]] = {
    SYS_UP_TIME: ("1",),
    "1.3.6.1.2.1.2.1.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifNumber
    "1.3.6.1.2.1.31.1.5.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifTableLastChange
    "1.3.6.1.2.1.31.1.6.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifStackLastChange
    "1.3.6.1.2.1.47.1.4.1.0": ("1.3.6.1.2.1.47",),  # entLastChangeTime
    "1.0.8802.1.1.2.1.2.1.0": ("1.0.8802.1.1.2",),  # lldpStatsRemTablesLastChangeTime
}
"""Objects that change when a table changes, and the subtrees concerned (RFC 2863 section 6, RFC 6933, IEEE 802.1AB)."""
MIN_SAVED_PACKETS = 1.0
"""Packets that the cache has to save to be worth it, besides those that read the indicators."""
MAX_PARTIAL_PLANS = 8
"""Plans kept for a device, one for each set of omitted columns."""


@dataclass(slots=True)
class _CachedColumn:
    content: LabelColumn
    read_at: float
    polls: int = 0
    """Polls since it was read."""


class LabelCache:
    """The label columns of one device under one plan, from poll to poll.

    They are read at every ``every``-th poll, and at least every ``seconds``; the keys of the tables at each. A poll
    calls ``indicators`` and ``begin``, reads, calls ``columns_to_reread``, reads these columns if there are any, and
    calls ``end``. All times are seconds of one clock.
    """

    def __init__(self, *, every: int, seconds: float) -> None:
        self._every = every
        self._seconds = seconds
        self._columns: dict[int, _CachedColumn] = {}
        self._label_keys: LabelKeys | None = None
        self._keys: frozenset[int] = frozenset()
        """The columns that every poll reads."""
        self._unsteady: set[int] = set()
        """Label tables whose rows changed at the last poll."""
        self._indicator_values: dict[bytes, int] = {}
        self._indicators: Sequence[bytes] = ()
        self._missing_indicators: set[bytes] = set()
        """Indicators that the device lacks, as seen since everything was last read."""
        self._names: tuple[bytes, ...] = ()
        """The columns of the plan: when they differ, everything cached belongs to another plan."""
        self._is_worthwhile = False
        """Whether omitting columns saves more than reading the indicators costs."""
        self._plan: Plan | None = None
        self._partial_plans: dict[tuple[int, frozenset[int]], PartialPlan] = {}

    def forget(self) -> None:
        """The next poll reads everything."""
        self._columns.clear()
        self._unsteady.clear()
        self._missing_indicators.clear()
        self._partial_plans.clear()

    def indicators(self, plan: Plan, *, batch_size: int, objects: int) -> tuple[bytes, ...]:
        """The objects to read before anything else; none when too little could be omitted to be worth it.

        ``objects`` is the most that one GET asks for.
        """
        if plan.columns is not self._names:
            self._names, self._indicators, self._label_keys = plan.columns, _indicators_of(plan), LabelKeys(plan)
            self.forget()
        indicators = tuple(one for one in self._indicators if one not in self._missing_indicators)
        least = MIN_SAVED_PACKETS + max(1, -(-len(indicators) // objects))
        self._is_worthwhile = (
            not self._columns
            or self._partial_plan(plan, self._columns.keys() - self._keys, batch_size).packets >= least
        )
        return indicators if self._is_worthwhile else ()

    def begin(self, plan: Plan, *, values: Mapping[bytes, int], now: float, batch_size: int) -> PartialPlan:
        """What to ask for in a poll of ``plan``; ``values`` are the numbers that the indicators have now."""
        if any(_has_changed(name, self._indicator_values.get(name), value) for name, value in values.items()):
            self.forget()
        self._indicator_values.update(values)
        if values:
            self._missing_indicators.update(name for name in self._indicators if name not in values)
        columns = self._columns.items() if self._is_worthwhile else ()
        reused = [at for at, cached in columns if at not in self._keys and self._is_reusable(plan, at, cached, now)]
        return self._partial_plan(plan, reused, batch_size)

    def _is_reusable(self, plan: Plan, at: int, cached: _CachedColumn, now: float) -> bool:
        is_young = cached.polls < self._every - 1 and now - cached.read_at < self._seconds
        return is_young and not plan.label_columns[at] & self._unsteady

    def _partial_plan(self, plan: Plan, omittable: Iterable[int], batch_size: int) -> PartialPlan:
        reused = frozenset(omittable)
        if plan is not self._plan:
            self._plan = plan
            self._partial_plans.clear()
        found = self._partial_plans.get((batch_size, reused))
        if found is None:
            if len(self._partial_plans) >= MAX_PARTIAL_PLANS:
                self._partial_plans.clear()
            sizes = {at: self._columns[at].content.size for at in reused}
            found = self._partial_plans[batch_size, reused] = make_partial_plan(plan, sizes, batch_size=batch_size)
        return found

    def octets(self, columns: Iterable[int]) -> dict[int, bytes]:
        """The content of columns when they were read last."""
        return {at: self._columns[at].content.octets for at in columns}

    def columns_to_reread(self, plan: Plan, renderer: Renderer, without: frozenset[int]) -> frozenset[int]:
        """Which of the columns ``without``, omitted so far, this poll has to read after all: those that label tables
        whose rows, or whose keys, differ from those of the last poll."""
        changed = renderer.changed_tables() | self._renamed_tables(plan, renderer.column_octets)
        self._unsteady = changed if self._columns else set()
        return frozenset(at for at in without if plan.label_columns[at] & changed)

    def unverified(self, plan: Plan, read: Callable[[int], bytes], without: Collection[int]) -> Steps[frozenset[int]]:
        """Which of the columns ``without`` may no longer belong to the rows that an interrupted poll has ``read``,
        because it did not get as far as the keys of their tables, or because these have changed."""
        yield
        renamed = self._renamed_tables(plan, read)
        return frozenset(at for at in without if plan.label_columns[at] & renamed)

    def _renamed_tables(self, plan: Plan, read: Callable[[int], bytes]) -> set[int]:
        """The tables of the keys whose content was not the same when they were ``read`` last."""
        keys = [at for at in self._keys if at in self._columns]
        return set().union(*(plan.label_columns[at] for at in keys if not self._columns[at].content.has(read(at))))

    def end(
        self, plan: Plan, renderer: Renderer, *, without: frozenset[int], complete: bool, now: float
    ) -> Steps[None]:
        """Ends a poll that did not read the columns ``without``; stores the others if it was ``complete``."""
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
                yield from self._store(plan, at, renderer.column_octets(at), now)
        if self._label_keys is not None and not self._partial_plans:
            self._keys = self._label_keys.choose({at: one.content for at, one in self._columns.items()})

    def _store(self, plan: Plan, at: int, octets: bytes, now: float) -> Steps[None]:
        cached = self._columns.get(at)
        if cached is None or not cached.content.has(octets):
            content = yield from LabelColumn.of(octets, plan.columns[at])
            same = (one.content.index for one in self._columns.values() if one.content.index == content.index)
            self._columns[at] = _CachedColumn(replace(content, index=next(same, content.index)), now)
            self._partial_plans.clear()
        else:
            cached.polls, cached.read_at = 0, now


def _indicators_of(plan: Plan) -> list[bytes]:
    """Those of CHANGE_INDICATORS that concern label columns of the plan."""
    columns = [plan.columns[at] for at in plan.label_columns]
    return [name for name, trees in _CHANGE_INDICATORS if any(column.startswith(trees) for column in columns)]


def _has_changed(name: bytes, before: int | None, value: int) -> bool:
    """Whether an indicator shows that labels may have changed; sysUpTime grows, others stay the same."""
    return before is None or (value < before if name == _UP_TIME else value != before)


_UP_TIME = oid.encode(SYS_UP_TIME)
_CHANGE_INDICATORS = tuple(
    (oid.encode(name), tuple(map(oid.encode, trees))) for name, trees in CHANGE_INDICATORS.items()
)
