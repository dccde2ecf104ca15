"""Caches a computed value per device, so that a change of one device recomputes one value instead of thousands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from promsnmp.inventory.model import Device

T = TypeVar("T")
V = TypeVar("V")


class PerDeviceCache(Generic[T]):
    """A value per device; computed when a device is new or has been replaced by another object."""

    def __init__(self, make: Callable[[Device], T]) -> None:
        self._make = make
        self.last: tuple[tuple[Device, ...], list[T]] = (), []
        """The devices of the last call, and their values."""

    def of(self, devices: tuple[Device, ...]) -> list[T]:
        """One value per device, in order; values of devices that are gone are dropped."""
        known, values = self.last
        old, new = differing_parts(known, devices)
        moved = {id(device): value for device, value in zip(known[old], values[old], strict=True)}
        made = [moved[id(device)] if id(device) in moved else self._make(device) for device in devices[new]]
        result = [*values[: old.start], *made, *values[old.stop :]]
        self.last = devices, result
        return result


def differing(old: Sequence[V], new: Sequence[V]) -> tuple[Sequence[V], Sequence[V]]:
    """The middle parts of both, without the same objects at the beginning and at the end."""
    one, other = differing_parts(old, new)
    return old[one], new[other]


def differing_parts(old: Sequence[object], new: Sequence[object]) -> tuple[slice, slice]:
    """The slices of both that ``differing`` returns."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    return slice(head, len(old) - tail), slice(head, len(new) - tail)


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many objects at the beginning of both are the same."""
    same = list(map(operator.is_, one, other))
    return same.index(False) if False in same else len(same)
