"""Records a poll of the collector: every request, and every varbind that came back.

A page keeps only what its metrics need. To explain why a metric is missing one needs the rest too, and exactly of the
poll that the service makes: so this is an observer of that poll, and not a poll of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.polling.poll import PollResult
from promsnmp.snmp import ber
from promsnmp.snmp.operations.base import ERROR_STATUS, NO_SUCH_NAME
from promsnmp.snmp.operations.walk import FIRST_OID
from promsnmp.snmp.traffic import Traffic

EXCEPTIONS = {
    ber.NO_SUCH_OBJECT: "noSuchObject",
    ber.NO_SUCH_INSTANCE: "noSuchInstance",
    ber.END_OF_MIB_VIEW: "endOfMibView",
}
"""What a device returns in place of a missing value (RFC 3416 section 3), by tag."""


@dataclass(slots=True)
class WalkTrace:
    """What was recorded of one walk."""

    sent: int = 0
    """Packets, retransmissions included."""
    last: bytes = b""
    """The last OID of the subtree that came back; empty: none did."""


@dataclass(slots=True)
class PollRecording:
    """Everything that a poll asked for and that came back: a ``PollObserver``. OIDs are content octets."""

    varbinds: dict[bytes, ber.VarBind] = field(default_factory=dict)
    """The first value of every OID that came back with one, in the order in which they came."""
    walks: dict[bytes, WalkTrace] = field(default_factory=dict)
    """By root, in the order in which they began."""
    gets: dict[bytes, str] = field(default_factory=dict)
    """Objects requested by GET: "" when a value came, else what came instead; "no answer" until then."""
    current_oid: bytes = b""
    """The OID that was asked for last."""
    result: PollResult | None = None
    """None until the poll has ended."""
    traffic: Traffic = field(default_factory=Traffic)
    _request_id: int = 0
    _requested_oids: tuple[bytes, ...] = ()
    _current_walk: bytes | None = None

    def on_request(self, octets: bytes) -> None:
        """Records a PDU that is sent, or sent again."""
        pdu = ber.read_pdu(octets, 0, len(octets))
        self._request_id = pdu.request_id
        self._requested_oids = tuple(one.oid for one in ber.varbinds(octets, pdu.start, pdu.end))
        self.current_oid = self._requested_oids[0]
        if (
            pdu.type == ber.GET and self.current_oid != self._current_walk
        ):  # a walk's root may be an instance, which it then GETs
            self._current_walk = None
            for one in self._requested_oids:
                self.gets.setdefault(one, "no answer")
            return
        if self._current_walk is None or not self.current_oid.startswith(self._current_walk):
            self._current_walk = b"" if self.current_oid == FIRST_OID else self.current_oid
        self.walks.setdefault(self._current_walk, WalkTrace()).sent += 1

    def on_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        """Records the response to the last request; any other PDU is ignored."""
        if pdu.type != ber.RESPONSE or pdu.request_id != self._request_id:
            return
        if pdu.status:
            self._on_error_status(pdu)
            return
        try:
            found = ber.varbinds(buffer, pdu.start, pdu.end)
        except ber.Malformed:
            return
        for one in found:
            self._on_varbind(one)

    def on_poll_end(self, result: PollResult, traffic: Traffic) -> None:
        """Keeps the result of the poll."""
        self.result, self.traffic = result, traffic

    def _on_error_status(self, pdu: ber.Pdu) -> None:
        if self._current_walk is None and 0 < pdu.index <= len(self._requested_oids):
            state = 0 <= pdu.status < len(ERROR_STATUS)
            self.gets[self._requested_oids[pdu.index - 1]] = (
                ERROR_STATUS[pdu.status] if state else f"error {pdu.status}"
            )
        elif self._current_walk is None and pdu.status == NO_SUCH_NAME and len(self._requested_oids) == 1:
            self.gets[self._requested_oids[0]] = ERROR_STATUS[NO_SUCH_NAME]

    def _on_varbind(self, one: ber.VarBind) -> None:
        if self._current_walk is None and one.oid not in self._requested_oids:
            return
        missing = EXCEPTIONS.get(one.tag, "")
        if self._current_walk is None:
            self.gets[one.oid] = missing
        elif one.oid.startswith(self._current_walk) and not missing:
            self.walks[self._current_walk].last = one.oid
        if not missing:
            self.varbinds.setdefault(one.oid, one)
