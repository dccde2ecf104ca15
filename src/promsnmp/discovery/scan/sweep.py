"""Sweeps many addresses at a limited rate: which of them answer, and to which credentials.

A state machine whose ``step`` is called every few milliseconds and does little each time, so that polls start on time.
A step processes received datagrams, ends timeouts, and sends as many packets as the rate allows. It keeps nothing of
addresses that are done and takes new ones one by one: a million addresses cost no memory.
"""

from __future__ import annotations

import errno
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from promsnmp.discovery.scan.credential_probe import AgentAnswer, CandidateCredentials, Probe, ProbeStep
from promsnmp.discovery.scan.message_ids import MessageId, message_id
from promsnmp.discovery.scan.rate import RateShare, ScanLimits
from promsnmp.discovery.scan.sockets import SendResult, SocketAddress, Undelivered, socket_address
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.keys import KeyCache

log = logging.getLogger(__name__)

TICK = 0.01
"""Seconds between two steps."""
PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.02, 1.0
"""Seconds of pause after the kernel had no buffer for a packet; doubled each time that it happens again."""
NO_BUFFERS = "no_buffers"

_REASONS = {errno.ECONNREFUSED: "refused"}
"""Names of ICMP errors: port unreachable is ``refused``, all others are ``unreachable``."""


class SweepTransport(Protocol):
    """Sends and receives datagrams, as ``sockets.SweepSockets`` does."""

    def send(self, datagram: bytes, sockaddr: SocketAddress) -> SendResult: ...

    def received(self) -> Iterator[tuple[bytes, SocketAddress]]: ...

    def undelivered(self) -> Iterator[Undelivered]: ...


@dataclass(slots=True)
class Progress:
    """The progress of a sweep. ``errors`` counts by kind; a timeout is no error, as most addresses have no agent."""

    addresses: int = 0
    """Addresses to ask, as far as they are known."""
    started: int = 0
    probed: int = 0
    """Addresses that are done."""
    answered: int = 0
    """Addresses that speak SNMP."""
    found: int = 0
    """Addresses that accept one of the credentials."""
    packets: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _PendingProbe:
    """One address that is being asked. ``send_count`` distinguishes old timeouts from the last one."""

    probe: Probe
    sockaddr: SocketAddress
    attempt: int = 0
    send_count: int = 0
    is_queued: bool = False
    """Whether its next datagram waits to be sent."""
    message_id: MessageId | None = None
    """The id of the last datagram."""
    answers_from: str = ""
    """The address that answers instead, if that is accepted."""
    is_elsewhere: bool = False
    """Whether another address has answered instead, which is not accepted."""


class Sweep:
    """Asks ``addresses`` (text, without duplicates) at ``port``; ``on_answer`` is called with each agent that answers.

    ``candidates`` are tried in order; ``extra_candidates`` returns more of them for single addresses, and
    ``is_unconnected`` whether answers of an address may come from another one.
    ``share`` limits the packets. Call ``step`` until the sweep is ``done``.
    Times are seconds of one monotonic clock.
    """

    def __init__(
        self,
        addresses: Iterator[str],
        *,
        port: int,
        candidates: Sequence[CandidateCredentials],
        transport: SweepTransport,
        scan_limits: ScanLimits,
        share: RateShare,
        on_answer: Callable[[AgentAnswer], None],
        keys: KeyCache,
        extra_candidates: Callable[[str], Sequence[CandidateCredentials]] = lambda _: (),
        is_unconnected: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.progress = Progress()
        self.refusing: list[str] = []
        """Addresses that speak SNMP but reject all credentials."""
        self._addresses = addresses
        self._added: deque[tuple[str, int]] = deque()
        self._exhausted = False
        self._port = port
        self._candidates = tuple(candidates)
        self._extra_candidates = extra_candidates
        self._transport = transport
        self._scan_limits = scan_limits
        self._share = share
        self._on_answer = on_answer
        self._keys = keys
        self._is_unconnected = is_unconnected
        self._pending: dict[SocketAddress, _PendingProbe] = {}
        self._by_id: dict[MessageId, _PendingProbe] = {}
        self._send_queue: deque[_PendingProbe] = deque()
        """Probes whose next datagram may be sent."""
        self._timeouts: deque[tuple[float, _PendingProbe, int]] = deque()
        """Deadlines of answers, in the order of sending, as all timeouts are equal."""
        self._paused_until = 0.0
        self._pause_seconds = PAUSE_SECONDS

    @property
    def done(self) -> bool:
        """Whether all known addresses have been asked."""
        return self._exhausted and not self._added and not self._pending

    @property
    def asking(self) -> Iterator[str]:
        """The addresses that are being asked now."""
        return (pending.probe.address for pending in self._pending.values())

    @property
    def in_flight(self) -> int:
        """Addresses that are being asked now."""
        return len(self._pending)

    def add(self, address: str, scope: int = 0) -> None:
        """Adds an address, which may have a zone (``fe80::1%eth0``) with the id ``scope``."""
        self._added.append((address, scope))

    def step(self, now: float) -> None:
        """Processes everything that is due ``now``."""
        for datagram, source in self._transport.received():
            self._on_datagram(datagram, source)
        for sockaddr, reason in self._transport.undelivered():
            self._on_undelivered(sockaddr, reason)
        while self._timeouts and self._timeouts[0][0] <= now:
            self._time_out(*self._timeouts.popleft()[1:])
        if now >= self._paused_until:
            self._send(now)

    # ------------------------------------------------------------------------------------------------- receiving

    def _on_datagram(self, datagram: bytes, source: SocketAddress) -> None:
        pending, number = self._pending.get(source), message_id(datagram)
        asked = self._by_id.get(number) if number is not None else None
        if asked is not None and asked is not pending:
            pending = self._accept_elsewhere(asked, datagram, source)
        if pending is None or not pending.send_count:
            self._count("unexpected")  # late or duplicate, or not accepted from there
            return
        step = pending.probe.on_datagram(datagram)
        if isinstance(step, AgentAnswer):
            self.progress.found += 1
            self._end(pending, found=True)
            self._on_answer(replace(step, answers_from=pending.answers_from))
        else:
            self._go_on(pending, step)

    def _accept_elsewhere(self, asked: _PendingProbe, datagram: bytes, source: SocketAddress) -> _PendingProbe | None:
        """The probe that a datagram from another address answers, if it may.

        An answer that is authenticated may, and others where ``is_unconnected`` says so.
        """
        if not asked.probe.is_response(datagram):
            return None
        where, address = str(SnmpEndpoint(source[0], source[1])), asked.probe.address
        if asked.probe.authenticates or self._is_unconnected(address):
            asked.answers_from = where
            return asked
        if not asked.is_elsewhere:
            asked.is_elsewhere = True
            self._count("elsewhere")
            log.warning(
                "discovery: %s answers from %s, which is not accepted without authentication: let it answer from the"
                " address that is asked, use SNMPv3, or set unconnected of the device or the search", address, where,
            )  # fmt: skip
        return None

    def _on_undelivered(self, sockaddr: SocketAddress, reason: int) -> None:
        pending = self._pending.get(sockaddr)
        if pending is not None and not pending.probe.answered:
            self._count(_REASONS.get(reason, "unreachable"))
            self._end(pending)

    def _time_out(self, pending: _PendingProbe, send_count: int) -> None:
        if send_count != pending.send_count or self._pending.get(pending.sockaddr) is not pending:
            return  # answered, or sent another request since
        if pending.attempt < self._scan_limits.retries:
            pending.attempt += 1
            self._queue(pending)
        else:
            self._go_on(pending, pending.probe.on_timeout())

    def _go_on(self, pending: _PendingProbe, step: ProbeStep) -> None:
        if step is ProbeStep.SEND:
            pending.attempt = 0
            pending.send_count += 1  # no longer waits for the last one
            self._queue(pending)
        elif step is ProbeStep.OVER:
            self._end(pending)

    def _queue(self, pending: _PendingProbe) -> None:
        if not pending.is_queued:
            pending.is_queued = True
            self._send_queue.append(pending)

    def _end(self, pending: _PendingProbe, *, found: bool = False) -> None:
        if self._pending.pop(pending.sockaddr, None) is None:
            return
        self._forget_id(pending)
        self.progress.probed += 1
        if pending.probe.answered:
            self.progress.answered += 1
            if not found:
                self.refusing.append(pending.probe.address)

    def _forget_id(self, pending: _PendingProbe) -> None:
        if pending.message_id is not None and self._by_id.get(pending.message_id) is pending:
            del self._by_id[pending.message_id]

    def _count(self, kind: str) -> None:
        self.progress.errors[kind] += 1

    # --------------------------------------------------------------------------------------------------- sending

    def _send(self, now: float) -> None:
        allowed = self._share.available(now)
        tried = sent = 0
        while tried < allowed:
            pending = self._next()
            if pending is None:
                break
            datagram = pending.probe.datagram()
            outcome = self._transport.send(datagram, pending.sockaddr)
            if outcome is SendResult.BUFFER_FULL:
                pending.is_queued = True
                self._send_queue.appendleft(pending)
                self._pause(now)
                break
            tried += 1  # a failed attempt takes time, too
            if outcome is SendResult.UNREACHABLE:
                self._count("unreachable")
                self._end(pending)
                continue
            sent += 1
            self._pause_seconds = PAUSE_SECONDS
            pending.send_count += 1
            self._forget_id(pending)
            pending.message_id = message_id(datagram)
            if pending.message_id is not None:
                self._by_id[pending.message_id] = pending
            self._timeouts.append((now + self._scan_limits.timeout, pending, pending.send_count))
        self._share.spend(tried)
        self.progress.packets += sent

    def _pause(self, now: float) -> None:
        """Full buffers, or a full neighbour table (arp(7)), mean that the rate is too high."""
        self._count(NO_BUFFERS)
        self._paused_until = now + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2, MAX_PAUSE_SECONDS)

    def _next(self) -> _PendingProbe | None:
        """The next probe to send: first those that have begun, then new addresses."""
        while self._send_queue:
            pending = self._send_queue.popleft()
            pending.is_queued = False
            if self._pending.get(pending.sockaddr) is pending:
                return pending
        while len(self._pending) < self._scan_limits.in_flight:
            drawn = self._next_address()
            if drawn is None:
                return None
            address, scope = drawn
            sockaddr = socket_address(address.partition("%")[0], self._port, scope)
            if sockaddr in self._pending:
                continue
            self.progress.started += 1
            candidates = (*self._candidates, *self._extra_candidates(address))
            probe = Probe(address, self._port, candidates, keys=self._keys, count=self._count)
            pending = self._pending[sockaddr] = _PendingProbe(probe, sockaddr)
            return pending
        return None

    def _next_address(self) -> tuple[str, int] | None:
        if self._added:
            return self._added.popleft()
        address = next(self._addresses, None)
        if address is None:
            self._exhausted = True
            return None
        return address, 0
