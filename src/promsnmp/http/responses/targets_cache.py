"""``/targets``: made when the inventory changes, kept compressed, and handed out as bytes.

A list of a part of the devices is made when somebody asks for it, and kept until the inventory changes: each Prometheus
asks for the same part every minute.
"""

from __future__ import annotations

import asyncio
from functools import partial

from cachetools import LRUCache

from promsnmp.http.responses.cached import Prebuilt
from promsnmp.http.responses.gzip_chunks import ListMaker
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.query import Query, Search
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import TargetList

MEDIA_TYPE = "application/json"
MOST_KEPT = 16 * 1024 * 1024
"""Bytes, compressed, of the lists of parts that are kept."""


class Published:
    """The lists of ``targets``, following ``store``; ``search`` chooses devices."""

    def __init__(self, store: InventoryStore, targets: TargetList, search: Search) -> None:
        self._targets = targets
        self._search = search
        self._lists = ListMaker(MEDIA_TYPE)
        self._now: Snapshot
        self._all: Prebuilt
        self._parts: LRUCache[Query, Prebuilt]
        self._making: dict[Query, asyncio.Task[Prebuilt]] = {}
        store.derive(self._make, self._use)

    async def of(self, query: Query) -> Prebuilt:
        """The list of the devices that ``query`` chooses, as the inventory is now."""
        if not query:
            return self._all
        if (kept := self._parts.get(query)) is not None:
            return kept
        task = self._making.get(query)
        if task is None:
            task = asyncio.create_task(self._make_part(query))
            self._making[query] = task
            task.add_done_callback(partial(self._made, query))
        return await asyncio.shield(task)

    def _make(self, now: Snapshot) -> tuple[Snapshot, Prebuilt]:
        return now, self._lists.make(self._targets.groups(now))

    def _use(self, made: tuple[Snapshot, Prebuilt]) -> None:
        self._now, self._all = made
        self._parts = LRUCache(MOST_KEPT, getsizeof=lambda prebuilt: len(prebuilt.gzip))
        self._making = {}

    async def _make_part(self, query: Query) -> Prebuilt:
        now, parts = self._now, self._parts
        part = await asyncio.to_thread(self._select, now, query)
        if len(part.gzip) <= MOST_KEPT:
            parts[query] = part
        return part

    def _made(self, query: Query, task: asyncio.Task[Prebuilt]) -> None:
        if self._making.get(query) is task:
            del self._making[query]

    def _select(self, now: Snapshot, query: Query) -> Prebuilt:
        chosen = {device.id for device in self._search.select(query, now.inventory.devices)}
        return ListMaker(MEDIA_TYPE).make(self._targets.groups(now, chosen))
