"""Redis, the election backend, fails in many ways: polls and scrapes go on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.failures.faults import forgery, outages
from tests.support.failures.faults.redis_faults import REFUSING, FailingRedis
from tests.support.failures.fleet.harness import BUSY, Fleet

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingRedis]:
    with FailingRedis(tmp_path_factory.mktemp("redis")) as failing_redis:
        yield failing_redis


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, redis: FailingRedis) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet"), env=redis.env) as replicas:
        replicas.start("pod-0", "pod-1", "pod-2")
        replicas.settle()
        replicas.add_devices()
        yield replicas


def test_polls_and_scrapes_go_on_while_redis_fails_and_changes_wait(fleet: Fleet, redis: FailingRedis) -> None:
    print(figures := outages.backend_fails(fleet, [partial(fault, redis) for fault in REFUSING[:3]], slack=BUSY))
    assert figures.scrapes


def test_a_slow_redis_only_makes_things_slower(fleet: Fleet, redis: FailingRedis) -> None:
    print(figures := outages.redis_is_slow(fleet, redis, slack=BUSY, lasting=2.0))
    assert figures.scrapes


def test_somebody_who_writes_to_redis_gets_no_request_and_no_device(fleet: Fleet, redis: FailingRedis) -> None:
    print(figures := forgery.somebody_writes_to_redis(fleet, redis, slack=BUSY, lasting=3.0))
    assert figures.scrapes
