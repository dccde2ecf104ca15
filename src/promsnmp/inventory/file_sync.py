"""Keeps the inventory in memory and the file in step: read, take over, commit. Everything here runs in threads.

A file that another process changed (``promsnmp devices add`` beside a running server, the leader on a shared volume) is
read before it is written, so that no writer undoes what it never saw. A file that cannot be read is never overwritten,
and neither is one that is older than the inventory in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.errors import InventoryConflict, InventoryUnavailable, NotLeader
from promsnmp.inventory.derived import DerivedValues
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import FileStamp
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.writes.apply_change import PendingChange, apply_change, is_older
from promsnmp.inventory.writes.changes import audit_changes, compare
from promsnmp.inventory.writes.fencing import GetFencingToken, no_fencing_token
from promsnmp.observe.audit import audit
from promsnmp.support.memory import gc_paused


@dataclass(frozen=True, slots=True)
class StoreState:
    """The inventory in use, the version of the file that holds it, and the values derived from it."""

    snapshot: Snapshot = field(default_factory=lambda: Snapshot.of(Inventory()))
    stamp: FileStamp | None = None
    """None: there is no file yet."""
    derived: DerivedValues = ()


class FileSync:
    """Turns one state into the next. ``derive`` computes the derived values of a new snapshot."""

    def __init__(self, file: EncryptedFile, *, derive: Callable[[Snapshot], DerivedValues]) -> None:
        self._file = file
        self.get_fencing_token: GetFencingToken = no_fencing_token
        """Called before each write; raises NotLeader when this replica must not write."""
        self._derive = derive
        self._prepared = False

    def prepare(self, state: StoreState) -> None:
        """Renders everything now, and after each takeover, so that the next change has to render only its own part."""
        self._prepared = True
        self._file.prepare(state.snapshot.inventory)

    def read(self) -> StoreState:
        """The state in the file; an empty inventory when there is no file. Raises InventoryError."""
        found = self._file.read()
        if found is None:
            return StoreState()
        inventory, stamp = found
        with gc_paused():
            return StoreState(Snapshot.of(inventory), stamp)

    def reread(self, state: StoreState) -> StoreState:
        """The state after another process may have written the file; ``state`` itself when none has.

        Raises InventoryError, also when the file is gone or older than ``state``.
        """
        stamp = self._file.stamp()
        if stamp == state.stamp:
            return state
        if stamp is None:
            raise InventoryUnavailable(f"{self._file.path} is gone; the next change of the inventory writes it again")
        return self._completed(self._take_over(state), state)

    def commit(self, state: StoreState, pending_changes: Sequence[PendingChange]) -> StoreState:
        """Applies changes to ``state`` and writes the file once for all of them; each change notes its own result.

        Raises InventoryError when nothing can be written, then no change has been made; NotLeader is one of them.
        """
        with self._file.lock():
            fencing_token = self.get_fencing_token()
            stamp = self._file.stamp()
            current = state if stamp in (None, state.stamp) else self._take_over(state)
            snapshot = current.snapshot
            for pending in pending_changes:
                snapshot = apply_change(snapshot, pending, fencing_token)
            if snapshot is current.snapshot:
                return self._completed(current, state)
            stamp = self._file.write(snapshot.inventory, before_rename=lambda: self._check_fencing_token(fencing_token))
        for pending in pending_changes:
            if pending.changes is not None and isinstance(pending.result, Inventory):
                audit_changes(pending.changes, who=pending.who, revision=pending.result.revision)
        return self._completed(StoreState(snapshot, stamp), state)

    def _check_fencing_token(self, fencing_token: int | None) -> None:
        """Raises NotLeader when the term has ended while the file was being written."""
        if (current := self.get_fencing_token()) != fencing_token:
            raise NotLeader(
                f"not written: term {fencing_token} ended during the write, term {current} began; try again"
            )

    def _take_over(self, state: StoreState) -> StoreState:
        """The state that another process wrote; devices that it did not change stay the same objects."""
        found = self._file.reread()
        if found is None:  # deleted a moment ago
            return state
        read, stamp = found
        old = state.snapshot
        if is_older(read, old.inventory):
            raise InventoryUnavailable(
                f"{self._file.path} is older (revision {read.revision} of term {read.fencing_token}) than the "
                f"inventory in use (revision {old.inventory.revision} of term {old.inventory.fencing_token}), "
                "which is kept; put the newer file back, or restart every replica of PromSNMP to continue from "
                "the older one"
            )
        inventory, changes = compare(old.inventory, read)
        if inventory == old.inventory:
            return replace(state, stamp=stamp)
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
        return StoreState(Snapshot(inventory, index), stamp)

    def _completed(self, new: StoreState, old: StoreState) -> StoreState:
        """``new`` with its derived values, when its inventory is another one than that of ``old``."""
        return new if new.snapshot is old.snapshot else replace(new, derived=self._derive(new.snapshot))
