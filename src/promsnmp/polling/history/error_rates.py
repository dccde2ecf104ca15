"""Errors and discards of interfaces per second, between the last two polls of a device.

Nearly all of these counters never change, so a poll compares hashes of the columns as they came, and reads them only
when one has changed. Of an interface whose counters are 0 nothing is kept.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Mapping

from promsnmp.exposition.renderer import Renderer
from promsnmp.snmp import ber, oid
from promsnmp.support.steps import Steps

IF_IN_ERRORS = "1.3.6.1.2.1.2.2.1.14"
IF_OUT_ERRORS = "1.3.6.1.2.1.2.2.1.20"
IF_IN_DISCARDS = "1.3.6.1.2.1.2.2.1.13"
IF_OUT_DISCARDS = "1.3.6.1.2.1.2.2.1.19"
"""IF-MIB (RFC 2863)."""
_ERRORS, _DISCARDS = (IF_IN_ERRORS, IF_OUT_ERRORS), (IF_IN_DISCARDS, IF_OUT_DISCARDS)
MOST_ROWS = 20_000
"""Interfaces with such counters that are kept of a device."""

_Counters = dict[bytes, tuple[int, int]]
"""Errors and discards of both directions together, by OID suffix, where one of them is not 0."""
_Rates = Mapping[str, tuple[float | None, float | None]]


class _PackedCounters:
    """Counters from poll to poll, in a tenth of the memory of a dictionary."""

    __slots__ = ("_numbers", "_rows")

    def __init__(self, counters: _Counters) -> None:
        self._rows = b"".join([len(row).to_bytes(2, "big") + row for row in counters])
        self._numbers = array("d", itertools.chain.from_iterable(counters.values()))

    def unpacked(self) -> dict[bytes, tuple[float, float]]:
        """The counters; sums above 2^53 are not exact."""
        return dict(
            zip(ber.suffixes(self._rows), zip(self._numbers[::2], self._numbers[1::2], strict=True), strict=True)
        )


_NONE = _PackedCounters({})


class ErrorRates:
    """The counters of the last two polls of one device, and the rates that they give."""

    __slots__ = ("_at", "_before", "_counters", "_hashes", "_rows", "_seconds")

    def __init__(self) -> None:
        self._at = 0.0
        self._hashes: tuple[int, ...] = ()
        self._rows: tuple[int, ...] = ()
        self._counters = self._before = _NONE
        self._seconds = 0.0
        """Between the last two polls; 0: they cannot be compared."""

    def note(self, renderer: Renderer, at: float) -> Steps[None]:
        """Takes the counters of a poll at ``at`` (seconds, monotonic); nothing of a poll that has none."""
        plan = renderer.plan.by_oid
        columns = [renderer.octets(plan[name]) for name in (*_ERRORS, *_DISCARDS) if name in plan]
        if not any(columns):
            return
        hashes = tuple(map(hash, columns))
        if hashes == self._hashes:
            self._before, self._seconds, self._at = self._counters, max(at - self._at, 1.0), at
            return
        rows = tuple(hash(tuple(renderer.suffixes(name))) for name in (*_ERRORS, *_DISCARDS))
        yield
        counters = yield from _read(renderer)
        is_comparable = rows == self._rows and at > self._at
        self._before, self._seconds = self._counters, at - self._at if is_comparable else 0.0
        self._at, self._hashes, self._rows, self._counters = at, hashes, rows, _PackedCounters(counters)

    def by_index(self) -> _Rates | None:
        """Errors and discards per second by ifIndex, where one of them is not 0; a rate is None after a reset of its
        counters. None while there are no two polls to compare."""
        if not self._seconds:
            return None
        if self._before is self._counters:
            return {}
        return _rates(self._before.unpacked(), self._counters.unpacked(), self._seconds)


def _text(row: bytes) -> str:
    return ".".join(map(str, oid.decode_subids(row)))


def _read(renderer: Renderer) -> Steps[_Counters]:
    sums: tuple[dict[bytes, int], dict[bytes, int]] = {}, {}  # numbers only: nothing for the garbage collector
    for found, names in zip(sums, (_ERRORS, _DISCARDS), strict=True):
        for name in names:
            for row, count in renderer.integers(name).items():
                if count:
                    found[row] = found.get(row, 0) + count
            yield
    errors, discards = sums
    rows = itertools.islice({**errors, **discards}, MOST_ROWS)
    return {row: (errors.get(row, 0), discards.get(row, 0)) for row in rows}


def _rates(
    before: Mapping[bytes, tuple[float, float]], now: Mapping[bytes, tuple[float, float]], seconds: float
) -> _Rates:
    rates: dict[str, tuple[float | None, float | None]] = {}
    for row in before.keys() | now.keys():
        pairs = zip(before.get(row, (0, 0)), now.get(row, (0, 0)), strict=True)
        errors, discards = (None if new < old else (new - old) / seconds for old, new in pairs)
        if errors != 0 or discards != 0:
            rates[_text(row)] = errors, discards
    return rates
