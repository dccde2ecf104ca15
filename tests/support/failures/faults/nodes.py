"""Nodes with a mount of the volume each, so that one of them can have it read-only, and scenarios with such a node.

The tests run them with leases of seconds, ``make soak`` with the default ones.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from promsnmp.cluster.election.rules import Timing, lease_clock
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.outages import add_device_at, make_changes
from tests.support.failures.fleet.fleets import NAMES
from tests.support.failures.fleet.harness import SHORT_TIMING, Fleet, overlaps
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import Process, require_tool, unavailable, wait_until


@dataclass(frozen=True, slots=True)
class Handover:
    """``takeover``: seconds from the fault until another replica led; ``scrapes``: how many were made meanwhile."""

    takeover: float
    scrapes: int
    slowest_scrape: float


class Node(Process):
    """A mount namespace in which ``folder`` is a mount of its own; commands run there under ``prefix``."""

    def __init__(self, folder: Path, number: int) -> None:
        self._nsenter = require_tool("nsenter", package="util-linux")
        unshare = [require_tool("unshare", package="util-linux"), "--mount", "--propagation", "private"]
        command = [*unshare, "sh", "-c", 'mount --bind "$0" "$0" && exec sleep infinity', str(folder)]
        self._folder = folder
        try:
            super().__init__(command, log=folder / f"node-{number}.log", ready=self._is_mounted)
        except AssertionError as error:
            unavailable(f"no file system can be mounted here: {error}")

    @property
    def prefix(self) -> list[str]:
        return [self._nsenter, "--target", str(self.pid), "--mount"]

    def _is_mounted(self) -> bool:
        mounts = Path(f"/proc/{self.pid}/mounts").read_text(encoding="utf-8")
        return any(line.split()[1] == str(self._folder) for line in mounts.splitlines())


@contextmanager
def fleet_of_nodes(folder: Path, timing: Timing = SHORT_TIMING) -> Iterator[Fleet]:
    """Three replicas, each with a mount of ``folder`` of its own. Needs root; without it the test is skipped."""
    if os.geteuid() != 0:
        unavailable("each replica gets a mount of its own, which takes root")
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(folder, number)) for number in range(len(NAMES))]
        redis = stack.enter_context(RedisServer(folder))
        fleet = stack.enter_context(Fleet(folder, redis.env, timing))
        with ThreadPoolExecutor(len(NAMES)) as pool:
            list(pool.map(lambda name, node: fleet.start(name, prefix=node.prefix), NAMES, nodes))
        fleet.settle()
        fleet.add_devices()
        yield fleet


@contextmanager
def read_only_at(fleet: Fleet, replicas: Sequence[Replica]) -> Iterator[None]:
    """The volume is read-only for these replicas."""
    with ExitStack() as stack:
        for replica in replicas:
            _remount(fleet, replica, "ro")
            stack.callback(_remount, fleet, replica, "rw")
        yield


def _remount(fleet: Fleet, replica: Replica, mode: str) -> None:
    """Also when the replica writes at that moment: then the file system is busy, and mount ends with an error."""
    nsenter = [require_tool("nsenter", package="util-linux"), "--target", str(replica.pid), "--mount"]
    command = [*nsenter, "mount", "-o", f"remount,{mode},bind", str(fleet.folder)]

    def remounted() -> bool:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

    wait_until(remounted, what=f"{' '.join(command)} to succeed")


def leader_cannot_write(fleet: Fleet, *, slack: float) -> Handover:
    """The leader's node has the volume read-only: another replica leads, and stays the leader afterwards."""
    leader, begun = fleet.leader(), lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with read_only_at(fleet, [leader]):
            period = fleet.lead_period_after(begun, within=3 * fleet.timing.renew + slack)
            assert period.name != leader.name
            make_changes(fleet, patience=slack)
            assert unfit(leader)
            assert leader.metric("promsnmp_leader_election_fit") == 0
        wait_until(lambda: not unfit(leader), deadline=slack, what="a replica that is fit again")
        make_changes(fleet, patience=slack)
        assert fleet.leader().name == period.name
    return _checked(fleet, scrapes, Handover(period.begin - begun, scrapes.count, scrapes.slowest))


def nobody_can_write(fleet: Fleet, *, slack: float) -> Handover:
    """All nodes have the volume read-only: the leader stays, and refuses changes with the reason."""
    leader = fleet.leader()
    count = len(fleet.lead_periods())
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with read_only_at(fleet, fleet.replicas):
            noticed = fleet.timing.renew + slack  # the volume is checked twice in each interval
            wait_until(lambda: all(map(unfit, fleet.replicas)), deadline=noticed, what="replicas that say so")
            time.sleep(3 * fleet.timing.renew)
            for replica in fleet.replicas:
                refused = add_device_at(replica, "refused")
                assert refused.status_code == 503, refused.text
                assert "read-only" in refused.json()["error"], refused.text
            assert leader.leads
            assert len(fleet.lead_periods()) == count
        make_changes(fleet, patience=slack)
    return _checked(fleet, scrapes, Handover(0.0, scrapes.count, scrapes.slowest))


def unfit(replica: Replica) -> str:
    """Why a replica is not fit to lead, by its health; empty when it is."""
    return str(replica.client.get("/actuator/health/leaderElection").json()["details"].get("unfitToLead", ""))


def _checked(fleet: Fleet, scrapes: Scrapes, handover: Handover) -> Handover:
    assert not (both := overlaps(fleet.lead_periods())), f"two leaders at once: {both}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    assert scrapes.count
    return handover
