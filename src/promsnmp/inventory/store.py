"""The inventory in use: one immutable value in memory, one encrypted file, and the rules between them.

A change is on the disk before anybody sees it in memory, changes take turns, and a file that another process changed
(``promsnmp inventory import`` beside a running server, the leader on a shared volume) is read before it is written, so
that no writer undoes what it never saw. A file that cannot be read is never written over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from promsnmp.errors import InventoryDamaged, InventoryError, InventoryInvalid, InventoryKeyError, InventoryUnavailable
from promsnmp.inventory.document import DocumentWriter, from_document, parse_json
from promsnmp.inventory.file import Stamp, read_bytes, stamp_of, write_bytes, writers_turn
from promsnmp.inventory.index import Found, Index, collisions
from promsnmp.inventory.key import InventoryKey, candidates
from promsnmp.inventory.model import Inventory
from promsnmp.inventory.seal import seal, unseal

log = logging.getLogger(__name__)

Change = Callable[[Inventory], Inventory]
Listener = Callable[[Inventory], None]


@dataclass(frozen=True, slots=True)
class _State:
    """What belongs together: an inventory, its index, and the version of the file that holds it."""

    inventory: Inventory = field(default_factory=Inventory)
    index: Index = field(default_factory=lambda: Index(()))
    stamp: Stamp | None = None


class InventoryStore:
    """Reads, finds and changes the inventory kept in ``path``.

    ``key`` is the file's key. A key that came from a key file is read again when the file no longer opens with it,
    so a running server follows ``promsnmp inventory rekey``.
    """

    def __init__(self, path: Path, key: InventoryKey | bytes) -> None:
        self.path = path
        self.last_error: InventoryError | None = None
        """Why the file on the disk is not the inventory in use; None when it is."""
        self._key = key if isinstance(key, InventoryKey) else InventoryKey(key)
        self._state = _State()
        self._turn = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._writer = DocumentWriter(mask=False)
        self._running: set[asyncio.Task[Inventory]] = set()

    @property
    def current(self) -> Inventory:
        return self._state.inventory

    def find(self, target: str) -> Found | None:
        """Device and agent that a scrape's target means, or None; see ``Index.find``."""
        return self._state.index.find(target)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` with the new inventory after each change; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def load(self) -> Inventory:
        """Reads the file; without one the inventory is empty.

        Raises InventoryKeyError, InventoryDamaged, InventoryInvalid or InventoryUnavailable.
        """
        self._state = self._read()
        self.last_error = None
        return self.current

    def start_over(self, stamp: Stamp) -> None:
        """Begins with an empty inventory although there is a file: the caller has read this version of it.

        For a plain JSON file that is taken over in place; any other version of the file is still not written over.
        """
        self._state = _State(stamp=stamp)

    async def replace(self, document: object, *, term: int | None = None) -> Inventory:
        """Puts a JSON document in the place of the whole inventory; masked secrets keep their values.

        Raises InventoryInvalid with every problem, and as ``update`` does; then nothing has changed.
        """
        return await self.update(lambda old: from_document(document, keep=old), term=term)

    async def update(self, change: Change, *, term: int | None = None) -> Inventory:
        """Writes what ``change`` makes of the inventory, durably, and returns it with its new revision.

        ``change`` runs in a thread; returning its argument means that there is nothing to write. ``term`` is the
        leader's number: once a file carries a later one, it is refused with InventoryUnavailable. A caller that
        is cancelled does not stop a write that has begun.
        """
        task = asyncio.ensure_future(self._update(change, term))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

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

    async def _update(self, change: Change, term: int | None) -> Inventory:
        async with self._turn:
            state = await asyncio.to_thread(self._change, change, term)
            self.last_error = None
            self._adopt(state)
            return state.inventory

    def _adopt(self, state: _State) -> bool:
        changed = state.inventory is not self._state.inventory
        self._state = state
        for listener in tuple(self._listeners) if changed else ():
            try:
                listener(state.inventory)
            except Exception:
                log.exception("a listener of the inventory failed")
        return changed

    def _change(self, change: Change, term: int | None) -> _State:
        with writers_turn(self.path):
            state = self._state if stamp_of(self.path) in (None, self._state.stamp) else self._read()
            old = state.inventory
            if term is not None and term < old.term:
                raise InventoryUnavailable(
                    f"not written: a leader of term {old.term} has written the inventory, term {term} is over"
                )
            new = change(old)
            if new is old:
                return state
            if problems := collisions(new.devices):
                raise InventoryInvalid(problems)
            new = replace(new, revision=old.revision + 1, term=old.term if term is None else term)
            stamp = write_bytes(self.path, seal(self._writer.json(new), self._key.data))
            return _State(new, Index(new.devices), stamp)

    def _reread(self) -> _State:
        stamp = stamp_of(self.path)
        if stamp == self._state.stamp:
            return self._state
        if stamp is None:
            raise InventoryUnavailable(f"{self.path} is gone; the next change of the inventory writes it again")
        return self._read()

    def _read(self) -> _State:
        found = read_bytes(self.path)
        if found is None:
            return _State()
        data, stamp = found
        inventory = read_inventory(self._open(data), str(self.path))
        return _State(inventory, Index(inventory.devices), stamp)

    def _open(self, data: bytes) -> bytes:
        try:
            return unseal(data, self._key.data, str(self.path))
        except InventoryKeyError:
            others = candidates(self.path) if self._key.path else []
            for other in others:
                if other != self._key.data and (plain := _try(data, other, self.path)) is not None:
                    self._key = replace(self._key, data=other)
                    return plain
            raise


def read_inventory(plain: bytes, name: str) -> Inventory:
    """The inventory in the decrypted content of the file ``name``; raises InventoryDamaged or InventoryInvalid."""
    try:
        document = parse_json(plain)
    except InventoryInvalid as error:
        raise InventoryDamaged(f"{name} opens, but what is in it is {error}; restore it from a backup") from None
    try:
        return from_document(document)
    except InventoryInvalid as error:
        raise InventoryInvalid([f"{name}: {problem}" for problem in error.problems]) from None


def _try(data: bytes, key: bytes, path: Path) -> bytes | None:
    try:
        return unseal(data, key, str(path))
    except InventoryKeyError:
        return None
