"""Asks a device for the rows that its traps are about, at once and beside its poll, and puts them onto its page.

A poll of a large device takes longer than an operator waits for an event. So the rows are asked for by themselves; the
outputs hear what is confirmed, and when no poll has ended meanwhile, the page gets the new values. What does not
confirm is asked for again after the poll: some agents send a trap before their tables have the state.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from promsnmp.errors import PromSnmpError
from promsnmp.inventory.model import Device
from promsnmp.polling.pages.row_updates import OwnFamily
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.confirm.object_states import SCALAR, Finding, ObjectStates, Said, finding_of, names_of
from promsnmp.traps.device_traps import DeviceTraps, ObjectState
from promsnmp.traps.metrics import TrapMeters

log = logging.getLogger(__name__)

MAX_AT_ONCE = 64
"""Devices that are asked for rows at the same time."""
PATIENCE = 0.5
"""Seconds for which the page waits for the poll: most polls are over by then."""


class RowPolls(Protocol):
    """What is needed of polling."""

    def get_rows(self, device: Device, names: list[bytes]) -> Awaitable[Mapping[bytes, VarBind]]: ...

    def update_page(
        self, device: Device, answers: Mapping[bytes, VarBind], answered_at: float, families: Sequence[OwnFamily]
    ) -> Awaitable[bool]: ...


@dataclass(slots=True, eq=False)
class _Request:
    """Rows of a device that are being asked for. ``since`` (seconds, monotonic): a poll that began then has them."""

    since: float
    polled: asyncio.Event = field(default_factory=asyncio.Event)


class RowRequests:
    """``found`` hears findings. ``clock``: seconds, monotonic; ``wall``: Unix time."""

    def __init__(
        self,
        polls: RowPolls,
        found: Callable[[Said, Finding], None],
        meters: TrapMeters,
        device_traps: DeviceTraps,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        self._polls, self._found = polls, found
        self._meters, self._device_traps = meters, device_traps
        self._clock, self._wall, self._patience = clock, wall, patience
        self._requests: dict[str, set[_Request]] = {}
        """By device id."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)

    def ask(self, device: Device, said: list[Said], waiting: ObjectStates, *, since: float) -> None:
        """Asks for the objects ``said``; those of ``waiting`` that the answers confirm wait no longer."""
        self._run(self._ask(device, said, waiting, _Request(since)))

    def compare(self, device: Device, said: list[Said]) -> None:
        """Asks for the objects ``said`` after a poll: what is found now counts."""
        self._run(self._compare(device, said))

    def on_polled(self, device_id: str, began: float) -> None:
        """A poll that ``began`` then (seconds, monotonic) has a page."""
        for request in self._requests.get(device_id, ()):
            if began >= request.since:
                request.polled.set()

    async def stop(self) -> None:
        """Ends what runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="rows that traps are about")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, device: Device, said: list[Said], waiting: ObjectStates, request: _Request) -> None:
        requests = self._requests.setdefault(device.id, set())
        requests.add(request)
        try:
            answers = await self._get(device, said)
            if not answers:
                return
            answered_at = self._clock()
            for one in said:
                if finding_of(one, answers) is Finding.CONFIRMED and waiting.remove(one):
                    self._found(one, Finding.CONFIRMED)
            try:
                async with asyncio.timeout(self._patience):
                    await request.polled.wait()
            except TimeoutError:
                await self._update_page(device, said, answers, answered_at)
        finally:
            requests.discard(request)
            if not requests:
                self._requests.pop(device.id, None)

    async def _update_page(
        self, device: Device, said: Iterable[Said], answers: Mapping[bytes, VarBind], answered_at: float
    ) -> None:
        states = _states(said, answers, self._wall() - (self._clock() - answered_at), answered_at)
        self._device_traps.set_states(device.id, states)
        families = self._device_traps.families(device.id)
        if await self._polls.update_page(device, answers, answered_at, families):
            self._meters.page_updates += 1

    async def _compare(self, device: Device, said: list[Said]) -> None:
        answers = await self._get(device, said)
        for one in said:
            self._found(one, finding_of(one, answers))

    async def _get(self, device: Device, said: Iterable[Said]) -> Mapping[bytes, VarBind]:
        async with self._slots:
            try:
                return await self._polls.get_rows(device, names_of(said))
            except PromSnmpError as error:
                log.debug("cannot ask %s for what its traps are about: %s", device.sys_name or device.id, error)
                return {}


def _states(
    said: Iterable[Said], answers: Mapping[bytes, VarBind], at: float, until: float
) -> dict[tuple[str, str], ObjectState]:
    """The states for the page, by name of the object and row."""
    states = {}
    for one in said:
        answer = answers.get(one.name)
        value = None if answer is None else ber.integer_value(answer.tag, answer.value)
        if value is not None:
            row = "0" if one.row == SCALAR else ".".join(map(str, oid.decode_subids(one.row)))
            states[one.confirmation.name, row] = ObjectState(float(value), at, until)
    return states
