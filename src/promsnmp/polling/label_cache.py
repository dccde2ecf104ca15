"""When the label columns of a device are read again, and what they held when they were read last.

Names of interfaces and the like make up the labels of nearly every sample and hardly ever change, so they are read less
often than the counters: at every ``every``-th poll, and at once when the device tells of a change (``MARKS``), when it
started anew, when the rows that get the labels are other ones than before, and after a poll that was not whole.

A table whose rows come and go (connections, neighbours) would make this poll after poll. Its labels are read at every
poll until its rows are the same twice running.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.exposition.partial_plan import Lean, Size, lean
from promsnmp.exposition.plan import Plan
from promsnmp.exposition.samples import Renderer
from promsnmp.snmp import ber, oid

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"
MARKS: Mapping[str, tuple[str, ...]] = {
    SYS_UP_TIME: ("1",),
    "1.3.6.1.2.1.2.1.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifNumber
    "1.3.6.1.2.1.31.1.5.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifTableLastChange
    "1.3.6.1.2.1.31.1.6.0": ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),  # ifStackLastChange
    "1.3.6.1.2.1.47.1.4.1.0": ("1.3.6.1.2.1.47",),  # entLastChangeTime
    "1.0.8802.1.1.2.1.2.1.0": ("1.0.8802.1.1.2",),  # lldpStatsRemTablesLastChangeTime
}
"""Objects that tell of changes, and the subtrees that they tell of (RFC 2863 section 6, RFC 6933, IEEE 802.1AB)."""
LEAST = 2.0
"""Packets that have to be saved: looking at the marks takes one."""
MOST_LEANS = 8
"""Plans that are kept for a device, for columns that are left out together."""


@dataclass(slots=True)
class _Kept:
    octets: bytes
    size: Size
    read_at: float
    polls: int = 0
    """Polls since it was read."""


class KeptLabels:
    """The label columns of one device under one plan, from poll to poll.

    They are read at every ``every``-th poll, and at least every ``seconds``. A poll is ``begin``, the asking, ``late``,
    more asking where that says so, and ``end``. Times are of one clock, in seconds.
    """

    def __init__(self, *, every: int, seconds: float) -> None:
        self._every = every
        self._seconds = seconds
        self._columns: dict[int, _Kept] = {}
        self._unsteady: set[int] = set()
        """Label tables whose rows changed at the last poll."""
        self._marks: dict[bytes, int] = {}
        self._told_by: Sequence[bytes] = ()
        self._absent: set[bytes] = set()
        """Marks that the device did not have since everything was read."""
        self._names: tuple[bytes, ...] = ()
        """The columns of the plan: others mean that everything kept is of another plan."""
        self._worth = False
        """Whether as much can be left out as looking at the marks costs."""
        self._plan: Plan | None = None
        self._leans: dict[tuple[int, frozenset[int]], Lean] = {}

    def forget(self) -> None:
        """The next poll reads everything."""
        self._columns.clear()
        self._unsteady.clear()
        self._absent.clear()
        self._leans.clear()

    def marks(self, plan: Plan, *, at_once: int) -> tuple[bytes, ...]:
        """The objects to look at before anything else; none when too little could be left out to be worth it."""
        if plan.columns is not self._names:
            self._names, self._told_by = plan.columns, _marks_of(plan)
            self.forget()
        self._worth = not self._columns or self._lean(plan, frozenset(self._columns), at_once).packets >= LEAST
        if not self._worth:
            return ()
        return tuple(one for one in self._told_by if one not in self._absent)

    def begin(self, plan: Plan, *, marks: Mapping[bytes, int], now: float, at_once: int) -> Lean:
        """What to ask for in a poll of ``plan``, when ``marks`` are the numbers that the marks have."""
        if any(_tells(name, self._marks.get(name), value) for name, value in marks.items()):
            self.forget()
        self._marks.update(marks)
        if marks:
            self._absent.update(name for name in self._told_by if name not in marks)
        columns = self._columns.items() if self._worth else ()
        spared = frozenset(at for at, kept in columns if self._is_good(plan, at, kept, now))
        return self._lean(plan, spared, at_once)

    def _is_good(self, plan: Plan, at: int, kept: _Kept, now: float) -> bool:
        is_young = kept.polls < self._every - 1 and now - kept.read_at < self._seconds
        return is_young and not plan.labels[at] & self._unsteady

    def _lean(self, plan: Plan, spared: frozenset[int], at_once: int) -> Lean:
        if plan is not self._plan:
            self._plan = plan
            self._leans.clear()
        found = self._leans.get((at_once, spared))
        if found is None:
            if len(self._leans) >= MOST_LEANS:
                self._leans.clear()
            sizes = {at: self._columns[at].size for at in spared}
            found = self._leans[at_once, spared] = lean(plan, sizes, at_once=at_once)
        return found

    def octets(self, columns: Iterable[int]) -> dict[int, bytes]:
        """What columns held when they were read last."""
        return {at: self._columns[at].octets for at in columns}

    def late(self, plan: Plan, moved: set[int], without: frozenset[int]) -> frozenset[int]:
        """Those of the columns ``without`` which a poll was made that have to be read after all: the rows of the label
        tables ``moved`` are others than at the last poll."""
        self._unsteady = moved if self._columns else set()
        return frozenset(at for at in without if plan.labels[at] & moved)

    def end(self, plan: Plan, renderer: Renderer, *, without: frozenset[int], whole: bool, now: float) -> None:
        """Ends a poll that did not read the columns ``without``, and that was ``whole`` or not."""
        if not whole:
            self.forget()
            return
        if not without:
            self._absent.clear()
        for at in plan.labels:
            kept = self._columns.get(at)
            if kept is not None and at in without:
                kept.polls += 1
            else:
                self._keep(at, renderer.whole(at), now)

    def _keep(self, at: int, octets: bytes, now: float) -> None:
        kept = self._columns.get(at)
        if kept is None or kept.octets != octets:
            self._columns[at] = _Kept(octets, Size(len(ber.varbinds(octets, 0, len(octets))), len(octets)), now)
            self._leans.clear()
        else:
            kept.polls, kept.read_at = 0, now


def _marks_of(plan: Plan) -> list[bytes]:
    """Those of MARKS that tell of label columns of the plan."""
    columns = [plan.columns[at] for at in plan.labels]
    return [name for name, trees in _MARKS if any(column.startswith(trees) for column in columns)]


def _tells(name: bytes, before: int | None, value: int) -> bool:
    """Whether the device says by a mark that its labels may have changed."""
    return before is None or (value < before if name == _UP_TIME else value != before)


_UP_TIME = oid.encode(SYS_UP_TIME)
_MARKS = tuple((oid.encode(name), tuple(map(oid.encode, trees))) for name, trees in MARKS.items())
