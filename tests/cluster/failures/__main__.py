"""``make soak``: everything that may fail, with the true times, round after round, and figures.

Each round starts new replicas. A scenario that finds something wrong ends everything with exit code 1, and the end of
what the replicas wrote is shown. After SOAK_SECONDS no further scenario begins.
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
from tests.cluster.failures import outages, scenarios
from tests.cluster.failures.fleets import electing_in_a_lease, electing_in_redis
from tests.cluster.failures.harness import TRUE
from tests.cluster.failures.redis_faults import REFUSING

SLACK = 5.0
"""Seconds that the machine may take on top of each limit; nothing else should run on it."""
ASLEEP = 30.0
"""Seconds that a leader sleeps on when another one leads: a minute in all."""
GONE = 120.0
"""Seconds for which Redis is stopped."""

Found = scenarios.Figures | outages.Outage | int
Step = tuple[str, Callable[[], Found]]


@dataclass
class Totals:
    """Of everything that went well."""

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
    """The same in Kubernetes, as far as that is its API server."""
    with electing_in_a_lease(folder, TRUE) as (fleet, server):
        yield "killed", partial(scenarios.leader_killed, fleet, slack=SLACK)
        yield "ended", partial(scenarios.leader_ended, fleet, slack=SLACK)
        yield "paused", partial(scenarios.leader_paused, fleet, slack=SLACK, longer=ASLEEP)
        yield "writers", partial(scenarios.writers_and_changing_leaders, fleet, slack=SLACK, rest=4.0)
        yield "disturbed", partial(scenarios.lease_is_disturbed, fleet, server, slack=SLACK)
        for name, value in (("hang", True), ("status", 500), ("drop", "before"), ("drop", "after"), ("nonsense", True)):
            fault = partial(server.failing, **{name: value})
            yield f"{name}={value}", partial(outages.backend_fails, fleet, [fault], slack=SLACK)


ROUND = (("redis", in_redis), ("lease", in_a_lease))


def soak(folder: Path, *, seconds: float, only: str) -> Totals:
    """Raises AssertionError, or pytest's Failed, for the first thing that is wrong."""
    totals, end, number = Totals(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for backend, steps in ROUND:
            place = folder / f"{number}-{backend}"
            place.mkdir()
            with closing(steps(place)) as scenario:
                for name, step in scenario:
                    if time.monotonic() < end and only in f"{backend} {name}":
                        print(f"{backend} {name}: ", end="", flush=True)
                        totals.add(found := step())
                        print(found, flush=True)
        number += 1
    return totals


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=900.0, help="no further scenario begins after so many (900)")
    parser.add_argument("--only", default="", help='scenarios whose name ("redis killed") has this in it')
    asked = parser.parse_args()
    for name in Settings.model_fields:  # what is exported here is not for the replicas
        os.environ.pop(name.upper(), None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an end that leaves nothing behind
    with tempfile.TemporaryDirectory(prefix="promsnmp-soak-") as folder:
        try:
            print(soak(Path(folder), seconds=asked.seconds, only=asked.only))
        except (AssertionError, pytest.fail.Exception) as error:
            print(f"\nVIOLATION: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
