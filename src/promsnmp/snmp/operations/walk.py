"""Walks subtrees by GETBULK or GETNEXT into a ``ber.Scanner``.

What goes wrong is kept per subtree, so that one that fails does not cost the others. How many repetitions
a module asks for is decided in ``exposition/plan.py``; here the number is only reduced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from promsnmp.errors import ErrorStatus, OutOfOrder, SnmpError, WalkLoop
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.bad_object import BadObjectSearch
from promsnmp.snmp.operations.base import (
    NO_SUCH_NAME,
    TOO_BIG,
    AgentLimits,
    Cost,
    CostMeter,
    error_status,
    feed,
    missing_error,
    no_cost_meter,
    requested_varbinds,
)
from promsnmp.snmp.operations.budget import ReadBudget
from promsnmp.snmp.operations.request_size import GET_NEXT, SizeAttempts

MAX_REPETITIONS = 0x7FFFFFFF  # RFC 3416 section 3
MAX_BAD_OBJECTS = 16
"""Objects of one subtree, or runs of them, that the agent fails at and that the walk gets round."""
FIRST_OID = oid.encode("1.0")
"""Where a walk of everything starts: BER has no shorter OID that all of SNMP's follow."""


@dataclass(frozen=True, slots=True)
class Subtree:
    """One walk: its root (content octets) and how to walk it."""

    root: bytes
    max_repetitions: int = 25
    ordered: bool = True
    """Whether OIDs that do not increase are a failure. If false, there must be no gaps."""
    gaps: tuple[tuple[bytes, bytes], ...] = ()
    """Ranges to skip, in order: the first OID (included) of the range, and the OID after which the walk continues;
    empty: the walk ends there."""
    get_root: bool = True
    """Whether to GET the root itself when nothing lies below it; false where the caller fetches it anyway."""


class WalkOperation:
    """Walks subtrees one after the other, by GETBULK (v2c, v3) or GETNEXT (v1).

    ``failures`` maps the root of each subtree that was not walked to its end to the reason; ``finished`` holds the
    roots of the others; ``costs`` has the cost by root.

    A walk ends at the first OID outside the subtree, at ``endOfMibView`` (and mostly at noSuchObject or noSuchInstance,
    which some agents send instead), and at v1's noSuchName. When nothing was found, it asks for the root itself.

    Where OIDs do not increase, a walk continues but ends with a failure, unless ``Subtree.ordered`` is false. The last
    value of a repeated object counts. A request is never repeated. With ``strict`` the walk ends there.

    An object that the agent answers with an error-status is left out: the walk continues behind it, and ends with a
    failure. So it does where a v2c agent answers noSuchName in the middle of the MIB, as only v1 agents may at its end.

    When ``budget`` is spent, the walk ends with a failure, and the subtrees that are left fail as well.
    """

    def __init__(
        self,
        subtrees: Sequence[Subtree],
        scanner: ber.Scanner,
        *,
        version: Version,
        limits: AgentLimits,
        meter: CostMeter = no_cost_meter,
        strict: bool = False,
        budget: ReadBudget | None = None,
    ) -> None:
        self._budget = budget or ReadBudget()
        self.failures: dict[bytes, SnmpError] = {}
        self.finished: set[bytes] = set()
        self.costs: dict[bytes, Cost] = {}
        self._meter = meter
        self._started = (*meter(), 0)
        self._scanner = scanner
        self._bulk = version is not Version.V1
        self._limits = limits
        self._pending = deque(subtrees)
        self._subtree: Subtree | None = None
        self._position = b""
        self._requested: set[bytes] = set()
        self._order_error: OutOfOrder | None = None
        self._strict = strict
        self._is_get = False
        self._gaps: deque[tuple[bytes, bytes]] = deque()
        self._attempts = SizeAttempts(limits.repetitions)
        self._search: BadObjectSearch | None = None
        self._search_reason: ErrorStatus
        self._status_error: ErrorStatus | None = None
        """The first object that was left out."""
        self._bad_objects = 0
        self._careful_size = MAX_REPETITIONS
        """The most repetitions near an object that the agent fails at."""

    def current_oid(self) -> bytes:
        return self._position

    def errors(self) -> Iterable[SnmpError]:
        return self.failures.values()

    def next_pdu(self, request_id: int) -> bytes | None:
        if self._subtree is None:
            if not self._pending:
                return None
            self._begin(self._pending.popleft())
        if self._is_get:
            return ber.encode_request(ber.GET, request_id, 0, 0, self._position)
        if self._search is not None:
            return ber.encode_request(ber.GET_NEXT, request_id, 0, 0, self._search.candidate)
        size = self._repetitions()
        self._attempts.begin(request_id, size)
        return self._walk_pdu(request_id, size)

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        if self._is_get or self._search is not None:
            return None
        size = self._attempts.less(request_id, answers=answers)
        return None if size is None else self._walk_pdu(request_id, size)

    def _walk_pdu(self, request_id: int, size: int) -> bytes:
        kind = ber.GET_BULK if size else ber.GET_NEXT
        return ber.encode_request(kind, request_id, 0, size, self._position or FIRST_OID)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if self._search is not None:
            self._on_search_response(self._search, pdu)
            return
        if not self._is_get:
            self._attempts.on_answer(pdu.request_id)
        if pdu.status:
            self._on_error(pdu)
        elif self._is_get:
            self._on_get_response(buffer, pdu)
        else:
            self._on_varbinds(buffer, pdu)

    def step(self, message: bytes, head: bytes, request_id: int, next_id: int) -> bytes | None:
        """Does what ``handle_response`` and ``next_pdu`` do, where the answer to ``request_id`` needs no decision.

        ``message`` may be anything, ``head`` is what stands before the PDU in a message (``ber.Scanner.take_answer``).
        Returns the next PDU, with ``next_id``; None, and then nothing has changed, when there is something to decide:
        the agent limits sizes, fails at objects or ignores the order, the subtree or a gap or the budget is at its end.
        """
        tree, scanner, size = self._subtree, self._scanner, self._attempts.size
        if tree is None or not tree.ordered or self._is_get or self._search is not None:
            return None
        if self._careful_size != MAX_REPETITIONS or not self._attempts.is_settled:
            return None
        before = self._gaps[0][0] if self._gaps else b""
        if not self._budget.has_room(scanner, len(message)):
            return None
        if not scanner.take_answer(message, head, request_id, before):
            return None
        self._position = scanner.last_oid
        self._attempts.begin(next_id, size)
        return self._walk_pdu(next_id, size)

    def _begin(self, subtree: Subtree) -> None:
        self._subtree = subtree
        self._position = subtree.root
        self._requested.clear()
        self._order_error = self._status_error = None
        self._bad_objects = 0
        self._careful_size = MAX_REPETITIONS
        self._started = (*self._meter(), self._scanner.varbind_count)
        self._scanner.start(subtree.root, subtree.ordered)
        self._gaps = deque(subtree.gaps)
        self._skip_gaps()

    def _repetitions(self) -> int:
        """The size of the next request: repetitions of a GETBULK, or GET_NEXT."""
        assert self._subtree is not None
        limits = self._limits
        if not self._bulk:
            return GET_NEXT
        return limits.repetitions_of(min(max(1, self._subtree.max_repetitions), self._careful_size))

    def _on_varbinds(self, buffer: bytes, pdu: ber.Pdu) -> None:
        scanner = self._scanner
        before = scanner.varbind_count
        verdict = scanner.feed(buffer, pdu.start, pdu.end)
        if self._careful_size != MAX_REPETITIONS:
            self._careful_size = min(max(self._careful_size, 1) * 2, MAX_REPETITIONS)
        if verdict == ber.LOOP and scanner.offending_oid != self._position and not self._strict:
            verdict = self._tolerate_disorder(buffer, pdu)
        if verdict == ber.MORE and (exceeded := self._budget.exceeded(scanner)) is not None:
            self._end(exceeded)
            if self._budget.is_spent:
                self._give_up(exceeded)
        elif verdict == ber.MORE:
            self._continue_from(scanner.last_oid)
        elif verdict == ber.DONE:
            nothing = scanner.varbind_count == before and scanner.last_oid == self._position
            if nothing and self._may_get_root():
                self._is_get = True  # nothing below the root: it may be the instance of a scalar
            else:
                self._end(None)
        elif verdict == ber.LOOP:
            self._end(self._walk_loop())
        else:
            self._end(WalkLoop("the agent answered without varbinds", oid=self._text()))

    def _walk_loop(self) -> WalkLoop:
        return WalkLoop(f"OID {oid.to_text(self._scanner.offending_oid)} does not increase", oid=self._text())

    def _tolerate_disorder(self, buffer: bytes, pdu: ber.Pdu) -> int:
        """Accepts OIDs in any order from here on, as snmp_exporter does, unless a request would be repeated."""
        assert self._subtree is not None
        which = oid.to_text(self._scanner.offending_oid)
        hint = "rows may be missing; if the device is known for this, set allow_nonincreasing_oids: true in the module"
        self._order_error = OutOfOrder(f"OID {which} does not increase ({hint})", oid=self._text())
        self._subtree = replace(self._subtree, ordered=False)
        self._gaps.clear()
        self._requested.add(self._position)
        return self._scanner.relax(buffer, pdu.end)

    def _may_get_root(self) -> bool:
        """Whether the walk is at a root that it may GET."""
        tree = self._subtree
        return tree is not None and tree.get_root and bool(self._position) and self._position == tree.root

    def _on_get_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        varbinds = requested_varbinds(buffer, pdu, (self._position,))
        feed(self._scanner, varbinds.values())
        self._end(None if varbinds else missing_error(self._position))

    def _continue_from(self, last: bytes) -> None:
        assert self._subtree is not None
        if not self._subtree.ordered:
            if last in self._requested:
                self._end(
                    self._walk_loop() if self._order_error else WalkLoop("the agent repeats itself", oid=self._text())
                )
                return
            self._requested.add(last)
        self._position = last
        if self._gaps and not self._skip_gaps():
            self._end(None)

    def _skip_gaps(self) -> bool:
        """Skips the gaps that the walk has reached; False when nothing is left to read."""
        while self._gaps and (self._position == self._gaps[0][0] or ber.oid_follows(self._position, self._gaps[0][0])):
            _, after = self._gaps.popleft()
            if not after:
                return False
            if ber.oid_follows(after, self._position):
                self._position = after
        return True

    def _on_error(self, pdu: ber.Pdu) -> None:
        """RFC 3416 section 4.2: noSuchName ends a v1 walk, tooBig halves the repetitions, others mean a bad object."""
        size = GET_NEXT if self._is_get else self._attempts.size
        if pdu.status == NO_SUCH_NAME and (self._is_get or not self._bulk):
            self._on_end_of_mib()
        elif pdu.status == TOO_BIG and size > 1:
            self._limits.max_repetitions = size // 2
        elif self._is_get:
            self._end(error_status(pdu.status, pdu.index, self._position))
        elif size != GET_NEXT:
            self._careful_size = GET_NEXT  # the bad object, or the end, is among what the request covers
        else:
            self._search_behind(error_status(pdu.status, pdu.index, self._position))

    def _on_end_of_mib(self) -> None:
        if self._may_get_root() and not self._is_get:
            self._is_get = True
        else:
            self._end(None)

    def _search_behind(self, error: ErrorStatus) -> None:
        """Looks for a way round the object."""
        assert self._subtree is not None
        self._bad_objects += 1
        if self._bad_objects > MAX_BAD_OBJECTS:
            self._end(error)
            return
        self._search_reason = error
        self._search = BadObjectSearch(self._subtree.root, self._position)

    def _on_search_response(self, search: BadObjectSearch, pdu: ber.Pdu) -> None:
        search.on_result(works=not pdu.status)
        if not search.is_over:
            return
        self._search = None
        if search.start is not None:
            if self._status_error is None:
                self._status_error = self._search_reason
                self._status_error.message += " for the object behind this OID, which is left out"
            self._careful_size = GET_NEXT
            self._position = search.start
            if self._gaps and not self._skip_gaps():
                self._end(None)
            return
        if pdu.status == NO_SUCH_NAME:
            self._on_end_of_mib()  # nothing answers behind it: as in v1, it is the end
        else:
            self._end(self._search_reason)

    def _end(self, failure: SnmpError | None) -> None:
        assert self._subtree is not None
        if not self._subtree.ordered:
            self._scanner.unify()
        failure = failure or self._order_error or self._status_error
        if failure is None:
            self.finished.add(self._subtree.root)
        else:
            self.failures[self._subtree.root] = failure
        now, sent, retried = self._meter()
        then, had_sent, had_retried, had = self._started
        self.costs[self._subtree.root] = Cost(
            now - then, sent - had_sent, retried - had_retried, self._scanner.varbind_count - had
        )
        self._subtree = None
        self._is_get = False

    def _give_up(self, reason: SnmpError) -> None:
        """The subtrees that are left are not walked."""
        while self._pending:
            self.failures[self._pending.popleft().root] = reason

    def _text(self) -> str:
        return oid.to_text(self._position)
