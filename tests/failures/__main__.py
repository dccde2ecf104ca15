"""``make soak``: runs every failure scenario with the default times, round after round, and prints figures.

Each round starts new replicas. When a scenario finds something wrong, the run ends with exit code 1 and shows the end
of the replicas' output. After SOAK_SECONDS no further scenario begins.
"""

from __future__ import annotations

import argparse
import os
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
from tests.support.failures.faults import outages, partitions, volumes
from tests.support.failures.faults.network import PacketLoss
from tests.support.failures.faults.redis_faults import REFUSING
from tests.support.failures.faults.volume import Volume
from tests.support.failures.fleet import scenarios
from tests.support.failures.fleet.fleets import electing_in_a_lease, electing_in_redis, electing_over
from tests.support.failures.fleet.harness import TRUE
from tests.support.failures.load import changing
from tests.support.service.signals import pass_on_default_signals

SLACK = 5.0
"""Seconds allowed on top of each limit; nothing else should run on the machine."""
ASLEEP = 30.0
"""Seconds that a paused leader sleeps on after another one leads: a minute in all."""
GONE = 120.0
"""Seconds for which Redis is stopped."""

APART = 30.0
"""Seconds for which a replica is cut off, or a volume fails."""
INTERVAL = 10.0
"""Seconds between two polls in the scenarios where replicas come and go."""

Found = scenarios.Figures | outages.Outage | partitions.Partition | volumes.Trouble | changing.ReplicaChanges | int
Step = tuple[str, Callable[[], Found]]


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

    def add(self, found: Found) -> None:
        self.runs += 1
        if isinstance(found, scenarios.Figures):
            self.takeover = max(self.takeover, found.takeover)
            self.done += found.done
            self.refused += found.refused
            self.unknown += found.unknown
            self.cut += found.cut
        if not isinstance(found, int):
            self.scrapes += found.scrapes

    def __str__(self) -> str:
        return (
            f"{self.runs} scenarios without a violation: {self.scrapes} scrapes, none failed; the longest time without "
            f"a leader: {self.takeover:.1f} s; writes checked: {self.done} done, {self.refused} refused, "
            f"{self.unknown} told as unknown, {self.cut} cut off"
        )


def in_redis(folder: Path) -> Generator[Step, None, None]:
    """The scenarios of a round, with replicas that elect in Redis."""
    with electing_in_redis(folder, TRUE) as (fleet, redis):
        yield "killed", partial(scenarios.leader_killed, fleet, slack=SLACK)
        yield "ended", partial(scenarios.leader_ended, fleet, slack=SLACK)
        yield "paused", partial(scenarios.leader_paused, fleet, slack=SLACK, longer=ASLEEP)
        yield "writers", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)
        yield "slow", partial(outages.redis_is_slow, fleet, redis, slack=SLACK, lasting=GONE)
        for number, fault in enumerate(REFUSING):
            name = fault.__name__.replace("_", " ")
            lasting = 0.0 if number else GONE - TRUE.duration
            yield name, partial(outages.backend_fails, fleet, [partial(fault, redis)], slack=SLACK, lasting=lasting)


def in_a_lease(folder: Path) -> Generator[Step, None, None]:
    """The scenarios with elections in Kubernetes, as far as the API server matters."""
    with electing_in_a_lease(folder, TRUE) as (fleet, server):
        yield "killed", partial(scenarios.leader_killed, fleet, slack=SLACK)
        yield "ended", partial(scenarios.leader_ended, fleet, slack=SLACK)
        yield "paused", partial(scenarios.leader_paused, fleet, slack=SLACK, longer=ASLEEP)
        yield "writers", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)
        yield "disturbed", partial(scenarios.lease_is_disturbed, fleet, server, slack=SLACK)
        for name, value in (("hang", True), ("status", 500), ("drop", "before"), ("drop", "after"), ("nonsense", True)):
            fault = partial(server.failing, **{name: value})
            yield f"{name}={value}", partial(outages.backend_fails, fleet, [fault], slack=SLACK)


def cut_off(folder: Path) -> Generator[Step, None, None]:
    """One replica is cut off, in each direction."""
    with partitions.apart(folder, TRUE) as (fleet, network):
        for lost in (PacketLoss.SENT, PacketLoss.RECEIVED, PacketLoss.ALL):
            for cut in (
                partitions.cut_off_from_redis,
                partitions.cut_off_from_others,
                partitions.cut_off_from_devices,
            ):
                name = f"{cut.__name__.removeprefix('cut_off_').replace('_', ' ')}, {lost.name}"
                yield name, partial(cut, fleet, network, lost, slack=SLACK, lasting=APART)


def over_a_volume(folder: Path) -> Generator[Step, None, None]:
    """The volume that all replicas share fails."""
    file = "promsnmp-inventory.json"
    with (
        Volume(folder) as volume,
        electing_over(folder, volume.path / file, prefix=volume.prefix, timing=TRUE) as fleet,
    ):
        for fault, reason in ((volume.read_only, "read-only"), (volume.full, "is full")):
            yield reason, partial(volumes.cannot_be_written, fleet, fault, reason, slack=SLACK, lasting=APART)
        yield "hanging", partial(volumes.hangs, fleet, volume.hanging, slack=SLACK, lasting=APART, is_told=True)


def changing_replicas(folder: Path) -> Generator[Step, None, None]:
    """Replicas come and go under 200 scrapes per second."""
    with electing_in_redis(folder, TRUE, interval=INTERVAL) as (fleet, _):
        yield "rolling restart", partial(changing.rolling_restart, fleet, slack=SLACK, rest=INTERVAL)
        yield "3 to 10 to 3", partial(changing.scaling, fleet, most=10, slack=SLACK, rest=3 * INTERVAL)


ROUND = (
    ("redis", in_redis),
    ("lease", in_a_lease),
    ("network", cut_off),
    ("volume", over_a_volume),
    ("replicas", changing_replicas),
)


def soak(folder: Path, *, seconds: float, only: str) -> Totals:
    """Runs a scenario. Raises AssertionError, or pytest's Failed, for the first problem."""
    totals, end, number = Totals(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for backend, steps in ROUND:
            if time.monotonic() > end or (only.split(" ")[0] in dict(ROUND) and not only.startswith(backend)):
                continue
            place = folder / f"{number}-{backend}"
            place.mkdir()
            try:
                _all_of(backend, steps(place), totals, end=end, only=only)
            except pytest.skip.Exception as reason:
                print(f"{backend}: left out: {reason}", flush=True)
        number += 1
    return totals


def _all_of(backend: str, steps: Generator[Step, None, None], totals: Totals, *, end: float, only: str) -> None:
    with closing(steps) as scenario:
        for name, step in scenario:
            if time.monotonic() < end and only in f"{backend} {name}":
                print(f"{backend} {name}: ", end="", flush=True)
                totals.add(found := step())
                print(found, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=2400.0, help="no further scenario begins after so many (2400)")
    parser.add_argument("--only", default="", help='scenarios whose name ("redis killed") has this in it')
    asked = parser.parse_args()
    for name in Settings.model_fields:  # settings in this shell must not reach the replicas
        os.environ.pop(name.upper(), None)
    pass_on_default_signals()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the processes are ended, too
    with tempfile.TemporaryDirectory(prefix="promsnmp-soak-") as folder:
        try:
            print(soak(Path(folder), seconds=asked.seconds, only=asked.only))
        except (AssertionError, pytest.fail.Exception) as error:
            print(f"\nVIOLATION: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
