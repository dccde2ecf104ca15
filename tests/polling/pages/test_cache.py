"""The page cache limits the number and the age of pages."""

from __future__ import annotations

import pytest

from promsnmp.polling.pages.cache import PageCache
from promsnmp.polling.pages.page import Format, RenderedPage


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def page(at: float = 100.0) -> RenderedPage:
    return RenderedPage(at, ("if_mib",), {Format.TEXT: b"up 1\n"})


def test_a_page_is_served_until_it_is_too_old_and_never_after(clock: Clock) -> None:
    cache = PageCache(10, 5.0, clock)
    cached = page()
    cache.put("a", cached)
    clock.now = 105.0
    assert cache.get("a") is cached
    clock.now = 105.01
    assert cache.get("a") is None
    assert len(cache) == 0


def test_asking_for_a_fresher_page_keeps_the_cached_one(clock: Clock) -> None:
    cache = PageCache(10, 300.0, clock)
    cache.put("a", page())
    clock.now = 110.0
    assert cache.get("a", max_age=5.0) is None
    assert cache.get("a", max_age=15.0) is not None


def test_the_least_recently_used_page_goes_first(clock: Clock) -> None:
    cache = PageCache(2, 300.0, clock)
    for key in "ab":
        cache.put(key, page())
    cache.get("a")
    cache.put("c", page())
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.get("c") is not None


def test_an_age_of_zero_keeps_nothing(clock: Clock) -> None:
    cache = PageCache(10, 0.0, clock)
    cache.put("a", page())
    assert len(cache) == 0
    assert cache.get("a") is None


def test_hits_and_misses_are_counted(clock: Clock) -> None:
    cache = PageCache(10, 300.0, clock)
    cache.get("a")
    cache.put("a", page())
    cache.get("a")
    cache.get("a")
    assert (cache.hits, cache.misses) == (2, 1)


def test_pages_can_be_removed_one_by_one_or_all_at_once(clock: Clock) -> None:
    cache = PageCache(10, 300.0, clock)
    for key in "abc":
        cache.put(key, page())
    cache.discard("a")
    cache.discard("never there")
    assert len(cache) == 2
    cache.evict_all()
    assert len(cache) == 0


def test_a_page_is_kept_compressed_and_comes_in_both_formats() -> None:
    text = b"# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n" * 1
    rendered = RenderedPage(0.0, ("if_mib",), {Format.TEXT: text})
    assert rendered.plain(Format.TEXT) == text
    assert rendered.gzipped(Format.TEXT)[:2] == b"\x1f\x8b"
    assert rendered.plain(Format.OPENMETRICS) == b"# TYPE a counter\n# HELP a Help.\na_total 1\n# EOF\n"
    assert rendered.gzipped(Format.OPENMETRICS) is rendered.gzipped(Format.OPENMETRICS)
