"""Caches ``/targets``: built when the inventory changes, kept compressed, and sent as bytes.

A list of some devices is built at its first request and kept until the inventory changes: each Prometheus reads the
same list every minute.
"""

from __future__ import annotations

import asyncio
from functools import partial
from operator import itemgetter

from cachetools import LRUCache

from promsnmp.http.responses.cached import CachedResponse
from promsnmp.http.responses.gzip_chunks import ChunkedListBuilder
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.query import DeviceSelector, Query
from promsnmp.inventory.store import InventoryStore
from promsnmp.inventory.targets import TargetList
from promsnmp.observe.tasks import shielded

MEDIA_TYPE = "application/json"
MAX_CACHED_BYTES = 16 * 1024 * 1024
"""Bytes, compressed, of the lists of some devices that are kept, with their queries."""
CONDITION_BYTES, ENTRY_BYTES = 300, 1000
"""Bytes of memory of each condition of a query besides its values, and of a list that is kept, about."""
BUILDS_AT_ONCE = 2
"""Lists that are built at the same time: each takes a thread, which others need as well."""


class TargetsCache:
    """Follows ``store``; ``targets`` builds the lists, ``search`` selects devices."""

    def __init__(self, store: InventoryStore, targets: TargetList, search: DeviceSelector) -> None:
        self._targets = targets
        self._search = search
        self._builder = ChunkedListBuilder(MEDIA_TYPE)
        self._snapshot: Snapshot
        self._all: CachedResponse
        self._parts: LRUCache[Query, tuple[int, CachedResponse]]
        self._slots = asyncio.Semaphore(BUILDS_AT_ONCE)
        self._building: dict[Query, asyncio.Task[CachedResponse]] = {}
        store.derive(self._build, self._use)

    async def get(self, query: Query) -> CachedResponse:
        """The list of the devices that ``query`` selects from the present inventory."""
        if not query:
            return self._all
        if (cached := self._parts.get(query)) is not None:
            return cached[1]
        task = self._building.get(query)
        if task is None:
            task = asyncio.create_task(self._build_part(query))
            self._building[query] = task
            task.add_done_callback(partial(self._on_built, query))
        return await shielded(task)

    def _build(self, snapshot: Snapshot) -> tuple[Snapshot, CachedResponse]:
        return snapshot, self._builder.build(self._targets.groups(snapshot))

    def _use(self, built: tuple[Snapshot, CachedResponse]) -> None:
        self._snapshot, self._all = built
        self._parts = LRUCache(MAX_CACHED_BYTES, getsizeof=itemgetter(0))
        self._building = {}

    async def _build_part(self, query: Query) -> CachedResponse:
        async with self._slots:
            snapshot, parts = self._snapshot, self._parts
            part = await asyncio.to_thread(self._select, snapshot, query)
        size = len(part.gzip) + ENTRY_BYTES + _memory_of(query)
        if size <= MAX_CACHED_BYTES:
            parts[query] = size, part
        return part

    def _on_built(self, query: Query, task: asyncio.Task[CachedResponse]) -> None:
        if self._building.get(query) is task:
            del self._building[query]

    def _select(self, snapshot: Snapshot, query: Query) -> CachedResponse:
        chosen = {device.id for device in self._search.select(query, snapshot.inventory.devices)}
        return ChunkedListBuilder(MEDIA_TYPE).build(self._targets.groups(snapshot, chosen))


def _memory_of(query: Query) -> int:
    """Bytes of memory of a query, about."""
    return sum(CONDITION_BYTES + sum(4 * len(value) + 50 for value in one.values) for one in query)
