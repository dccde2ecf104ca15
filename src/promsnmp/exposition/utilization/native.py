"""Counts observations in the exponential buckets of a native histogram; only buckets that were hit are kept and sent.

A classic histogram of ten buckets says that an interface was between 25 and 50 percent busy; a native one is right to
within 5 percent of the value everywhere, and is one series instead of twelve. Bucket ``i`` of schema ``n`` holds
values above ``2**((i - 1) / 2**n)`` and up to ``2**(i / 2**n)`` (prometheus/client_model, metrics.proto, message
Histogram). Values close to 0 have a bucket of their own, because no exponential bucket reaches down to 0.

Utilisation is bounded, by one octet per poll and by what an interface can carry, so the buckets of a series are close
together. They are stored as an array from the lowest to the highest that was hit: that takes a fifth of the memory of a
dict, which matters with some 50,000 interfaces.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

SCHEMA = 3
"""Eight buckets per power of two, each 9 percent wide."""
ZERO_THRESHOLD = 2.0**-128
"""Observations up to here count as 0. It is client_golang's value: the bound of some bucket in every schema."""
ZERO = -(1 << 31)
"""The number of the zero bucket; no other bucket of a float has it."""

_PER_OCTAVE = 1 << SCHEMA
_FRACTIONS = tuple(0.5 * 2.0 ** (step / _PER_OCTAVE) for step in range(_PER_OCTAVE))
"""Upper bounds of an octave's buckets, as fractions of its end."""
_WIDTH = array("I").itemsize
_SMALL_GAP = 2
"""Up to so many empty buckets are sent as zeros: a new span takes more bytes (client_golang does the same)."""


class Span(NamedTuple):
    """Consecutive buckets: their distance from the previous span (the first: from bucket 0), and their number."""

    offset: int
    length: int


@dataclass(slots=True, kw_only=True)
class NativeBuckets:
    """How many observations each bucket holds. A base class, so that a histogram is one object: the garbage collector
    looks at each one, and large devices have tens of thousands."""

    lowest: int = 0
    """The number of the first bucket in ``buckets``."""
    buckets: bytearray = field(default_factory=bytearray)
    """The counts, each in four octets (``array("I")``)."""
    zero: int = 0
    """The count of the zero bucket."""

    def observe_native(self, value: float) -> None:
        """Counts a finite value that is not negative."""
        index = bucket_of(value)
        at = index - self.lowest
        if 0 <= at < len(self.buckets) // _WIDTH:
            memoryview(self.buckets).cast("I")[at] += 1
        elif index == ZERO:
            self.zero += 1
        else:
            self._widen(index)

    def native_counts(self) -> dict[int, int]:
        """The counts of the buckets that are not empty, by number."""
        found = {ZERO: self.zero, **dict(enumerate(self.bucket_numbers(), self.lowest))}
        return {index: count for index, count in found.items() if count}

    def bucket_numbers(self) -> list[int]:
        """The counts of ``buckets``."""
        return numbers_of(self.buckets)

    def _widen(self, index: int) -> None:
        """Counts in a bucket outside of the stored ones, which become more."""
        if not self.buckets:
            self.lowest = index
        below, above = self.lowest - index, index - self.lowest - len(self.buckets) // _WIDTH
        if below > 0:
            self.buckets[:0] = octets_of((1, *[0] * (below - 1)))
            self.lowest = index
        else:
            self.buckets += octets_of((*[0] * above, 1))


def numbers_of(octets: bytearray) -> list[int]:
    """Counts of four octets each."""
    return memoryview(octets).cast("I").tolist()


def octets_of(counts: Iterable[int]) -> bytearray:
    """Counts in four octets each; unlike a list, they are nothing for the garbage collector. Raises OverflowError for
    one above 2^32 - 1."""
    return bytearray(array("I", counts).tobytes())


def bucket_of(value: float) -> int:
    """The number of the bucket of a finite value that is not negative; ZERO for the zero bucket."""
    if value <= ZERO_THRESHOLD:
        return ZERO
    fraction, exponent = math.frexp(value)
    return bisect_left(_FRACTIONS, fraction) + (exponent - 1) * _PER_OCTAVE


def spans_of(counts: Mapping[int, int]) -> tuple[list[Span], list[int]]:
    """Counts by bucket as they are sent: the spans, and each bucket's count minus that of the one before."""
    spans: list[Span] = []
    deltas: list[int] = []
    before = following = 0
    for index in sorted(counts.keys() - {ZERO}):
        gap = index - following
        if not spans or gap > _SMALL_GAP:
            spans.append(Span(gap, 1))
        else:
            for _ in range(gap):
                deltas.append(-before)
                before = 0
            spans[-1] = Span(spans[-1].offset, spans[-1].length + gap + 1)
        deltas.append(counts[index] - before)
        before, following = counts[index], index + 1
    return spans, deltas
