"""Makes ``interface_utilization``: a histogram of how busy each interface was between two polls.

Per interface, both directions together: the octets received and sent since the last poll, in bits per second, as a
percentage of the interface's speed. A full-duplex interface that is busy both ways can therefore show up to 200.

Only certain values are observed. A counter that decreased has either wrapped or was reset; it counts as wrapped only if
the interface could have carried that much, which is never so for a 64-bit counter that was reset (RFC 2863 section
3.1.6). A 32-bit counter that may have wrapped more than once is ignored. After a reboot (seen by sysUpTime, RFC 3418)
the next observation takes two polls.

A series is identified by its labels. One that is missing for a while, because a walk ended early or a line card was
out, continues where it was, with one observation over the whole time.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from promsnmp.exposition.formats import text
from promsnmp.exposition.utilization.native import NativeBuckets, numbers_of, octets_of
from promsnmp.snmp import ber

NAME = "interface_utilization"
HELP = "Share of the interface's speed used between two polls, both directions together, in percent."
BOUNDS = (1, 5, 10, 25, 50, 75, 90, 95, 100)
_UNLIMITED = 4_294_967_295  # RFC 2863 section 3.1.4: ifSpeed of interfaces too fast for it
_WRAP32 = 1 << 32
_TICKS_WRAP = 1 << 32
_PLAUSIBLE_SHARE = 1.1
"""How far above its speed an interface may seem to run (counters and polls are not in step)."""
_MAX_AGE = 86_400.0
"""Seconds for which a series is kept while its interface is missing."""
_SPARE_SERIES = 1000
"""Series of missing interfaces that are kept, besides as many as there are interfaces."""

_BOUND_TEXTS = [f'le="{bound}"}} '.encode() for bound in (*BOUNDS, "+Inf")]
OPENMETRICS_BOUNDS = {f'le="{bound}"}} '.encode(): f'le="{bound}.0"}} '.encode() for bound in BOUNDS}
"""OpenMetrics has bounds as floats (1.0, section 5.3.5): the pieces that differ there, by their text form."""


@dataclass(slots=True)
class UtilizationSeries(NativeBuckets):
    """The histogram of one interface, classic and native, and the counters at its last observation."""

    labels: bytes
    classic: bytearray = field(default_factory=lambda: octets_of([0] * (len(BOUNDS) + 1)))
    """Observations up to each bound and above the previous one; the last: above all bounds (as ``buckets``)."""
    total: float = 0.0
    at: float = 0.0
    bits: int = 0
    received: int = 0
    sent: int = 0
    rates: tuple[float, float] | None = None
    """Bits per second received and sent between the last two polls; None where that is not certain."""

    def counts(self) -> list[int]:
        """The numbers in ``classic``."""
        return numbers_of(self.classic)

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Each bound, infinity last, with the number of observations at or below it."""
        return zip((*BOUNDS, math.inf), accumulate(self.counts()), strict=True)


class InterfaceCounters(NamedTuple):
    """One poll of one interface: label text, speed in bits per second (0: unknown), octets, and the counters' width in
    bits."""

    labels: bytes
    speed: float
    received: int
    sent: int
    bits: int


class Utilization:
    """The histograms of one device, over the life of the process."""

    def __init__(self) -> None:
        self._series: dict[bytes, UtilizationSeries] = {}
        self._present: list[UtilizationSeries] = []
        self._ticks: int | None = None
        self._ticks_at = 0.0
        self.counts_on = False
        """Whether some counter is higher than at the poll before, and none is lower."""

    def observe(self, interfaces: Iterable[InterfaceCounters], *, at: float, ticks: int | None) -> None:
        """Observes one poll: its interfaces, its time (seconds, monotonic), and sysUpTime (1/100 s) if known.

        A series begins with the first poll that has its interface's speed.
        """
        if self._rebooted(ticks, at):
            for series in self._series.values():
                series.bits = 0
        present: list[UtilizationSeries] = []
        grown = fell = False
        for interface in interfaces:
            known = self._series.get(interface.labels)
            if known is None:
                if not interface.speed:
                    continue
                known = self._series[interface.labels] = UtilizationSeries(interface.labels)
            else:
                _observe(known, interface, at)
                grown = grown or interface.received > known.received > 0
                fell = fell or interface.received < known.received or interface.sent < known.sent
            known.at, known.bits, known.received, known.sent = at, interface.bits, interface.received, interface.sent
            present.append(known)
        self._present, self.counts_on = present, grown and not fell
        if len(self._present) < len(self._series):
            self._drop_missing(at)

    def _drop_missing(self, at: float) -> None:
        """Drops series of interfaces that have been missing for long, and the oldest ones if too many are missing."""
        series = [one for one in self._series.values() if at - one.at < _MAX_AGE]
        most = 2 * len(self._present) + _SPARE_SERIES
        if len(series) > most:
            series = sorted(series, key=lambda one: one.at)[-most:]
        self._series = {one.labels: one for one in series}

    def _rebooted(self, ticks: int | None, at: float) -> bool:
        """Whether the device restarted since the last poll that read its sysUpTime."""
        if ticks is None:
            return False
        before, since = self._ticks, at - self._ticks_at
        self._ticks, self._ticks_at = ticks, at
        if before is None:
            return False
        if ticks >= before:  # it is up for less time than has passed, and its clock did not advance
            return ticks / 100 < since * 1.01 + 5 and (ticks - before) / 100 < since * 0.9 - 5
        wrapped = ticks + _TICKS_WRAP - before
        return abs(wrapped / 100 - since) > 60 + since * 0.1

    def all_series(self) -> Sequence[UtilizationSeries]:
        """The histograms of all interfaces, also of those that are missing for a while."""
        return list(self._series.values())

    def uptime(self, now: float) -> tuple[int, float] | None:
        """sysUpTime as read last (1/100 s), and its age in seconds at ``now`` (monotonic); None when it is unknown."""
        return None if self._ticks is None else (self._ticks, now - self._ticks_at)

    def take_over(
        self, series: Iterable[UtilizationSeries], present: Iterable[bool], uptime: tuple[int, float] | None, now: float
    ) -> None:
        """Continues histograms of another process; those that were begun here already stay."""
        for one, is_present in zip(series, present, strict=True):
            if one.labels not in self._series:
                self._series[one.labels] = one
                if is_present:
                    self._present.append(one)
        if uptime is not None and self._ticks is None:
            self._ticks, self._ticks_at = uptime[0], now - uptime[1]

    def current_series(self) -> Sequence[UtilizationSeries]:
        """The histograms of all interfaces of the last poll."""
        return self._present

    def samples(self) -> list[bytes]:
        """Pieces of the samples of all interfaces of the last poll, as from ``text.samples``."""
        return classic_samples(self._present)


def classic_samples(histograms: Iterable[UtilizationSeries]) -> list[bytes]:
    """Pieces of the samples of histograms, as from ``text.samples``."""
    parts: list[bytes] = []
    for series in histograms:
        _append_samples(parts, series)
    return parts


def _observe(series: UtilizationSeries, now: InterfaceCounters, at: float) -> None:
    """Observes what an interface carried since its last poll, if that is certain."""
    _, speed, received, sent, bits = now
    series.rates = None
    seconds = at - series.at
    if seconds <= 0 or speed <= 0 or series.bits != bits:
        return
    inward, outward = received - series.received, sent - series.sent
    if bits == 32 or inward < 0 or outward < 0:
        most = speed / 8 * seconds * _PLAUSIBLE_SHARE
        certain = _unwrapped(inward, bits, most), _unwrapped(outward, bits, most)
        if None in certain:
            return
        inward, outward = certain  # type: ignore[assignment]  # no None
    series.rates = inward * 8 / seconds, outward * 8 / seconds
    percent = (inward + outward) * 800 / (seconds * speed)
    memoryview(series.classic).cast("I")[bisect_left(BOUNDS, percent)] += 1
    series.total += percent
    series.observe_native(percent)


def _unwrapped(difference: int, bits: int, most: float) -> int | None:
    """Octets between two readings, None when unknown. ``most`` is how many the interface can carry."""
    if bits == 32 and most >= _WRAP32:
        return None  # it may have wrapped more than once
    if difference >= 0:
        return difference
    wrapped = difference + (1 << bits)
    return wrapped if wrapped <= most else None


def _append_samples(parts: list[bytes], series: UtilizationSeries) -> None:
    labels = series.labels
    names = labels[:-2] + b"," if len(labels) > 1 else b"{"
    count = text.buckets(parts, b"\ninterface_utilization_bucket" + names, _BOUND_TEXTS, series.counts())
    parts += (b"\ninterface_utilization_sum", labels, ber.float_text(series.total))
    parts += (b"\ninterface_utilization_count", labels, count)


def speed_of(high_speed: float | None, speed: float | None) -> float:
    """Bits per second from ifHighSpeed (Mbit/s) or, where that is 0 or missing, ifSpeed; 0 when neither is known."""
    if high_speed is not None and high_speed > 0:
        return high_speed * 1e6
    return 0.0 if speed is None or speed == _UNLIMITED else float(max(speed, 0))
