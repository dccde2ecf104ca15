"""Keeps what was made of each device, so that a change of one device does not cost the work of thousands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from promsnmp.inventory.model import Device

T = TypeVar("T")
V = TypeVar("V")


class PerDeviceCache(Generic[T]):
    """A value per device, made when a device is first seen and again when it was replaced by another object."""

    def __init__(self, make: Callable[[Device], T]) -> None:
        self._make = make
        self.last: tuple[tuple[Device, ...], list[T]] = (), []
        """The devices that were asked for last, and their values."""

    def of(self, devices: tuple[Device, ...]) -> list[T]:
        """One value per device, in order; what belongs to devices that are gone is forgotten."""
        known, values = self.last
        old, new = differing_parts(known, devices)
        moved = {id(device): value for device, value in zip(known[old], values[old], strict=True)}
        made = [moved[id(device)] if id(device) in moved else self._make(device) for device in devices[new]]
        result = [*values[: old.start], *made, *values[old.stop :]]
        self.last = devices, result
        return result


def differing(old: Sequence[V], new: Sequence[V]) -> tuple[Sequence[V], Sequence[V]]:
    """What both have left when the same objects at their beginning and at their end are taken away."""
    one, other = differing_parts(old, new)
    return old[one], new[other]


def differing_parts(old: Sequence[object], new: Sequence[object]) -> tuple[slice, slice]:
    """Where in either of them ``differing`` is."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    return slice(head, len(old) - tail), slice(head, len(new) - tail)


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many values at the beginning of both are the same objects."""
    same = list(map(operator.is_, one, other))
    return same.index(False) if False in same else len(same)
