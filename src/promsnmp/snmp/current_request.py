"""The request of a session that waits for its answer: PDU and request-id, and what was asked in its place before."""

from __future__ import annotations

from promsnmp.snmp.operations.base import AgentLimits, Operation
from promsnmp.snmp.operations.walk import WalkOperation
from promsnmp.snmp.silence import telling_id, usable_bits, with_request_id


class CurrentRequest:
    """``pdu`` is the last PDU, ``tried`` are larger ones for the same that got no answer.

    Each has a request-id of its own; the answer to any of them counts. Agents that cut request-ids are asked with
    shorter ones, which is kept in ``limits``.
    """

    __slots__ = ("_earlier_ids", "_limits", "id", "pdu", "tried")

    def __init__(self, limits: AgentLimits) -> None:
        self.id = telling_id() - 1
        self.pdu = b""
        self.tried: list[bytes] = []
        self._earlier_ids: list[int] = []
        self._limits = limits

    @property
    def is_smaller(self) -> bool:
        """Whether it asks for less than the first PDU did."""
        return bool(self._earlier_ids)

    def begin(self, operation: Operation) -> bool:
        """Takes the next request of ``operation``; False at its end."""
        self.id = self.next_id()
        pdu = operation.next_pdu(self.id)
        if pdu is None:
            return False
        self.pdu = pdu
        if self._earlier_ids:
            self._earlier_ids, self.tried = [], []
        return True

    def ask_less(self, operation: Operation, *, answers: bool, was_sent: bool = True) -> bool:
        """Takes a smaller request in its place, if ``operation`` has one; ``was_sent``: whether it was tried."""
        request_id = self.next_id()
        pdu = operation.ask_less(request_id, answers=answers)
        if pdu is None:
            return False
        self._earlier_ids.append(self.id)
        if was_sent:
            self.tried.append(self.pdu)
        self.id, self.pdu = request_id, pdu
        return True

    def step(self, walk: WalkOperation, datagram: bytes, head: bytes) -> bool:
        """Takes the next request of ``walk``, if ``datagram`` is an answer that needs no decision (``walk.step``)."""
        if self._earlier_ids:
            return False
        request_id = self.next_id()
        pdu = walk.step(datagram, head, self.id, request_id)
        if pdu is None:
            return False
        self.id, self.pdu = request_id, pdu
        return True

    def is_answered_by(self, request_id: int) -> bool:
        """Whether an answer with ``request_id`` counts."""
        return request_id == self.id or request_id in self._earlier_ids

    def shorten_id(self, received: int) -> bool:
        """Takes a shorter request-id, when an answer has the present one cut to some octets."""
        bits = usable_bits(self.id, received)
        if not bits or bits >= self._limits.request_id_bits:
            return False
        self._limits.request_id_bits = bits
        self.id = self.next_id()
        self.pdu = with_request_id(self.pdu, self.id)
        return True

    def next_id(self) -> int:
        """The request-id for the request after this one."""
        return self.id + 1 & (1 << self._limits.request_id_bits) - 1
