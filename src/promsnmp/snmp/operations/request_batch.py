"""The objects that are left to ask for, and those of the present request: what GET and GETNEXT of several share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from promsnmp.snmp import ber
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.request_size import SizeAttempts


class RequestBatch:
    """Asks for objects (content octets) by PDUs of one type, ``size`` at a time, or fewer if the agent takes fewer."""

    __slots__ = ("_attempts", "_limits", "_pdu_type", "pending", "requested", "size")

    def __init__(self, pdu_type: int, oids: Iterable[bytes], *, size: int, limits: AgentLimits) -> None:
        self._pdu_type = pdu_type
        self._limits = limits
        self._attempts = SizeAttempts(limits.objects)
        self.size = size
        self.pending = deque(oids)
        """Objects of later requests."""
        self.requested: list[bytes] = []
        """Objects of the present request, in its order."""

    def current_oid(self) -> bytes:
        """The first object of the present request; empty without one."""
        return self.requested[0] if self.requested else b""

    def take(self) -> None:
        """Moves the objects of the next request from ``pending`` to ``requested``."""
        size = self._limits.objects_of(self.size)
        self.requested = [self.pending.popleft() for _ in range(min(size, len(self.pending)))]

    def first_pdu(self, request_id: int) -> bytes:
        """The request for ``requested``."""
        self._attempts.begin(request_id, len(self.requested))
        return self._pdu(request_id)

    def smaller_pdu(self, request_id: int, *, answers: bool) -> bytes | None:
        """A smaller request in place of one that got no answer, as ``Operation.ask_less``."""
        size = self._attempts.less(request_id, answers=answers)
        if size is None:
            return None
        self.pending.extendleft(reversed(self.requested[size:]))
        del self.requested[size:]
        return self._pdu(request_id)

    def on_answer(self, request_id: int) -> None:
        """Makes ``requested`` what the answered request asked for, which may be an earlier, larger one."""
        size = self._attempts.on_answer(request_id)
        while len(self.requested) < size:
            self.requested.append(self.pending.popleft())

    def _pdu(self, request_id: int) -> bytes:
        return ber.encode_pdu(self._pdu_type, request_id, 0, 0, b"".join(map(ber.encode_varbind, self.requested)))
