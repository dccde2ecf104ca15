"""Keeps what was made of each device, so that a change of one device does not cost the work of thousands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from promsnmp.inventory.model import Device

T = TypeVar("T")


class Fragments(Generic[T]):
    """A value per device, made when a device is first seen and again when it was replaced by another object."""

    def __init__(self, make: Callable[[Device], T]) -> None:
        self._make = make
        self._last: tuple[tuple[Device, ...], list[T]] = (), []

    def of(self, devices: tuple[Device, ...]) -> list[T]:
        """One value per device, in order; what belongs to devices that are gone is forgotten."""
        known, values = self._last
        head = common(known, devices)
        tail = common(known[head:][::-1], devices[head:][::-1])
        old, new = slice(head, len(known) - tail), slice(head, len(devices) - tail)
        moved = {id(device): value for device, value in zip(known[old], values[old], strict=True)}
        made = [moved[id(device)] if id(device) in moved else self._make(device) for device in devices[new]]
        result = [*values[:head], *made, *values[len(known) - tail :]]
        self._last = devices, result
        return result


def common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many values at the beginning of both are the same objects."""
    same = list(map(operator.is_, one, other))
    return same.index(False) if False in same else len(same)
