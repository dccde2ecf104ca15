"""Remembers which pages may not be shown any more, because another replica may have shown a newer one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

MAX_DEVICES = 50_000
"""Devices that are remembered, at most; more count as all devices."""


class Invalidations:
    """For each device the time (seconds, monotonic) since when a poll must have begun to be shown."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.newest = -math.inf
        """A poll that began later may be shown, whatever the device."""
        self._clock = clock
        self._revoked: dict[str, float] = {}
        self._all_revoked = -math.inf
        self.unknown_until = -math.inf
        """Another replica may have owned devices of this one until then."""

    def add(self, device: str | None) -> None:
        """Another replica may show a newer page of a device from now on; of any device when it is None."""
        self.newest = now = self._clock()
        if device is None or len(self._revoked) >= MAX_DEVICES:
            self._all_revoked = now
            self._revoked.clear()
        else:
            self._revoked[device] = now

    def add_unknown_past(self) -> None:
        """Another replica may have shown newer pages until now, but not from now on."""
        self.newest = self.unknown_until = self._clock()

    def of(self, device: str) -> float:
        """When the first poll of a device began that may be shown."""
        return max(self.revoked_at(device), self.unknown_until)

    def revoked_at(self, device: str) -> float:
        """When another replica last said that it is about to show a page of a device."""
        return max(self._all_revoked, self._revoked.get(device, -math.inf))

    def allow(self, device: str, began: float) -> bool:
        """Whether a poll of a device that began at ``began`` may be shown."""
        return began > self.newest or began >= self.of(device)
