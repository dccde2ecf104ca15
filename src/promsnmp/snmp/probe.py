"""Asks of many subtrees at once whether anything is in them: one GETNEXT with a varbind for each.

A ``session.Conversation``, as those of ``walk.py`` are. RFC 3416 section 4.2.2: the answer has as many varbinds as the
request, each the successor of the one asked for, so a successor below the root (or the root itself) says that the
subtree is there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber
from promsnmp.snmp.walk import NO_SUCH_NAME, TOO_BIG, AgentLimits

AT_ONCE = 24
"""Subtrees asked for by one packet: the answer fits an Ethernet frame when values are short."""
_NOTHING = frozenset({ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW})


class Presence:
    """``present`` maps the roots (content octets) to whether anything lies at or below them.

    What an agent answers by an error-status gets no entry: it did not say. Agents of v1 name by ``noSuchName`` the
    first root that has no successor; it is left out, and the rest asked again (RFC 1157 section 4.1.3). ``tooBig``, an
    error that points nowhere and an answer of another length are asked again with half as many.
    """

    def __init__(self, roots: Sequence[bytes], *, limits: AgentLimits) -> None:
        self.present: dict[bytes, bool] = {}
        self._limits = limits
        self._at_once = AT_ONCE
        self._waiting = deque(dict.fromkeys(roots))
        self._asked: list[bytes] = []

    def asking(self) -> bytes:
        return self._asked[0] if self._asked else b""

    def failed(self) -> Iterable[SnmpError]:
        return ()

    def request(self, request_id: int) -> bytes | None:
        size = min(self._at_once, self._limits.max_get_oids or self._at_once)
        self._asked = [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]
        if not self._asked:
            return None
        return ber.encode_pdu(ber.GET_NEXT, request_id, 0, 0, b"".join(map(ber.encode_varbind, self._asked)))

    def answer(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if pdu.status:
            self._on_error(pdu)
            return
        found = ber.varbinds(buffer, pdu.start, pdu.end)
        if len(found) != len(self._asked):
            self._split()
            return
        for root, one in zip(self._asked, found, strict=True):
            self.present[root] = one.oid.startswith(root) and one.tag not in _NOTHING

    def _on_error(self, pdu: ber.Pdu) -> None:
        size = len(self._asked)
        if pdu.status != TOO_BIG and 0 < pdu.index <= size:
            guilty = self._asked.pop(pdu.index - 1)
            if pdu.status == NO_SUCH_NAME:
                self.present[guilty] = False
            self._waiting.extendleft(reversed(self._asked))
        elif pdu.status == NO_SUCH_NAME and size == 1:
            self.present[self._asked[0]] = False
        else:
            self._split()

    def _split(self) -> None:
        """Asks again with half as many; one that cannot be asked for alone is given up."""
        size = len(self._asked)
        if size > 1:
            self._at_once = size // 2
            self._waiting.extendleft(reversed(self._asked))
