"""A paced sweep over many addresses: who answers, and to which credentials.

One state machine that is stepped every few milliseconds and does little each time, so that polls beside it start when
they are due. A step takes what came, gives up what was waited for long enough, and sends as many packets as the pace
allows. Nothing is kept of addresses that are done, and new ones are drawn one by one: a million cost no memory.
"""

from __future__ import annotations

import errno
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from promsnmp.discovery.scan.credential_probe import Answer, Login, Probe, Step
from promsnmp.discovery.scan.rate import Pace, Share
from promsnmp.discovery.scan.sockets import Lost, Place, Sent, place_of
from promsnmp.snmp.v3.keys import KeyCache

TICK = 0.01
"""Seconds between two steps."""
HOLD, LONGEST_HOLD = 0.02, 1.0
"""Seconds that nothing is sent after the kernel had no room for a packet; doubled each time that it is so again."""
HELD = "no_buffers"

_REASONS = {errno.ECONNREFUSED: "refused"}
"""What ICMP's port unreachable is called; the others are ``unreachable``."""


class Link(Protocol):
    """What carries datagrams; ``wire.Wire`` is one."""

    def send(self, datagram: bytes, place: Place) -> Sent: ...

    def received(self) -> Iterator[tuple[bytes, Place]]: ...

    def lost(self) -> Iterator[Lost]: ...


@dataclass(slots=True)
class Progress:
    """How far a sweep is. ``errors`` counts by kind; silence is none: it is what addresses without an agent answer."""

    addresses: int = 0
    """Addresses to ask, as far as is known."""
    started: int = 0
    probed: int = 0
    """Addresses that are done with."""
    answered: int = 0
    """Addresses at which something speaks SNMP."""
    found: int = 0
    """Addresses that answer to one of the credentials."""
    packets: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Flight:
    """One address that is being asked. ``turn`` counts what was sent, so that old timeouts are told from the last."""

    probe: Probe
    place: Place
    attempt: int = 0
    turn: int = 0
    waits: bool = False
    """Whether its next datagram waits for its turn to leave."""


class Sweep:
    """Asks ``addresses`` (text, without duplicates) at ``port``; ``found`` is called with each agent that answers.

    ``logins`` are tried in order; ``more`` gives further ones for single addresses. ``share`` says how many packets may
    leave. Step it until it is ``done``; times are seconds of one clock that never goes back.
    """

    def __init__(
        self,
        addresses: Iterator[str],
        *,
        port: int,
        logins: Sequence[Login],
        link: Link,
        pace: Pace,
        share: Share,
        found: Callable[[Answer], None],
        keys: KeyCache,
        more: Callable[[str], Sequence[Login]] = lambda _: (),
    ) -> None:
        self.progress = Progress()
        self.refusing: list[str] = []
        """Addresses at which something speaks SNMP that none of the credentials is good for."""
        self._addresses = addresses
        self._added: deque[tuple[str, int]] = deque()
        self._exhausted = False
        self._port = port
        self._logins = tuple(logins)
        self._more = more
        self._link = link
        self._pace = pace
        self._share = share
        self._found = found
        self._keys = keys
        self._flights: dict[Place, _Flight] = {}
        self._due: deque[_Flight] = deque()
        """Flights whose next datagram may leave."""
        self._timeouts: deque[tuple[float, _Flight, int]] = deque()
        """When the answer to a turn is no longer waited for; in the order of sending, as all wait equally long."""
        self._held_until = 0.0
        self._hold = HOLD

    @property
    def done(self) -> bool:
        """Whether all addresses that are known were asked."""
        return self._exhausted and not self._added and not self._flights

    @property
    def in_flight(self) -> int:
        """Addresses that are being asked."""
        return len(self._flights)

    def add(self, address: str, scope: int = 0) -> None:
        """Asks one more address, which may have a zone (``fe80::1%eth0``); its scope id is that of the zone."""
        self._added.append((address, scope))

    def step(self, now: float) -> None:
        """Does what there is to do ``now``."""
        for datagram, source in self._link.received():
            self._receive(datagram, source)
        for place, reason in self._link.lost():
            self._lose(place, reason)
        while self._timeouts and self._timeouts[0][0] <= now:
            self._time_out(*self._timeouts.popleft()[1:])
        if now >= self._held_until:
            self._send(now)

    # ------------------------------------------------------------------------------------------------- receiving

    def _receive(self, datagram: bytes, source: Place) -> None:
        flight = self._flights.get(source)
        if flight is None or not flight.turn:
            self._count("unexpected")  # late, doubled, or from another address than was asked
            return
        step = flight.probe.take(datagram)
        if isinstance(step, Answer):
            self.progress.found += 1
            self._end(flight, found=True)
            self._found(step)
        else:
            self._go_on(flight, step)

    def _lose(self, place: Place, reason: int) -> None:
        flight = self._flights.get(place)
        if flight is not None and not flight.probe.answered:
            self._count(_REASONS.get(reason, "unreachable"))
            self._end(flight)

    def _time_out(self, flight: _Flight, turn: int) -> None:
        if turn != flight.turn or self._flights.get(flight.place) is not flight:
            return  # answered, or asked something else since
        if flight.attempt < self._pace.retries:
            flight.attempt += 1
            self._queue(flight)
        else:
            self._go_on(flight, flight.probe.timed_out())

    def _go_on(self, flight: _Flight, step: Step) -> None:
        if step is Step.SEND:
            flight.attempt = 0
            flight.turn += 1  # the last one is not waited for any more
            self._queue(flight)
        elif step is Step.OVER:
            self._end(flight)

    def _queue(self, flight: _Flight) -> None:
        if not flight.waits:
            flight.waits = True
            self._due.append(flight)

    def _end(self, flight: _Flight, *, found: bool = False) -> None:
        if self._flights.pop(flight.place, None) is None:
            return
        self.progress.probed += 1
        if flight.probe.answered:
            self.progress.answered += 1
            if not found:
                self.refusing.append(flight.probe.address)

    def _count(self, kind: str) -> None:
        self.progress.errors[kind] += 1

    # --------------------------------------------------------------------------------------------------- sending

    def _send(self, now: float) -> None:
        allowed = self._share.fill(now)
        tried = sent = 0
        while tried < allowed:
            flight = self._next()
            if flight is None:
                break
            outcome = self._link.send(flight.probe.datagram(), flight.place)
            if outcome is Sent.FULL:
                flight.waits = True
                self._due.appendleft(flight)
                self._pause(now)
                break
            tried += 1  # what cannot be sent takes time, too
            if outcome is Sent.IMPOSSIBLE:
                self._count("unreachable")
                self._end(flight)
                continue
            sent += 1
            self._hold = HOLD
            flight.turn += 1
            self._timeouts.append((now + self._pace.timeout, flight, flight.turn))
        self._share.spend(tried)
        self.progress.packets += sent

    def _pause(self, now: float) -> None:
        """Full buffers and a full neighbour table (arp(7)) are signs that it goes too fast."""
        self._count(HELD)
        self._held_until = now + self._hold
        self._hold = min(self._hold * 2, LONGEST_HOLD)

    def _next(self) -> _Flight | None:
        """What may leave next: what is on its way already, then addresses that are new."""
        while self._due:
            flight = self._due.popleft()
            flight.waits = False
            if self._flights.get(flight.place) is flight:
                return flight
        while len(self._flights) < self._pace.in_flight:
            drawn = self._draw()
            if drawn is None:
                return None
            address, scope = drawn
            place = place_of(address.partition("%")[0], self._port, scope)
            if place in self._flights:
                continue
            self.progress.started += 1
            logins = (*self._logins, *self._more(address))
            probe = Probe(address, self._port, logins, keys=self._keys, count=self._count)
            flight = self._flights[place] = _Flight(probe, place)
            return flight
        return None

    def _draw(self) -> tuple[str, int] | None:
        if self._added:
            return self._added.popleft()
        address = next(self._addresses, None)
        if address is None:
            self._exhausted = True
            return None
        return address, 0
