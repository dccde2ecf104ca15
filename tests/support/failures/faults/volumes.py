"""Scenarios with faults of the volume or of the inventory file: each checks what must hold and returns figures.

The tests run them for a moment, ``make soak`` for as long as real faults last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from promsnmp.cluster.election.rules import lease_clock
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.outages import add_device_at_all, device_names_at, make_changes
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.load.polls import longest_gap
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import WEB, wait_until

Fault = Callable[[], AbstractContextManager[None]]

GOSSIP_ROUNDS = 2.5
"""Seconds in which the replicas exchange their state several times."""
ATTEMPTS = 4
"""The leader writes what polls found out about new devices, twice at most."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """``noticed`` and ``healed``: seconds until the health reported it; ``gap``: the longest time without a poll."""

    noticed: float
    healed: float
    gap: float
    scrapes: int
    slowest_scrape: float


def cannot_be_written(fleet: Fleet, fault: Fault, reason: str, *, slack: float, lasting: float = 0.0) -> FileFault:
    """Changes are refused with ``reason``, which the leader's health also reports; the inventory stays as it was."""

    def check() -> None:
        for replica, response in add_device_at_all(fleet, "refused"):
            assert (response.status_code, response.headers.get("retry-after")) == (503, "5"), response.text
            assert reason in response.json()["error"], (replica.name, response.text)
        _wait_for_report(fleet.leader(), reason, within=slack)

    return _through(fleet, fault, check, slack=slack, lasting=lasting)


def cannot_be_read(fleet: Fleet, fault: Fault, reason: str, *, file: Path, slack: float) -> FileFault:
    """Every replica reports the reason, keeps its inventory, refuses changes, and leaves the file as it is."""

    def check() -> None:
        for replica in fleet.replicas:
            _wait_for_report(replica, reason, within=slack)
        before = file.read_bytes()
        for replica, response in add_device_at_all(fleet, "refused"):
            assert response.status_code in (500, 503), (replica.name, response.text)
            assert reason in response.json()["error"], (replica.name, response.text)
        assert file.read_bytes() == before

    return _through(fleet, fault, check, slack=slack)


def is_gone(fleet: Fleet, *, file: Path, slack: float) -> FileFault:
    """Every replica reports that the file is gone and keeps its inventory; the next change writes the file again."""

    @contextmanager
    def removed() -> Iterator[None]:
        file.unlink()
        yield
        make_changes(fleet)
        assert file.exists()

    def is_reported() -> bool:
        """Whether all replicas report it; the leader may write the file again when it has something to store."""
        wait_until(
            lambda: file.exists() or all("is gone" in reported_error(one, "inventory") for one in fleet.replicas),
            deadline=slack,
            what="every replica to report that the file is gone",
        )
        return not file.exists()

    def check() -> None:
        for _ in range(ATTEMPTS):
            if is_reported():
                break
            file.unlink()
        else:
            raise AssertionError(
                f"the file was written again {ATTEMPTS} times before all replicas reported that it is gone"
            )
        assert all(replica.metric("promsnmp_inventory_healthy") == 0 for replica in fleet.replicas)

    return _through(fleet, removed, check, slack=slack)


def is_gone_when_a_replica_starts(fleet: Fleet, *, file: Path, slack: float) -> FileFault:
    """A replica that starts without the file has no inventory. It must not become the leader of replicas that have one,
    even when it is the only candidate."""
    restarted, paused = fleet.followers()

    @contextmanager
    def removed() -> Iterator[None]:
        for _ in range(ATTEMPTS):
            if not device_names_at(_started_without_the_file(fleet, restarted.name, file)):
                break
        else:
            raise AssertionError(f"the file was written again {ATTEMPTS} times before a replica started")
        fleet.pause(paused)
        try:
            leader, begun = fleet.leader(), lease_clock()
            leader.client.delete("/promsnmp/leader", timeout=60).raise_for_status()
            period = fleet.lead_period_after(begun, within=fleet.timing.duration + slack)
            assert period.name == leader.name, f"{period.name} leads without an inventory"
            wait_until(file.exists, deadline=slack, what="the file to exist again")
        finally:
            fleet.resume(paused)
        yield

    def check() -> None:
        wait_until(
            lambda: all(device_names_at(replica) for replica in fleet.replicas),
            deadline=slack,
            what="every replica to have devices",
        )

    return _through(fleet, removed, check, slack=slack, scraped=[fleet.leader()])


def _started_without_the_file(fleet: Fleet, name: str, file: Path) -> Replica:
    file.unlink(missing_ok=True)
    fleet.kill(next(replica for replica in fleet.replicas if replica.name == name))
    (replica,) = fleet.start(name)
    fleet.settle()
    time.sleep(GOSSIP_ROUNDS)
    return replica


def hangs(fleet: Fleet, fault: Fault, *, slack: float, lasting: float, reported: bool) -> FileFault:
    """Changes wait until the volume works again and then get correct responses; nothing else waits. With ``reported``,
    health and metrics must report the fault."""
    noticed = 0.0
    with ThreadPoolExecutor(len(fleet.replicas)) as pool:
        waiting: list[Future[tuple[Replica, httpx.Response]]] = []

        def change(replica: Replica) -> tuple[Replica, httpx.Response]:
            document = {"sysName": f"waiting at {replica.name}", "agents": []}
            return replica, WEB.post(f"{replica.url}/promsnmp/devices", json=document, timeout=lasting + 120)

        def check() -> None:
            nonlocal noticed
            begun = lease_clock()
            waiting.extend(pool.submit(change, replica) for replica in fleet.replicas)
            if reported:
                for replica in fleet.replicas:
                    _wait_for_report(replica, "does not answer", within=lasting + slack, part="diskSpace")
                noticed = lease_clock() - begun
            time.sleep(max(0.0, lasting - (lease_clock() - begun)))
            assert not any(future.done() for future in waiting)

        file_fault = _through(fleet, fault, check, slack=slack)
        for future in waiting:
            replica, response = future.result()
            assert response.status_code in (201, 503), (replica.name, response.text)
            was_added = f"waiting at {replica.name}" in device_names_at(fleet.leader())
            assert was_added == (response.status_code == 201), (replica.name, response.text)
            if was_added:
                assert replica.client.delete(response.headers["location"], timeout=60).status_code == 204
    return replace(file_fault, noticed=noticed or file_fault.noticed)


def cannot_be_written_at_the_start(
    fleet: Fleet, fault: Fault, reason: str, *, prefix: Sequence[str], slack: float
) -> int:
    """A replica that starts over a volume that it cannot write reports that before anybody changes anything; it polls
    and answers scrapes, and its health lets its pod start. Returns the number of scrapes."""
    part = "/actuator/health/inventory"
    with fault():
        (replica,) = fleet.start(fleet.fresh_name(), prefix=prefix)
        fleet.settle()
        with Scrapes([replica], fleet.targets) as scrapes:
            wait_until(lambda: reason in replica.client.get(part).text, deadline=slack, what=f"a report of {reason!r}")
            assert replica.client.get(part).json()["status"] == "UNKNOWN"
            assert replica.client.get("/actuator/health").status_code == 200
            assert replica.metric("promsnmp_inventory_healthy") == 0
            assert replica.output().count("cannot write the inventory file") == 1
            wait_until(lambda: scrapes.count >= 3 * len(fleet.targets), deadline=slack, what="scrapes")
    wait_until(lambda: replica.client.get(part).json()["status"] == "UP", deadline=slack, what="health without errors")
    assert fleet.stop(replica) == 0
    assert not scrapes.failures, scrapes.failures[:5]
    return scrapes.count


def reported_error(replica: Replica, part: str = "inventory") -> str:
    """Why a part of a replica's health is DOWN; empty when it is UP."""
    health = replica.client.get(f"/actuator/health/{part}").json()
    details = health["details"]
    return str(details.get("error", details)) if health["status"] == "DOWN" else ""


def _wait_for_report(replica: Replica, reason: str, *, within: float, part: str = "inventory") -> None:
    """Waits until a replica's health reports the reason; then its metrics must report a fault, too."""
    wait_until(
        lambda: reason in reported_error(replica, part),
        deadline=within,
        what=f"{replica.name} to report {reason!r}",
    )
    assert replica.metric("promsnmp_inventory_healthy") == 0


def _all_have(fleet: Fleet, names: set[str]) -> bool:
    return all(device_names_at(replica) == names for replica in fleet.replicas)


def _through(
    fleet: Fleet,
    fault: Fault,
    check: Callable[[], None],
    *,
    slack: float,
    lasting: float = 0.0,
    scraped: Sequence[Replica] = (),
) -> FileFault:
    """Checks that scrapes and polls go on before, during and after a fault, that nothing in memory is lost, and that
    everything works afterwards.

    ``scraped``: the replicas to scrape; all by default.
    """
    begun = lease_clock()
    names = device_names_at(fleet.leader())
    wait_until(lambda: _all_have(fleet, names), what="the same inventory at every replica")
    with Scrapes(scraped or fleet.replicas, fleet.targets) as scrapes:
        with fault():
            check()
            noticed = lease_clock() - begun
            time.sleep(lasting)
            assert _all_have(fleet, names)
        ended = lease_clock()
        for part in ("inventory", "diskSpace"):
            wait_until(
                lambda part=part: not any(reported_error(replica, part) for replica in fleet.replicas),  # type: ignore[misc]
                deadline=slack,
                what=f"every replica to report {part} as UP",
            )
        healed = lease_clock() - ended
        make_changes(fleet)
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    assert not (pairs := overlaps(fleet.lead_periods())), f"two leaders at once: {pairs}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    return FileFault(noticed, healed, gap, scrapes.count, scrapes.slowest)
