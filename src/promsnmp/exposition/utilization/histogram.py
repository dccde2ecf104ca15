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
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import lt
from typing import Any, Literal, NamedTuple, overload

from promsnmp.exposition.utilization import packed
from promsnmp.exposition.utilization.label_block import NO_LABELS, LabelBlock
from promsnmp.exposition.utilization.native import ZERO
from promsnmp.exposition.utilization.packed import CLASSIC, NO_RATE

NAME = "interface_utilization"
HELP = "Share of the interface's speed used between two polls, both directions together, in percent."
BOUNDS = packed.BOUNDS
_UNLIMITED = 4_294_967_295  # RFC 2863 section 3.1.4: ifSpeed of interfaces too fast for it
_TICKS_WRAP = 1 << 32
_COUNTER_END = 1 << 64
_MAX_AGE = 86_400.0
"""Seconds for which a series is kept while its interface is missing."""
_SPARE_SERIES = 1000
"""Series of missing interfaces that are kept, besides as many as there are interfaces."""
_ROWS_AT_ONCE = 256
"""Interfaces whose samples are written at a time."""

_BOUND_TEXTS = [f'le="{bound}"}} '.encode() for bound in (*BOUNDS, "+Inf")]


@dataclass(slots=True)
class UtilizationSeries:
    """The histogram of one interface, classic and native, and the counters at its last observation."""

    labels: bytes
    buckets: bytes = bytes(CLASSIC + 1)
    """The counts of its buckets, as in ``packed``."""
    total: float = 0.0
    at: float = 0.0
    bits: int = 0
    received: int = 0
    sent: int = 0
    lowest: int = 0
    """The number of the first native bucket."""
    rates: tuple[float, float] | None = None
    """Bits per second received and sent between the last two polls; None where that is not certain."""

    def counts(self) -> list[int]:
        """Observations up to each bound and above the previous one; the last: above all bounds."""
        return packed.read_counts(self.buckets)[:CLASSIC]

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Each bound, infinity last, with the number of observations at or below it."""
        return zip((*BOUNDS, math.inf), accumulate(self.counts()), strict=True)

    @property
    def zero(self) -> int:
        """The count of the native zero bucket."""
        return packed.read_counts(self.buckets)[CLASSIC]

    def bucket_numbers(self) -> list[int]:
        """The counts of the native buckets from the ``lowest`` on."""
        return packed.read_counts(self.buckets)[CLASSIC + 1 :]

    def native_counts(self) -> dict[int, int]:
        """The counts of the native buckets that are not empty, by number."""
        found = {ZERO: self.zero, **dict(enumerate(self.bucket_numbers(), self.lowest))}
        return {index: count for index, count in found.items() if count}


class InterfaceCounters(NamedTuple):
    """One poll of one interface: label text, speed in bits per second (0: unknown), octets, and the counters' width in
    bits."""

    labels: bytes
    speed: float
    received: int
    sent: int
    bits: int


class PackedSeries(Sequence[UtilizationSeries]):
    """The histograms of interfaces in little memory; never changed, so that a thread may read them."""

    __slots__ = ("_counts", "_fixed", "labels")

    def __init__(self, labels: LabelBlock, fixed: bytearray, counts: bytearray) -> None:
        self.labels = labels
        self._fixed = fixed
        self._counts = counts

    @classmethod
    def of(cls, series: Sequence[UtilizationSeries]) -> PackedSeries:
        """These histograms."""
        labels = LabelBlock([one.labels for one in series])
        rates = [rate for one in series for rate in one.rates or (NO_RATE, NO_RATE)]
        sections = (
            array("Q", [one.received for one in series]),
            array("Q", [one.sent for one in series]),
            array("d", [one.total for one in series]),
            array("d", [one.at for one in series]),
            array("f", rates),
            array("i", [one.lowest for one in series]),
            array("I", [len(one.buckets) << 8 | one.bits for one in series]),
        )
        fixed = bytearray(b"".join([section.tobytes() for section in sections]))
        return cls(labels, fixed, bytearray(b"".join([one.buckets for one in series])))

    def __len__(self) -> int:
        return self.labels.count

    @overload
    def __getitem__(self, at: int) -> UtilizationSeries: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[UtilizationSeries]: ...

    def __getitem__(self, at: int | slice) -> UtilizationSeries | Sequence[UtilizationSeries]:
        return list(self)[at]

    def __iter__(self) -> Iterator[UtilizationSeries]:
        received, sent, place = self._section("Q", 0), self._section("Q", 8), 0
        total, at, rates = self._section("d", 16), self._section("d", 24), self.rates()
        lowest, sizes = self._section("i", 40, 4), self._section("I", 44, 4)
        for row, labels in enumerate(self.labels.labels()):
            size = sizes[row] >> 8
            pair = (rates[2 * row], rates[2 * row + 1])
            yield UtilizationSeries(
                labels,
                bytes(self._counts[place : place + size]),
                total[row],
                at[row],
                sizes[row] & 0xFF,
                received[row],
                sent[row],
                lowest[row],
                None if pair[0] == NO_RATE else pair,
            )
            place += size

    def _section(self, code: Literal["Q", "d", "f", "i", "I"], first: int, octets: int = 8) -> Sequence[Any]:
        """The section whose numbers begin ``first`` octets for each interface behind the beginning, ``octets`` each."""
        count = len(self)
        return memoryview(self._fixed)[first * count : (first + octets) * count].cast(code).tolist()

    def rates(self) -> Sequence[float]:
        """Bits per second received and sent of each interface, one after the other; NO_RATE where not certain."""
        return self._section("f", 32)

    def polled_at(self) -> float | None:
        """When the first interface was polled last; None without interfaces."""
        return self._section("d", 24)[0] if len(self) else None

    def observed(self, interfaces: Sequence[InterfaceCounters], at: float) -> PackedSeries:
        """These histograms after a poll of the same interfaces in the same order."""
        _, speeds, received, sent, widths = map(list, zip(*interfaces, strict=True))
        if min(received) < 0 or min(sent) < 0 or max(received) >= _COUNTER_END or max(sent) >= _COUNTER_END:
            for row, one in enumerate(interfaces):
                if not (0 <= one.received < _COUNTER_END and 0 <= one.sent < _COUNTER_END):
                    received[row] = sent[row] = widths[row] = 0
        fixed, counts = bytearray(self._fixed), bytearray(self._counts)
        counts = packed.observe(fixed, counts, speeds, received, sent, widths, at)
        return PackedSeries(self.labels, fixed, counts)

    def counts_on(self, before: PackedSeries) -> bool:
        """Whether some counter is higher than ``before``, and none is lower; these are the same interfaces."""
        old, new = before._section("Q", 0, 16), self._section("Q", 0, 16)
        if any(map(lt, new, old)):
            return False
        received = len(self)
        return any(0 < one < other for one, other in zip(old[:received], new[:received], strict=True))

    def without_widths(self) -> PackedSeries:
        """These histograms after a reboot: the next poll observes nothing."""
        fixed, count = bytearray(self._fixed), len(self)
        sizes = memoryview(fixed)[44 * count :].cast("I")
        for row in range(count):
            sizes[row] = sizes[row] >> 8 << 8
        sizes.release()
        return PackedSeries(self.labels, fixed, self._counts)

    def samples(self) -> list[bytes]:
        """Their samples in the text format, some hundred interfaces in each piece."""
        labels, pieces, place = self.labels.labels(), [], 0
        for first in range(0, len(labels), _ROWS_AT_ONCE):
            part = labels[first : first + _ROWS_AT_ONCE]
            piece, place = packed.lines(self._fixed, self._counts, part, NAME.encode(), _BOUND_TEXTS, first, place)
            pieces.append(piece)
        return pieces


NO_SERIES = PackedSeries(NO_LABELS, bytearray(), bytearray())


class Utilization:
    """The histograms of one device, over the life of the process."""

    __slots__ = ("_missing", "_present", "_rows", "_speedless", "_ticks", "_ticks_at", "counts_on")

    def __init__(self) -> None:
        self._present = NO_SERIES
        """The interfaces of the last poll."""
        self._missing: dict[bytes, UtilizationSeries] | None = None
        """Those of earlier ones."""
        self._rows = NO_LABELS
        """All rows of the last poll."""
        self._speedless: tuple[int, ...] = ()
        """Positions of those that are no series because their speed is not known."""
        self._ticks: int | None = None
        self._ticks_at = 0.0
        self.counts_on = False
        """Whether some counter is higher than at the poll before, and none is lower."""

    def observe(self, interfaces: Iterable[InterfaceCounters], *, at: float, ticks: int | None) -> None:
        """Observes one poll: its interfaces, its time (seconds, monotonic), and sysUpTime (1/100 s) if known.

        A series begins with the first poll that has its interface's speed.
        """
        if self._rebooted(ticks, at):
            self._present = self._present.without_widths()
            for series in (self._missing or {}).values():
                series.bits = 0
        rows = interfaces if isinstance(interfaces, list) else list(interfaces)
        if not rows or not self._are_same(rows):
            rows = self._arranged(rows)
        elif self._speedless:
            rows = _without(rows, self._speedless)
        before = self._present
        self._present = before.observed(rows, at) if rows else NO_SERIES
        self.counts_on = bool(rows) and self._present.counts_on(before)
        if self._missing:
            self._drop_missing(at)

    def _are_same(self, rows: Sequence[InterfaceCounters]) -> bool:
        """Whether these are the interfaces of the last poll, in the same order."""
        return not any(rows[at].speed for at in self._speedless if at < len(rows)) and self._rows.is_of(
            [one.labels for one in rows]
        )

    def _arranged(self, rows: Sequence[InterfaceCounters]) -> list[InterfaceCounters]:
        """Brings the series into the order of other rows than at the last poll; returns the rows that have a series."""
        known = {one.labels: one for one in self.all_series()}
        present: dict[bytes, UtilizationSeries] = {}
        kept, speedless = [], []
        for at, one in enumerate(rows):
            series = known.pop(one.labels, None)
            if series is None and (one.labels in present or not one.speed):
                speedless.append(at)
                continue
            present[one.labels] = UtilizationSeries(one.labels) if series is None else series
            kept.append(one)
        self._present = PackedSeries.of(list(present.values()))
        self._missing = known or None
        self._rows = self._present.labels if not speedless else LabelBlock([one.labels for one in rows])
        self._speedless = tuple(speedless)
        return kept

    def _drop_missing(self, at: float) -> None:
        """Drops series of interfaces that have been missing for long, and the oldest ones if too many are missing."""
        series = [one for one in (self._missing or {}).values() if at - one.at < _MAX_AGE]
        most = len(self._present) + _SPARE_SERIES
        if len(series) > most:
            series = sorted(series, key=lambda one: one.at)[-most:]
        self._missing = {one.labels: one for one in series} or None

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
        return [*self._present, *(self._missing or {}).values()]

    def __bool__(self) -> bool:
        """Whether there are histograms."""
        return bool(self._present or self._missing)

    def uptime(self, now: float) -> tuple[int, float] | None:
        """sysUpTime as read last (1/100 s), and its age in seconds at ``now`` (monotonic); None when it is unknown."""
        return None if self._ticks is None else (self._ticks, now - self._ticks_at)

    def take_over(
        self, series: Iterable[UtilizationSeries], present: Iterable[bool], uptime: tuple[int, float] | None, now: float
    ) -> None:
        """Continues histograms of another process; those that were begun here already stay."""
        current, missing = {one.labels: one for one in self._present}, dict(self._missing or {})
        for one, is_present in zip(series, present, strict=True):
            if one.labels not in current and one.labels not in missing:
                (current if is_present else missing)[one.labels] = one
        self._present, self._missing = PackedSeries.of(list(current.values())), missing or None
        self._rows, self._speedless = self._present.labels, ()
        if uptime is not None and self._ticks is None:
            self._ticks, self._ticks_at = uptime[0], now - uptime[1]

    def current_series(self) -> PackedSeries:
        """The histograms of all interfaces of the last poll."""
        return self._present

    def samples(self) -> list[bytes]:
        """Pieces of the samples of all interfaces of the last poll."""
        return self._present.samples()


def _without(rows: Sequence[InterfaceCounters], positions: tuple[int, ...]) -> list[InterfaceCounters]:
    dropped = set(positions)
    return [one for at, one in enumerate(rows) if at not in dropped]


def classic_samples(histograms: Sequence[UtilizationSeries]) -> list[bytes]:
    """Pieces of the samples of histograms in the text format."""
    return (histograms if isinstance(histograms, PackedSeries) else PackedSeries.of(histograms)).samples()


def speed_of(high_speed: float | None, speed: float | None) -> float:
    """Bits per second from ifHighSpeed (Mbit/s) or, where that is 0 or missing, ifSpeed; 0 when neither is known."""
    if high_speed is not None and high_speed > 0:
        return high_speed * 1e6
    return 0.0 if speed is None or speed == _UNLIMITED else float(max(speed, 0))
