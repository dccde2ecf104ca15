"""What the owner of a device does with its traps: counts them for the page, polls it, compares what the poll finds.

The owner is the replica that polls the device; another one that received the trap tells it (``peers.py``).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from promsnmp.inventory.model import Device
from promsnmp.polling.pages.row_updates import OwnFamily
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.confirm.missed import MissedTraps
from promsnmp.traps.confirm.object_states import Finding, ObjectStates, Said, if_index, said_by
from promsnmp.traps.confirm.poll_requests import PollRequests
from promsnmp.traps.confirm.row_requests import RowRequests
from promsnmp.traps.device_traps import DeviceTraps
from promsnmp.traps.metrics import TrapMeters
from promsnmp.traps.names.confirmations import Confirmation
from promsnmp.traps.naming import LINK_DOWN, LINK_UP, nothing_confirms

MAX_PENDING = 100
"""Receipts of one device that wait for a page."""
PollWhich = Literal["known", "all", "none"]


@dataclass(frozen=True, slots=True)
class TrapEvent:
    """A notification of a device, as its owner needs it."""

    device_id: str
    oid: bytes
    name: str
    """"" for one without a name."""
    received_at: float
    """Unix seconds."""
    is_authenticated: bool
    varbinds: tuple[VarBind, ...] = ()
    """Of notifications that can be confirmed: those that say of which object."""
    id: str = ""
    """That of the notification."""
    receiver: str = ""
    """Name of the replica that received it."""

    @property
    def is_about_link(self) -> bool:
        """Whether it is linkDown or linkUp."""
        return self.oid in (LINK_DOWN, LINK_UP)


class DevicePolls(Protocol):
    """What is needed of polling."""

    def poll_again(self, device: Device) -> bool: ...

    def get_rows(self, device: Device, names: list[bytes]) -> Awaitable[Mapping[bytes, VarBind]]: ...

    def update_page(
        self, device: Device, answers: Mapping[bytes, VarBind], answered_at: float, families: Sequence[OwnFamily]
    ) -> Awaitable[bool]: ...


@dataclass(slots=True)
class _Pending:
    """Traps of a device that wait for its next poll."""

    receipts: list[float] = field(default_factory=list)
    """Seconds, monotonic."""
    states: ObjectStates = field(default_factory=ObjectStates)


def ignore(said: Said, finding: Finding) -> None:
    """Tells nobody what a poll found."""


class DeviceEvents:
    """Handles the traps of devices that this replica polls. ``find_device`` finds one of the inventory by id;
    ``tell`` hears what was found of traps that
    ``confirmation_of`` (by notification) knows to confirm."""

    def __init__(
        self,
        polls: DevicePolls,
        find_device: Callable[[str], Device | None],
        meters: TrapMeters,
        device_traps: DeviceTraps,
        *,
        which: PollWhich,
        interval: float,
        unauthenticated_interval: float,
        confirmation_of: Callable[[bytes], Confirmation | None] = nothing_confirms,
        tell: Callable[[Said, Finding], None] = ignore,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._polls = polls
        self._find_device = find_device
        self._meters = meters
        self._device_traps = device_traps
        self._which = which
        self._requests = PollRequests(self._poll, interval=interval, unauthenticated_interval=unauthenticated_interval)
        self._confirmation_of = confirmation_of
        self._rows = RowRequests(polls, self._found, meters, device_traps, clock=clock, wall=wall)
        self._tell = tell
        self._clock = clock
        self._wall = wall
        self._pending: dict[str, _Pending] = {}
        self._missed = MissedTraps()

    def handle(self, event: TrapEvent) -> None:
        """Counts a trap, and asks for a poll of its device, if it causes one."""
        self._device_traps.add(event.device_id, event.name, event.received_at)
        if self._which == "none" or (self._which == "known" and not event.name):
            return
        pending = self._pending.setdefault(event.device_id, _Pending())
        if len(pending.receipts) < MAX_PENDING:
            pending.receipts.append(self._clock() - max(self._wall() - event.received_at, 0.0))
        if event.is_about_link and (row := if_index(event.varbinds)):
            self._missed.add(event.device_id, row, self._clock())
        if (confirmation := self._confirmation_of(event.oid)) is not None:
            said = said_by(confirmation, event.varbinds, trap_id=event.id, receiver=event.receiver)
            if (found := pending.states.add(said)) is not None:
                self._found(*found)
        self._requests.request(event.device_id, is_authenticated=event.is_authenticated)

    def on_polled(
        self, device_id: str, began: float, *, has_page: bool, changes: Mapping[bytes, int] | None = None
    ) -> None:
        """A poll of a device that ``began`` then (seconds, monotonic) has ended, and its page is there; ``changes``
        are the new states of interfaces, by row."""
        if has_page:
            self._meters.missed += self._missed.on_polled(device_id, began, changes or {})
            self._device_traps.on_polled(device_id, began)
            self._rows.on_polled(device_id, began)
        pending = self._pending.get(device_id)
        if pending is None or not pending.receipts or pending.receipts[0] > began:
            return
        if not has_page:
            self._give_up(device_id)
            return
        now = self._clock()
        for at in pending.receipts:
            if at <= began:
                self._meters.delay.observe(now - at)
        pending.receipts = [at for at in pending.receipts if at > began]
        if not pending.receipts:
            del self._pending[device_id]
        said = pending.states.take()
        device = self._find_device(device_id)
        if said and device is not None:
            self._rows.compare(device, said)

    def retain(self, device_ids: Container[str]) -> None:
        """Forgets devices that are not in the inventory any more."""
        self._device_traps.retain(device_ids)
        self._missed.retain(device_ids)
        for gone in [one for one in self._pending if one not in device_ids]:
            del self._pending[gone]

    async def stop(self) -> None:
        """Ends what runs."""
        self._requests.stop()
        await self._rows.stop()

    def _poll(self, device_id: str) -> None:
        since, device = self._clock(), self._find_device(device_id)
        if device is None or not self._polls.poll_again(device):
            self._give_up(device_id)
            return
        self._meters.polls += 1
        if (pending := self._pending.get(device_id)) is not None and (said := list(pending.states)):
            self._rows.ask(device, said, pending.states, since=since)

    def _give_up(self, device_id: str) -> None:
        """No poll can say what the traps of a device were about."""
        if (pending := self._pending.pop(device_id, None)) is not None:
            for said in pending.states.take():
                self._found(said, Finding.UNKNOWN)

    def _found(self, said: Said, finding: Finding) -> None:
        self._meters.findings[finding] += 1
        self._tell(said, finding)
