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
from promsnmp.snmp.operations.request_size import SizeAttempts

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
        self._limits = limits
        self._attempts = SizeAttempts(limits.objects)
        self._batch_size = batch_size
        self._pending = deque(sorted(set(roots), key=oid.decode_subids))
        self._requested: list[bytes] = []
        self._past_end: list[bytes] = []
        """A root that nothing follows, and all after it: they are empty if the agent confirms it for the last."""
        self._is_checking_last = False
        """Whether the current request is that confirmation."""
        self._is_ordered = True
        """False once the agent has returned something after the end of its MIB."""

    def current_oid(self) -> bytes:
        return self._requested[0] if self._requested else b""

    def errors(self) -> Iterable[SnmpError]:
        return ()

    def next_pdu(self, request_id: int) -> bytes | None:
        size = self._limits.objects_of(self._batch_size)
        self._requested = [self._pending.popleft() for _ in range(min(size, len(self._pending)))]
        self._is_checking_last = not self._requested and bool(self._past_end)
        if self._is_checking_last:
            self._requested = [self._past_end.pop()]
        if not self._requested:
            return None
        self._attempts.begin(request_id, len(self._requested))
        return self._pdu(request_id)

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        size = self._attempts.less(request_id, answers=answers)
        if size is None:
            return None
        self._pending.extendleft(reversed(self._requested[size:]))
        del self._requested[size:]
        return self._pdu(request_id)

    def _pdu(self, request_id: int) -> bytes:
        return ber.encode_pdu(ber.GET_NEXT, request_id, 0, 0, b"".join(map(ber.encode_varbind, self._requested)))

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        size = self._attempts.on_answer(pdu.request_id)
        while len(self._requested) < size:  # the answer to an earlier, larger request
            self._requested.append(self._pending.popleft())
        if self._is_checking_last and pdu.status != NO_SUCH_NAME:
            self._is_ordered = False
            self._pending.extend(self._past_end)
            self._past_end = []
        if pdu.status:
            self._on_error(pdu)
            return
        varbinds = ber.varbinds(buffer, pdu.start, pdu.end)
        if len(varbinds) != len(self._requested):
            self._split()
            return
        for root, varbind in zip(self._requested, varbinds, strict=True):
            self.present[root] = varbind.oid.startswith(root) and varbind.tag not in _NOTHING

    def _on_error(self, pdu: ber.Pdu) -> None:
        size = len(self._requested)
        at = 0 if pdu.status == NO_SUCH_NAME and size == 1 else pdu.index - 1
        if pdu.status == TOO_BIG or not 0 <= at < size:
            self._split()
        elif pdu.status == NO_SUCH_NAME:
            self._on_end_of_mib(at)
        else:
            self._pending.extendleft(reversed(self._requested[:at] + self._requested[at + 1 :]))

    def _on_end_of_mib(self, at: int) -> None:
        """Nothing follows the requested root ``at``; accepted when it was the only one requested."""
        past_end = [*self._requested[at:], *self._pending]
        if self._is_ordered and not self._is_checking_last and len(past_end) > 1:
            self._past_end = past_end + self._past_end
            self._pending = deque(self._requested[:at])
        elif len(self._requested) > 1:
            self._split()
        else:
            self.present |= dict.fromkeys((*self._requested, *self._past_end), False)
            self._past_end = []

    def _split(self) -> None:
        """Asks again for half as many; gives up a root that fails alone."""
        size = len(self._requested)
        if size > 1:
            self._batch_size = size // 2
            self._pending.extendleft(reversed(self._requested))
