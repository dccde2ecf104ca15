"""A row of the table: a device and how its last poll ended, with what is wrong in one line. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from promsnmp.inventory.index import display_name, name_key
from promsnmp.inventory.model import LOST, Device
from promsnmp.polling.pages.poll_status import PollStatus

NEW_FOR = timedelta(days=1)
"""How long a device counts as new."""
STALE_INTERVALS, STALE_SLACK = 3, 60.0
"""The values of a device are stale when its last poll is older than so many intervals, and so many seconds more than
one."""
ELSEWHERE = "elsewhere"
"""The state of a device that only another replica knows, which does not answer."""
STATES = ("down", "partial", "unknown", ELSEWHERE, "up")
"""The worst first."""
RANKS = {state: rank for rank, state in enumerate(STATES)}

Badness = tuple[bool, bool, int, int, str]
"""Sorts rows, the worst first."""


@dataclass(frozen=True, slots=True)
class Row:
    """A device and how its last poll ended."""

    device: Device
    status: PollStatus
    is_new: bool = False
    """Whether discovery found it within NEW_FOR."""
    is_stale: bool = False
    """Whether it answered its last poll, but that was too long ago."""

    @property
    def is_lost(self) -> bool:
        """Whether discovery has missed it for long."""
        return self.device.status == LOST

    @property
    def name(self) -> str:
        return device_name(self.device)

    @property
    def vendor(self) -> str:
        """By the inventory, else by its health definitions; so for the model."""
        return self.device.vendor or self.status.health.vendor

    @property
    def model(self) -> str:
        return self.device.model or self.status.health.model

    @property
    def address(self) -> str:
        return device_address(self.device)

    @property
    def reason(self) -> str:
        """What is wrong, in one line; empty when nothing is."""
        if self.status.problem:
            return self.status.problem
        if (change := self.device.identity_change) is not None:
            return f"another device answers: {'; '.join(change.differences)}"
        if names := self.status.health.names:
            return f"{'failed' if self.status.health.failed else 'degraded'}: {', '.join(names)}"
        if self.is_stale:
            return "its values are old: it is polled too late"
        return f"not seen by discovery since {self.device.missed_since}" if self.is_lost else ""

    @property
    def is_bad(self) -> bool:
        """Whether there is something to look at."""
        device, status = self.device, self.status
        return (
            status.state in ("down", "partial")
            or self.is_stale
            or device.identity_change is not None
            or device.status == LOST
            or bool(status.health.names)
        )

    @property
    def badness(self) -> Badness:
        status = self.status
        return (
            status.state != "down",
            self.device.identity_change is None,
            -status.health.failed,
            RANKS[status.state],
            name_key(self.name),
        )


def device_name(device: Device) -> str:
    """Its sysName, else its address; empty for a device with neither."""
    return device.sys_name or device_address(device)


def device_address(device: Device) -> str:
    """Address and port of its primary agent; empty without one."""
    return "" if device.primary is None else str(device.primary.endpoint)


def found_since(now: float) -> str:
    """The time, as the inventory writes it, since which a device counts as new. ``now``: Unix time."""
    return (datetime.fromtimestamp(now, UTC) - NEW_FOR).strftime("%Y-%m-%dT%H:%M:%S")


def row_of(device: Device, status: PollStatus, *, now: float, interval: float, new_since: str) -> Row:
    """The row at ``now`` (Unix time), where devices are polled every ``interval`` seconds."""
    is_new = device.discovered_at is not None and device.discovered_at > new_since
    return Row(device, status, is_new, _is_stale(device, status, now, interval))


def _is_stale(device: Device, status: PollStatus, now: float, interval: float) -> bool:
    if status.state not in ("up", "partial") or not interval:
        return False
    own, age = device.overrides.interval / 1000 or interval, now - status.at
    return age > STALE_INTERVALS * own and age > own + STALE_SLACK


def by_name(device: Device) -> tuple[bool, str, str]:
    """Sorts devices by name, those without one last."""
    return not device.sys_name, name_key(device.sys_name or display_name(device)), device.id


def by_address(device: Device) -> tuple[int, int, str, int]:
    """Sorts devices by address: IPv4, IPv6, names of hosts, none."""
    if device.primary is None:
        return 9, 0, "", 0
    endpoint = device.primary.endpoint
    try:
        address = ipaddress.ip_address(endpoint.address)
    except ValueError:
        return 7, 0, endpoint.address, endpoint.port
    return address.version, int(address), "", endpoint.port
