"""Security models: the interface that a session uses, and the model of v1 and v2c (communities).

A session knows PDUs only. The security model wraps each one into a message and opens each answer; v3's is ``usm.py``.
"""

from __future__ import annotations

from typing import Protocol

from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community

SMALLEST_MAX_MESSAGE = 484  # octets that every agent takes (RFC 3412 section 6.3)
MAX_DATAGRAM = 65507  # octets that a UDP datagram over IPv4 can carry


class Unauthentic(Exception):
    """An answer that fails authentication; the text says why. The session drops it and keeps waiting."""


class Unexpected(Unauthentic):
    """An answer to no outstanding request: a late or duplicate datagram of an honest agent, or a replayed one."""


class Refused(Unauthentic):
    """A report without authentication says that the agent refuses the request; the text says why.

    Anybody on the path can send one, so the session waits for a better answer. Where the credentials have worked before
    (``have_worked``), it goes on as if the report had not come; otherwise it waits only for a moment.
    """

    def __init__(self, text: str, *, have_worked: bool) -> None:
        super().__init__(text)
        self.have_worked = have_worked


class Resynchronise(Exception):
    """The agent sent its engine id or time (RFC 3414 section 3.2); the session must send at once.

    What to send, the security model knows: the request, or what proves an engine that an unauthenticated report
    (``authentic`` is false) named. Answers to earlier messages still count.
    """

    def __init__(self, text: str, *, authentic: bool) -> None:
        super().__init__(text)
        self.authentic = authentic


class SecurityModel(Protocol):
    """Wraps and opens messages for one target."""

    @property
    def authenticates(self) -> bool:
        """Whether answers are authenticated, so that they may come from anywhere."""

    @property
    def max_message(self) -> int:
        """Octets of the largest message that the agent takes, as far as it said so."""

    @property
    def plain_head(self) -> bytes:
        """What stands before the PDU in a message of which the rest is the PDU; empty where there is more to it."""

    def is_response(self, datagram: bytes) -> bool:
        """Whether a datagram looks like an answer to a request; for hints only. Changes nothing."""

    def ready(self) -> bool:
        """Whether a request can be encoded; if not, ``discovery`` must be sent first."""

    def discovery(self) -> bytes:
        """The message that asks the agent for what is missing (RFC 3414 section 4)."""

    def encode(self, pdu: bytes, *, again: bool = False) -> bytes:
        """The message around an encoded PDU; called again for each retransmission.

        ``again``: it asks for less than the PDU before, whose answer still counts.
        """

    def decode(self, datagram: bytes) -> tuple[bytes, ber.Pdu]:
        """The PDU of an answer and the buffer that its offsets point into.

        Raises ber.Malformed, Unauthentic, Resynchronise, or errors.AuthenticationError when the agent refuses.
        """

    def timeout_hint(self) -> str:
        """Possible causes of a timeout, for the error text; may be empty."""


class CommunityModel:
    """Community-based security (RFC 1157, RFC 1901): the community is sent in clear text.

    An answer must have the community of the request, or an empty one, as some agents leave it out. One with another
    community belongs to somebody else's request.
    """

    def __init__(self, credentials: Community) -> None:
        version = ber.encode_integer(credentials.version)
        self.plain_head = version + ber.tlv(ber.OCTET_STRING, credentials.community.encode())
        self._head_without_name = version + ber.tlv(ber.OCTET_STRING, b"")
        self._answered = False

    @property
    def authenticates(self) -> bool:
        return False

    @property
    def max_message(self) -> int:
        return MAX_DATAGRAM

    def is_response(self, datagram: bytes) -> bool:
        try:
            return self._read(datagram) is not None
        except ber.Malformed:
            return False

    def ready(self) -> bool:
        return True

    def discovery(self) -> bytes:
        raise AssertionError("a community needs no discovery")

    def encode(self, pdu: bytes, *, again: bool = False) -> bytes:
        return ber.tlv(ber.SEQUENCE, self.plain_head + pdu)

    def decode(self, datagram: bytes) -> tuple[bytes, ber.Pdu]:
        pdu = self._read(datagram)
        if pdu is None:
            raise Unauthentic("the answer carries another version or community than the request")
        self._answered = True
        return datagram, pdu

    def _read(self, datagram: bytes) -> ber.Pdu | None:
        pdu = ber.read_community_message(datagram, self.plain_head)
        return pdu if pdu is not None else ber.read_community_message(datagram, self._head_without_name)

    def timeout_hint(self) -> str:
        return "" if self._answered else "is the address right, and the community?"
