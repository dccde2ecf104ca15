"""What all operations share: the interface that a session drives, error-status, limits of an agent, and cost.

An operation is a state machine without I/O: it says what to ask next and takes what came. So each can be tested against
a function instead of an agent, and a session need not know what is being read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from promsnmp.errors import ErrorStatus, MalformedMessage, SnmpError
from promsnmp.snmp import ber, oid

TOO_BIG = 1
NO_SUCH_NAME = 2

ERROR_STATUS = (  # RFC 3416 section 3
    "noError",
    "tooBig",
    "noSuchName",
    "badValue",
    "readOnly",
    "genErr",
    "noAccess",
    "wrongType",
    "wrongLength",
    "wrongEncoding",
    "wrongValue",
    "noCreation",
    "inconsistentValue",
    "resourceUnavailable",
    "commitFailed",
    "undoFailed",
    "authorizationError",
    "notWritable",
    "inconsistentName",
)


class Operation(Protocol):
    """Says what to ask next and takes the answers; ``Session.run`` drives it. A state machine without I/O."""

    def next_pdu(self, request_id: int) -> bytes | None:
        """The next PDU, or None at the end. Called once per request; retransmissions repeat its PDU."""

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        """Takes the answer to the last request.

        Raises SnmpError to end the operation, ber.Malformed to drop the answer.
        """

    def current_oid(self) -> bytes:
        """The OID of the current request (content octets), for errors."""

    def errors(self) -> Iterable[SnmpError]:
        """Errors that did not end the operation."""


@dataclass(slots=True)
class AgentLimits:
    """What one agent can take, learned from its errors and kept from poll to poll. 0: not known yet."""

    max_repetitions: int = 0
    max_get_oids: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of an operation cost."""

    seconds: float = 0.0
    sent: int = 0
    retried: int = 0
    varbinds: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.seconds + other.seconds,
            self.sent + other.sent,
            self.retried + other.retried,
            self.varbinds + other.varbinds,
        )


CostMeter = Callable[[], tuple[float, int, int]]
"""Returns the time (seconds), the packets sent and the retransmissions so far; ``Session.meter`` is one."""


def no_cost_meter() -> tuple[float, int, int]:
    """A meter for callers that do not need the cost."""
    return 0.0, 0, 0


def error_status(status: int, index: int, at: bytes) -> ErrorStatus:
    """The error for an ``error-status``, with its name."""
    name = ERROR_STATUS[status] if 0 <= status < len(ERROR_STATUS) else "unknown"
    message = f"the agent answered with error-status {name} ({status})"
    return ErrorStatus(message, status=status, index=index, oid=oid.to_text(at))


def requested_varbinds(buffer: bytes, pdu: ber.Pdu, requested: Collection[bytes]) -> dict[bytes, ber.VarBind]:
    """The varbinds of a GET's answer by OID: only requested ones, each once. Raises ber.Malformed."""
    varbinds: dict[bytes, ber.VarBind] = {}
    for varbind in ber.varbinds(buffer, pdu.start, pdu.end):
        if varbind.oid in requested:
            varbinds.setdefault(varbind.oid, varbind)
    return varbinds


def missing_error(at: bytes) -> MalformedMessage:
    """The error for an object that the answer leaves out (RFC 3416 section 4.2.1: it must name each one)."""
    return MalformedMessage("the answer leaves out an object that was requested", oid=oid.to_text(at))


def feed(scanner: ber.Scanner, varbinds: Iterable[ber.VarBind]) -> None:
    """Puts varbinds of a GET into a scanner."""
    octets = b"".join(ber.encode_varbind(varbind.oid, ber.tlv(varbind.tag, varbind.value)) for varbind in varbinds)
    scanner.feed(octets, 0, len(octets), False)
