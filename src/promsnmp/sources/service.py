"""Reads the sources on their intervals, on the leader only, and writes what they say into the inventory.

Each source is followed by a task of its own, so that one that hangs delays no other. After each reading all sources
are reconciled together with what each said last, in one write, and only when something changes. A source that cannot
be read keeps what it said last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.metrics_core import Metric

from promsnmp.errors import InventoryConflict, InventoryError, OutcomeUnknown, SourceError
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.modules import KnownModules
from promsnmp.inventory.store import InventoryStore
from promsnmp.observe.health import Component, Status
from promsnmp.sources.metrics import source_families
from promsnmp.sources.model import SourceReader, SourceResult
from promsnmp.sources.reconcile import reconcile
from promsnmp.sources.state import SourceState

log = logging.getLogger(__name__)

WATCH_SECONDS = 2.0
"""Seconds between two looks at files."""
RETRY_SECONDS = 60.0
"""Seconds after a failed reading, at most."""
READ_TIMEOUT = 900.0
"""Seconds that one reading may take in all."""
ALL = 1 << 62
ACTOR = "sources"


@dataclass(slots=True)
class FollowedSource:
    """A source, its reader, and the lock that lets one reading run at a time."""

    state: SourceState
    reader: SourceReader
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SourceService:
    """The sources of the settings, in order. ``known_modules``: those that a device may name; None: any."""

    def __init__(
        self,
        store: InventoryStore,
        sources: Sequence[FollowedSource],
        *,
        leads: Callable[[], bool] = lambda: True,
        known_modules: KnownModules | None = None,
        watch: float = WATCH_SECONDS,
    ) -> None:
        self._store = store
        self._sources = {source.state.rules.name: source for source in sources}
        self._leads = leads
        self._known_modules = known_modules
        self._watch = watch
        self._leading = asyncio.Event()
        self._turn = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_on(self) -> bool:
        return bool(self._sources)

    @property
    def states(self) -> Sequence[SourceState]:
        return [source.state for source in self._sources.values()]

    # ------------------------------------------------------------------------------------------------- life cycle

    def start(self) -> None:
        self.note_leadership()
        self._tasks = [
            asyncio.create_task(self._follow(source), name=f"source {name}") for name, source in self._sources.items()
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for source in self._sources.values():
            await source.reader.close()

    def note_leadership(self) -> None:
        """Call it when this replica has begun or ceased to lead."""
        if self._leads():
            self._leading.set()
            return
        self._leading.clear()
        for source in self._sources.values():
            source.state.forget()

    async def _follow(self, source: FollowedSource) -> None:
        while True:
            await self._leading.wait()
            try:
                await self._read(source)
            except SourceError as error:
                log.warning("source %s: %s", source.state.rules.name, error)
            except Exception:  # one bad reading must not end the task
                log.exception("unexpected error while reading source %s", source.state.rules.name)
                source.state.note_failure("unexpected error; see the log")
            await self._pause(source)

    async def _pause(self, source: FollowedSource) -> None:
        """Until it is time for the next reading, the source is known to have changed, or another replica leads."""
        loop = asyncio.get_running_loop()
        seconds = min(source.state.interval, RETRY_SECONDS) if source.state.error else source.state.interval
        end = loop.time() + seconds
        while self._leading.is_set() and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, self._watch))
            if await source.reader.has_changed():
                return

    # --------------------------------------------------------------------------------------------------- readings

    async def _read(self, source: FollowedSource, confirmed: int = 0) -> None:
        """One reading and what follows. Raises SourceError; the state has its text, too."""
        name = source.state.rules.name
        async with source.lock:
            try:
                async with asyncio.timeout(READ_TIMEOUT):
                    reading = await source.reader.read()
            except TimeoutError:
                source.state.note_failure(f"not read within {READ_TIMEOUT:g} s")
                raise SourceError(source.state.error) from None
            except SourceError as error:
                source.state.note_failure(str(error))
                raise
            if not self._leads():
                return
            source.state.note_reading(reading)
            await self._reconcile(name, {name: confirmed} if confirmed else {})
            if source.state.is_due:
                count = len(source.state.result.held)
                log.warning(
                    "source %s: removing %d devices, as in %d readings", name, count, source.state.held_readings
                )
                await self._reconcile(name, {name: count})

    async def _reconcile(self, cause: str, confirmed: Mapping[str, int]) -> None:
        """Brings the inventory in step. Raises SourceError when it cannot be written."""
        async with self._turn:
            results: dict[str, SourceResult] = {}
            inputs = [one.input(confirmed.get(one.rules.name, 0)) for one in self.states]

            def change(old: Inventory) -> Inventory:
                new, found = reconcile(old, inputs, self._known_modules)
                results.update(found)
                return new

            try:
                await self._store.update(change, who=ACTOR)
            except (InventoryError, OutcomeUnknown) as error:
                text = error.lines[0] if isinstance(error, InventoryConflict) else str(error)
                self._sources[cause].state.note_failure(f"read, but not written: {text}")
                raise SourceError(self._sources[cause].state.error) from None
            for name, result in results.items():
                self._sources[name].state.note_result(result, is_own=name == cause)
                if result.added or result.changed or result.removed:
                    log.info(
                        "source %s: %d added, %d changed, %d removed",
                        name, result.added, result.changed, result.removed,
                    )  # fmt: skip

    # -------------------------------------------------------------------------------------------------- operators

    def documents(self) -> list[dict[str, object]]:
        """All sources as JSON, in order."""
        devices = {device.id: device for device in self._store.current.devices}
        return [state.document(devices) for state in self.states]

    def document(self, name: str) -> dict[str, object] | None:
        """One source as JSON; None when there is no such source."""
        return next((one for one in self.documents() if one["name"] == name), None)

    async def sync(self, name: str) -> None:
        """Reads a source now. Raises KeyError for an unknown one, and SourceError."""
        await self._read(self._sources[name])

    async def accept(self, name: str, removals: int | None = None) -> bool:
        """Reads a source now and does the removals that were held back, unless there are more than ``removals``;
        returns whether they are done. Raises KeyError and SourceError."""
        source = self._sources[name]
        await self._read(source, ALL if removals is None else removals)
        return not source.state.result.held

    def orphans(self) -> dict[str, int]:
        """Sources that devices come from and that the settings do not have any more, with their devices."""
        counts: dict[str, int] = {}
        for device in self._store.current.devices:
            if device.source is not None and device.source.name not in self._sources:
                counts[device.source.name] = counts.get(device.source.name, 0) + 1
        return counts

    # ---------------------------------------------------------------------------------------- health and metrics

    def check(self) -> Component:
        """The component ``sources`` of the health. A source that fails, or whose removals are held back, makes it
        UNKNOWN and not DOWN: all devices are polled as before."""
        if not self._leads():
            return Component(Status.UP, {"readBy": "the leader"})
        problems = {state.rules.name: state.problem for state in self.states if state.problem}
        details: dict[str, object] = {"sources": len(self._sources)}
        if problems:
            return Component(Status.UNKNOWN, {**details, "error": problems})
        return Component(Status.UP, details)

    def families(self) -> Iterable[Metric]:
        """Own metrics; none without sources, or while another replica leads."""
        if self.is_on and self._leads():
            yield from source_families(self.states)
