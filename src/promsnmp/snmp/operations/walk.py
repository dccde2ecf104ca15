"""What is asked of an agent, as state machines without I/O: walks of subtrees, GETs, and single requests.

Each is a ``session.Operation``. Walks and GETs put what they get into a ``ber.Scanner``; what went wrong on the way
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
FIRST_OID = oid.encode("1.0")
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
    """What a part of an operation took."""

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
"""Tells the time (seconds), and how many packets were sent and sent again so far; ``Session.meter`` is one."""


def no_cost_meter() -> tuple[float, int, int]:
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
    get_root: bool = True
    """Whether the root itself is asked for when nothing lies below it; false: it is fetched anyway."""


def error_status(status: int, index: int, at: bytes) -> ErrorStatus:
    """The error for an ``error-status``, with its name."""
    name = ERROR_STATUS[status] if 0 <= status < len(ERROR_STATUS) else "unknown"
    message = f"the agent answered with error-status {name} ({status})"
    return ErrorStatus(message, status=status, index=index, oid=oid.to_text(at))


def _requested_varbinds(buffer: bytes, pdu: ber.Pdu, requested: Collection[bytes]) -> dict[bytes, ber.VarBind]:
    """The varbinds of a GET's answer by OID: those that were asked for, each once. Raises ber.Malformed."""
    varbinds: dict[bytes, ber.VarBind] = {}
    for varbind in ber.varbinds(buffer, pdu.start, pdu.end):
        if varbind.oid in requested:
            varbinds.setdefault(varbind.oid, varbind)
    return varbinds


def _missing_error(at: bytes) -> MalformedMessage:
    """RFC 3416 section 4.2.1: the answer to a GET names what was asked."""
    return MalformedMessage("the agent's answer leaves out what was asked for", oid=oid.to_text(at))


def feed(scanner: ber.Scanner, varbinds: Iterable[ber.VarBind]) -> None:
    """Puts varbinds that were fetched one by one into a scanner."""
    octets = b"".join(ber.encode_varbind(varbind.oid, ber.tlv(varbind.tag, varbind.value)) for varbind in varbinds)
    scanner.feed(octets, 0, len(octets), False)


class WalkOperation:
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
        meter: CostMeter = no_cost_meter,
        strict: bool = False,
    ) -> None:
        self.failures: dict[bytes, SnmpError] = {}
        self.finished: set[bytes] = set()
        self.costs: dict[bytes, Cost] = {}
        self._meter = meter
        self._started = (*meter(), 0)
        self._scanner = scanner
        self._bulk = version is not Version.V1
        self._limits = limits
        self._pending = deque(subtrees)
        self._subtree: Subtree | None = None
        self._position = b""
        self._requested: set[bytes] = set()
        self._order_error: OutOfOrder | None = None
        self._strict = strict
        self._is_get = False
        self._gaps: deque[tuple[bytes, bytes]] = deque()

    def current_oid(self) -> bytes:
        return self._position

    def errors(self) -> Iterable[SnmpError]:
        return self.failures.values()

    def next_pdu(self, request_id: int) -> bytes | None:
        if self._subtree is None:
            if not self._pending:
                return None
            self._begin(self._pending.popleft())
        if self._is_get:
            return ber.encode_request(ber.GET, request_id, 0, 0, self._position)
        if self._bulk:
            return ber.encode_request(ber.GET_BULK, request_id, 0, self._repetitions(), self._position or FIRST_OID)
        return ber.encode_request(ber.GET_NEXT, request_id, 0, 0, self._position or FIRST_OID)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if pdu.status:
            self._on_error(pdu)
        elif self._is_get:
            self._on_get_response(buffer, pdu)
        else:
            self._on_varbinds(buffer, pdu)

    def _begin(self, subtree: Subtree) -> None:
        self._subtree = subtree
        self._position = subtree.root
        self._requested.clear()
        self._order_error = None
        self._started = (*self._meter(), self._scanner.varbind_count)
        self._scanner.start(subtree.root, subtree.ordered)
        self._gaps = deque(subtree.gaps)
        self._skip_gaps()

    def _repetitions(self) -> int:
        assert self._subtree is not None
        repetitions = min(max(1, self._subtree.max_repetitions), MAX_REPETITIONS)
        return min(repetitions, self._limits.max_repetitions) if self._limits.max_repetitions else repetitions

    def _on_varbinds(self, buffer: bytes, pdu: ber.Pdu) -> None:
        scanner = self._scanner
        before = scanner.varbind_count
        verdict = scanner.feed(buffer, pdu.start, pdu.end)
        if verdict == ber.LOOP and scanner.offending_oid != self._position and not self._strict:
            verdict = self._tolerate_disorder(buffer, pdu)
        if verdict == ber.MORE:
            self._continue_from(scanner.last_oid)
        elif verdict == ber.DONE:
            nothing = scanner.varbind_count == before and scanner.last_oid == self._position
            if nothing and self._may_get_root():
                self._is_get = True  # nothing below it: it may name a scalar's instance exactly
            else:
                self._end(None)
        elif verdict == ber.LOOP:
            self._end(self._walk_loop())
        else:
            self._end(WalkLoop("the agent answered without any varbind", oid=self._text()))

    def _walk_loop(self) -> WalkLoop:
        return WalkLoop(f"OID {oid.to_text(self._scanner.offending_oid)} does not increase", oid=self._text())

    def _tolerate_disorder(self, buffer: bytes, pdu: ber.Pdu) -> int:
        """From here on takes what comes in any order, as snmp_exporter does, unless it would have to ask again."""
        assert self._subtree is not None
        which = oid.to_text(self._scanner.offending_oid)
        hint = "rows may be missing, unless the module says that this is so: allow_nonincreasing_oids: true"
        self._order_error = OutOfOrder(f"OID {which} does not increase ({hint})", oid=self._text())
        self._subtree = replace(self._subtree, ordered=False)
        self._gaps.clear()
        self._requested.add(self._position)
        return self._scanner.relax(buffer, pdu.end)

    def _may_get_root(self) -> bool:
        """Whether the walk stands at a root that is to be asked for when nothing lies below it."""
        tree = self._subtree
        return tree is not None and tree.get_root and bool(self._position) and self._position == tree.root

    def _on_get_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        varbinds = _requested_varbinds(buffer, pdu, (self._position,))
        feed(self._scanner, varbinds.values())
        self._end(None if varbinds else _missing_error(self._position))

    def _continue_from(self, last: bytes) -> None:
        assert self._subtree is not None
        if not self._subtree.ordered:
            if last in self._requested:
                self._end(
                    self._walk_loop() if self._order_error else WalkLoop("the agent repeats itself", oid=self._text())
                )
                return
            self._requested.add(last)
        self._position = last
        if self._gaps and not self._skip_gaps():
            self._end(None)

    def _skip_gaps(self) -> bool:
        """Goes over the gaps that the walk has come to; False when nothing is wanted any more."""
        while self._gaps and (self._position == self._gaps[0][0] or ber.oid_follows(self._position, self._gaps[0][0])):
            _, after = self._gaps.popleft()
            if not after:
                return False
            if ber.oid_follows(after, self._position):
                self._position = after
        return True

    def _on_error(self, pdu: ber.Pdu) -> None:
        """RFC 3416 section 4.2: v1 agents end a walk by noSuchName; tooBig asks for less; all else ends it early."""
        if pdu.status == NO_SUCH_NAME and self._may_get_root() and not self._is_get:
            self._is_get = True
        elif pdu.status == NO_SUCH_NAME:
            self._end(None)
        elif pdu.status == TOO_BIG and self._bulk and not self._is_get and self._repetitions() > 1:
            self._limits.max_repetitions = self._repetitions() // 2
        else:
            self._end(error_status(pdu.status, pdu.index, self._position))

    def _end(self, failure: SnmpError | None) -> None:
        assert self._subtree is not None
        if not self._subtree.ordered:
            self._scanner.unify()
        failure = failure or self._order_error
        if failure is None:
            self.finished.add(self._subtree.root)
        else:
            self.failures[self._subtree.root] = failure
        now, sent, retried = self._meter()
        then, had_sent, had_retried, had = self._started
        self.costs[self._subtree.root] = Cost(
            now - then, sent - had_sent, retried - had_retried, self._scanner.varbind_count - had
        )
        self._subtree = None
        self._is_get = False

    def _text(self) -> str:
        return oid.to_text(self._position)


class GetOperation:
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
        batch_size: int = MAX_GET_OIDS,
        meter: CostMeter = no_cost_meter,
    ) -> None:
        self.cost = Cost()
        self.complete = not oids
        self._meter = meter
        self._started: tuple[float, int, int] | None = None
        self.failures: dict[bytes, SnmpError] = {}
        self.varbinds: list[ber.VarBind] = []
        self._scanner = scanner
        self._limits = limits
        self._batch_size = max(1, min(batch_size, MAX_GET_OIDS))
        self._pending = deque(oids)
        self._requested: list[bytes] = []
        self._returned = 0

    def current_oid(self) -> bytes:
        return self._requested[0] if self._requested else b""

    def errors(self) -> Iterable[SnmpError]:
        return self.failures.values()

    def next_pdu(self, request_id: int) -> bytes | None:
        self._started = self._started or self._meter()
        size = min(self._batch_size, self._limits.max_get_oids or self._batch_size)
        self._requested = [self._pending.popleft() for _ in range(min(size, len(self._pending)))]
        if not self._requested:
            self._end()
            return None
        return ber.encode_pdu(ber.GET, request_id, 0, 0, b"".join(map(ber.encode_varbind, self._requested)))

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        if pdu.status:
            self._on_error(pdu)
            return
        varbinds = _requested_varbinds(buffer, pdu, set(self._requested))
        self._returned += len(varbinds)
        self.failures.update({one: _missing_error(one) for one in self._requested if one not in varbinds})
        self.varbinds += varbinds.values()
        if self._scanner is not None:
            feed(self._scanner, varbinds.values())

    def _on_error(self, pdu: ber.Pdu) -> None:
        """tooBig asks for fewer at once; any other error costs the object it points at, and the rest is asked again.

        Where it points at none, fewer are asked for until only one can be meant.
        """
        size = len(self._requested)
        has_index = 0 < pdu.index <= size
        if size > 1 and (pdu.status == TOO_BIG or not has_index):
            if pdu.status == TOO_BIG:
                self._limits.max_get_oids = size // 2
            else:
                self._batch_size = size // 2
            self._pending.extendleft(reversed(self._requested))
            return
        failed = self._requested[pdu.index - 1] if has_index else self._requested[0]
        if pdu.status != NO_SUCH_NAME:
            self.failures[failed] = error_status(pdu.status, pdu.index, failed)
        self._pending.extendleft(reversed([one for one in self._requested if one != failed]))

    def _end(self) -> None:
        self.complete = True
        if self._started is not None:
            now, sent, retried = self._meter()
            then, had_sent, had_retried = self._started
            self.cost = Cost(now - then, sent - had_sent, retried - had_retried, self._returned)


class BrowseOperation:
    """Walks one subtree and hands each answer's varbinds to ``take`` as they come, whatever they are."""

    def __init__(self, subtree: Subtree, take: Callable[[list[ber.VarBind]], None], *, version: Version) -> None:
        self._scanner = ber.Scanner([subtree.root])
        self._walks = WalkOperation([subtree], self._scanner, version=version, limits=AgentLimits(), strict=True)
        self._take = take
        self._root = subtree.root

    @property
    def failure(self) -> SnmpError | None:
        """Why the walk ended before the subtree did."""
        return self._walks.failures.get(self._root)

    def current_oid(self) -> bytes:
        return self._walks.current_oid()

    def errors(self) -> Iterable[SnmpError]:
        return self._walks.errors()

    def next_pdu(self, request_id: int) -> bytes | None:
        return self._walks.next_pdu(request_id)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self._walks.handle_response(buffer, pdu)
        octets = self._scanner.take(0)
        self._take(ber.varbinds(octets, 0, len(octets)))
