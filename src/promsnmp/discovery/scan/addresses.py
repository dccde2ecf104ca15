"""Sets of addresses, stored as spans: a /12 has a million addresses.

They can be counted, searched, and iterated in an order that spreads the load over networks. ``target_syntax.py`` parses
what operators write.
"""

from __future__ import annotations

import ipaddress
import socket
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import gcd
from typing import NamedTuple

_GOLDEN = 0.6180339887498949


class Span(NamedTuple):
    """Addresses from ``first`` to ``last``, both included, as numbers; ``version`` is 4 or 6."""

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


NON_HOST_SPANS = (
    Span(4, 0, (1 << 24) - 1),  # 0.0.0.0/8, RFC 1122 section 3.2.1.3
    Span(4, 0xE0000000, 0xFFFFFFFF),  # multicast, class E and limited broadcast, RFC 5771 and RFC 1112 section 4
    Span(6, 0, 0),  # the unspecified address, RFC 4291 section 2.5.2
    Span(6, 0xFF << 120, (1 << 128) - 1),  # multicast, RFC 4291 section 2.7
)
"""Addresses that never belong to one device."""


class Addresses:
    """A set of addresses as disjoint spans."""

    __slots__ = ("_ends", "_starts", "size", "spans")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self.spans = _joined(spans)
        self._starts = [span[:2] for span in self.spans]
        self._ends = list(accumulate(span.size for span in self.spans))
        self.size = self._ends[-1] if self._ends else 0
        """Number of addresses; may exceed the limit of ``len``."""

    def __contains__(self, address: object) -> bool:
        """Whether an address, as text, is in the set; a name never is."""
        try:
            number = ipaddress.ip_address(str(address).partition("%")[0])
        except ValueError:
            return False
        at = bisect_right(self._starts, (number.version, int(number))) - 1
        return at >= 0 and self.spans[at].version == number.version and int(number) <= self.spans[at].last

    def without(self, others: Iterable[Span]) -> Addresses:
        """These addresses except those of ``others``."""
        left = list(self.spans)
        for other in others:
            left = [piece for span in left for piece in _cut(span, other)]
        return Addresses(left)

    def spread(self) -> Iterator[str]:
        """All addresses, each once, consecutive ones far apart, so that no network is asked all at once.

        The order is that of multiples of the golden ratio, which cover all parts of the set evenly at any time.
        """
        size = self.size
        step = max(1, int(size * _GOLDEN))
        while gcd(step, size) != 1:
            step += 1
        at = 0
        for _ in range(size):
            yield self._at(at)
            at = (at + step) % size

    def _at(self, number: int) -> str:
        place = bisect_right(self._ends, number)
        span = self.spans[place]
        value = span.last - (self._ends[place] - 1 - number)
        if span.version == 4:
            return socket.inet_ntoa(value.to_bytes(4, "big"))
        return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same addresses in as few spans as possible, sorted."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and joined[-1].version == span.version and span.first <= joined[-1].last + 1:
            joined[-1] = joined[-1]._replace(last=max(joined[-1].last, span.last))
        else:
            joined.append(span)
    return tuple(joined)


def _cut(span: Span, other: Span) -> Iterator[Span]:
    """The parts of ``span`` outside ``other``."""
    if other.version != span.version or other.last < span.first or span.last < other.first:
        yield span
        return
    if span.first < other.first:
        yield span._replace(last=other.first - 1)
    if other.last < span.last:
        yield span._replace(first=other.last + 1)
