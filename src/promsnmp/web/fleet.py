"""The state of all devices at one moment, made once for all who look, in a thread.

For 20,000 devices that takes about 100 ms. A board is shown for so long that boards take MOST_SHARE of a core.
What other replicas poll they are asked for each board (``peers/exchange.py``).
"""

from __future__ import annotations

import asyncio
import heapq
import ipaddress
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from math import inf
from typing import Any

from promsnmp.inventory.index import display_name, name_key
from promsnmp.inventory.model import LOST, Device, Inventory
from promsnmp.observe.tasks import SharedTask
from promsnmp.polling.health.summary import NO_SUMMARY, NamedValue
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.web.peers.exchange import PeerReport
from promsnmp.web.rates import PollRates
from promsnmp.web.sources import Sources

REFRESH = 2.0
"""Seconds, at least, for which a board is shown to everybody."""
LONGEST = 20.0
"""Seconds, at most, also where boards then take more than MOST_SHARE."""
MOST_SHARE = 0.01
MOST_READINGS = 5
MOST_ROWS = 20
"""Devices, or components, in each list of what is worst."""
ELSEWHERE = PollStatus("elsewhere")
"""Of a device whose state only another replica knows, which does not say it."""
NEW_FOR = timedelta(days=1)
"""How long a device counts as new."""
STALE_INTERVALS, STALE_SLACK = 3, 60.0
"""The values of a device are stale when its last poll is older than so many intervals, and so many seconds more than
one."""
STATES = ("down", "partial", "unknown", "elsewhere", "up")
"""The worst first."""
_RANKS = {state: rank for rank, state in enumerate(STATES)}


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
            return f"{_what(self.status)}: {', '.join(names)}"
        if self.is_stale:
            return "its values are old: it is polled too late"
        return f"not seen by discovery since {self.device.missed_since}" if self.is_lost else ""


def device_name(device: Device) -> str:
    """Its sysName, else its address; empty for a device with neither."""
    return device.sys_name or device_address(device)


def device_address(device: Device) -> str:
    """Address and port of its primary agent; empty without one."""
    return "" if device.primary is None else str(device.primary.endpoint)


def _silence(owner: str, problem: str) -> str:
    """Why the state of a device is not known that ``owner`` polls."""
    return f"{owner} polls it and does not answer: {problem}" if problem else f"{owner} polls it"


def _is_stale(device: Device, status: PollStatus, now: float, interval: float) -> bool:
    if status.state not in ("up", "partial") or not interval:
        return False
    own, age = device.overrides.interval / 1000 or interval, now - status.at
    return age > STALE_INTERVALS * own and age > own + STALE_SLACK


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
    """By state; also ``new``, ``stale``, ``lost``, ``failed`` and ``degraded`` (devices with such components)."""
    components: Counter[str] = field(default_factory=Counter)
    """``failed`` and ``degraded`` components."""
    worst: Sequence[Row] = ()
    hottest: Sequence[Reading] = ()
    fullest: Sequence[Reading] = ()
    changed: Sequence[Row] = ()
    """Devices at whose address another one answers."""
    refused: Sequence[Row] = ()
    """Devices that refuse their credentials."""
    peer_problems: Mapping[str, str] = field(default_factory=dict)
    """Why another replica does not say what it knows, by its name."""
    peer_rates: Sequence[PollRates] = ()
    """Of the other replicas."""
    owned: Counter[str] = field(default_factory=Counter)
    """Devices by the replica that polls them."""
    _orders: dict[str, list[Row]] = field(default_factory=dict)

    def ordered(self, column: str) -> list[Row]:
        """All rows in the order of one of COLUMNS; sorted once, since many look at one order."""
        if column not in self._orders:
            self._orders[column] = sorted(self.rows, key=_SORT_KEYS[column])
        return self._orders[column]


class Fleet:
    """Makes boards. ``clock``: seconds, monotonic; ``wall``: Unix time."""

    def __init__(
        self,
        sources: Sources,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._wall = wall
        self._board: Board | None = None
        self._making = SharedTask[Board]("board of all devices")
        self._owners: tuple[object, object, Counter[str]] | None = None

    async def board(self, *, is_current: bool = False) -> Board:
        """The present board; those who ask at the same time share the work. ``is_current``: of the inventory in use,
        for somebody who has just changed it, or is about to."""
        board, inventory = self._board, self._sources.devices.snapshot.inventory
        is_recent = board is not None and self._clock() - board.made_at < board.lifetime
        if board is not None and is_recent and (board.inventory is inventory or not is_current):
            return board
        if is_current:
            await self._making.ended()  # it may have begun with the inventory before
        self._board = await self._making.result(self._renew)
        return self._board

    async def _renew(self) -> Board:
        report = await self._sources.peer_report()
        return await asyncio.to_thread(self._make, report)

    def _make(self, report: PeerReport) -> Board:
        began, inventory = time.thread_time(), self._sources.devices.snapshot.inventory
        rows = self._rows(inventory.devices, report)
        board = Board(inventory, rows, self._clock())
        board.peer_problems, board.peer_rates = report.problems, report.rates
        board.counts.update(row.status.state for row in rows)
        board.counts["new"] = sum(row.is_new for row in rows)
        board.counts["stale"] = sum(row.is_stale for row in rows)
        board.refused = [row for row in rows if row.status.outcome == "authentication"][:MOST_ROWS]
        board.counts["lost"] = sum(row.device.status == LOST for row in rows)
        board.changed = [row for row in rows if row.device.identity_change is not None][:MOST_ROWS]
        _add_health(board)
        board.worst = heapq.nsmallest(MOST_ROWS, (row for row in rows if _is_bad(row)), key=_badness)
        board.owned = self._count_owned(inventory.devices)
        spent = time.thread_time() - began + report.seconds
        board.lifetime = min(max(REFRESH, spent / MOST_SHARE), LONGEST)
        return board

    def _rows(self, devices: tuple[Device, ...], report: PeerReport) -> list[Row]:
        """The status of a device is that of the replica that polls it. Where devices are polled only when they are
        scraped, this replica's own counts for nothing while it has not polled the device."""
        statuses, found = self._sources.statuses(devices), report.statuses
        now, interval = self._wall(), self._sources.interval
        new_since = (datetime.fromtimestamp(now, UTC) - NEW_FOR).strftime("%Y-%m-%dT%H:%M:%S")

        @cache
        def elsewhere(owner: str) -> PollStatus:
            return replace(ELSEWHERE, problem=_silence(owner, report.problems.get(owner, "")))

        before = () if self._board is None else self._board.rows
        known = before if len(before) == len(devices) else [None] * len(devices)
        rows = []
        for device, own, last in zip(devices, statuses, known, strict=True):
            status = own
            if status is None or (status.at == 0 and found):
                status = found.get(device.id, status)
            if status is None:
                status = elsewhere(self._sources.owner(device))
            is_new = device.discovered_at is not None and device.discovered_at > new_since
            is_stale = _is_stale(device, status, now, interval)
            is_same = last is not None and last.device is device and last.status is status
            if is_same and last is not None and last.is_new == is_new and last.is_stale == is_stale:
                rows.append(last)  # a new object for each device would cause a collection of garbage
            else:
                rows.append(Row(device, status, is_new, is_stale))
        return rows

    def _count_owned(self, devices: tuple[Device, ...]) -> Counter[str]:
        ring = self._sources.cluster.members.ring
        if self._owners is None or self._owners[0] is not ring or self._owners[1] is not devices:
            self._owners = ring, devices, Counter(ring.owner(device.id) for device in devices)
        return self._owners[2]


def _add_health(board: Board) -> None:
    rows = [row for row in board.rows if row.status.health is not NO_SUMMARY]
    for row in rows:
        health = row.status.health
        for state, number in (("failed", health.failed), ("degraded", health.degraded)):
            if number:
                board.counts[state] += 1
                board.components[state] += number
    board.hottest = _highest(rows, lambda row: row.status.health.hottest)
    board.fullest = _highest(rows, lambda row: row.status.health.fullest)


def _highest(rows: Sequence[Row], reading: Callable[[Row], NamedValue | None]) -> list[Reading]:
    """The highest of one reading of each row. Nothing is made for the others: so many new objects would make the
    garbage collector look at all there are."""
    values = [value.value if (value := reading(row)) is not None else -inf for row in rows]
    places = heapq.nlargest(MOST_READINGS, range(len(rows)), key=values.__getitem__)
    found = ((rows[at], reading(rows[at])) for at in places)
    return [Reading(row, value.name, value.value) for row, value in found if value is not None]


def _is_bad(row: Row) -> bool:
    device, status = row.device, row.status
    return (
        status.state in ("down", "partial")
        or row.is_stale
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
