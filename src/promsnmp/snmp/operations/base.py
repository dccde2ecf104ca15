"""What all operations share: the interface that a session drives, error-status, limits of an agent, and cost.

An operation is a state machine without I/O: it says what to ask next and takes what came. So each can be tested against
a function instead of an agent, and a session need not know what is being read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from promsnmp.errors import ErrorStatus, MalformedMessage, SnmpError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.request_size import GET_NEXT, UNLIMITED, SizeLimit

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

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        """A smaller PDU in place of the last one, which got no answer; None when the operation has none.

        ``answers``: the agent has answered something in this session. An answer to any PDU since ``next_pdu`` may come.
        """

    def current_oid(self) -> bytes:
        """The OID of the current request (content octets), for errors."""

    def errors(self) -> Iterable[SnmpError]:
        """Errors that did not end the operation."""


@dataclass(slots=True)
class AgentLimits:
    """What one agent can take and how it answers, learned from its errors and its silence, kept from poll to poll."""

    max_repetitions: int = 0
    """Above it, the agent answers tooBig; 0: not known yet."""
    max_get_oids: int = 0
    repetitions: SizeLimit = field(default_factory=lambda: SizeLimit(GET_NEXT))
    objects: SizeLimit = field(default_factory=lambda: SizeLimit(1))
    """Objects of a GET or GETNEXT."""
    request_id_bits: int = 31
    """Request-ids that it returns unchanged; some agents cut them."""
    answers_from: str = ""
    """Where its answers come from, when that is not where it was asked."""
    answered_at: float = 0.0
    """When it answered last, seconds of the event loop's clock; 0: never."""
    silences: int = 0
    """Sessions without an answer since the last answer. Without retries, the next one begins with the least."""
    allowed_repetitions: int = 0
    """The most that the inventory allows for the device; 0: it says nothing."""
    allowed_objects: int = 0
    """The same for the objects of a GET."""
    _owner: Hashable = None

    def use_for(self, owner: Hashable) -> None:
        """Forgets everything when it was learned with another ``owner`` (address and credentials)."""
        if self._owner is None:
            self._owner = owner
        elif self._owner != owner:
            new = AgentLimits(
                allowed_repetitions=self.allowed_repetitions, allowed_objects=self.allowed_objects, _owner=owner
            )
            for name in self.__slots__:
                setattr(self, name, getattr(new, name))

    def on_silence(self) -> None:
        """The agent answered nothing in a session: what worked before is tried no longer than needed."""
        self.repetitions.doubt()
        self.objects.doubt()
        self.silences += 1

    def repetitions_of(self, wanted: int) -> int:
        """``wanted`` repetitions, or as many of them as the agent takes and the inventory allows."""
        return min(wanted, self.repetitions.size, *self._known(self.max_repetitions, self.allowed_repetitions))

    def objects_of(self, wanted: int) -> int:
        """The same for the objects of a GET or GETNEXT."""
        return min(wanted, self.objects.size, *self._known(self.max_get_oids, self.allowed_objects))

    @staticmethod
    def _known(*limits: int) -> Iterator[int]:
        return filter(None, limits)

    @property
    def batch_size(self) -> int:
        """The most rows of a column that one packet brings, as far as known; 0: no limit is known."""
        learned = 0 if self.repetitions.size == UNLIMITED else max(self.repetitions.size, 1)  # a GETNEXT brings one row
        return min(self._known(learned, self.max_repetitions, self.allowed_repetitions), default=0)

    def lines(self) -> Iterator[str]:
        """What was learned, for people."""
        if self.repetitions.size == GET_NEXT:
            yield f"no answer to GETBULK with {self.repetitions.unanswered} repetitions: walked by GETNEXT"
        elif self.repetitions.unanswered:
            yield (
                f"no answer to GETBULK with {self.repetitions.unanswered} repetitions: "
                f"asked for {self.repetitions.size} now"
            )
        if self.objects.unanswered:
            yield f"no answer to requests for {self.objects.unanswered} objects: asked for {self.objects.size} now"
        if self.max_repetitions:
            yield f"tooBig above {self.max_repetitions} repetitions"
        if self.max_get_oids:
            yield f"tooBig above {self.max_get_oids} objects"
        if self.request_id_bits < 31:
            yield f"request-ids are cut: those sent have {self.request_id_bits} bits now"
        if self.answers_from:
            yield f"answers come from {self.answers_from}"


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
