"""Devices whose counters are the time of their reading, and scrapes that are compared with earlier ones.

A counter that holds the time (``lease_clock``, in microseconds) says when it was read, whichever replica read it. So
two answers show which of them has the older collection, and a single row that goes back is noticed.
"""

from __future__ import annotations

import http.client
import random
import re
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx

from promsnmp.cluster.election.rules import lease_clock
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.interfaces import IF_ENTRY, IF_X_ENTRY
from promsnmp.sim.parts.objects import integer, system, table, text, unsigned
from promsnmp.snmp import ber
from tests.support.cluster.replica import Replica
from tests.support.failures.fleet.harness import CountedDevice
from tests.support.failures.load.thread_group import ThreadGroup

PORTS = 3
CLIENTS = 12
TIMEOUT = 10.0
SETTINGS = {"COLLECTION_MODULES": "if_mib"}
"""Replicas that poll these devices need these settings."""
_SAMPLE = re.compile(rb"^(ifHC(?:In|Out)Octets|interface_utilization_count)\{([^}]*)\} (\S+)$", re.MULTILINE)


def _now(_: float) -> bytes:
    return ber.encode_integer(int(lease_clock() * 1e6), ber.COUNTER64)


class ReadingDevice(CountedDevice):
    """A device with ``PORTS`` interfaces whose octet counters are the time: each is 16 percent busy, always."""

    def __init__(self, name: str) -> None:
        objects = system(name, "a clock", object_id_suffix="9", contact="", location="", services=2)
        rows = range(1, PORTS + 1)
        objects |= table(IF_ENTRY, {(row,): {1: integer(row), 2: text(f"port {row}")} for row in rows})
        objects |= table(
            IF_X_ENTRY, {(row,): {1: text(f"p{row}"), 6: _now, 10: _now, 15: unsigned(100)} for row in rows}
        )
        super().__init__(name, Mib.of(objects))


@dataclass(frozen=True, slots=True)
class Scrape:
    """A scrape that was answered with 200. Times are by ``lease_clock``."""

    target: str
    replica: str
    begun: float
    ended: float
    readings: dict[bytes, float]
    """When each counter was read, by series."""
    counts: dict[bytes, float]
    """Observations of each utilisation histogram, by series; empty when the page has none."""


class ReadingScrapes(ThreadGroup):
    """``rate`` scrapes per second in total, each of any target at any of ``endpoints``, which may be changed.

    ``done`` and ``failures`` are the results.
    """

    def __init__(self, endpoints: Sequence[Replica], targets: Sequence[str], *, rate: float) -> None:
        super().__init__(self._scrape_on, count=CLIENTS, patience=2 * TIMEOUT)
        self.endpoints = list(endpoints)
        self.done: list[Scrape] = []
        self.failures: list[str] = []
        self.slowest = 0.0
        self._targets = targets
        self._pause = CLIENTS / rate
        self._lock = threading.Lock()
        self.start()

    def leave_out(self, replica: Replica) -> None:
        """Sends no further scrapes to this replica."""
        self.endpoints = [one for one in self.endpoints if one is not replica]

    def include(self, *replicas: Replica) -> None:
        """Sends scrapes to these replicas, too."""
        self.endpoints = [*(one for one in self.endpoints if one not in replicas), *replicas]

    def _scrape_on(self, number: int) -> None:
        chance = random.Random(number)
        due = time.monotonic() + self._pause * number / CLIENTS
        connections: dict[str, http.client.HTTPConnection] = {}
        while not self.ended.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic() - self._pause)
            if self.endpoints:
                self._scrape(chance.choice(self.endpoints), chance.choice(self._targets), connections)
        for one in connections.values():
            one.close()

    def _scrape(self, replica: Replica, target: str, connections: dict[str, http.client.HTTPConnection]) -> None:
        begun = lease_clock()
        try:
            status, page = _get(replica, target, connections)
        except (OSError, http.client.HTTPException) as error:
            connections.pop(replica.url, None)
            self._failed(replica, target, begun, repr(error))
            return
        ended = lease_clock()
        self.slowest = max(self.slowest, ended - begun)
        if status != 200:
            self._failed(replica, target, begun, f"{status} {page[:200]!r}")
            return
        samples = _SAMPLE.findall(page)
        readings = {name + labels: float(number) / 1e6 for name, labels, number in samples if name.startswith(b"if")}
        counts = {labels: float(number) for name, labels, number in samples if not name.startswith(b"if")}
        with self._lock:
            self.done.append(Scrape(target, replica.name, begun, ended, readings, counts))

    def _failed(self, replica: Replica, target: str, begun: float, what: str) -> None:
        if replica in self.endpoints:  # else it was killed or is asleep
            self.failures.append(f"{target} at {replica.name}, begun {begun:.3f}, ended {lease_clock():.3f}: {what}")


def _get(replica: Replica, target: str, connections: dict[str, http.client.HTTPConnection]) -> tuple[int, bytes]:
    """Status and body; a request on a connection that was closed meanwhile is sent once more, as Go's client does."""
    for _ in range(2):
        connection = connections.get(replica.url)
        is_new = connection is None
        if connection is None:
            host = httpx.URL(replica.url).host
            connection = connections[replica.url] = http.client.HTTPConnection(host, replica.port, timeout=TIMEOUT)
        try:
            connection.request("GET", f"/snmp?target={target}", headers={"X-Prometheus-Scrape-Timeout-Seconds": "10"})
            answer = connection.getresponse()
            page = answer.read()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connections.pop(replica.url).close()
            if is_new:
                raise
            continue
        if answer.will_close:
            connections.pop(replica.url).close()
        return answer.status, page
    raise AssertionError("unreachable")


# ------------------------------------------------------------------------------------------------ what must not happen


@dataclass(frozen=True, slots=True)
class Backward:
    """A later scrape with an older value: of two scrapes, the second began after the first had ended."""

    series: bytes
    earlier: Scrape
    later: Scrape
    by: float
    """How far it went back."""

    def __str__(self) -> str:
        first, then = self.earlier, self.later
        return (
            f"{first.target} {self.series.decode()}: {self.by:.3f} less at {then.replica} ({then.begun:.3f} to "
            f"{then.ended:.3f}) than at {first.replica} ({first.begun:.3f} to {first.ended:.3f})"
        )


def _in_order(scrapes: Sequence[Scrape]) -> Iterator[tuple[Scrape, list[Scrape]]]:
    """Each scrape of a target in the order of their beginnings, with those that ended since the scrape before it began
    and before it began."""
    by_end = sorted(scrapes, key=lambda one: one.ended)
    at = 0
    for one in sorted(scrapes, key=lambda one: one.begun):
        first = at
        while at < len(by_end) and by_end[at].ended < one.begun:
            at += 1
        yield one, by_end[first:at]


def _by_target(scrapes: Sequence[Scrape]) -> dict[str, list[Scrape]]:
    found: dict[str, list[Scrape]] = {}
    for one in list(scrapes):
        found.setdefault(one.target, []).append(one)
    return found


def regressions(scrapes: Sequence[Scrape]) -> list[Backward]:
    """Scrapes that return a value older than that of any scrape that ended before they began; one per scrape."""
    found = []
    for of_target in _by_target(scrapes).values():
        newest: dict[bytes, tuple[float, Scrape]] = {}
        for one, ended in _in_order(of_target):
            for earlier in ended:
                for series, at in earlier.readings.items():
                    if at > newest.get(series, (0.0, earlier))[0]:
                        newest[series] = at, earlier
            back = [
                Backward(series, newest[series][1], one, newest[series][0] - at)
                for series, at in one.readings.items()
                if series in newest and at < newest[series][0]
            ]
            found += sorted(back, key=lambda each: -each.by)[:1]
    return found


def histogram_steps(
    scrapes: Sequence[Scrape], devices: Sequence[CountedDevice]
) -> tuple[list[Backward], list[Backward]]:
    """Histograms that began anew, and those that jumped to another history, compared with the last scrape before.

    A history that goes on has as many more observations as the device was polled meanwhile, at most; one that has begun
    anew has no more than that.
    """
    polls = {one.name: sorted(at for at, _ in list(one.polls)) for one in devices}
    resets, jumps = [], []
    for step in _histogram_steps(scrapes):
        between = _polls_between(step, polls[step.later.target]) + 1
        if step.by > 0 and step.later.counts[step.series] <= between:
            resets.append(step)
        elif step.by > 0 or -step.by > between:
            jumps.append(step)
    return resets, jumps


def _polls_between(step: Backward, polls: Sequence[float]) -> int:
    first, last = min(step.earlier.readings.values()), max(step.later.readings.values())
    return bisect_left(polls, last) - bisect_left(polls, first)


def _histogram_steps(scrapes: Sequence[Scrape]) -> Iterator[Backward]:
    """Of each scrape with histograms and the last one before it, the series that went back most or ahead most."""
    for of_target in _by_target(scrapes).values():
        last: Scrape | None = None
        for one, ended in _in_order([each for each in of_target if each.counts]):
            last = max((each for each in (last, *ended) if each is not None), key=lambda each: each.ended, default=None)
            if last is None:
                continue
            steps = [
                Backward(series, last, one, last.counts[series] - count)
                for series, count in one.counts.items()
                if series in last.counts
            ]
            yield from sorted(steps, key=lambda each: -abs(each.by))[:1]
