"""The state of all devices at one moment, made once for all who look, in a thread.

For 20,000 devices that takes about 40 ms. A board is shown for so long that boards take at most MOST_SHARE of a core.
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from promsnmp.inventory.index import display_name, name_key
from promsnmp.inventory.model import LOST, Device, Inventory
from promsnmp.observe.tasks import shielded
from promsnmp.polling.health.summary import NO_SUMMARY, NamedValue
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.web.sources import Sources

REFRESH = 2.0
"""Seconds, at least, for which a board is shown to everybody."""
MOST_SHARE = 0.01
MOST_ROWS = 20
"""Devices, or components, in each list of what is worst."""
ELSEWHERE = PollStatus("elsewhere")
"""Of a device that another replica polls."""
STATES = ("down", "partial", "unknown", "elsewhere", "up")
"""The worst first."""
_RANKS = {state: rank for rank, state in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class Row:
    """A device and how its last poll ended."""

    device: Device
    status: PollStatus

    @property
    def is_lost(self) -> bool:
        """Whether discovery has missed it for long."""
        return self.device.status == LOST

    @property
    def name(self) -> str:
        return self.device.sys_name or self.address

    @property
    def vendor(self) -> str:
        """By the inventory, else by its health definitions; so for the model."""
        return self.device.vendor or self.status.health.vendor

    @property
    def model(self) -> str:
        return self.device.model or self.status.health.model

    @property
    def address(self) -> str:
        return "" if self.device.primary is None else str(self.device.primary.endpoint)

    @property
    def reason(self) -> str:
        """What is wrong, in one line; empty when nothing is."""
        if self.status.problem:
            return self.status.problem
        if (change := self.device.identity_change) is not None:
            return f"another device answers: {'; '.join(change.differences)}"
        if names := self.status.health.names:
            return f"{_what(self.status)}: {', '.join(names)}"
        return f"not seen by discovery since {self.device.missed_since}" if self.is_lost else ""


def _what(status: PollStatus) -> str:
    return "failed" if status.health.failed else "degraded"


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that stands out, and its device."""

    row: Row
    name: str
    value: float


@dataclass(slots=True)
class Board:
    """All devices at one moment."""

    inventory: Inventory
    rows: Sequence[Row]
    made_at: float
    """Seconds, monotonic."""
    lifetime: float = REFRESH
    """Seconds for which it is shown."""
    counts: Counter[str] = field(default_factory=Counter)
    """By state; also ``lost``, ``failed`` and ``degraded`` (devices with such components)."""
    components: Counter[str] = field(default_factory=Counter)
    """``failed`` and ``degraded`` components."""
    worst: Sequence[Row] = ()
    hottest: Sequence[Reading] = ()
    fullest: Sequence[Reading] = ()
    changed: Sequence[Row] = ()
    """Devices at whose address another one answers."""
    owned: Counter[str] = field(default_factory=Counter)
    """Devices by the replica that polls them."""
    _orders: dict[str, list[Row]] = field(default_factory=dict)

    def ordered(self, column: str) -> list[Row]:
        """All rows in the order of one of COLUMNS; sorted once, since many look at one order."""
        if column not in self._orders:
            self._orders[column] = sorted(self.rows, key=_SORT_KEYS[column])
        return self._orders[column]


class Fleet:
    """Makes boards. ``clock``: seconds, monotonic."""

    def __init__(self, sources: Sources, clock: Callable[[], float] = time.monotonic) -> None:
        self._sources = sources
        self._clock = clock
        self._board: Board | None = None
        self._making: asyncio.Task[Board] | None = None
        self._owners: tuple[object, object, Counter[str]] | None = None

    async def board(self, *, is_current: bool = False) -> Board:
        """The present board; those who ask at the same time share the work. ``is_current``: of the inventory in use,
        for somebody who has just changed it, or is about to."""
        board, inventory = self._board, self._sources.devices.snapshot.inventory
        is_recent = board is not None and self._clock() - board.made_at < board.lifetime
        if board is not None and is_recent and (board.inventory is inventory or not is_current):
            return board
        if is_current and self._making is not None and not self._making.done():
            await asyncio.wait({self._making})  # it may have begun with the inventory before
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(asyncio.to_thread(self._make), name="board of all devices")
        self._board = await shielded(self._making)
        return self._board

    def _make(self) -> Board:
        began, inventory = time.thread_time(), self._sources.devices.snapshot.inventory
        statuses = self._sources.statuses(inventory.devices)
        rows = [
            Row(device, ELSEWHERE if status is None else status)
            for device, status in zip(inventory.devices, statuses, strict=True)
        ]
        board = Board(inventory, rows, self._clock())
        board.counts.update(row.status.state for row in rows)
        board.counts["lost"] = sum(row.device.status == LOST for row in rows)
        board.changed = [row for row in rows if row.device.identity_change is not None][:MOST_ROWS]
        _add_health(board)
        board.worst = heapq.nsmallest(MOST_ROWS, (row for row in rows if _is_bad(row)), key=_badness)
        board.owned = self._count_owned(inventory.devices)
        board.lifetime = max(REFRESH, (time.thread_time() - began) / MOST_SHARE)
        return board

    def _count_owned(self, devices: tuple[Device, ...]) -> Counter[str]:
        ring = self._sources.cluster.members.ring
        if self._owners is None or self._owners[0] is not ring or self._owners[1] is not devices:
            self._owners = ring, devices, Counter(ring.owner(device.id) for device in devices)
        return self._owners[2]


def _add_health(board: Board) -> None:
    hot: list[Reading] = []
    full: list[Reading] = []
    for row in board.rows:
        health = row.status.health
        if health is NO_SUMMARY:
            continue
        for state, number in (("failed", health.failed), ("degraded", health.degraded)):
            if number:
                board.counts[state] += 1
                board.components[state] += number
        _append(hot, row, health.hottest)
        _append(full, row, health.fullest)
    board.hottest = heapq.nlargest(5, hot, key=lambda one: one.value)
    board.fullest = heapq.nlargest(5, full, key=lambda one: one.value)


def _append(readings: list[Reading], row: Row, value: NamedValue | None) -> None:
    if value is not None:
        readings.append(Reading(row, value.name, value.value))


def _is_bad(row: Row) -> bool:
    device, status = row.device, row.status
    return (
        status.state in ("down", "partial")
        or device.identity_change is not None
        or device.status == LOST
        or bool(status.health.names)
    )


def _badness(row: Row) -> tuple[bool, bool, int, int, str]:
    status = row.status
    return (
        status.state != "down",
        row.device.identity_change is None,
        -status.health.failed,
        _RANKS[status.state],
        name_key(row.name),
    )


def _address_key(row: Row) -> tuple[int, int, str, int]:
    primary = row.device.primary
    if primary is None:
        return 9, 0, "", 0
    endpoint = primary.endpoint
    try:
        address = ipaddress.ip_address(endpoint.address)
    except ValueError:
        return 7, 0, endpoint.address, endpoint.port
    return address.version, int(address), "", endpoint.port


def _name_key(row: Row) -> tuple[bool, str, str]:
    device = row.device
    return not device.sys_name, name_key(device.sys_name or display_name(device)), device.id


_SORT_KEYS: dict[str, Callable[[Row], Any]] = {
    "state": lambda row: (_RANKS[row.status.state], not row.status.health.failed, name_key(row.name)),
    "name": _name_key,
    "address": _address_key,
    "vendor": lambda row: (not row.vendor, row.vendor.casefold(), row.model.casefold(), name_key(row.name)),
    "polled": lambda row: row.status.at,
    "duration": lambda row: row.status.seconds,
    "samples": lambda row: row.status.samples,
}
COLUMNS = tuple(_SORT_KEYS)
"""Columns by which devices are sorted."""
