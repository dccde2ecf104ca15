"""Scenarios in which the election backend (Redis or Kubernetes) fails: each checks what must hold and returns figures.

The tests run them with leases of seconds, ``make soak`` with the default ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx

from promsnmp.cluster.election.rules import lease_clock
from tests.support.cluster.replica import DEVICES, Replica
from tests.support.failures.faults.redis_faults import FailingRedis
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.load.polls import longest_gap, owners, pollers
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import wait_until

Fault = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Outage:
    """``healed``: seconds until there was a leader again; ``gap``: the longest time without a poll of a device."""

    healed: float
    gap: float
    scrapes: int
    slowest_scrape: float


def backend_fails(fleet: Fleet, faults: Sequence[Fault], *, slack: float, lasting: float = 0.0) -> Outage:
    """Applies one fault after the other, each until ``lasting`` seconds after the last lease has expired. Meanwhile
    there is no leader and changes are refused, while polls and scrapes go on; afterwards there is a leader again."""
    before = owners(fleet.devices)
    begun = lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        for fault in faults:
            with fault():
                nobody_leads(fleet, within=fleet.timing.duration + slack)
                time.sleep(lasting)
                changes_are_refused(fleet)
                wait_until(lambda: not any(map(backend_up, fleet.replicas)), deadline=slack, what="all to say so")
                assert all(one.knows(len(fleet.replicas)) for one in fleet.replicas)
        ended = lease_clock()
        fleet.lead_period_after(ended, within=2 * fleet.timing.duration + slack)
        healed = max(reign.begin for reign in fleet.lead_periods()) - ended
        changes_are_made(fleet)
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    for one in fleet.devices:
        assert pollers(one, begun, ended) <= before[one.name], f"{one.name} was polled by others than before"
    return _checked(fleet, Outage(healed, gap, scrapes.count, scrapes.slowest), scrapes)


def redis_is_slow(fleet: Fleet, redis: FailingRedis, *, slack: float, lasting: float) -> Outage:
    """A slow Redis only makes things slower: the leader keeps leading, changes are made, polls and scrapes go on."""
    begun = lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with redis.slow():
            time.sleep(lasting)
            changes_are_made(fleet, patience=slack)
            assert all(one.knows(len(fleet.replicas)) for one in fleet.replicas)
        ended = lease_clock()
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    return _checked(fleet, Outage(0.0, gap, scrapes.count, scrapes.slowest), scrapes)


def nobody_leads(fleet: Fleet, *, within: float) -> None:
    """Waits until every lease has expired."""
    wait_until(lambda: not any(one.leads for one in fleet.replicas), deadline=within, what="the end of the last lease")


def changes_are_refused(fleet: Fleet) -> None:
    """Checks that every replica refuses a change with a Retry-After, and that no change was made."""
    for told, answer in told_to_all(fleet, "refused"):
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), (told.name, answer.text)
        health = told.client.get("/actuator/health/leaderElection").json()
        assert (health["status"], "error" in health["details"]) == ("UNKNOWN", True), health
        assert told.client.get("/-/ready").status_code == 200
    for one in fleet.replicas:
        assert not any(name.startswith("refused") for name in names_at(one))


def backend_up(one: Replica) -> bool:
    """Whether the election backend answers, by a replica's metrics."""
    return one.metric(f'promsnmp_leader_election_backend_up{{backend="{one.leadership["backend"]}"}}') == 1


def changes_are_made(fleet: Fleet, *, patience: float = 0.0) -> None:
    """Adds a device at every replica and deletes it again; retries refused changes for ``patience`` seconds."""
    end = time.monotonic() + patience
    for told, answer in told_to_all(fleet, "made"):
        found = answer
        while found.status_code == 503 and time.monotonic() < end:
            found = added_at(told, "made")
        assert found.status_code == 201, (told.name, found.text)
        assert told.client.delete(found.headers["location"], timeout=150).status_code == 204


def inventories_are_one(fleet: Fleet) -> None:
    """Waits until every replica has the leader's inventory."""
    wait_until(
        lambda: len({one.metric("promsnmp_inventory_revision") for one in fleet.replicas}) == 1, what="one revision"
    )


def names_at(one: Replica) -> set[str]:
    """The devices that a replica knows."""
    return {device["sysName"] for device in one.client.get("/promsnmp/inventory", timeout=60).json()["devices"]}


def added_at(one: Replica, word: str) -> httpx.Response:
    """Adds a device whose name begins with ``word`` at a replica; returns the answer."""
    return one.client.post(DEVICES, json={"sysName": f"{word} at {one.name}", "agents": []}, timeout=150)


def told_to_all(fleet: Fleet, word: str) -> list[tuple[Replica, httpx.Response]]:
    """Adds a device at all replicas at once; returns the answers."""

    with ThreadPoolExecutor(len(fleet.replicas)) as pool:
        return list(zip(fleet.replicas, pool.map(lambda one: added_at(one, word), fleet.replicas), strict=True))


def _checked(fleet: Fleet, found: Outage, scrapes: Scrapes) -> Outage:
    assert not (both := overlaps(fleet.lead_periods())), f"two leaders at once: {both}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    assert scrapes.count
    return found
