"""Caches pages in memory, limited in number and age."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from cachetools import LRUCache

from promsnmp.polling.pages.page import PollFailure, RenderedPage

CacheEntry = RenderedPage | PollFailure


class PageCache:
    """Keeps at most ``max_entries`` pages (or failures), for ``max_age`` seconds; the least recently used go first.

    A ``max_age`` of 0 keeps none. ``hits`` and ``misses`` count look-ups by scrapes.
    """

    def __init__(self, max_entries: int, max_age: float, clock: Callable[[], float]) -> None:
        self._max_age = max_age
        self._clock = clock
        self._entries: LRUCache[Hashable, CacheEntry] = LRUCache(max_entries)
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, *, max_age: float | None = None) -> CacheEntry | None:
        """The entry for ``key`` if it is not too old; ``max_age`` (seconds) may ask for a fresher one."""
        entry = self.peek(key, max_age=max_age)
        self.count_lookup(is_hit=entry is not None)
        return entry

    def count_lookup(self, *, is_hit: bool) -> None:
        """Counts a look-up by a scrape."""
        if is_hit:
            self.hits += 1
        else:
            self.misses += 1

    def peek(self, key: Hashable, *, max_age: float | None = None) -> CacheEntry | None:
        """Like ``get``, but does not count."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        age = self._clock() - entry.taken_at
        if age > self._max_age:
            del self._entries[key]
            return None
        if max_age is not None and age > max_age:
            return None
        return entry

    def put(self, key: Hashable, entry: CacheEntry) -> None:
        """Stores an entry, unless the cache keeps none."""
        if self._max_age > 0:
            self._entries[key] = entry

    def discard(self, key: Hashable) -> None:
        """Removes one entry."""
        self._entries.pop(key, None)

    def evict_all(self) -> None:
        """Removes all entries."""
        self._entries.clear()
