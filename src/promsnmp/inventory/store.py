"""The inventory in use: one immutable value in memory, and a queue of changes to it.

A change is on the disk before anybody sees it in memory; how memory and file stay in step is in ``file_sync.py``.

Changes that arrive during a write wait and are written together: each is made, checked, numbered and answered
separately, but the file is written once for all of them, and no caller gets an answer before it is on the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from promsnmp.errors import InventoryError, InventoryUnavailable, NotLeader, OutcomeUnknown
from promsnmp.inventory.derived import Derivations, use_derived
from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.file_sync import FileSync, StoreState
from promsnmp.inventory.index import Snapshot, TargetMatch
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import FileStamp
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.storage.key import InventoryKey
from promsnmp.inventory.storage.volume import VolumeCheck
from promsnmp.inventory.writes.apply_change import Change, PendingChange
from promsnmp.inventory.writes.fencing import GetClaim
from promsnmp.inventory.writes.numbers import imported, now_ms
from promsnmp.observe.tasks import shielded
from promsnmp.support.claim import Claim
from promsnmp.support.listeners import Listeners

log = logging.getLogger(__name__)

T = TypeVar("T")

OURSELVES = "promsnmp"
"""The author of changes that no user asked for."""


class InventoryStore:
    """Reads, finds and changes the inventory kept in ``path``, whose key is ``key``.

    With elections, ``guard_writes`` says which replica may write; without them every write is allowed.
    """

    def __init__(self, path: Path, key: InventoryKey | bytes) -> None:
        self.path = path
        self.last_error: InventoryError | None = None
        """Why the inventory in use differs from the file on the disk; None when it does not."""
        self.volume = VolumeCheck(path)
        """Whether the file can be written; ``volume.run`` checks it."""
        self._file = EncryptedFile(path, key if isinstance(key, InventoryKey) else InventoryKey(key))
        self._state = StoreState()
        self._turn = asyncio.Lock()
        self._waiting: list[PendingChange] = []
        self._writing: asyncio.Task[None] | None = None
        self._derivations = Derivations()
        self._sync = FileSync(self._file, derive=self._derivations.compute)
        self._listeners = Listeners[[Inventory]]("change of the inventory")

    @property
    def current(self) -> Inventory:
        return self._state.snapshot.inventory

    @property
    def snapshot(self) -> Snapshot:
        """The inventory in use with its index."""
        return self._state.snapshot

    @property
    def key(self) -> bytes:
        """The key of the file."""
        return self._file.key

    @property
    def write_error(self) -> InventoryUnavailable | None:
        """Why the last write, or the last check of the volume, failed; None when it succeeded."""
        return self.volume.write_error

    def find(self, target: str) -> TargetMatch | None:
        """The device and the agent of a scrape's target, or None; see ``Index.find``."""
        return self._state.snapshot.index.find(target)

    def subscribe(self, listener: Callable[[Inventory], object]) -> None:
        """Calls ``listener`` with the new inventory after each change."""
        self._listeners.subscribe(listener)

    def derive(self, make: Callable[[Snapshot], T], use: Callable[[T], None]) -> None:
        """Keeps a value up to date that is computed from the whole inventory and takes too long for the event loop.

        ``make`` runs in the thread that makes a change, before the change is visible; ``use`` gets its result at the
        moment when the change becomes visible. Both are called once now, for the inventory in use.
        """
        self._derivations.add(make, use, self._state.snapshot)

    def guard_writes(self, get_claim: GetClaim) -> None:
        """From now on calls ``get_claim`` before each write; it raises NotLeader when this replica must not write.

        A method, because the cluster that knows the claim reads the inventory, and so is built after it.
        """
        self._sync.get_claim = get_claim

    def load(self) -> Inventory:
        """Reads the file; without one the inventory is empty.

        Raises InventoryKeyError, InventoryDamaged, InventoryInvalid or InventoryUnavailable.
        """
        self._state = self._sync.read()
        self.last_error = None
        return self.current

    def prepare(self) -> None:
        """Does the work now, and again after each change, that the next change would otherwise wait for."""
        self._sync.prepare(self._state)

    def start_empty(self, stamp: FileStamp, numbers: Inventory) -> None:
        """Starts with the empty inventory ``numbers``, whose revision and term are continued, although there is a file.

        The caller has read this version of the file, such as one of plain JSON, and replaces it; any other version is
        still not overwritten.
        """
        self._state = StoreState(Snapshot.of(numbers), stamp)

    async def replace(self, document: object, *, who: str = OURSELVES, request_id: str = "") -> Inventory:
        """Replaces the whole inventory by a JSON document; masked secrets keep their values.

        Raises InventoryInvalid with the problems, and what ``update`` raises; then nothing has changed.
        """
        return await self.update(
            lambda old: replace(from_document(document, previous=old), imported_at=old.imported_at),
            who=who,
            request_id=request_id,
        )

    async def import_document(self, document: object, *, who: str) -> Inventory:
        """Like ``replace``, for an operator who writes the file beside running servers: they use it, whatever the
        numbers in the file were."""
        return await self.update(
            lambda old: imported(from_document(document, previous=old), old, time_ms=now_ms()), who=who
        )

    async def update(self, change: Change, *, who: str = OURSELVES, request_id: str = "") -> Inventory:
        """Writes the result of ``change`` durably, and returns the inventory with its new revision.

        ``change`` runs in a thread; it returns its argument when there is nothing to write, and what it raises
        is raised here. ``who`` appears in the audit log. ``request_id`` is the ID of the forwarded request that asks
        for the change; the file keeps it. Cancelling the caller does not stop the write.

        Raises InventoryConflict when two devices would share an ID or an endpoint, NotLeader when this replica is not
        the leader, and InventoryUnavailable when the file cannot be written or has been written by a later leader: then
        nothing has changed. Raises OutcomeUnknown when the change has been made, or may have been, and may not last.
        """
        pending = PendingChange(change, who, request_id, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="writer of the inventory")
        return await shielded(pending.future)

    async def claim(self, claim: Claim, *, after: Claim, check: Callable[[], None]) -> Claim:
        """Writes a new leader's claim into the file, unless the file has a later one than ``after``; returns the claim
        that the file has then. After that, no leader with an earlier claim can write.

        ``check`` is called in a thread before the write, and again right before the file is replaced; it raises
        NotLeader when the claim must not be written any more. Raises InventoryError when the file cannot be read or
        written, and OutcomeUnknown while it is not certain that the claim lasts. Cancelling the caller does not stop
        the write.
        """
        return await shielded(asyncio.ensure_future(self._write_claim(claim, after, check)))

    async def _write_claim(self, claim: Claim, after: Claim, check: Callable[[], None]) -> Claim:
        async with self._turn:
            try:
                state = await asyncio.to_thread(partial(self._sync.claim, self._state, claim, after=after, check=check))
            except OutcomeUnknown:
                await self._reread()
                raise
            except InventoryUnavailable as error:
                if not isinstance(error, NotLeader):
                    self.volume.note_failure(error)
                raise
            self._adopt_written(state)
        if state.doubt and self.current.claim == claim:
            raise OutcomeUnknown(state.doubt)
        return self.current.claim

    async def reload_if_changed(self) -> bool:
        """Takes over the file when another process has changed it; returns whether the inventory changed.

        When the file is damaged or gone, the inventory stays as it is, and ``last_error`` says why.
        """
        async with self._turn:
            has_changed = await self._reread()
        if self._state.is_renumbered:
            await self._write_numbers()
        return has_changed

    async def _reread(self) -> bool:
        try:
            state = await asyncio.to_thread(self._sync.reread, self._state)
        except InventoryError as error:
            if str(error) != str(self.last_error):
                log.error("cannot read the inventory file, keeping the inventory in memory: %s", error)
            self.last_error = error
            return False
        self.last_error = None
        return self._adopt(state)

    async def _write_numbers(self) -> None:
        """Gives the file the numbers that the inventory in use has, if this replica may write."""
        try:
            self._sync.get_claim()  # a follower need not wait for its turn to write
            await self.update(replace)
        except (InventoryError, OutcomeUnknown) as error:
            log.debug("the inventory file keeps its lower numbers for now: %s", error)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                async with self._turn:
                    pending_changes, self._waiting = self._waiting, []
                    await self._commit(pending_changes)
        finally:
            for pending in self._waiting:  # this task was cancelled
                pending.answer(InventoryUnavailable("not written: PromSNMP is stopping"))
            self._waiting = []

    async def _commit(self, pending_changes: Sequence[PendingChange]) -> None:
        """Writes changes and answers them. A change is refused only when the commit says that nothing was written."""
        stopped = OutcomeUnknown("PromSNMP stopped during the write, so its outcome is unknown; look the change up")
        failure: Exception | None = stopped
        try:
            state = await asyncio.to_thread(self._sync.commit, self._state, pending_changes)
            failure = OutcomeUnknown(state.doubt) if state.doubt else None
            self._adopt_written(state)
        except Exception as error:  # noqa: BLE001  # raised in each caller of update
            failure = error
            self._note_refusal(error)
            if isinstance(error, OutcomeUnknown):
                await self._reread()
        finally:
            for pending in pending_changes:
                pending.answer(failure)

    def _adopt_written(self, state: StoreState) -> None:
        """Uses what was written. Raises nothing: the file has been replaced."""
        self.last_error = None
        if state.doubt:
            self.volume.note_failure(InventoryUnavailable(state.doubt))
        else:
            self.volume.note_success()
        try:
            self._adopt(state)
        except Exception:  # after the change was made nothing may look like a refusal
            log.exception("unexpected error after a change of the inventory; the change has been made")

    def _adopt(self, state: StoreState) -> bool:
        changed = state.snapshot is not self._state.snapshot
        self._state = state
        if changed:
            use_derived(state.derived)
            self._listeners.notify(state.snapshot.inventory)
        return changed

    def _note_refusal(self, error: Exception) -> None:
        if isinstance(error, InventoryUnavailable) and not isinstance(error, NotLeader):
            self.volume.note_failure(error, refused=True)
