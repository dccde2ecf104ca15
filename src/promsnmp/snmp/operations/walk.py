"""What is asked of an agent, as state machines without I/O: walks of subtrees, GETs, and single requests.

Each is a ``session.Conversation``. Walks and GETs put what they get into a ``ber.Scanner``; what went wrong on the way
is kept per subtree, so that one that fails does not cost the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from promsnmp.errors import ErrorStatus, MalformedMessage, OutOfOrder, SnmpError, WalkLoop
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version

TOO_BIG = 1
NO_SUCH_NAME = 2
MAX_REPETITIONS = 0x7FFFFFFF  # RFC 3416 section 3
MAX_GET_OIDS = 60
"""OIDs asked by one GET, at most."""
FIRST = oid.encode("1.0")
"""Where a walk of everything starts: BER has no shorter OID that all of SNMP's follow."""

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


@dataclass(slots=True)
class AgentLimits:
    """What was learned of one agent, kept from poll to poll. 0: nothing yet."""

    max_repetitions: int = 0
    max_get_oids: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of a conversation took."""

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


Meter = Callable[[], tuple[float, int, int]]
"""Tells the time (seconds), and how many packets were sent and sent again so far; ``Session.meter`` is one."""


def no_meter() -> tuple[float, int, int]:
    """For those who do not want to know what it cost."""
    return 0.0, 0, 0


@dataclass(frozen=True, slots=True)
class Subtree:
    """One walk: its root (content octets) and how to walk it."""

    root: bytes
    max_repetitions: int = 25
    ordered: bool = True
    """Whether it is a failure when OIDs do not increase; false: there are no gaps, either."""
    gaps: tuple[tuple[bytes, bytes], ...] = ()
    """Stretches that are not asked for, in order: the OID from which (included) nothing is wanted, and the one after
    which it goes on; empty: nothing more is wanted."""
    exact: bool = True
    """Whether the root itself is asked for when nothing lies below it; false: it is fetched anyway."""


def error_status(status: int, index: int, at: bytes) -> ErrorStatus:
    """The error for an ``error-status``, with its name."""
    name = ERROR_STATUS[status] if 0 <= status < len(ERROR_STATUS) else "unknown"
    message = f"the agent answered with error-status {name} ({status})"
    return ErrorStatus(message, status=status, index=index, oid=oid.to_text(at))


def _asked_for(buffer: bytes, pdu: ber.Pdu, asked: Collection[bytes]) -> dict[bytes, ber.VarBind]:
    """The varbinds of a GET's answer by OID: those that were asked for, each once. Raises ber.Malformed."""
    found: dict[bytes, ber.VarBind] = {}
    for varbind in ber.varbinds(buffer, pdu.start, pdu.end):
        if varbind.oid in asked:
            found.setdefault(varbind.oid, varbind)
    return found


def _unanswered(at: bytes) -> MalformedMessage:
    """RFC 3416 section 4.2.1: the answer to a GET names what was asked."""
    return MalformedMessage("the agent's answer leaves out what was asked for", oid=oid.to_text(at))


def feed(scanner: ber.Scanner, found: Iterable[ber.VarBind]) -> None:
    """Puts varbinds that were fetched one by one into a scanner."""
    octets = b"".join(ber.encode_varbind(one.oid, ber.tlv(one.tag, one.value)) for one in found)
    scanner.feed(octets, 0, len(octets), False)


class Walks:
    """Walks subtrees one after the other, by GETBULK (v2c, v3) or GETNEXT (v1).

    ``failures`` maps the root of each subtree that was not walked to its end to the reason; ``finished`` holds the
    roots that were; ``costs`` tells by root what it took.

    A walk ends at the first OID outside of the subtree, at ``endOfMibView`` (and mostly at noSuchObject or
    noSuchInstance, by which some agents say the same), and at v1's noSuchName. When nothing was found, the root itself
    is asked for.

    Where OIDs do not increase, a walk goes on, but it ends with a failure, unless ``Subtree.ordered`` is false; of
    objects that come more than once the last counts. A request is never repeated. With ``strict`` it ends there.
    """

    def __init__(
        self,
        subtrees: Sequence[Subtree],
        scanner: ber.Scanner,
        *,
        version: Version,
        limits: AgentLimits,
        meter: Meter = no_meter,
        strict: bool = False,
    ) -> None:
        self.failures: dict[bytes, SnmpError] = {}
        self.finished: set[bytes] = set()
        self.costs: dict[bytes, Cost] = {}
        self._meter = meter
        self._began = (*meter(), 0)
        self._scanner = scanner
        self._bulk = version is not Version.V1
        self._limits = limits
        self._waiting = deque(subtrees)
        self._subtree: Subtree | None = None
        self._at = b""
        self._asked: set[bytes] = set()
        self._disorder: OutOfOrder | None = None
        self._strict = strict
        self._exact = False
        self._gaps: deque[tuple[bytes, bytes]] = deque()

    def asking(self) -> bytes:
        return self._at

    def failed(self) -> Iterable[SnmpError]:
        return self.failures.values()

    def request(self, request_id: int) -> bytes | None:
        if self._subtree is None:
            if not self._waiting:
                return None
            self._begin(self._waiting.popleft())
        if self._exact:
            return ber.encode_request(ber.GET, request_id, 0, 0, self._at)
        if self._bulk:
            return ber.encode_request(ber.GET_BULK, request_id, 0, self._repetitions(), self._at or FIRST)
        return ber.encode_request(ber.GET_NEXT, request_id, 0, 0, self._at or FIRST)

    def answer(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if pdu.status:
            self._on_error(pdu)
        elif self._exact:
            self._on_exact(buffer, pdu)
        else:
            self._on_varbinds(buffer, pdu)

    def _begin(self, subtree: Subtree) -> None:
        self._subtree = subtree
        self._at = subtree.root
        self._asked.clear()
        self._disorder = None
        self._began = (*self._meter(), self._scanner.varbind_count)
        self._scanner.start(subtree.root, subtree.ordered)
        self._gaps = deque(subtree.gaps)
        self._leap()

    def _repetitions(self) -> int:
        assert self._subtree is not None
        wanted = min(max(1, self._subtree.max_repetitions), MAX_REPETITIONS)
        return min(wanted, self._limits.max_repetitions) if self._limits.max_repetitions else wanted

    def _on_varbinds(self, buffer: bytes, pdu: ber.Pdu) -> None:
        scanner = self._scanner
        before = scanner.varbind_count
        verdict = scanner.feed(buffer, pdu.start, pdu.end)
        if verdict == ber.LOOP and scanner.offending_oid != self._at and not self._strict:
            verdict = self._relax(buffer, pdu)
        if verdict == ber.MORE:
            self._go_on(scanner.last_oid)
        elif verdict == ber.DONE:
            nothing = scanner.varbind_count == before and scanner.last_oid == self._at
            if nothing and self._may_be_exact():
                self._exact = True  # nothing below it: it may name a scalar's instance exactly
            else:
                self._end(None)
        elif verdict == ber.LOOP:
            self._end(self._loop())
        else:
            self._end(WalkLoop("the agent answered without any varbind", oid=self._text()))

    def _loop(self) -> WalkLoop:
        return WalkLoop(f"OID {oid.to_text(self._scanner.offending_oid)} does not increase", oid=self._text())

    def _relax(self, buffer: bytes, pdu: ber.Pdu) -> int:
        """From here on takes what comes in any order, as snmp_exporter does, unless it would have to ask again."""
        assert self._subtree is not None
        which = oid.to_text(self._scanner.offending_oid)
        hint = "rows may be missing, unless the module says that this is so: allow_nonincreasing_oids: true"
        self._disorder = OutOfOrder(f"OID {which} does not increase ({hint})", oid=self._text())
        self._subtree = replace(self._subtree, ordered=False)
        self._gaps.clear()
        self._asked.add(self._at)
        return self._scanner.relax(buffer, pdu.end)

    def _may_be_exact(self) -> bool:
        """Whether the walk stands at a root that is to be asked for when nothing lies below it."""
        tree = self._subtree
        return tree is not None and tree.exact and bool(self._at) and self._at == tree.root

    def _on_exact(self, buffer: bytes, pdu: ber.Pdu) -> None:
        found = _asked_for(buffer, pdu, (self._at,))
        feed(self._scanner, found.values())
        self._end(None if found else _unanswered(self._at))

    def _go_on(self, last: bytes) -> None:
        assert self._subtree is not None
        if not self._subtree.ordered:
            if last in self._asked:
                self._end(self._loop() if self._disorder else WalkLoop("the agent repeats itself", oid=self._text()))
                return
            self._asked.add(last)
        self._at = last
        if self._gaps and not self._leap():
            self._end(None)

    def _leap(self) -> bool:
        """Goes over the gaps that the walk has come to; False when nothing is wanted any more."""
        while self._gaps and (self._at == self._gaps[0][0] or ber.oid_follows(self._at, self._gaps[0][0])):
            _, after = self._gaps.popleft()
            if not after:
                return False
            if ber.oid_follows(after, self._at):
                self._at = after
        return True

    def _on_error(self, pdu: ber.Pdu) -> None:
        """RFC 3416 section 4.2: v1 agents end a walk by noSuchName; tooBig asks for less; all else ends it early."""
        if pdu.status == NO_SUCH_NAME and self._may_be_exact() and not self._exact:
            self._exact = True
        elif pdu.status == NO_SUCH_NAME:
            self._end(None)
        elif pdu.status == TOO_BIG and self._bulk and not self._exact and self._repetitions() > 1:
            self._limits.max_repetitions = self._repetitions() // 2
        else:
            self._end(error_status(pdu.status, pdu.index, self._at))

    def _end(self, failure: SnmpError | None) -> None:
        assert self._subtree is not None
        if not self._subtree.ordered:
            self._scanner.unify()
        failure = failure or self._disorder
        if failure is None:
            self.finished.add(self._subtree.root)
        else:
            self.failures[self._subtree.root] = failure
        now, sent, retried = self._meter()
        then, had_sent, had_retried, had = self._began
        self.costs[self._subtree.root] = Cost(
            now - then, sent - had_sent, retried - had_retried, self._scanner.varbind_count - had
        )
        self._subtree = None
        self._exact = False

    def _text(self) -> str:
        return oid.to_text(self._at)


class Gets:
    """Fetches single objects by GET, several at a time, into ``varbinds`` and, if there is one, a scanner.

    ``failures`` maps OIDs that the agent answered with an error-status, or left out of its answer, to the reason;
    objects that do not exist are no failure. ``complete`` says that all were asked for, ``cost`` what it took.
    """

    def __init__(
        self,
        oids: Sequence[bytes],
        scanner: ber.Scanner | None = None,
        *,
        limits: AgentLimits,
        at_once: int = MAX_GET_OIDS,
        meter: Meter = no_meter,
    ) -> None:
        self.cost = Cost()
        self.complete = not oids
        self._meter = meter
        self._began: tuple[float, int, int] | None = None
        self.failures: dict[bytes, SnmpError] = {}
        self.varbinds: list[ber.VarBind] = []
        self._scanner = scanner
        self._limits = limits
        self._at_once = max(1, min(at_once, MAX_GET_OIDS))
        self._waiting = deque(oids)
        self._asked: list[bytes] = []
        self._returned = 0

    def asking(self) -> bytes:
        return self._asked[0] if self._asked else b""

    def failed(self) -> Iterable[SnmpError]:
        return self.failures.values()

    def request(self, request_id: int) -> bytes | None:
        self._began = self._began or self._meter()
        size = min(self._at_once, self._limits.max_get_oids or self._at_once)
        self._asked = [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]
        if not self._asked:
            self._end()
            return None
        return ber.encode_pdu(ber.GET, request_id, 0, 0, b"".join(map(ber.encode_varbind, self._asked)))

    def answer(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if pdu.status:
            self._on_error(pdu)
            return
        found = _asked_for(buffer, pdu, set(self._asked))
        self._returned += len(found)
        self.failures.update({one: _unanswered(one) for one in self._asked if one not in found})
        self.varbinds += found.values()
        if self._scanner is not None:
            feed(self._scanner, found.values())

    def _on_error(self, pdu: ber.Pdu) -> None:
        """tooBig asks for fewer at once; any other error costs the object it points at, and the rest is asked again.

        Where it points at none, fewer are asked for until only one can be meant.
        """
        size = len(self._asked)
        points = 0 < pdu.index <= size
        if size > 1 and (pdu.status == TOO_BIG or not points):
            if pdu.status == TOO_BIG:
                self._limits.max_get_oids = size // 2
            else:
                self._at_once = size // 2
            self._waiting.extendleft(reversed(self._asked))
            return
        guilty = self._asked[pdu.index - 1] if points else self._asked[0]
        if pdu.status != NO_SUCH_NAME:
            self.failures[guilty] = error_status(pdu.status, pdu.index, guilty)
        self._waiting.extendleft(reversed([one for one in self._asked if one != guilty]))

    def _end(self) -> None:
        self.complete = True
        if self._began is not None:
            now, sent, retried = self._meter()
            then, had_sent, had_retried = self._began
            self.cost = Cost(now - then, sent - had_sent, retried - had_retried, self._returned)


class Browse:
    """Walks one subtree and hands each answer's varbinds to ``take`` as they come, whatever they are."""

    def __init__(self, subtree: Subtree, take: Callable[[list[ber.VarBind]], None], *, version: Version) -> None:
        self._scanner = ber.Scanner([subtree.root])
        self._walks = Walks([subtree], self._scanner, version=version, limits=AgentLimits(), strict=True)
        self._take = take
        self._root = subtree.root

    @property
    def failure(self) -> SnmpError | None:
        """Why the walk ended before the subtree did."""
        return self._walks.failures.get(self._root)

    def asking(self) -> bytes:
        return self._walks.asking()

    def failed(self) -> Iterable[SnmpError]:
        return self._walks.failed()

    def request(self, request_id: int) -> bytes | None:
        return self._walks.request(request_id)

    def answer(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self._walks.answer(buffer, pdu)
        octets = self._scanner.take(0)
        self._take(ber.varbinds(octets, 0, len(octets)))
