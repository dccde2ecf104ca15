"""Pages that are the same for all who look: made once, compressed once, and sent to all of them.

Nothing in such a page depends on who looks at it: it has no forms.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from cachetools import LRUCache

from promsnmp.support.compression import compress

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of the pages that are kept."""


@dataclass(frozen=True, slots=True)
class SharedPage:
    """A page as bytes, plain and compressed."""

    status: int
    html: bytes
    gzip: bytes

    def __len__(self) -> int:
        return len(self.html) + len(self.gzip)


class SharedPages:
    """The pages that are made of one ``source``: when that is another object, they are made again. ``in_thread`` runs
    what makes a page."""

    def __init__(self, in_thread: Callable[..., Awaitable[SharedPage]]) -> None:
        self._in_thread = in_thread
        self._source: object = None
        self._pages: LRUCache[Hashable, SharedPage] = LRUCache(MOST_BYTES, getsizeof=len)

    async def page(self, source: object, key: Hashable, make: Callable[[], tuple[int, str]]) -> SharedPage:
        """The page ``key`` of ``source``; ``make`` returns its status and HTML, in a thread."""
        if self._source is not source:
            self._source = source
            self._pages.clear()
        page = self._pages.get(key)
        if page is None:
            page = await self._in_thread(_made, make)
            if len(page) <= MOST_BYTES and self._source is source:
                self._pages[key] = page
        return page


def _made(make: Callable[[], tuple[int, str]]) -> SharedPage:
    status, html = make()
    plain = html.encode(errors="replace")
    return SharedPage(status, plain, compress(plain))
