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
from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.followers import Followers, Listener, Shown
from promsnmp.inventory.index import Found, Snapshot
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.storage.atomic_file import Stamp, try_writing
from promsnmp.inventory.storage.encrypted_file import Vault
from promsnmp.inventory.storage.key import InventoryKey
from promsnmp.inventory.writes.apply_change import Change, Request, is_older, step
from promsnmp.inventory.writes.changes import audit_changes, compare
from promsnmp.inventory.writes.fencing import Fence, number_of_write, unfenced
from promsnmp.observe.audit import audit
from promsnmp.support.memory import collector_at_rest

log = logging.getLogger(__name__)

T = TypeVar("T")

OURSELVES = "promsnmp"
"""Who changed something when nobody else did."""


@dataclass(frozen=True, slots=True)
class _State:
    """What is in use, and the version of the file that holds it."""

    now: Snapshot = field(default_factory=lambda: Snapshot.of(Inventory()))
    stamp: Stamp | None = None
    shown: Shown = ()


class InventoryStore:
    """Reads, finds and changes the inventory kept in ``path``, whose key is ``key``; ``fence`` says whether it may be
    written now."""

    def __init__(self, path: Path, key: InventoryKey | bytes, *, fence: Fence = unfenced) -> None:
        self.path = path
        self.last_error: InventoryError | None = None
        """Why the file on the disk is not the inventory in use; None when it is."""
        self.write_error: InventoryUnavailable | None = None
        """Why the last write failed; None when it did not, or when ``probe`` found that it would not fail now."""
        self._fence = fence
        self._vault = Vault(path, key if isinstance(key, InventoryKey) else InventoryKey(key))
        self._state = _State()
        self._prepared = False
        self._turn = asyncio.Lock()
        self._waiting: list[Request] = []
        self._writing: asyncio.Task[None] | None = None
        self._followers = Followers()

    @property
    def current(self) -> Inventory:
        return self._state.now.inventory

    @property
    def snapshot(self) -> Snapshot:
        """The inventory in use with its index."""
        return self._state.now

    @property
    def key(self) -> bytes:
        """The key of the file."""
        return self._vault.key

    def find(self, target: str) -> Found | None:
        """Device and agent that a scrape's target means, or None; see ``Index.find``."""
        return self._state.now.index.find(target)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` with the new inventory after each change; the result ends that."""
        return self._followers.subscribe(listener)

    def derive(self, make: Callable[[Snapshot], T], use: Callable[[T], None]) -> None:
        """Keeps something up to date that is made of the whole inventory, and is too much work for the event loop.

        ``make`` runs in the thread that makes a change, before the change is seen; ``use`` takes what it returned at
        the moment when it is. Both are called once for the inventory in use.
        """
        self._followers.derive(make, use, self._state.now)

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
        self._vault.prepare(self.current)

    def start_over(self, stamp: Stamp) -> None:
        """Begins with an empty inventory although there is a file: the caller has read this version of it.

        For a plain JSON file that is taken over in place; any other version of the file is still not written over.
        """
        self._state = _State(stamp=stamp)

    async def replace(self, document: object, *, term: int | None = None, who: str = OURSELVES) -> Inventory:
        """Puts a JSON document in the place of the whole inventory; masked secrets keep their values.

        Raises InventoryInvalid with every problem, and as ``update`` does; then nothing has changed.
        """
        return await self.update(lambda old: from_document(document, keep=old), term=term, who=who)

    async def update(self, change: Change, *, term: int | None = None, who: str = OURSELVES) -> Inventory:
        """Writes what ``change`` makes of the inventory, durably, and returns it with its new revision.

        ``change`` runs in a thread; returning its argument means that there is nothing to write, and what it raises
        is raised here. ``term`` is the leader's number: once a file carries a later one, it is refused with
        InventoryUnavailable. ``who`` stands in the audit log. A caller that is cancelled does not stop a write.
        Raises InventoryConflict when two devices would have an id or an endpoint in common, and NotLeader when the
        fence does not let it be written.
        """
        request = Request(change, term, who, number_of_write(), asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="writer of the inventory")
        return await asyncio.shield(request.answer)

    async def claim(self) -> None:
        """Writes the present term into the file, if it is not there yet: from then on no leader of an earlier one can
        write. Raises NotLeader and InventoryUnavailable."""

        def change(old: Inventory) -> Inventory:
            return old if self._fence() in (None, old.term) else replace(old)

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
                requests, self._waiting = self._waiting, []
                try:
                    state = await asyncio.to_thread(self._commit, requests)
                except Exception as error:  # noqa: BLE001  # it is theirs who asked for the change
                    self._note(error)
                    for request in requests:
                        request.result = request.result if isinstance(request.result, Exception) else error
                else:
                    self.last_error = self.write_error = None
                    self._adopt(state)
            for request in requests:
                if isinstance(request.result, Inventory):
                    request.answer.set_result(request.result)
                elif request.result is not None:
                    request.answer.set_exception(request.result)

    def _adopt(self, state: _State) -> bool:
        changed = state.now is not self._state.now
        self._state = state
        if changed:
            self._followers.tell(state.now.inventory, state.shown)
        return changed

    def _note(self, error: Exception) -> None:
        if isinstance(error, InventoryUnavailable) and not isinstance(error, NotLeader):
            if str(error) != str(self.write_error):
                log.error("a change of the inventory was not written: %s", error)
            self.write_error = error

    def _commit(self, requests: Sequence[Request]) -> _State:
        with self._vault.turn():
            term = self._fence()
            stamp = self._vault.stamp()
            state = self._state if stamp in (None, self._state.stamp) else self._taken_over()
            now = state.now
            for request in requests:
                now = step(now, request, term)
            if now is state.now:
                return self._completed(state)
            stamp = self._vault.write(now.inventory, at_last=lambda: self._still(term))
        for request in requests:
            if request.changes is not None and isinstance(request.result, Inventory):
                audit_changes(request.changes, who=request.who, revision=request.result.revision)
        return self._completed(_State(now, stamp))

    def _still(self, term: int | None) -> None:
        """Raises NotLeader when the term has ended while the file was being written."""
        if (now := self._fence()) != term:
            raise NotLeader(f"not written: term {term} ended meanwhile, and term {now} began")

    def _reread(self) -> _State:
        stamp = self._vault.stamp()
        if stamp == self._state.stamp:
            return self._state
        if stamp is None:
            raise InventoryUnavailable(f"{self.path} is gone; the next change of the inventory writes it again")
        return self._completed(self._taken_over())

    def _taken_over(self) -> _State:
        """What another process wrote, with all that is as it was left in place."""
        found = self._vault.reread()
        if found is None:  # it went just now
            return self._state
        read, stamp = found
        old = self._state.now
        if is_older(read, old.inventory):
            raise InventoryUnavailable(
                f"{self.path} is older (revision {read.revision} of term {read.term}) than the inventory in use, which "
                f"is kept (revision {old.inventory.revision} of term {old.inventory.term}); put the newer file back, "
                "or restart PromSNMP, every replica of it, to go on from the older one"
            )
        inventory, changes = compare(old.inventory, read)
        if inventory == old.inventory:
            return replace(self._state, stamp=stamp)
        index = old.index.after(changes.devices.gone, changes.devices.come)
        if index.clashes:
            raise InventoryConflict(index.clashes)
        if self._prepared:
            self._vault.prepare(inventory)
        audit(
            "inventory file taken over",
            who="another process",
            revision=inventory.revision,
            devices=changes.devices,
            seeds=changes.seeds,
        )
        return _State(Snapshot(inventory, index), stamp)

    def _read(self) -> _State:
        found = self._vault.read()
        if found is None:
            return _State()
        inventory, stamp = found
        with collector_at_rest():
            return _State(Snapshot.of(inventory), stamp)

    def _completed(self, state: _State) -> _State:
        """With what is derived of it, when it is another one than that in use."""
        return state if state.now is self._state.now else replace(state, shown=self._followers.made(state.now))
