"""Reads the first rows of some columns, in a bounded number of packets: enough to identify a device.

A walk would go on to the end, and an agent with thousands of interfaces, or an endless
one, would cost a search thousands of packets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import NO_SUCH_NAME, TOO_BIG

VARBINDS_PER_REQUEST = 24
"""Varbinds per packet."""


class FirstRowsOperation:
    """``rows`` maps each column (content octets) to its rows: index (content octets) to varbind.

    Reads the columns side by side, by GETBULK (v2c, v3) or GETNEXT (v1), in at most ``packets`` packets. An error ends
    its column and is not reported: the rows read so far stay.
    """

    def __init__(self, columns: Sequence[bytes], *, version: Version, packets: int) -> None:
        self.rows: dict[bytes, dict[bytes, ber.VarBind]] = {column: {} for column in columns}
        self._is_v1 = version is Version.V1
        self._left = packets
        self._repetitions = max(1, VARBINDS_PER_REQUEST // max(len(columns), 1))
        self._last = {column: column for column in columns}
        self._requested: list[bytes] = []

    def current_oid(self) -> bytes:
        return self._last.get(self._requested[0], b"") if self._requested else b""

    def errors(self) -> Iterable[SnmpError]:
        return ()

    def next_pdu(self, request_id: int) -> bytes | None:
        self._requested = list(self._last)
        if not self._requested or not self._left:
            return None
        self._left -= 1
        varbinds = b"".join(map(ber.encode_varbind, self._last.values()))
        if self._is_v1:
            return ber.encode_pdu(ber.GET_NEXT, request_id, 0, 0, varbinds)
        return ber.encode_pdu(ber.GET_BULK, request_id, 0, self._repetitions, varbinds)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if pdu.status == TOO_BIG and self._repetitions > 1 and not self._is_v1:
            self._repetitions //= 2
        elif pdu.status == NO_SUCH_NAME and 0 < pdu.index <= len(self._requested):
            del self._last[self._requested[pdu.index - 1]]
        elif pdu.status:
            self._last.clear()
        else:
            self._take(ber.varbinds(buffer, pdu.start, pdu.end))

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
