"""Caches pages in memory, limited in number, size and age."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import itemgetter

from cachetools import LRUCache

from promsnmp.polling.pages.page import PollFailure, RenderedPage

CacheEntry = RenderedPage | PollFailure

MAX_OCTETS = 1024 * 1024 * 1024
"""The default of CACHE_MAX_BYTES."""
MAX_BRIEF_OCTETS = 64 * 1024 * 1024
"""Bytes of the pages that are kept only briefly: whoever asks for ever new ones must not drop the others."""
_ENTRY_OCTETS = 1000
"""Bytes of an entry besides the page, about."""


class PageCache:
    """Keeps at most ``max_entries`` pages (or failures) of ``max_octets`` bytes together, for ``max_age`` seconds; the
    least recently used go first.

    A ``max_age`` of 0 keeps none. ``hits`` and ``misses`` count look-ups by scrapes.
    """

    def __init__(
        self, max_entries: int, max_age: float, clock: Callable[[], float], *, max_octets: int = MAX_OCTETS
    ) -> None:
        self._max_age = max_age
        self._max_entries = max_entries
        self._clock = clock
        self._entries: LRUCache[Hashable, tuple[int, CacheEntry]] = LRUCache(max_octets, getsizeof=itemgetter(0))
        self._brief: LRUCache[Hashable, tuple[int, CacheEntry]] = LRUCache(MAX_BRIEF_OCTETS, getsizeof=itemgetter(0))
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries) + len(self._brief)

    @property
    def octets(self) -> int:
        """Bytes of memory that the entries take."""
        return int(self._entries.currsize + self._brief.currsize)

    def get(self, key: Hashable, *, max_age: float | None = None, lifetime: float = 0.0) -> CacheEntry | None:
        """The entry for ``key`` if it is not too old; ``max_age`` (seconds) may ask for a fresher one, ``lifetime``
        allow an older one than the cache's ``max_age`` does."""
        entry = self.peek(key, max_age=max_age, lifetime=lifetime)
        self.count_lookup(is_hit=entry is not None)
        return entry

    def count_lookup(self, *, is_hit: bool) -> None:
        """Counts a look-up by a scrape."""
        if is_hit:
            self.hits += 1
        else:
            self.misses += 1

    def peek(self, key: Hashable, *, max_age: float | None = None, lifetime: float = 0.0) -> CacheEntry | None:
        """Like ``get``, but does not count."""
        known = self._entries.get(key) or self._brief.get(key)
        if known is None:
            return None
        entry = known[1]
        age = self._clock() - entry.taken_at
        if age > self._max_age and age > lifetime:
            self.discard(key)
            return None
        if max_age is not None and age > max_age:
            return None
        return entry

    def put(self, key: Hashable, entry: CacheEntry, *, brief: float | None = None) -> None:
        """Stores an entry, unless the cache keeps none or it is too large; ``brief`` (seconds): for so long only."""
        if self._max_age <= 0:
            return
        if brief is not None:
            self._drop_expired(brief)
        cache = self._entries if brief is None else self._brief
        size = entry.octets + _ENTRY_OCTETS
        cache.pop(key, None)
        if size <= cache.maxsize:
            cache[key] = size, entry
        while len(self._entries) > self._max_entries:
            self._entries.popitem()

    def discard(self, key: Hashable) -> None:
        """Removes one entry."""
        self._entries.pop(key, None)
        self._brief.pop(key, None)

    def evict_all(self) -> None:
        """Removes all entries."""
        self._entries.clear()
        self._brief.clear()

    def evict_brief(self) -> None:
        """Removes what is kept only briefly."""
        self._brief.clear()

    def drop_oldest(self, octets: int) -> int:
        """Removes the oldest pages, at least ``octets`` bytes of them; returns how many."""
        count = 0
        for cache in (self._brief, self._entries):
            by_age = sorted(cache.items(), key=lambda item: item[1][1].taken_at)
            for key, (size, _) in by_age:
                if octets <= 0:
                    return count
                del cache[key]
                octets -= size
                count += 1
        return count

    def _drop_expired(self, seconds: float) -> None:
        """Removes what was kept briefly and nobody may be given any more; the first is the least recently used."""
        oldest = self._clock() - seconds
        while self._brief and next(iter(self._brief.values()))[1].taken_at < oldest:
            self._brief.popitem()
