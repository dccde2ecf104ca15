"""The page cache limits the number, the size and the age of pages."""

from __future__ import annotations

import random

import pytest

from promsnmp.polling.pages.cache import MAX_BRIEF_OCTETS, PageCache
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


def large_page(at: float, octets: int = 100_000) -> RenderedPage:
    """A page that takes about ``octets`` bytes compressed: it does not get smaller."""
    return RenderedPage(at, ("if_mib",), {Format.TEXT: random.Random(at).randbytes(octets)})


def test_pages_take_no_more_memory_than_allowed(clock: Clock) -> None:
    cache = PageCache(1000, 300.0, clock, max_octets=1_000_000)
    for key in range(50):
        cache.put(key, large_page(100.0 + key))
        assert cache.octets <= 1_000_000
    assert 8 <= len(cache) <= 10
    assert cache.get(49) is not None


def test_a_page_that_is_too_large_is_not_kept_and_drops_no_other(clock: Clock) -> None:
    cache = PageCache(1000, 300.0, clock, max_octets=300_000)
    cache.put("a", large_page(100.0))
    cache.put("b", large_page(100.0, 400_000))
    assert cache.get("a") is not None
    assert cache.get("b") is None
    cache.put("a", large_page(100.0, 400_000))
    assert len(cache) == 0


def test_pages_that_are_kept_briefly_do_not_push_out_the_others(clock: Clock) -> None:
    cache = PageCache(1000, 300.0, clock, max_octets=1_000_000)
    cache.put("managed", large_page(100.0))
    for key in range(2_000):
        cache.put(key, large_page(100.0), brief=1.0)
    assert cache.get("managed") is not None
    assert cache.octets < MAX_BRIEF_OCTETS + 1_000_000
    clock.now = 102.0
    cache.put("last", large_page(102.0), brief=1.0)
    assert len(cache) == 2


def test_what_is_kept_briefly_can_be_removed_alone(clock: Clock) -> None:
    cache = PageCache(10, 5.0, clock)
    cache.put("a", page())
    cache.put("b", page(), brief=1.0)
    cache.evict_brief()
    assert (cache.get("a") is None, cache.get("b")) == (False, None)


def test_the_oldest_pages_are_dropped_for_memory(clock: Clock) -> None:
    cache = PageCache(1000, 300.0, clock)
    for key in (3, 1, 2, 0):
        cache.put(key, large_page(100.0 + key))
    assert cache.drop_oldest(150_000) == 2
    assert [cache.peek(key) is None for key in range(4)] == [True, True, False, False]
    assert cache.drop_oldest(10_000_000) == 2
    assert cache.octets == 0
