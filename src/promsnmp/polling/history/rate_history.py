"""The rates of a device's interfaces in the last hour, in two bytes a minute for each interface.

A rate is one byte: its logarithm, in steps of 12 percent, which is a pixel of a sparkline. All interfaces of a device
share one array, so a switch of 48 ports takes 6 KB. All devices together take at most ``most_octets`` bytes: a device
that no longer fits has no history, since dropping another one's would leave none with an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from promsnmp.exposition.utilization.histogram import PackedSeries
from promsnmp.exposition.utilization.label_block import NO_LABELS

SLOT_SECONDS = 60.0
SLOTS = 60
UNKNOWN = 0
_STEPS = 5.9
"""Codes for each doubling: 254 of them reach 9 Tbit/s."""
_FIXED_OCTETS = 500
"""Bytes of a history besides its slots, about; the labels of its interfaces are those of the histograms."""
MOST_INTERFACES = 5_000
"""Interfaces of one device whose rates are kept."""


def encode(rate: float) -> int:
    """A rate (bits per second, not negative) as a code from 1 to 255."""
    return min(1 + int(log2(rate + 1.0) * _STEPS), 255)


RATES: Sequence[float | None] = (None, 0.0, *(2.0 ** ((code - 0.5) / _STEPS) - 1.0 for code in range(2, 256)))
"""The rate in the middle of each code; None for UNKNOWN."""


class RateHistory:
    """The last hour of one device."""

    __slots__ = ("_has_rates", "_labels", "_last", "_slots")

    def __init__(self) -> None:
        self._labels = NO_LABELS
        """The interfaces, by the text of their labels, which the histograms have as well."""
        self._slots = bytearray()
        """SLOTS rows, each with two codes for each interface."""
        self._last = -SLOTS
        self._has_rates = False
        """Whether the last slot has any rate."""

    @property
    def octets(self) -> int:
        """Bytes of memory, about."""
        return size_of(self._labels.count)

    @property
    def last_slot(self) -> int:
        """The number of the slot that was written last."""
        return self._last

    def wants(self, slot: int) -> bool:
        """Whether it takes the rates of a poll in this slot: of the first one that has any."""
        return slot > self._last or (slot == self._last and not self._has_rates)

    def note(self, series: PackedSeries, slot: int) -> None:
        """Takes the rates of a poll, if it ``wants`` them. Rates are means since the poll before, so they count for all
        slots since then."""
        if not self.wants(slot):
            return
        if not series.labels.is_same(self._labels):
            self._rearrange(self._labels.labels(), series.labels.labels())
        self._labels = series.labels
        codes = _encode_all(series.rates())
        width = len(codes)
        first = slot if self._last < 0 else min(max(self._last + 1, slot - SLOTS + 1), slot)
        for number in range(first, slot + 1):
            start = number % SLOTS * width
            self._slots[start : start + width] = codes
        self._last, self._has_rates = slot, any(codes)

    def _rearrange(self, earlier: list[bytes], labels: list[bytes]) -> None:
        """Moves the codes of interfaces to their new places; those of interfaces that are gone are dropped."""
        places = {name: at for at, name in enumerate(earlier)}
        before, slots, width = self._slots, bytearray(2 * len(labels) * SLOTS), 2 * len(labels)
        for at, name in enumerate(labels):
            if (place := places.get(name)) is not None:
                for side in (0, 1):
                    slots[2 * at + side :: width] = before[2 * place + side :: 2 * len(earlier)]
        self._slots = slots

    def codes(self, now_slot: int) -> dict[str, tuple[bytes, bytes]]:
        """The codes received and sent of each interface, the oldest slot first, by the text of its labels. Slots after
        the last poll are UNKNOWN."""
        width, found = 2 * self._labels.count, {}
        start, silent = (now_slot + 1) % SLOTS, min(max(now_slot - self._last, 0), SLOTS)
        unknown = bytes(silent)
        for at, name in enumerate(self._labels.labels()):
            sides = []
            for side in (0, 1):
                column = self._slots[2 * at + side :: width]
                sides.append(bytes((column[start:] + column[:start])[: SLOTS - silent]) + unknown)
            found[name.decode(errors="replace").strip()] = sides[0], sides[1]
        return found


def _encode_all(rates: Sequence[float]) -> bytes:
    """``encode`` of rates; UNKNOWN for a negative one."""
    try:
        return bytes([1 + int(log2(rate + 1.0) * _STEPS) if rate >= 0.0 else UNKNOWN for rate in rates])
    except ValueError:  # one is above the highest code
        return bytes([encode(rate) if rate >= 0.0 else UNKNOWN for rate in rates])


def size_of(interfaces: int) -> int:
    """Bytes of memory of a history of so many interfaces, about."""
    return _FIXED_OCTETS + interfaces * 2 * SLOTS


class RateHistories:
    """The histories of all devices, by the key of their target, in at most ``most_octets`` bytes (0: none)."""

    def __init__(self, most_octets: int) -> None:
        self._most_octets = most_octets
        self._histories: dict[str, RateHistory] = {}
        self._swept = 0
        self.octets = 0
        self.refused = 0
        """Polls of devices whose history did not fit."""

    @property
    def is_on(self) -> bool:
        """Whether histories are kept."""
        return self._most_octets > 0

    def __len__(self) -> int:
        return len(self._histories)

    def note(self, key: str, series: PackedSeries, at: float) -> None:
        """Takes the rates of a poll of the target ``key`` at ``at`` (seconds, monotonic); ``series`` may be older."""
        slot = int(at // SLOT_SECONDS)
        history = self._histories.get(key)
        if not self.is_on or series.polled_at() != at or (history is not None and not history.wants(slot)):
            return
        before = 0 if history is None else history.octets
        wanted = size_of(len(series))
        if len(series) > MOST_INTERFACES or self.octets - before + wanted > self._most_octets:
            self._sweep(slot)
            if len(series) > MOST_INTERFACES or self.octets - before + wanted > self._most_octets:
                self._drop(key)
                self.refused += 1
                return
        if history is None:
            history = self._histories[key] = RateHistory()
        history.note(series, slot)
        self.octets += history.octets - before

    def codes(self, key: str, now: float) -> dict[str, tuple[bytes, bytes]]:
        """The last hour of a target's interfaces until ``now`` (seconds, monotonic), as ``RateHistory.codes``."""
        history = self._histories.get(key)
        return {} if history is None else history.codes(int(now // SLOT_SECONDS))

    def _sweep(self, slot: int) -> None:
        """Once in a slot: drops histories of devices that were not polled for an hour."""
        if slot == self._swept:
            return
        self._swept = slot
        for key in [key for key, one in self._histories.items() if slot - one.last_slot >= SLOTS]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        if (history := self._histories.pop(key, None)) is not None:
            self.octets -= history.octets
