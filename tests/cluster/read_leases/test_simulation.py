"""Whole replicas in simulated time, with the real exchange, forwarding, pages and handover: time never goes back.

``make soak`` plays many more of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support.reads.faults import CUT_OFF, FAULTS, PLANNED, SimulatedSite
from tests.support.reads.scrapes import SimulatedScrapes


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logger = logging.getLogger("promsnmp")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


@pytest.mark.parametrize("seed", range(2))
def test_no_scrape_shows_an_older_poll_whatever_happens_to_replicas_and_network(seed: int) -> None:
    site = SimulatedSite(seed)
    site.play(FAULTS, seconds=40.0)
    answers, _ = site.check()
    assert answers > 100


@pytest.mark.parametrize("seed", [5040, 8007])
def test_what_once_made_two_owners_does_not(seed: int) -> None:
    """5040: pod-1 has dropped pod-3, which slept, and cannot reach it; pod-3 knows pod-1 from Redis. The network heals.
    8007: pod-3 starts while the network is slow and lossy, and knows pod-0 only from Redis; pod-0 does not know it."""
    site = SimulatedSite(seed)
    site.play(FAULTS, seconds=60.0)
    site.check()


@pytest.mark.parametrize("seed", range(2))
def test_a_replica_that_starts_and_reaches_no_other_one_answers_nothing_before_they_know_it(seed: int) -> None:
    site = SimulatedSite(seed)
    site.play(CUT_OFF, seconds=40.0)
    answers, _ = site.check()
    assert answers > 100


@pytest.mark.parametrize("seed", range(2))
def test_replicas_that_are_replaced_cost_no_reset_and_no_burst_of_polls(seed: int) -> None:
    site = SimulatedSite(seed)
    site.play(PLANNED, seconds=30.0)
    answers, resets = site.check()
    assert answers > 100
    assert resets == 0
    assert site.polls_beyond_one_per_interval() < len(site.log) * len(site.site.devices)
    assert not site.scrapes.refused, site.scrapes.refused[:3]


@pytest.mark.parametrize("seed", range(2))
def test_a_replica_that_stops_passes_every_scrape_on_until_it_ends(seed: int) -> None:
    """Also those that arrive between its two goodbyes, when it may not answer any more, and still owns its devices."""
    site = SimulatedSite(seed)
    with site.world.in_charge_of_time():
        leaving = site.begin()
        site.scrapes = SimulatedScrapes(site.site, pause=0.002, only=leaving)
        site.world.run(site.world.now + 0.5)
        leaving.stop()
        site.world.run(site.world.now + 5.0)
        assert leaving.process.is_dead
    answers, resets = site.check()
    assert answers > 200
    assert resets == 0
    assert not site.scrapes.refused, site.scrapes.refused[:3]


@pytest.mark.parametrize("seed", range(2))
def test_a_replica_that_starts_after_a_crash_passes_scrapes_on_until_it_may_answer(seed: int) -> None:
    """It cannot know whether the crashed one runs, but the others know it."""
    site = SimulatedSite(seed)
    with site.world.in_charge_of_time():
        site.begin().kill()
        new = site.site.start("pod-new")
        site.world.run(site.world.now + 1.0)
        site.scrapes = SimulatedScrapes(site.site, pause=0.02, only=new)
        site.world.run(site.world.now + 15.0)
    answers, _ = site.check()
    assert answers > 200
    assert not site.scrapes.refused, site.scrapes.refused[:3]
    slowest = max(one.answered_at - one.asked_at for one in site.scrapes.answers)
    assert slowest < 3.0
