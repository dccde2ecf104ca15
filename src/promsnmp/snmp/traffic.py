"""What passes through a session, for those who count it or look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from promsnmp.snmp import ber


@dataclass(slots=True)
class Traffic:
    """Packet counters of a session, for the page and PromSNMP's own metrics."""

    sent: int = 0
    """Datagrams sent, retransmissions and engine discovery included."""
    retried: int = 0
    """Retransmissions among them."""
    discarded: dict[str, int] = field(default_factory=dict)
    """Datagrams that were dropped, by reason."""

    def discard(self, reason: str) -> None:
        """Counts one datagram that was dropped."""
        self.discarded[reason] = self.discarded.get(reason, 0) + 1


class SessionObserver(Protocol):
    """Sees the PDUs of a session, both ways."""

    def on_request(self, pdu: bytes) -> None:
        """A PDU is sent, or sent again."""

    def on_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        """A PDU came that the security model accepted; whether it answers the last request is not checked yet."""
