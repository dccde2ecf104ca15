"""``make soak``: runs every failure scenario with the default times, round after round, and prints figures.

Each round starts new replicas. At the first violation the run ends with exit code 1 and prints the end of the replicas'
output. After SOAK_SECONDS no further scenario begins.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from promsnmp.settings import Settings
from tests.support.failures.faults import (
    forgery,
    inventory_file,
    lying_redis,
    nodes,
    outages,
    owners,
    partitions,
    volumes,
)
from tests.support.failures.faults.network import PacketLoss
from tests.support.failures.faults.redis_faults import REFUSING
from tests.support.failures.faults.volume import Volume
from tests.support.failures.fleet import scenarios, searches
from tests.support.failures.fleet.fleets import replicas_with_file, replicas_with_lease, replicas_with_redis
from tests.support.failures.fleet.harness import DEFAULT_TIMING, TEN_SECONDS
from tests.support.failures.load import changing
from tests.support.inventory.faulty_calls import FaultyCalls
from tests.support.notifications import kills
from tests.support.reads.faults import FAULTS, SimulatedSite
from tests.support.signals import pass_on_default_signals

SLACK = 5.0
"""Seconds allowed on top of each limit; nothing else should run on the machine."""
EXTRA_PAUSE = 30.0
"""Seconds for which a leader stays paused after another replica leads; about a minute in total."""
REDIS_OUTAGE = 120.0
"""Seconds for which Redis is slow or stopped."""
FAULT_DURATION = 30.0
"""Seconds for which a replica is cut off, or a volume fails."""
INTERVAL = 10.0
"""Seconds between two polls in the scenarios where replicas come and go."""
READINGS = 20_000
"""Scrapes that are compared with earlier ones while owners sleep."""
PAUSE = 3.0
"""Seconds for which an owner sleeps: its scrapes time out at the others, and it stays a member."""
LONG_PAUSE = 15.0
"""Seconds after which the others have dropped it."""
SHIFTS = (0, 600, -600)
"""Seconds by which the clocks of the replicas are wrong."""
KILLS = 200
"""Times that a process that delivers alerts is killed."""
SIMULATED = 120.0
"""Seconds for which sites in simulated time are played."""

Result = (
    scenarios.Figures
    | forgery.Forgery
    | nodes.Handover
    | outages.Outage
    | partitions.Partition
    | volumes.FileFault
    | inventory_file.Writes
    | changing.ReplicaChanges
    | owners.Readings
    | owners.Rates
    | lying_redis.Lies
    | int
)
Step = tuple[str, Callable[[], Result]]


@dataclass
class Totals:
    """The figures of all scenarios that passed."""

    takeover: float = 0.0
    runs: int = 0
    scrapes: int = 0
    done: int = 0
    refused: int = 0
    unknown: int = 0
    cut: int = 0

    def add(self, result: Result) -> None:
        self.runs += 1
        if isinstance(result, scenarios.Figures):
            self.takeover = max(self.takeover, result.takeover)
            self.done += result.done
            self.refused += result.refused
            self.unknown += result.unknown
            self.cut += result.cut
        if isinstance(result, inventory_file.Writes | lying_redis.Lies):
            self.done += result.done
            self.unknown += result.unknown
        if isinstance(result, lying_redis.Lies):
            self.refused += result.refused
        if not isinstance(result, int):
            self.scrapes += result.scrapes

    def __str__(self) -> str:
        return (
            f"{self.runs} scenarios without a violation: {self.scrapes} scrapes, none failed; the longest time without "
            f"a leader: {self.takeover:.1f} s; writes checked: {self.done} done, {self.refused} refused, "
            f"{self.unknown} reported as unknown, {self.cut} cut off"
        )


def redis_steps(folder: Path) -> Generator[Step, None, None]:
    """Faults of leaders and of Redis, with elections in Redis."""
    with replicas_with_redis(folder, DEFAULT_TIMING) as (fleet, redis):
        yield "killed", partial(scenarios.leader_killed, fleet, slack=SLACK)
        yield "ended", partial(scenarios.leader_ended, fleet, slack=SLACK)
        yield "paused", partial(scenarios.leader_paused, fleet, slack=SLACK, longer=EXTRA_PAUSE)
        yield "paused in a write", partial(scenarios.leader_paused_in_a_write, fleet, slack=SLACK)
        yield "writers", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)
        yield "forged", partial(forgery.somebody_writes_to_redis, fleet, redis, slack=SLACK, lasting=FAULT_DURATION)
        yield "search", partial(searches.search_outlives_its_leader, fleet, slack=SLACK)
        yield "slow", partial(outages.redis_is_slow, fleet, redis, slack=SLACK, lasting=REDIS_OUTAGE)
        for number, fault in enumerate(REFUSING):
            name = fault.__name__.replace("_", " ")
            lasting = 0.0 if number else REDIS_OUTAGE - DEFAULT_TIMING.duration
            yield name, partial(outages.backend_fails, fleet, [partial(fault, redis)], slack=SLACK, lasting=lasting)


def short_lease_steps(folder: Path) -> Generator[Step, None, None]:
    """The profile with shorter leases: a crash costs less time, and a slow Redis still costs none."""
    with replicas_with_redis(folder, TEN_SECONDS) as (fleet, redis):
        for number in range(3):
            yield f"killed {number + 1}", partial(scenarios.leader_killed, fleet, slack=SLACK)
        yield "ended", partial(scenarios.leader_ended, fleet, slack=SLACK)
        yield "paused", partial(scenarios.leader_paused, fleet, slack=SLACK, longer=EXTRA_PAUSE)
        yield "writers", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)
        yield "slow", partial(outages.redis_is_slow, fleet, redis, slack=SLACK, lasting=FAULT_DURATION)


def node_steps(folder: Path) -> Generator[Step, None, None]:
    """The volume cannot be written on the leader's node, and then on none."""
    with nodes.fleet_of_nodes(folder, DEFAULT_TIMING) as fleet:
        yield "leader cannot write", partial(nodes.leader_cannot_write, fleet, slack=SLACK)
        yield "nobody can write", partial(nodes.nobody_can_write, fleet, slack=SLACK)


def lease_steps(folder: Path) -> Generator[Step, None, None]:
    """The scenarios with elections in Kubernetes, as far as the API server matters."""
    with replicas_with_lease(folder, DEFAULT_TIMING) as (fleet, server):
        yield "killed", partial(scenarios.leader_killed, fleet, slack=SLACK)
        yield "ended", partial(scenarios.leader_ended, fleet, slack=SLACK)
        yield "paused", partial(scenarios.leader_paused, fleet, slack=SLACK, longer=EXTRA_PAUSE)
        yield "writers", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)
        yield "disturbed", partial(scenarios.lease_is_disturbed, fleet, server, slack=SLACK)
        for name, value in (("hang", True), ("status", 500), ("drop", "before"), ("drop", "after"), ("nonsense", True)):
            fault = partial(server.failing, **{name: value})
            yield f"{name}={value}", partial(outages.backend_fails, fleet, [fault], slack=SLACK)


def network_steps(folder: Path) -> Generator[Step, None, None]:
    """A replica is cut off from Redis, the others or the devices, in each direction."""
    with partitions.separated_replicas(folder, DEFAULT_TIMING) as (fleet, network):
        for lost in (PacketLoss.SENT, PacketLoss.RECEIVED, PacketLoss.ALL):
            for cut in (
                partitions.cut_off_from_redis,
                partitions.cut_off_from_others,
                partitions.cut_off_from_devices,
            ):
                name = f"{cut.__name__.removeprefix('cut_off_').replace('_', ' ')}, {lost.name}"
                yield name, partial(cut, fleet, network, lost, slack=SLACK, lasting=FAULT_DURATION)


def volume_steps(folder: Path) -> Generator[Step, None, None]:
    """The volume that all replicas share fails."""
    file = "promsnmp-inventory.json"
    with (
        Volume(folder) as volume,
        replicas_with_file(folder, volume.path / file, prefix=volume.prefix, timing=DEFAULT_TIMING) as fleet,
    ):
        for fault, reason in ((volume.read_only, "read-only"), (volume.full, "is full")):
            yield reason, partial(volumes.cannot_be_written, fleet, fault, reason, slack=SLACK, lasting=FAULT_DURATION)
        yield (
            "hanging",
            partial(volumes.hangs, fleet, volume.hanging, slack=SLACK, lasting=FAULT_DURATION, reported=True),
        )


def file_steps(folder: Path) -> Generator[Step, None, None]:
    """Writes whose end fails, locks that do nothing, and files that an operator sets right."""
    file, calls = folder / "inventory.json", FaultyCalls(folder)
    env = {**calls.env, **inventory_file.OWN_KEY}
    with replicas_with_file(folder, file, env=env, timing=DEFAULT_TIMING) as fleet:
        yield "unsynced", partial(inventory_file.folder_cannot_be_synced, fleet, calls, file=file, slack=SLACK)
        other = folder / "other" / "inventory.json"
        yield "volume", partial(inventory_file.sees_another_volume, fleet, other, slack=SLACK, reported=True)
        for name, way_out in inventory_file.WAYS_OUT.items():
            yield name, partial(inventory_file.is_set_right, fleet, way_out, file=file, slack=SLACK)
        with calls.no_locks():
            yield "writers without locks", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)


def replica_steps(folder: Path) -> Generator[Step, None, None]:
    """Replicas come and go under 200 scrapes per second."""
    with replicas_with_redis(folder, DEFAULT_TIMING, interval=INTERVAL) as (fleet, _):
        yield "rolling restart", partial(changing.rolling_restart, fleet, slack=SLACK, rest=INTERVAL)
        yield "3 to 10 to 3", partial(changing.scaling, fleet, most=10, slack=SLACK, rest=3 * INTERVAL)


def owner_steps(folder: Path) -> Generator[Step, None, None]:
    """Owners of devices sleep, crash and move, and clocks are wrong, under 100 scrapes per second."""
    yield "simulated", partial(simulated_sites, seconds=SIMULATED)
    with owners.reading_replicas(folder, DEFAULT_TIMING, interval=INTERVAL) as fleet:
        yield "asleep", partial(owners.owners_sleep, fleet, scrapes=READINGS, asleep=PAUSE, rest=INTERVAL)
        yield (
            "asleep for long",
            partial(owners.owners_sleep, fleet, scrapes=READINGS // 4, asleep=LONG_PAUSE, rest=INTERVAL),
        )
        yield "crashing", partial(owners.owners_crash, fleet, scrapes=READINGS // 4, rest=INTERVAL)
        yield "replaced", partial(owners.owners_are_replaced, fleet, scrapes=READINGS // 4, rest=INTERVAL)
    (folder / "shifted").mkdir()
    with owners.reading_replicas(folder / "shifted", DEFAULT_TIMING, interval=INTERVAL, shifts=SHIFTS) as fleet:
        yield "clocks apart", partial(owners.owners_sleep, fleet, scrapes=READINGS, asleep=PAUSE, rest=INTERVAL)
        everything = partial(owners.owners_meet_everything, fleet, asleep=PAUSE, asleep_long=LONG_PAUSE, rest=INTERVAL)
        yield "everything", partial(everything, scrapes=READINGS)
    (folder / "prometheus").mkdir()
    with owners.reading_replicas(folder / "prometheus", DEFAULT_TIMING, interval=SLACK) as fleet:
        rates = partial(owners.prometheus_sees_true_rates, fleet, folder, pauses=6, asleep=PAUSE, rest=INTERVAL)
        yield "prometheus", partial(rates, slack=SLACK)


def lying_steps(folder: Path) -> Generator[Step, None, None]:
    """Redis lies while replicas crash, sleep and are replaced, under scrapes and writers."""
    with lying_redis.replicas_with_liar(folder, DEFAULT_TIMING, interval=INTERVAL) as (fleet, liar):
        lies = partial(lying_redis.redis_lies, fleet, liar, asleep=PAUSE, rest=INTERVAL)
        yield "redis", partial(lies, scrapes=READINGS // 4)


def trap_steps(folder: Path) -> Generator[Step, None, None]:
    """A process with alerts in its queue is killed, and an Alertmanager refuses every other request."""
    yield "killed", partial(kills.check_kills, folder, KILLS)


def simulated_sites(*, seconds: float) -> int:
    """Plays sites in simulated time for some seconds of real time; returns their number."""
    logging.getLogger("promsnmp").setLevel(logging.CRITICAL)
    end, seed = time.monotonic() + seconds, random.randrange(1 << 32)
    count = 0
    while time.monotonic() < end:
        site = SimulatedSite(seed + count)
        site.play(FAULTS, seconds=120.0)
        print(f"{seed + count}: {site.check()}", end=" ", flush=True)
        count += 1
    return count


ROUND = (
    ("redis", redis_steps),
    ("ten-seconds", short_lease_steps),
    ("lease", lease_steps),
    ("network", network_steps),
    ("volume", volume_steps),
    ("file", file_steps),
    ("nodes", node_steps),
    ("replicas", replica_steps),
    ("lying", lying_steps),
    ("owners", owner_steps),
    ("traps", trap_steps),
)


def soak(folder: Path, *, seconds: float, only: str) -> Totals:
    """Runs the scenarios whose names contain ``only``, round after round, for ``seconds``.

    Raises AssertionError, or pytest's Failed, for the first violation.
    """
    totals, end, number = Totals(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for backend, steps in ROUND:
            if time.monotonic() > end or (only.split(" ")[0] in dict(ROUND) and not only.startswith(backend)):
                continue
            round_folder = folder / f"{number}-{backend}"
            round_folder.mkdir()
            try:
                _run_steps(backend, steps(round_folder), totals, end=end, only=only)
            except pytest.skip.Exception as reason:
                print(f"{backend}: skipped: {reason}", flush=True)
        number += 1
    return totals


def _run_steps(backend: str, steps: Generator[Step, None, None], totals: Totals, *, end: float, only: str) -> None:
    with closing(steps):
        for name, step in steps:
            if time.monotonic() < end and only in f"{backend} {name}":
                print(f"{backend} {name}: ", end="", flush=True)
                totals.add(result := step())
                print(result, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument(
        "--seconds", type=float, default=2400.0, help="seconds after which no further scenario begins (2400)"
    )
    parser.add_argument(
        "--only", default="", help='only scenarios whose name contains this text, such as "redis killed"'
    )
    arguments = parser.parse_args()
    for name in Settings.model_fields:  # settings in this shell must not reach the replicas
        os.environ.pop(name.upper(), None)
    pass_on_default_signals()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the processes of the scenario end, too
    with tempfile.TemporaryDirectory(prefix="promsnmp-soak-") as folder:
        try:
            print(soak(Path(folder), seconds=arguments.seconds, only=arguments.only))
        except (AssertionError, pytest.fail.Exception) as error:
            print(f"\nVIOLATION: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
