"""Counts observations in the exponential buckets of a native histogram; only buckets that were hit are kept and sent.

A classic histogram of ten buckets says that an interface was between 25 and 50 percent busy; a native one is right to
within 5 percent of the value everywhere, and is one series instead of twelve. Bucket ``i`` of schema ``n`` holds
values above ``2**((i - 1) / 2**n)`` and up to ``2**(i / 2**n)`` (prometheus/client_model, metrics.proto, message
Histogram). Values close to 0 have a bucket of their own, because no exponential bucket reaches down to 0.

Utilisation is bounded, by one octet per poll and by what an interface can carry, so the buckets of a series are close
together. They are stored (``packed.py``) from the lowest to the highest that was hit.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
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
_SMALL_GAP = 2
"""Up to so many empty buckets are sent as zeros: a new span takes more bytes (client_golang does the same)."""


class Span(NamedTuple):
    """Consecutive buckets: their distance from the previous span (the first: from bucket 0), and their number."""

    offset: int
    length: int


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
