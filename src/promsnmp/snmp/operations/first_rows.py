"""Reads the first rows of some columns, in a bounded number of packets: enough to identify a device.

A walk would go on to the end, and an agent with thousands of interfaces, or an endless
one, would cost a search thousands of packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import TOO_BIG, AgentLimits
from promsnmp.snmp.operations.request_size import GET_NEXT

VARBINDS_PER_REQUEST = 24
"""Varbinds per packet."""


class FirstRowsOperation:
    """``rows`` maps each column (content octets) to its rows: index (content octets) to varbind.

    Reads the columns side by side, by GETBULK (v2c, v3) or GETNEXT (v1), in at most ``packets`` packets. An error ends
    its column and is not reported: the rows read so far stay. Where GETBULK gets no answer, GETNEXT is sent, and then
    GETNEXT for one column after the other.
    """

    def __init__(
        self, columns: Sequence[bytes], *, version: Version, packets: int, limits: AgentLimits | None = None
    ) -> None:
        self.rows: dict[bytes, dict[bytes, ber.VarBind]] = {column: {} for column in columns}
        self._limits = limits or AgentLimits()
        self._is_v1 = version is Version.V1
        self._left = packets
        self._repetitions = max(1, VARBINDS_PER_REQUEST // max(len(columns), 1))
        self._last = {column: column for column in columns}
        self._requested: list[bytes] = []
        self._attempts: dict[int, tuple[list[bytes], int]] = {}
        """Columns and repetitions (or GET_NEXT) of what was asked since the last answer, by request-id."""

    def current_oid(self) -> bytes:
        return self._last.get(self._requested[0], b"") if self._requested else b""

    def errors(self) -> Iterable[SnmpError]:
        return ()

    def next_pdu(self, request_id: int) -> bytes | None:
        self._requested = list(self._last)[: self._limits.objects.size]
        if not self._requested or not self._left:
            return None
        self._left -= 1
        self._attempts.clear()
        return self._pdu(request_id, GET_NEXT if self._is_v1 else min(self._repetitions, self._limits.repetitions.size))

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        columns, size = list(self._attempts.values())[-1]
        if size == GET_NEXT and len(columns) == 1:
            return None
        if size == GET_NEXT or not answers:
            self._requested = columns[:1]
        return self._pdu(request_id, GET_NEXT)

    def _pdu(self, request_id: int, size: int) -> bytes:
        self._attempts[request_id] = self._requested, size
        varbinds = b"".join([ber.encode_varbind(self._last[column]) for column in self._requested])
        return ber.encode_pdu(ber.GET_BULK if size else ber.GET_NEXT, request_id, 0, size, varbinds)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self._requested, size = self._attempts.get(pdu.request_id) or list(self._attempts.values())[-1]
        self._learn(size)
        if pdu.status == TOO_BIG and self._repetitions > 1 and not self._is_v1:
            self._repetitions //= 2
        elif 0 < pdu.index <= len(self._requested):
            del self._last[self._requested[pdu.index - 1]]
        elif pdu.status:
            self._last.clear()
        else:
            self._take(ber.varbinds(buffer, pdu.start, pdu.end))

    def _learn(self, size: int) -> None:
        """Remembers what got no answer before the request that got one."""
        silent = list(self._attempts.values())[:-1]
        bulk = [one for _, one in silent if one != GET_NEXT]
        if size == GET_NEXT and bulk:
            self._limits.repetitions.on_silence(bulk, GET_NEXT)
        columns = [len(names) for names, _ in silent if len(names) > len(self._requested)]
        if columns and not bulk:
            self._limits.objects.on_silence(columns, len(self._requested))

    def _take(self, varbinds: Sequence[ber.VarBind]) -> None:
        """RFC 3416 section 4.2.3: one varbind for each column, repeated; an empty answer ends the operation."""
        if not varbinds:
            self._last.clear()
        for number, varbind in enumerate(varbinds):
            column = self._requested[number % len(self._requested)]
            last = self._last.get(column)
            if last is None:
                continue
            if (
                not varbind.oid.startswith(column)
                or varbind.tag == ber.END_OF_MIB_VIEW
                or not ber.oid_follows(varbind.oid, last)
            ):
                del self._last[column]
                continue
            self.rows[column][varbind.oid[len(column) :]] = varbind
            self._last[column] = varbind.oid
