"""The inventory in use: one immutable value in memory, one encrypted file, and the rules between them.

A change is on the disk before anybody sees it in memory, and a file that another process changed (``promsnmp devices
add`` beside a running server, the leader on a shared volume) is read before it is written, so that no writer undoes
what it never saw. A file that cannot be read is never written over.

Changes that come while one is being written wait and are written together: each is made, checked, numbered and
answered for itself, but the file is written once for all of them, and nobody is answered before that is on the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from promsnmp.errors import InventoryConflict, InventoryError, InventoryUnavailable, NotLeader
from promsnmp.inventory.derived import Derivations, DerivedValues, use_derived
from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.index import Snapshot, TargetMatch
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import FileStamp, try_writing
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.storage.key import InventoryKey
from promsnmp.inventory.writes.apply_change import Change, PendingChange, apply_change, is_older
from promsnmp.inventory.writes.changes import audit_changes, compare
from promsnmp.inventory.writes.fencing import GetFencingToken, no_fencing_token
from promsnmp.observe.audit import audit
from promsnmp.support.listeners import Listeners
from promsnmp.support.memory import gc_paused

log = logging.getLogger(__name__)

T = TypeVar("T")

OURSELVES = "promsnmp"
"""Who changed something when nobody else did."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is in use, and the version of the file that holds it."""

    snapshot: Snapshot = field(default_factory=lambda: Snapshot.of(Inventory()))
    stamp: FileStamp | None = None
    derived: DerivedValues = ()


class InventoryStore:
    """Reads, finds and changes the inventory kept in ``path``, whose key is ``key``; ``get_fencing_token`` says
    whether it may be written now."""

    def __init__(
        self, path: Path, key: InventoryKey | bytes, *, get_fencing_token: GetFencingToken = no_fencing_token
    ) -> None:
        self.path = path
        self.last_error: InventoryError | None = None
        """Why the file on the disk is not the inventory in use; None when it is."""
        self.write_error: InventoryUnavailable | None = None
        """Why the last write failed; None when it did not, or when ``probe`` found that it would not fail now."""
        self._get_fencing_token = get_fencing_token
        self._file = EncryptedFile(path, key if isinstance(key, InventoryKey) else InventoryKey(key))
        self._state = _State()
        self._prepared = False
        self._turn = asyncio.Lock()
        self._waiting: list[PendingChange] = []
        self._writing: asyncio.Task[None] | None = None
        self._derivations = Derivations()
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

    def find(self, target: str) -> TargetMatch | None:
        """Device and agent that a scrape's target means, or None; see ``Index.find``."""
        return self._state.snapshot.index.find(target)

    def subscribe(self, listener: Callable[[Inventory], object]) -> None:
        """Calls ``listener`` with the new inventory after each change."""
        self._listeners.subscribe(listener)

    def derive(self, make: Callable[[Snapshot], T], use: Callable[[T], None]) -> None:
        """Keeps something up to date that is made of the whole inventory, and is too much work for the event loop.

        ``make`` runs in the thread that makes a change, before the change is seen; ``use`` takes what it returned at
        the moment when it is. Both are called once for the inventory in use.
        """
        self._derivations.add(make, use, self._state.snapshot)

    def load(self) -> Inventory:
        """Reads the file; without one the inventory is empty.

        Raises InventoryKeyError, InventoryDamaged, InventoryInvalid or InventoryUnavailable.
        """
        self._state = self._read()
        self.last_error = None
        return self.current

    def prepare(self) -> None:
        """Does now what the first change would have to wait for, and after each change what the next one would."""
        self._prepared = True
        self._file.prepare(self.current)

    def start_empty(self, stamp: FileStamp) -> None:
        """Begins with an empty inventory although there is a file: the caller has read this version of it.

        For a plain JSON file that is taken over in place; any other version of the file is still not written over.
        """
        self._state = _State(stamp=stamp)

    async def replace(self, document: object, *, who: str = OURSELVES, request_id: str = "") -> Inventory:
        """Puts a JSON document in the place of the whole inventory; masked secrets keep their values.

        Raises InventoryInvalid with every problem, and as ``update`` does; then nothing has changed.
        """
        return await self.update(lambda old: from_document(document, previous=old), who=who, request_id=request_id)

    async def update(self, change: Change, *, who: str = OURSELVES, request_id: str = "") -> Inventory:
        """Writes what ``change`` makes of the inventory, durably, and returns it with its new revision.

        ``change`` runs in a thread; returning its argument means that there is nothing to write, and what it raises
        is raised here. ``who`` appears in the audit log. ``request_id`` is the ID of the forwarded request that asks
        for the change; the file keeps it. Cancelling the caller does not stop the write.

        Raises InventoryConflict when two devices would share an ID or an endpoint, NotLeader when this replica is not
        the leader, and InventoryUnavailable when the file cannot be written or has been written by a later leader.
        """
        pending = PendingChange(change, who, request_id, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="writer of the inventory")
        return await asyncio.shield(pending.future)

    async def write_fencing_token(self) -> None:
        """Writes the present term into the file, if it is not there yet: from then on no leader of an earlier one can
        write. Raises NotLeader and InventoryUnavailable."""

        def change(old: Inventory) -> Inventory:
            return old if self._get_fencing_token() in (None, old.fencing_token) else replace(old)

        await self.update(change)

    async def probe(self) -> None:
        """After a failed write: tries whether one would succeed now, so that ``write_error`` does not outlive its
        reason."""
        if self.write_error is not None:
            try:
                await asyncio.to_thread(try_writing, self.path)
            except InventoryUnavailable as error:
                self.write_error = error
            else:
                self.write_error = None

    async def reload_if_changed(self) -> bool:
        """Takes over a file that another process wrote; whether it did.

        A file that is bad or gone leaves the inventory as it is, and the reason in ``last_error``.
        """
        async with self._turn:
            try:
                state = await asyncio.to_thread(self._reread)
            except InventoryError as error:
                if str(error) != str(self.last_error):
                    log.error("keeping the inventory that was read before: %s", error)
                self.last_error = error
                return False
            self.last_error = None
            return self._adopt(state)

    async def _write_waiting(self) -> None:
        while self._waiting:
            async with self._turn:
                pending_changes, self._waiting = self._waiting, []
                try:
                    state = await asyncio.to_thread(self._commit, pending_changes)
                except Exception as error:  # noqa: BLE001  # it is theirs who asked for the change
                    self._note(error)
                    for pending in pending_changes:
                        pending.result = pending.result if isinstance(pending.result, Exception) else error
                else:
                    self.last_error = self.write_error = None
                    self._adopt(state)
            for pending in pending_changes:
                if isinstance(pending.result, Inventory):
                    pending.future.set_result(pending.result)
                elif pending.result is not None:
                    pending.future.set_exception(pending.result)

    def _adopt(self, state: _State) -> bool:
        changed = state.snapshot is not self._state.snapshot
        self._state = state
        if changed:
            use_derived(state.derived)
            self._listeners.notify(state.snapshot.inventory)
        return changed

    def _note(self, error: Exception) -> None:
        if isinstance(error, InventoryUnavailable) and not isinstance(error, NotLeader):
            if str(error) != str(self.write_error):
                log.error("a change of the inventory was not written: %s", error)
            self.write_error = error

    def _commit(self, pending_changes: Sequence[PendingChange]) -> _State:
        with self._file.lock():
            fencing_token = self._get_fencing_token()
            stamp = self._file.stamp()
            state = self._state if stamp in (None, self._state.stamp) else self._taken_over()
            snapshot = state.snapshot
            for pending in pending_changes:
                snapshot = apply_change(snapshot, pending, fencing_token)
            if snapshot is state.snapshot:
                return self._completed(state)
            stamp = self._file.write(snapshot.inventory, before_rename=lambda: self._check_fencing_token(fencing_token))
        for pending in pending_changes:
            if pending.changes is not None and isinstance(pending.result, Inventory):
                audit_changes(pending.changes, who=pending.who, revision=pending.result.revision)
        return self._completed(_State(snapshot, stamp))

    def _check_fencing_token(self, fencing_token: int | None) -> None:
        """Raises NotLeader when the term has ended while the file was being written."""
        if (current := self._get_fencing_token()) != fencing_token:
            raise NotLeader(f"not written: term {fencing_token} ended meanwhile, and term {current} began")

    def _reread(self) -> _State:
        stamp = self._file.stamp()
        if stamp == self._state.stamp:
            return self._state
        if stamp is None:
            raise InventoryUnavailable(f"{self.path} is gone; the next change of the inventory writes it again")
        return self._completed(self._taken_over())

    def _taken_over(self) -> _State:
        """What another process wrote, with all that is as it was left in place."""
        found = self._file.reread()
        if found is None:  # it went just now
            return self._state
        read, stamp = found
        old = self._state.snapshot
        if is_older(read, old.inventory):
            raise InventoryUnavailable(
                f"{self.path} is older (revision {read.revision} of term {read.fencing_token}) "
                "than the inventory in use, which "
                f"is kept (revision {old.inventory.revision} of term {old.inventory.fencing_token}); "
                "put the newer file back, "
                "or restart PromSNMP, every replica of it, to go on from the older one"
            )
        inventory, changes = compare(old.inventory, read)
        if inventory == old.inventory:
            return replace(self._state, stamp=stamp)
        index = old.index.updated(changes.devices.old_values, changes.devices.new_values)
        if index.conflicts:
            raise InventoryConflict(index.conflicts)
        if self._prepared:
            self._file.prepare(inventory)
        audit(
            "inventory file taken over",
            who="another process",
            revision=inventory.revision,
            devices=changes.devices,
            seeds=changes.seeds,
        )
        return _State(Snapshot(inventory, index), stamp)

    def _read(self) -> _State:
        found = self._file.read()
        if found is None:
            return _State()
        inventory, stamp = found
        with gc_paused():
            return _State(Snapshot.of(inventory), stamp)

    def _completed(self, state: _State) -> _State:
        """With what is derived of it, when it is another one than that in use."""
        return (
            state
            if state.snapshot is self._state.snapshot
            else replace(state, derived=self._derivations.compute(state.snapshot))
        )
