"""Tests which of many subtrees exist: one GETNEXT with a varbind for each.

RFC 3416 section 4.2.2: the answer has as many varbinds as the
request, each the successor of the requested OID. A successor below the root (or the root itself) means that the subtree
exists.

Agents of v1 answer noSuchName for a root when nothing follows it in the whole MIB (RFC 1157 section 4.1.3). Then the
later roots must be empty too, which saves a packet for each; only the last one is asked, to confirm it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.base import NO_SUCH_NAME, TOO_BIG, AgentLimits
from promsnmp.snmp.operations.request_batch import RequestBatch

ROOTS_PER_REQUEST = 24
"""Subtrees per packet: the answer fits an Ethernet frame when values are short."""
_NOTHING = frozenset({ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW})


class ExistsOperation:
    """``present`` maps the roots (content octets) to whether anything lies at or below them.

    A root that the agent answers with an error-status gets no entry: it stays unknown. ``noSuchName`` points at the
    first root that has no successor; those before it are asked again. After ``tooBig``, an error without a valid index
    or an answer of another length, the operation asks again for half as many. ``batch_size`` is the maximum of roots
    per packet.
    """

    def __init__(self, roots: Sequence[bytes], *, limits: AgentLimits, batch_size: int = ROOTS_PER_REQUEST) -> None:
        self.present: dict[bytes, bool] = {}
        ordered = sorted(set(roots), key=oid.decode_subids)
        self._batch = RequestBatch(ber.GET_NEXT, ordered, size=batch_size, limits=limits)
        self._past_end: list[bytes] = []
        """A root that nothing follows, and all after it: they are empty if the agent confirms it for the last."""
        self._is_checking_last = False
        """Whether the current request is that confirmation."""
        self._is_ordered = True
        """False once the agent has returned something after the end of its MIB."""

    def current_oid(self) -> bytes:
        return self._batch.current_oid()

    def errors(self) -> Iterable[SnmpError]:
        return ()

    def next_pdu(self, request_id: int) -> bytes | None:
        self._batch.take()
        self._is_checking_last = not self._batch.requested and bool(self._past_end)
        if self._is_checking_last:
            self._batch.requested = [self._past_end.pop()]
        if not self._batch.requested:
            return None
        return self._batch.first_pdu(request_id)

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        return self._batch.smaller_pdu(request_id, answers=answers)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self._batch.on_answer(pdu.request_id)
        if self._is_checking_last and pdu.status != NO_SUCH_NAME:
            self._is_ordered = False
            self._batch.pending.extend(self._past_end)
            self._past_end = []
        if pdu.status:
            self._on_error(pdu)
            return
        varbinds = ber.varbinds(buffer, pdu.start, pdu.end)
        if len(varbinds) != len(self._batch.requested):
            self._split()
            return
        for root, varbind in zip(self._batch.requested, varbinds, strict=True):
            self.present[root] = varbind.oid.startswith(root) and varbind.tag not in _NOTHING

    def _on_error(self, pdu: ber.Pdu) -> None:
        size = len(self._batch.requested)
        at = 0 if pdu.status == NO_SUCH_NAME and size == 1 else pdu.index - 1
        if pdu.status == TOO_BIG or not 0 <= at < size:
            self._split()
        elif pdu.status == NO_SUCH_NAME:
            self._on_end_of_mib(at)
        else:
            self._batch.pending.extendleft(reversed(self._batch.requested[:at] + self._batch.requested[at + 1 :]))

    def _on_end_of_mib(self, at: int) -> None:
        """Nothing follows the requested root ``at``; accepted when it was the only one requested."""
        past_end = [*self._batch.requested[at:], *self._batch.pending]
        if self._is_ordered and not self._is_checking_last and len(past_end) > 1:
            self._past_end = past_end + self._past_end
            self._batch.pending = deque(self._batch.requested[:at])
        elif len(self._batch.requested) > 1:
            self._split()
        else:
            self.present |= dict.fromkeys((*self._batch.requested, *self._past_end), False)
            self._past_end = []

    def _split(self) -> None:
        """Asks again for half as many; gives up a root that fails alone."""
        size = len(self._batch.requested)
        if size > 1:
            self._batch.size = size // 2
            self._batch.pending.extendleft(reversed(self._batch.requested))
