"""Asks of many subtrees at once whether anything is in them: one GETNEXT with a varbind for each.

A ``session.Conversation``, as those of ``walk.py`` are. RFC 3416 section 4.2.2: the answer has as many varbinds as the
request, each the successor of the one asked for, so a successor below the root (or the root itself) says that the
subtree is there.

Agents of v1 say noSuchName of a root when nothing follows it in the whole MIB (RFC 1157 section 4.1.3). Then nothing
can be in the later roots either, which saves a packet for each of them; only the last one is asked, to see whether it
is so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.walk import NO_SUCH_NAME, TOO_BIG, AgentLimits

AT_ONCE = 24
"""Subtrees asked for by one packet: the answer fits an Ethernet frame when values are short."""
_NOTHING = frozenset({ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW})


class Presence:
    """``present`` maps the roots (content octets) to whether anything lies at or below them.

    What an agent answers by an error-status gets no entry: it did not say. ``noSuchName`` points at the first root that
    has no successor; those before it are asked again. ``tooBig``, an error that points nowhere and an answer of another
    length are asked again with half as many. ``at_once`` is how many roots one packet may ask for.
    """

    def __init__(self, roots: Sequence[bytes], *, limits: AgentLimits, at_once: int = AT_ONCE) -> None:
        self.present: dict[bytes, bool] = {}
        self._limits = limits
        self._at_once = at_once
        self._waiting = deque(sorted(set(roots), key=oid.decode_subids))
        self._asked: list[bytes] = []
        self._beyond: list[bytes] = []
        """A root that nothing follows, and all after it: empty, if the agent says the same of the last of them."""
        self._testing = False
        """Whether that last one is being asked for."""
        self._in_order = True
        """Whether the agent has not been caught with something after the end of its MIB."""

    def asking(self) -> bytes:
        return self._asked[0] if self._asked else b""

    def failed(self) -> Iterable[SnmpError]:
        return ()

    def request(self, request_id: int) -> bytes | None:
        size = min(self._at_once, self._limits.max_get_oids or self._at_once)
        self._asked = [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]
        self._testing = not self._asked and bool(self._beyond)
        if self._testing:
            self._asked = [self._beyond.pop()]
        if not self._asked:
            return None
        return ber.encode_pdu(ber.GET_NEXT, request_id, 0, 0, b"".join(map(ber.encode_varbind, self._asked)))

    def answer(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if self._testing and pdu.status != NO_SUCH_NAME:
            self._in_order = False
            self._waiting.extend(self._beyond)
            self._beyond = []
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
        at = 0 if pdu.status == NO_SUCH_NAME and size == 1 else pdu.index - 1
        if pdu.status == TOO_BIG or not 0 <= at < size:
            self._split()
        elif pdu.status == NO_SUCH_NAME:
            self._on_the_end(at)
        else:
            self._waiting.extendleft(reversed(self._asked[:at] + self._asked[at + 1 :]))

    def _on_the_end(self, at: int) -> None:
        """Nothing follows the root ``at`` of those asked for; which is believed when only one was asked for."""
        beyond = [*self._asked[at:], *self._waiting]
        if self._in_order and not self._testing and len(beyond) > 1:
            self._beyond = beyond + self._beyond
            self._waiting = deque(self._asked[:at])
        elif len(self._asked) > 1:
            self._split()
        else:
            self.present |= dict.fromkeys((*self._asked, *self._beyond), False)
            self._beyond = []

    def _split(self) -> None:
        """Asks again with half as many; one that cannot be asked for alone is given up."""
        size = len(self._asked)
        if size > 1:
            self._at_once = size // 2
            self._waiting.extendleft(reversed(self._asked))
