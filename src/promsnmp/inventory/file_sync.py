"""Keeps the inventory in memory and the file in step: read, take over, commit. Everything here runs in threads.

A file that another process changed (``promsnmp devices add`` beside a running server, the leader on a shared volume) is
read before it is written, so that no writer undoes what it never saw. A file that cannot be read is never overwritten,
and neither is one that is older than the inventory in memory.

A commit that raises has changed nothing. Once the file has been replaced, it raises nothing, whatever fails then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.errors import InventoryConflict, InventoryUnavailable, NotLeader
from promsnmp.inventory.derived import DerivedValues
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import FileStamp
from promsnmp.inventory.storage.encrypted_file import EncryptedFile
from promsnmp.inventory.storage.lock import WriteTurn
from promsnmp.inventory.writes.apply_change import PendingChange, apply_change
from promsnmp.inventory.writes.changes import audit_changes, compare
from promsnmp.inventory.writes.fencing import GetClaim, no_claim
from promsnmp.inventory.writes.numbers import continued, next_numbers, now_ms, numbered
from promsnmp.observe.audit import audit
from promsnmp.support.claim import Claim
from promsnmp.support.memory import gc_paused

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a commit begins again because a program that takes no turns replaced the file meanwhile."""


class FileChanged(InventoryUnavailable):
    """Another program replaced the file between its reading and the rename; nothing was written."""


@dataclass(frozen=True, slots=True)
class StoreState:
    """The inventory in use, the version of the file that holds it, and the values derived from it."""

    snapshot: Snapshot = field(default_factory=lambda: Snapshot.of(Inventory()))
    stamp: FileStamp | None = None
    """None: there is no file yet."""
    derived: DerivedValues = ()
    doubt: str = ""
    """Why the last write may not survive; see ``Written``."""
    is_renumbered: bool = False
    """Whether the file has lower numbers than the inventory in use: the next write corrects that."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What one write of the file does."""

    begin: Callable[[], Claim | None]
    """Returns the claim of this writer. Raises NotLeader."""
    make: Callable[[Snapshot, Claim | None], Snapshot | None]
    """From what the file has, what it is to have, or the same; None when nothing may be written."""
    check: Callable[[Claim | None], None]
    """Called right before the rename. Raises NotLeader."""
    finish: Callable[[], None]
    """Called when the file was replaced."""


class FileSync:
    """Turns one state into the next. ``derive`` computes the derived values of a new snapshot."""

    def __init__(self, file: EncryptedFile, *, derive: Callable[[Snapshot], DerivedValues]) -> None:
        self._file = file
        self.get_claim: GetClaim = no_claim
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
            return StoreState(Snapshot.of(numbered(inventory, time_ms=now_ms())), stamp)

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

        The new state has a ``doubt`` when the file was replaced, but the changes may not last. Raises InventoryError
        when nothing can be written, then no change has been made; NotLeader is one of them. Raises OutcomeUnknown when
        the file may have been replaced.
        """
        work = _Work(
            begin=self.get_claim,
            make=lambda snapshot, claim: _changed(snapshot, pending_changes, claim),
            check=self._check_claim,
            finish=lambda: _audit(pending_changes),
        )
        return self._run(work, state)

    def claim(self, state: StoreState, claim: Claim, *, after: Claim, check: Callable[[], None]) -> StoreState:
        """Writes ``claim`` into the file, unless it is there, or a later one than ``after`` is; returns the state with
        the claim that the file has.

        ``check`` raises NotLeader when the claim must not be written any more. Raises what ``commit`` raises.
        """

        def begin() -> Claim:
            check()
            return claim

        work = _Work(
            begin=begin,
            make=lambda snapshot, _: _claimed(snapshot, claim, after),
            check=lambda _: check(),
            finish=lambda: None,
        )
        return self._run(work, state)

    def _run(self, work: _Work, state: StoreState) -> StoreState:
        replaced: list[StoreState] = []
        try:
            with self._file.lock() as turn:
                new = self._write(state, work, turn, replaced)
            if replaced:
                work.finish()
            return self._completed(new, state)
        except Exception:  # after the change was made nothing may look like a refusal
            if not replaced:
                raise
            log.exception("unexpected error after a change of the inventory; the change has been made")
            return replaced[0]

    def _write(self, state: StoreState, work: _Work, turn: WriteTurn, replaced: list[StoreState]) -> StoreState:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._write_once(state, work, turn, replaced)
            except FileChanged:
                log.info("another program has replaced the inventory file, reading it before writing: %s", turn.path)
        return self._write_once(state, work, turn, replaced)

    def _write_once(self, state: StoreState, work: _Work, turn: WriteTurn, replaced: list[StoreState]) -> StoreState:
        claim = work.begin()
        stamp = self._file.opened_stamp()
        current = state if stamp in (None, state.stamp) else self._take_over(state)
        snapshot = work.make(current.snapshot, claim)
        if snapshot is None:
            return current
        is_gone = stamp is None and snapshot.inventory.revision > 0
        if snapshot is current.snapshot and not is_gone:
            return self._synced(current)

        def check() -> None:
            work.check(claim)
            turn.check()
            if self._file.opened_stamp() != stamp:
                raise FileChanged(f"not written: another program keeps replacing {self._file.path}; try again")

        written = self._file.write(snapshot.inventory, before_rename=check)
        replaced.append(StoreState(snapshot, written.stamp, doubt=written.doubt or _lost_turn(turn)))
        return replaced[0]

    def _synced(self, state: StoreState) -> StoreState:
        """``state``, whose last write is durable now, if that is possible."""
        return replace(state, doubt=self._file.sync_folder()) if state.doubt else state

    def _check_claim(self, claim: Claim | None) -> None:
        """Raises NotLeader when the term has ended while the file was being written."""
        if (current := self.get_claim()) != claim:
            raise NotLeader(
                f"not written: term {claim and claim.term} ended during the write, "
                f"term {current and current.term} began; try again"
            )

    def _take_over(self, state: StoreState) -> StoreState:
        """The state that another process wrote; devices that it did not change stay the same objects."""
        found = self._file.reread()
        if found is None:  # deleted a moment ago
            return state
        read, stamp = found
        old = state.snapshot
        counted = continued(read, old.inventory)
        if counted is None:
            raise self._older(read, old.inventory)
        is_renumbered = counted.revision != read.revision
        if is_renumbered:
            log.warning(
                "the inventory file does not follow the inventory in use (revision %d of term %d); it was imported, or "
                "another program wrote it; using it as revision %d: %s",
                old.inventory.revision, old.inventory.fencing_token, counted.revision, self._file.path,
            )  # fmt: skip
        inventory, changes = compare(old.inventory, counted)
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
        return StoreState(Snapshot(inventory, index), stamp, is_renumbered=is_renumbered)

    def _older(self, read: Inventory, known: Inventory) -> InventoryUnavailable:
        path = self._file.path
        return InventoryUnavailable(
            f"{path} is older (revision {read.revision} of term {read.fencing_token}) than the inventory in use "
            f"(revision {known.revision} of term {known.fencing_token}), which is kept; put the newer file back, or "
            f"delete this one, and the next change writes the inventory in use; or to use the older one: "
            f"promsnmp inventory import {path}"
        )

    def _completed(self, new: StoreState, old: StoreState) -> StoreState:
        """``new`` with its derived values, when its inventory is another one than that of ``old``."""
        return new if new.snapshot is old.snapshot else replace(new, derived=self._derive(new.snapshot))


def _changed(snapshot: Snapshot, pending_changes: Sequence[PendingChange], claim: Claim | None) -> Snapshot:
    for pending in pending_changes:
        snapshot = apply_change(snapshot, pending, claim)
    return snapshot


def _claimed(snapshot: Snapshot, claim: Claim, after: Claim) -> Snapshot | None:
    """``snapshot`` with ``claim``; None when it has a later one than ``after``. Raises InventoryUnavailable."""
    inventory = snapshot.inventory
    if inventory.claim == claim:
        return snapshot
    if inventory.claim.is_later_than(after):
        return None
    revision, term = next_numbers(inventory, claim.term)
    claimed = replace(inventory, revision=revision, fencing_token=term, leader_instance=claim.instance)
    return replace(snapshot, inventory=claimed)


def _audit(pending_changes: Sequence[PendingChange]) -> None:
    for pending in pending_changes:
        if pending.changes is not None and isinstance(pending.result, Inventory):
            audit_changes(pending.changes, who=pending.who, revision=pending.result.revision)


def _lost_turn(turn: WriteTurn) -> str:
    """Why the file may have been replaced against another writer; empty when it was not."""
    try:
        return "" if turn.is_held else "the write took so long that another process began to write, too"
    except OSError as error:
        return f"{turn.path} cannot be read ({error.strerror})"
