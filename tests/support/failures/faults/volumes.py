"""Scenarios with faults of the volume or of the inventory file: each checks what must hold and returns figures.

The tests run them for a moment, ``make soak`` for as long as real faults last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from promsnmp.cluster.election.rules import lease_clock
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.outages import changes_are_made, names_at, told_to_all
from tests.support.failures.fleet.harness import Fleet, overlaps
from tests.support.failures.load.polls import longest_gap
from tests.support.failures.load.scrapes import Scrapes
from tests.support.tools import wait_until

Fault = Callable[[], AbstractContextManager[None]]

TOLD = 2.5
"""Seconds in which the replicas exchange their state."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """``noticed`` and ``healed``: seconds until the health reported it; ``gap``: the longest time without a poll."""

    noticed: float
    healed: float
    gap: float
    scrapes: int
    slowest_scrape: float


def cannot_be_written(fleet: Fleet, fault: Fault, reason: str, *, slack: float, lasting: float = 0.0) -> Trouble:
    """Changes are refused with ``reason``, which the leader's health repeats; the inventory stays as it was."""

    def check() -> None:
        for told, answer in told_to_all(fleet, "refused"):
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), (told.name, answer.text)
            assert reason in answer.json()["error"], answer.text
        _wait_for_trouble(fleet.leader(), reason, within=slack)

    return _through(fleet, fault, check, slack=slack, lasting=lasting)


def cannot_be_read(fleet: Fleet, fault: Fault, reason: str, *, file: Path, slack: float) -> Trouble:
    """Every replica reports the reason, keeps its inventory, refuses changes, and leaves the file as it is."""

    def check() -> None:
        for one in fleet.replicas:
            _wait_for_trouble(one, reason, within=slack)
        before = file.read_bytes()
        for told, answer in told_to_all(fleet, "refused"):
            assert answer.status_code in (500, 503), (told.name, answer.text)
            assert reason in answer.json()["error"], answer.text
        assert file.read_bytes() == before

    return _through(fleet, fault, check, slack=slack)


def is_gone(fleet: Fleet, *, file: Path, slack: float) -> Trouble:
    """Every replica reports it and keeps its inventory; the next change writes the whole inventory again."""

    @contextmanager
    def removed() -> Iterator[None]:
        file.unlink()
        yield
        changes_are_made(fleet)
        assert file.exists()

    def check() -> None:
        for one in fleet.replicas:
            _wait_for_trouble(one, "is gone", within=slack)
        assert not file.exists()

    return _through(fleet, removed, check, slack=slack)


def is_gone_when_one_starts(fleet: Fleet, *, file: Path, slack: float) -> Trouble:
    """A replica that starts without the file has no inventory, and must not lead replicas that have one, even without
    another candidate."""
    restarted, silent = fleet.followers()

    @contextmanager
    def removed() -> Iterator[None]:
        file.unlink()
        fleet.kill(restarted)
        (empty,) = fleet.start(restarted.name)
        fleet.settle()
        time.sleep(TOLD)
        assert not names_at(empty)
        fleet.pause(silent)
        try:
            leader, begun = fleet.leader(), lease_clock()
            leader.client.delete("/promsnmp/leader", timeout=60).raise_for_status()
            reign = fleet.lead_period_after(begun, within=fleet.timing.duration + slack)
            assert reign.name == leader.name, f"{reign.name} leads without an inventory"
            wait_until(file.exists, deadline=slack, what="the file, written again")
        finally:
            fleet.resume(silent)
        yield

    def check() -> None:
        wait_until(lambda: all(names_at(one) for one in fleet.replicas), deadline=slack, what="devices everywhere")

    return _through(
        fleet, removed, check, slack=slack, scraped=[one for one in fleet.replicas if one is fleet.leader()]
    )


def hangs(fleet: Fleet, fault: Fault, *, slack: float, lasting: float, is_told: bool) -> Trouble:
    """Changes wait until the volume works again and then get right answers; nothing else waits. With ``is_told``,
    health and metrics must report the fault."""
    noticed = 0.0
    with ThreadPoolExecutor(len(fleet.replicas)) as pool:
        waiting: list[Future[tuple[Replica, httpx.Response]]] = []

        def change(one: Replica) -> tuple[Replica, httpx.Response]:
            document = {"sysName": f"patient at {one.name}", "agents": []}
            return one, httpx.post(f"{one.url}/promsnmp/devices", json=document, timeout=lasting + 120)

        def check() -> None:
            nonlocal noticed
            begun = lease_clock()
            waiting.extend(pool.submit(change, one) for one in fleet.replicas)
            if is_told:
                for one in fleet.replicas:
                    _wait_for_trouble(one, "does not answer", within=lasting + slack, part="diskSpace")
                noticed = lease_clock() - begun
            time.sleep(max(0.0, lasting - (lease_clock() - begun)))
            assert not any(one.done() for one in waiting)

        found = _through(fleet, fault, check, slack=slack)
        for future in waiting:
            told, answer = future.result()
            assert answer.status_code in (201, 503), (told.name, answer.text)
            is_there = f"patient at {told.name}" in names_at(fleet.leader())
            assert is_there == (answer.status_code == 201), (told.name, answer.text)
            if is_there:
                assert told.client.delete(answer.headers["location"], timeout=60).status_code == 204
    return Trouble(noticed or found.noticed, found.healed, found.gap, found.scrapes, found.slowest_scrape)


def trouble_at(one: Replica, part: str = "inventory") -> str:
    """Why a part of a replica's health is DOWN; empty when it is not."""
    found = one.client.get(f"/actuator/health/{part}").json()
    details = found["details"]
    return str(details.get("error", details)) if found["status"] == "DOWN" else ""


def _wait_for_trouble(one: Replica, reason: str, *, within: float, part: str = "inventory") -> None:
    """Waits until health and metrics of a replica report the reason."""
    wait_until(lambda: reason in trouble_at(one, part), deadline=within, what=f"{reason!r} at {one.name}")
    assert one.metric("promsnmp_inventory_healthy") == 0


def _all_have(fleet: Fleet, names: set[str]) -> bool:
    return all(names_at(one) == names for one in fleet.replicas)


def _through(
    fleet: Fleet,
    fault: Fault,
    check: Callable[[], None],
    *,
    slack: float,
    lasting: float = 0.0,
    scraped: Sequence[Replica] = (),
) -> Trouble:
    """Checks that scrapes and polls go on before, during and after a fault, that nothing in memory is lost, and that
    all is well afterwards.

    ``scraped``: the replicas to scrape; all by default.
    """
    begun = lease_clock()
    names = names_at(fleet.leader())
    wait_until(lambda: _all_have(fleet, names), what="the same inventory everywhere")
    with Scrapes(scraped or fleet.replicas, fleet.targets) as scrapes:
        with fault():
            check()
            noticed = lease_clock() - begun
            time.sleep(lasting)
            assert _all_have(fleet, names)
        ended = lease_clock()
        for part in ("inventory", "diskSpace"):
            wait_until(
                lambda part=part: not any(trouble_at(one, part) for one in fleet.replicas),  # type: ignore[misc]
                deadline=slack,
                what=f"{part} that is well again",
            )
        healed = lease_clock() - ended
        changes_are_made(fleet)
        fleet.settle()
    gap = longest_gap(fleet.devices, begun, ended)
    assert gap < 2 * fleet.interval + slack, f"a device was not polled for {gap:.1f} s"
    assert not (both := overlaps(fleet.lead_periods())), f"two leaders at once: {both}"
    assert not scrapes.failures, f"{len(scrapes.failures)} of {scrapes.count}: {scrapes.failures[:5]}"
    return Trouble(noticed, healed, gap, scrapes.count, scrapes.slowest)
