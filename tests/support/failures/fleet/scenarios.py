"""Scenarios for leaders: each does something to a fleet, checks what must hold, and returns figures.

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
from tests.support.failures.faults.outages import names_at
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.load.scrapes import Scrapes
from tests.support.failures.load.writers import WriteLog, Writers, inventory_in
from tests.support.tools import wait_until

GRACEFUL = 3.0
"""Seconds within which a leader that stops cleanly must have a successor."""
BEGINS = "this replica is the leader since"
_ADDED = re.compile(r'what="device added" device=(\S+)')


@dataclass(frozen=True, slots=True)
class Figures:
    """``takeover``: seconds until another replica led; the others are numbers of scrapes and writes.

    ``unknown`` are writes for which a replica reported an unknown outcome, ``cut`` those without an answer because the
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
    """``kill -9``: another replica leads within a lease and a renewal (and ``slack``), and no scrape of the others
    fails."""
    leader = fleet.leader()
    with Scrapes(fleet.followers(), fleet.targets) as scrapes:
        moment = lease_clock()
        fleet.kill(leader)
        reign = fleet.lead_period_after(moment, within=_patience(fleet, slack))
        fleet.start(leader.name)
        fleet.settle()
    return _checked(fleet, reign.begin - moment, scrapes)


def leader_ended(fleet: Fleet, *, slack: float) -> Figures:
    """SIGTERM: another replica leads within three seconds (and ``slack``), and no scrape fails, not even at the one
    that stops, while it listens."""
    leader = fleet.leader()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        scrapes.release(leader)
        moment = lease_clock()
        assert fleet.stop(leader) == 0
        reign = fleet.lead_period_after(moment, within=GRACEFUL + slack)
        assert reign.begin - moment < GRACEFUL + slack
        fleet.start(leader.name)
        fleet.settle()
    return _checked(fleet, reign.begin - moment, scrapes)


def leader_paused(fleet: Fleet, *, slack: float, longer: float = 0.5) -> Figures:
    """SIGSTOP until after another replica leads, then SIGCONT, with writes to the paused one before and after: its
    first answer is that it does not lead, and it writes none of its earlier state."""
    leader, books = fleet.leader(), WriteLog()
    with (
        Scrapes(fleet.followers(), fleet.targets) as scrapes,
        Writers(books, lambda: [leader], count=8, rest=0.05),
        ThreadPoolExecutor(1) as pool,
    ):
        wait_until(lambda: books.counts["done"] >= 8, deadline=60, what="writes at the leader")
        with fleet.paused(leader):
            moment = lease_clock()
            before, written = {one.sys_name for one in inventory_in(fleet.folder).devices}, len(leader.output())
            told = pool.submit(httpx.get, f"{leader.url}/promsnmp/leader", timeout=150)
            reign = fleet.lead_period_after(moment, within=_patience(fleet, slack))
            time.sleep(longer)
        assert told.result().json()["role"] == "follower"
        wait_until(
            lambda: inventory_in(fleet.folder).fencing_token >= reign.term, deadline=60, what="the new leader's claim"
        )
    fleet.settle()
    late = set(_ADDED.findall(leader.output()[written:].partition(BEGINS)[0])) - before
    assert not late, f"written by {leader.name} after its leadership ended: {late}"
    assert reign.name != leader.name
    _check_books(fleet, books)
    return _checked(fleet, reign.begin - moment, scrapes, books)


def lease_is_disturbed(fleet: Fleet, server: ApiServer, *, slack: float) -> int:
    """Replaces the token and refuses writes of the Lease with conflicts: the leader stays; returns the number of
    renewals seen."""
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
    """Writers at all replicas, while one leader steps down, one is paused past its lease, and one is killed: each
    device with a successful answer is there once, refused ones are not there."""
    books, lost, takeovers = WriteLog(), list[Replica](), list[float]()

    def follow(moment: float) -> None:
        takeovers.append(fleet.lead_period_after(moment, within=_patience(fleet, slack)).begin - moment)
        time.sleep(rest)

    with Writers(books, lambda: [one for one in fleet.replicas if one not in lost], count=writers, rest=rest):
        time.sleep(rest)
        fleet.replicas[0].client.delete("/promsnmp/leader", timeout=150).raise_for_status()
        time.sleep(rest)
        with fleet.paused(fleet.leader()):
            follow(lease_clock())
        time.sleep(rest)
        killed, moment = fleet.leader(), lease_clock()
        lost.append(killed)
        fleet.kill(killed)
        follow(moment)
    fleet.start(killed.name)
    fleet.settle()
    cut = [one for one in books.told if one.status == 0 and one.replica != killed.name]
    assert not cut, f"no answer from replicas that were running: {cut[:5]}"
    _check_books(fleet, books)
    return _checked(fleet, max(takeovers), None, books)


def _patience(fleet: Fleet, slack: float) -> float:
    """Seconds within which a leader that ended without a release must have a successor."""
    return fleet.timing.duration + fleet.timing.renew + slack


def _check_books(fleet: Fleet, books: WriteLog) -> None:
    """Checks that the file and every replica agree with the answers that the writers got."""
    inventory = inventory_in(fleet.folder)
    assert not (wrong := books.wrong(inventory)), wrong[:5]
    there = {device.sys_name for device in inventory.devices}
    for one in fleet.replicas:
        wait_until(lambda one=one: names_at(one) == there, deadline=30, what=f"the same inventory at {one.name}")  # type: ignore[misc]


def _checked(fleet: Fleet, takeover: float, scrapes: Scrapes | None, books: WriteLog | None = None) -> Figures:
    assert not (found := overlaps(fleet.lead_periods())), f"two leaders at once: {found}"
    if scrapes is not None:
        assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
        assert scrapes.count
    counts = books.counts if books is not None else {}
    return Figures(
        takeover,
        scrapes.count if scrapes is not None else 0,
        scrapes.slowest if scrapes is not None else 0.0,
        counts.get("done", 0),
        counts.get("refused", 0),
        counts.get("unknown", 0),
        counts.get("cut", 0),
    )
