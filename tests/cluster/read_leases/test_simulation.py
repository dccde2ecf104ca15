"""Whole replicas in simulated time, with the real exchange, forwarding, pages and handover: time never goes back.

``make soak`` plays many more of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.support.reads.faults import CUT_OFF, FAULTS, PLANNED, SimulatedSite


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logger = logging.getLogger("promsnmp")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


@pytest.mark.parametrize("seed", range(4))
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


@pytest.mark.parametrize("seed", range(3))
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
