"""Reads single objects by GET, several in one packet.

What goes wrong is kept per object, so that one that fails does not cost the others.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber
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
from promsnmp.snmp.operations.request_batch import RequestBatch

MAX_GET_OIDS = 60
"""Maximum OIDs of one GET."""
_VARBIND_OVERHEAD = 200
"""Octets of memory of a varbind besides its value."""


class GetOperation:
    """Fetches single objects by GET, several at a time, into ``varbinds`` and, if there is one, a scanner.

    The scanner gets all objects, or those of ``columns_of``.
    ``failures`` maps OIDs that the agent answered with an error-status, or left out of its answer, to the reason;
    objects that do not exist are not a failure. ``complete`` says whether all were requested, ``cost`` what it cost.
    When ``budget`` is spent, the objects that are left fail.
    """

    def __init__(
        self,
        oids: Sequence[bytes],
        scanner: ber.Scanner | None = None,
        *,
        columns_of: Container[bytes] | None = None,
        limits: AgentLimits,
        batch_size: int = MAX_GET_OIDS,
        meter: CostMeter = no_cost_meter,
        budget: ReadBudget | None = None,
    ) -> None:
        self._budget = budget or ReadBudget()
        self.cost = Cost()
        self.complete = not oids
        self._meter = meter
        self._started: tuple[float, int, int] | None = None
        self.failures: dict[bytes, SnmpError] = {}
        self.varbinds: list[ber.VarBind] = []
        self._scanner = scanner
        self._columns_of = columns_of
        self._limits = limits
        self._batch = RequestBatch(ber.GET, oids, size=max(1, min(batch_size, MAX_GET_OIDS)), limits=limits)
        self._returned = 0

    def current_oid(self) -> bytes:
        return self._batch.current_oid()

    def errors(self) -> Iterable[SnmpError]:
        return self.failures.values()

    def next_pdu(self, request_id: int) -> bytes | None:
        self._started = self._started or self._meter()
        self._batch.take()
        if not self._batch.requested:
            self._end()
            return None
        return self._batch.first_pdu(request_id)

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        return self._batch.smaller_pdu(request_id, answers=answers)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self._batch.on_answer(pdu.request_id)
        if pdu.status:
            self._on_error(pdu)
            return
        varbinds = requested_varbinds(buffer, pdu, set(self._batch.requested))
        self._returned += len(varbinds)
        self.failures.update({one: missing_error(one) for one in self._batch.requested if one not in varbinds})
        self.varbinds += varbinds.values()
        if self._scanner is not None:
            chosen = self._columns_of
            feed(self._scanner, [one for one in varbinds.values() if chosen is None or one.oid in chosen])
        octets = sum([len(one.value) + _VARBIND_OVERHEAD for one in varbinds.values()])
        self._budget.spend(len(varbinds), octets)
        if self._batch.pending and (exceeded := self._budget.exceeded_by_gets()) is not None:
            self.failures.update(dict.fromkeys(self._batch.pending, exceeded))
            self._batch.pending.clear()

    def _on_error(self, pdu: ber.Pdu) -> None:
        """tooBig halves the batch; any other error fails the object it points at, and the rest is asked again.

        Without a valid index the batch is halved until only one object is left.
        """
        size = len(self._batch.requested)
        has_index = 0 < pdu.index <= size
        if size > 1 and (pdu.status == TOO_BIG or not has_index):
            if pdu.status == TOO_BIG:
                self._limits.max_get_oids = size // 2
            else:
                self._batch.size = size // 2
            self._batch.pending.extendleft(reversed(self._batch.requested))
            return
        failed = self._batch.requested[pdu.index - 1] if has_index else self._batch.requested[0]
        if pdu.status != NO_SUCH_NAME:
            self.failures[failed] = error_status(pdu.status, pdu.index, failed)
        self._batch.pending.extendleft(reversed([one for one in self._batch.requested if one != failed]))

    def _end(self) -> None:
        self.complete = True
        if self._started is not None:
            now, sent, retried = self._meter()
            then, had_sent, had_retried = self._started
            self.cost = Cost(now - then, sent - had_sent, retried - had_retried, self._returned)
