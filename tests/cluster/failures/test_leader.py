"""The leader goes: killed, or ended in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from promsnmp.cluster.election import lease_clock
from tests.cluster.failures.harness import Fleet, overlaps
from tests.cluster.failures.scrapes import Scrapes
from tests.cluster.redis_server import RedisServer

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("failures")]
BUSY = 15.0
"""Seconds that a machine that has other things to do may take on top."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with RedisServer(folder) as redis, Fleet(folder, env=redis.env) as made:
        made.start("pod-0", "pod-1", "pod-2")
        made.settle()
        made.add_devices()
        yield made


def test_a_killed_leader_is_followed_within_a_lease_and_a_renewal_and_no_scrape_fails(fleet: Fleet) -> None:
    leader = fleet.leader()
    with Scrapes(fleet.followers(), fleet.targets) as scrapes:
        killed_at = lease_clock()
        fleet.kill(leader)
        reign = fleet.reign_after(killed_at, within=60)
        fleet.start(leader.name)
        fleet.settle()
    assert reign.begin - killed_at < fleet.timing.duration + fleet.timing.renew + BUSY
    assert not scrapes.failures
    assert not overlaps(fleet.reigns())
