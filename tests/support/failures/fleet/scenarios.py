"""Scenarios for leaders: each applies faults to a fleet, checks what must hold, and returns figures.

The tests run them with leases of seconds, ``make soak`` with the default ones.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from promsnmp.cluster.election.rules import lease_clock
from tests.support.cluster.api_server import ApiServer
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.outages import device_names_at
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.load.scrapes import Scrapes
from tests.support.failures.load.writers import WriteLog, Writers, inventory_in
from tests.support.tools import wait_until

GRACEFUL = 3.0
"""Seconds within which another replica must lead after a leader stopped cleanly."""
BEGINS = "this replica is the leader since"
_ADDED = re.compile(r'what="device added" device=(\S+)')


@dataclass(frozen=True, slots=True)
class Figures:
    """``takeover``: seconds until another replica led; the others are numbers of scrapes and writes.

    ``unknown`` are writes for which a replica reported an unknown outcome, ``cut`` those without a response because the
    replica ended.
    """

    takeover: float
    scrapes: int = 0
    slowest_scrape: float = 0.0
    done: int = 0
    refused: int = 0
    unknown: int = 0
    cut: int = 0


def leader_killed(fleet: Fleet, *, slack: float) -> Figures:
    """After SIGKILL to the leader, another replica leads within the duration of a lease plus a renewal interval (and
    ``slack``), and no scrape of the others fails."""
    leader = fleet.leader()
    with Scrapes(fleet.followers(), fleet.targets) as scrapes:
        moment = lease_clock()
        fleet.kill(leader)
        period = fleet.lead_period_after(moment, within=_patience(fleet, slack))
        fleet.start(leader.name)
        fleet.settle()
    return _checked(fleet, period.begin - moment, scrapes)


def leader_ended(fleet: Fleet, *, slack: float) -> Figures:
    """After SIGTERM to the leader, another replica leads within three seconds (and ``slack``), and no scrape fails, not
    even at the leader as long as it listens."""
    leader = fleet.leader()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        scrapes.release(leader)
        moment = lease_clock()
        assert fleet.stop(leader) == 0
        period = fleet.lead_period_after(moment, within=GRACEFUL + slack)
        assert period.begin - moment < GRACEFUL + slack
        fleet.start(leader.name)
        fleet.settle()
    return _checked(fleet, period.begin - moment, scrapes)


def leader_paused(fleet: Fleet, *, slack: float, longer: float = 0.5) -> Figures:
    """Pauses the leader until ``longer`` seconds after another replica leads, with writes to it before and after. Its
    first response afterwards is that it does not lead, and it does not write what it had not written before."""
    leader, write_log = fleet.leader(), WriteLog()
    with (
        Scrapes(fleet.followers(), fleet.targets) as scrapes,
        Writers(write_log, lambda: [leader], count=8, rest=0.05),
        ThreadPoolExecutor(1) as pool,
    ):
        wait_until(lambda: write_log.counts["done"] >= 8, deadline=60, what="writes at the leader")
        with fleet.paused_between_writes(leader):
            moment = lease_clock()
            before = {device.sys_name for device in inventory_in(fleet.folder).devices}
            logged = len(leader.output())
            role = pool.submit(httpx.get, f"{leader.url}/promsnmp/leader", timeout=150)
            period = fleet.lead_period_after(moment, within=_patience(fleet, slack))
            time.sleep(longer)
        assert role.result().json()["role"] == "follower"
        assert inventory_in(fleet.folder).fencing_token >= period.term, "the new leader leads without a claim"
    fleet.settle()
    late = set(_ADDED.findall(leader.output()[logged:].partition(BEGINS)[0])) - before
    assert not late, f"written by {leader.name} after its leadership ended: {late}"
    assert period.name != leader.name
    _check_writes(fleet, write_log)
    return _checked(fleet, period.begin - moment, scrapes, write_log)


def leader_paused_in_a_write(fleet: Fleet, *, slack: float) -> Figures:
    """SIGSTOP while the leader holds the lock of the inventory file: nobody leads, and so nobody writes, until it is
    killed; then another replica leads soon. Scrapes go on."""
    leader, write_log = fleet.leader(), WriteLog()
    with Scrapes(fleet.followers(), fleet.targets) as scrapes:
        with Writers(write_log, lambda: [leader], count=8, rest=0.01):
            wait_until(lambda: write_log.counts["done"] >= 8, deadline=60, what="writes at the leader")
            fleet.pause_at_lock(leader, holds=True)
            count = len(fleet.lead_periods())
            time.sleep(fleet.timing.duration + fleet.timing.renew)
            assert len(fleet.lead_periods()) == count, "a replica leads without a claim"
            moment = lease_clock()
            fleet.kill(leader)
            period = fleet.lead_period_after(moment, within=fleet.timing.duration + slack)
        fleet.start(leader.name)
        fleet.settle()
    _check_writes(fleet, write_log)
    return _checked(fleet, period.begin - moment, scrapes, write_log)


def lease_is_disturbed(fleet: Fleet, server: ApiServer, *, slack: float) -> int:
    """Replaces the service account's token and refuses a write of the Lease with a conflict: the leader stays. Returns
    the number of renewals seen."""
    count, renewals = len(fleet.lead_periods()), set[str]()

    def renewed() -> bool:
        renewals.add(server.lease()["spec"]["renewTime"])
        return len(renewals) >= 4

    server.rotate(f"token {lease_clock()}")
    server.faults.conflicts = 1
    wait_until(renewed, deadline=4 * fleet.timing.renew + slack, what="renewals with the new token")
    assert not server.faults.conflicts
    assert len(fleet.lead_periods()) == count, fleet.lead_periods()
    return len(renewals)


def writers_and_changing_leaders(fleet: Fleet, *, slack: float, writers: int = 200, rest: float = 1.5) -> Figures:
    """Writers at all replicas while one leader steps down, one is paused beyond its lease, and one is killed. The
    inventory then has each device with a successful response once, and no refused one."""
    write_log, killed, takeovers = WriteLog(), list[Replica](), list[float]()

    def record_takeover(moment: float) -> None:
        takeovers.append(fleet.lead_period_after(moment, within=_patience(fleet, slack)).begin - moment)
        time.sleep(rest)

    def running() -> list[Replica]:
        return [replica for replica in fleet.replicas if replica not in killed]

    with Writers(write_log, running, count=writers, rest=rest):
        time.sleep(rest)
        fleet.replicas[0].client.delete("/promsnmp/leader", timeout=150).raise_for_status()
        time.sleep(rest)
        with fleet.paused_between_writes(fleet.leader()):
            record_takeover(lease_clock())
        time.sleep(rest)
        leader, moment = fleet.leader(), lease_clock()
        killed.append(leader)
        fleet.kill(leader)
        record_takeover(moment)
    fleet.start(leader.name)
    fleet.settle()
    cut = [result for result in write_log.results if result.status == 0 and result.replica != leader.name]
    assert not cut, f"no response from replicas that were running: {cut[:5]}"
    _check_writes(fleet, write_log)
    return _checked(fleet, max(takeovers), None, write_log)


def _patience(fleet: Fleet, slack: float) -> float:
    """Seconds within which another replica must lead after a leader ended without releasing its lease."""
    return fleet.timing.duration + fleet.timing.renew + slack


def _check_writes(fleet: Fleet, write_log: WriteLog) -> None:
    """Checks that the file and every replica agree with the responses that the writers got."""
    inventory = inventory_in(fleet.folder)
    assert not (contradictions := write_log.contradictions(inventory)), contradictions[:5]
    names = {device.sys_name for device in inventory.devices}
    for replica in fleet.replicas:
        wait_until(
            lambda replica=replica: device_names_at(replica) == names,  # type: ignore[misc]
            deadline=30,
            what=f"{replica.name} to have the inventory of the file",
        )


def _checked(fleet: Fleet, takeover: float, scrapes: Scrapes | None, write_log: WriteLog | None = None) -> Figures:
    assert not (pairs := overlaps(fleet.lead_periods())), f"two leaders at once: {pairs}"
    if scrapes is not None:
        assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
        assert scrapes.count
    counts = write_log.counts if write_log is not None else {}
    return Figures(
        takeover,
        scrapes.count if scrapes is not None else 0,
        scrapes.slowest if scrapes is not None else 0.0,
        counts.get("done", 0),
        counts.get("refused", 0),
        counts.get("unknown", 0),
        counts.get("cut", 0),
    )
