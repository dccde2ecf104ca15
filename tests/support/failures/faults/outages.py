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
from tests.support.failures.load.polls import longest_gap, owners, polls_by_others
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import wait_until

Fault = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Outage:
    """``healed``: seconds until a replica led again; ``gap``: the longest time without a poll of a device."""

    healed: float
    gap: float
    scrapes: int
    slowest_scrape: float


def backend_fails(fleet: Fleet, faults: Sequence[Fault], *, slack: float, lasting: float = 0.0) -> Outage:
    """Applies one fault after the other, each until ``lasting`` seconds after the last lease has expired. During a
    fault no replica leads and changes are refused, while polls and scrapes go on; afterwards a replica leads again."""
    before, unanswered = owners(fleet.devices), _unanswered_forwards(fleet)
    begun = lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        for fault in faults:
            with fault():
                wait_for_no_leader(fleet, within=fleet.timing.duration + slack)
                time.sleep(lasting)
                wait_until(  # a follower may read the record until its lease has ended, a little after the leader
                    lambda: not any(map(backend_up, fleet.replicas)),
                    deadline=fleet.timing.duration / 3 + slack,
                    what="every replica to report the outage",
                )
                check_changes_are_refused(fleet)
                assert all(len(replica.members) == len(fleet.replicas) for replica in fleet.replicas)
        ended = lease_clock()
        fleet.lead_period_after(ended, within=2 * fleet.timing.duration + slack)
        healed = max(period.begin for period in fleet.lead_periods()) - ended
        make_changes(fleet)
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    unanswered = _unanswered_forwards(fleet) - unanswered
    others = sum(polls_by_others(device, before[device.name], begun, ended) for device in fleet.devices)
    assert others <= unanswered, f"{others} polls by others than the owners, which {unanswered} scrapes could not ask"
    return _checked(fleet, Outage(healed, gap, scrapes.count, scrapes.slowest), scrapes)


def _unanswered_forwards(fleet: Fleet) -> int:
    """How many scrapes had to do without the owner of their device, as under load: another replica polls it then."""
    family = 'promsnmp_cluster_forwards_total{kind="scrape",outcome="%s"}'
    return sum(int(one.metric(family % why)) for one in fleet.replicas for why in ("failed", "late", "skipped"))


def redis_is_slow(fleet: Fleet, redis: FailingRedis, *, slack: float, lasting: float) -> Outage:
    """A slow Redis only makes things slower: the leader keeps leading, changes are made, polls and scrapes go on."""
    begun = lease_clock()
    with Scrapes(fleet.replicas, fleet.targets) as scrapes:
        with redis.slow():
            time.sleep(lasting)
            make_changes(fleet, patience=slack)
            assert all(replica.knows(len(fleet.replicas)) for replica in fleet.replicas)
        ended = lease_clock()
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    return _checked(fleet, Outage(0.0, gap, scrapes.count, scrapes.slowest), scrapes)


def wait_for_no_leader(fleet: Fleet, *, within: float) -> None:
    """Waits until every lease has expired."""
    wait_until(
        lambda: not any(replica.leads for replica in fleet.replicas), deadline=within, what="the end of the last lease"
    )


def check_changes_are_refused(fleet: Fleet) -> None:
    """Checks that every replica refuses a change with a Retry-After, and that no change was made."""
    for replica, response in add_device_at_all(fleet, "refused"):
        assert (response.status_code, response.headers.get("retry-after")) == (503, "5"), (replica.name, response.text)
        health = replica.client.get("/actuator/health/leaderElection").json()
        assert (health["status"], "error" in health["details"]) == ("UNKNOWN", True), health
        assert replica.client.get("/-/ready").status_code == 200
    for replica in fleet.replicas:
        assert not any(name.startswith("refused") for name in device_names_at(replica))


def backend_up(replica: Replica) -> bool:
    """Whether the election backend answers, by a replica's metrics."""
    backend = replica.leadership["backend"]
    return replica.metric(f'promsnmp_leader_election_backend_up{{backend="{backend}"}}') == 1


def make_changes(fleet: Fleet, *, patience: float = 0.0) -> None:
    """Adds a device at every replica and deletes it again; retries refused changes for ``patience`` seconds."""
    end = time.monotonic() + patience
    for replica, first_response in add_device_at_all(fleet, "added"):
        response = first_response
        while response.status_code == 503 and time.monotonic() < end:
            response = add_device_at(replica, "added")
        assert response.status_code == 201, (replica.name, response.text)
        assert replica.client.delete(response.headers["location"], timeout=150).status_code == 204


def wait_for_same_inventory(fleet: Fleet) -> None:
    """Waits until every replica has the leader's inventory."""
    wait_until(
        lambda: len({replica.metric("promsnmp_inventory_revision") for replica in fleet.replicas}) == 1,
        what="the same revision at every replica",
    )


def device_names_at(replica: Replica) -> set[str]:
    """The names of the devices in a replica's inventory."""
    return {device["sysName"] for device in replica.client.get("/promsnmp/inventory", timeout=60).json()["devices"]}


def add_device_at(replica: Replica, word: str) -> httpx.Response:
    """Adds a device whose name begins with ``word`` at a replica; returns the response."""
    return replica.client.post(DEVICES, json={"sysName": f"{word} at {replica.name}", "agents": []}, timeout=150)


def add_device_at_all(fleet: Fleet, word: str) -> list[tuple[Replica, httpx.Response]]:
    """Adds a device at all replicas at once; returns each replica's response."""
    replicas = fleet.replicas
    with ThreadPoolExecutor(len(replicas)) as pool:
        responses = pool.map(lambda replica: add_device_at(replica, word), replicas)
        return list(zip(replicas, responses, strict=True))


def _checked(fleet: Fleet, outage: Outage, scrapes: Scrapes) -> Outage:
    assert not (pairs := overlaps(fleet.lead_periods())), f"two leaders at once: {pairs}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    assert scrapes.count
    return outage
