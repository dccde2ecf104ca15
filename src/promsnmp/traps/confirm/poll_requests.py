"""Asks for polls because of traps: at once, and of one device not more often than every few seconds.

The first trap of a device polls it at once. Traps that follow within the interval cause one more poll, at its end, so
that the page has the state after the last of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

SETTLE_SECONDS = 0.1
"""Seconds between a trap and its poll: traps of one event come together, and some agents send them before the state
that they report is in their tables."""
MAX_DEVICES = 50_000
"""Devices that are remembered; traps of more cause no poll of their own."""


@dataclass(slots=True)
class _DeviceRequests:
    polled_at: float = float("-inf")
    """Loop time of the last poll that was asked for."""
    timer: asyncio.TimerHandle | None = None
    due: float = float("inf")


class PollRequests:
    """Calls ``poll`` with a device id. ``interval`` and ``unauthenticated_interval`` in seconds."""

    def __init__(self, poll: Callable[[str], object], *, interval: float, unauthenticated_interval: float) -> None:
        self._poll = poll
        self._interval = interval
        self._unauthenticated_interval = unauthenticated_interval
        self._devices: dict[str, _DeviceRequests] = {}

    def __len__(self) -> int:
        return len(self._devices)

    def request(self, device_id: str, *, is_authenticated: bool) -> None:
        """A trap of a device has come."""
        loop = asyncio.get_running_loop()
        now, device = loop.time(), self._devices.get(device_id)
        if device is None:
            if len(self._devices) >= MAX_DEVICES:
                self._forget(now)
            if len(self._devices) >= MAX_DEVICES:
                return
            device = self._devices[device_id] = _DeviceRequests()
        interval = self._interval if is_authenticated else self._unauthenticated_interval
        due = max(now + SETTLE_SECONDS, device.polled_at + interval)
        if device.timer is not None:
            if device.due <= due:
                return
            device.timer.cancel()
        device.due = due
        device.timer = loop.call_at(due, self._run, device_id, device)

    def stop(self) -> None:
        """Asks for no more polls."""
        for device in self._devices.values():
            if device.timer is not None:
                device.timer.cancel()
        self._devices.clear()

    def _run(self, device_id: str, device: _DeviceRequests) -> None:
        device.timer, device.due = None, float("inf")
        device.polled_at = asyncio.get_running_loop().time()
        self._poll(device_id)

    def _forget(self, now: float) -> None:
        longest = max(self._interval, self._unauthenticated_interval)
        old = [
            one for one, device in self._devices.items() if device.timer is None and device.polled_at + longest < now
        ]
        for device_id in old:
            del self._devices[device_id]
