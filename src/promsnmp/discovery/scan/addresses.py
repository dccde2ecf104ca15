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
        return self._number(str(address)) is not None

    def without(self, others: Iterable[Span]) -> Addresses:
        """These addresses except those of ``others``."""
        left = list(self.spans)
        for other in others:
            left = [piece for span in left for piece in _cut(span, other)]
        return Addresses(left)

    def spread(self, start: int = 0) -> Iterator[str]:
        """All addresses from position ``start`` on, each once, consecutive ones far apart, so that no network is asked
        all at once.

        The order is that of multiples of the golden ratio, which cover all parts of the set evenly at any time. Equal
        sets have the same order.
        """
        size, step = self.size, self._step()
        at = start * step % size if size else 0
        for _ in range(start, size):
            yield self._at(at)
            at = (at + step) % size

    def first_position(self, addresses: Iterable[str]) -> int:
        """The lowest position in ``spread`` of those of ``addresses`` that are in the set; ``size`` when none is."""
        if not self.size:
            return 0
        back = pow(self._step(), -1, self.size)
        numbers = (self._number(address) for address in addresses)
        return min((number * back % self.size for number in numbers if number is not None), default=self.size)

    def _step(self) -> int:
        step = max(1, int(self.size * _GOLDEN))
        while gcd(step, self.size) != 1:
            step += 1
        return step

    def _number(self, address: str) -> int | None:
        """Which one of the sorted addresses it is; None for a name, and for an address that is not in the set."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return None
        at = bisect_right(self._starts, (found.version, int(found))) - 1
        if at < 0 or self.spans[at].version != found.version or int(found) > self.spans[at].last:
            return None
        return self._ends[at] - 1 - (self.spans[at].last - int(found))

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
