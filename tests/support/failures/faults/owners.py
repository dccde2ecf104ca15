"""Scenarios in which the owners of devices sleep, crash or are replaced: no scrape shows an older reading after a newer
one, whichever replicas answered, and no histogram jumps between two histories.

The tests run them for seconds, ``make soak`` for 20,000 scrapes each.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from promsnmp.cluster.election.rules import Timing, lease_clock
from tests.support.cluster.redis_server import RedisServer
from tests.support.cluster.replica import Replica
from tests.support.failures.faults.clocks import ShiftedClocks
from tests.support.failures.fleet.fleets import NAMES
from tests.support.failures.fleet.harness import SHORT_TIMING, Fleet
from tests.support.failures.load.polls import surplus
from tests.support.failures.load.prometheus import Prometheus, load_balancer
from tests.support.failures.load.readings import (
    SETTINGS,
    ReadingDevice,
    ReadingScrapes,
    histogram_steps,
    regressions,
)

DEVICES = 12
RATE = 100.0
"""Scrapes per second, unless a scenario is given another number."""
MEMBER_TIMEOUT = 10.0
WINDOW = 60.0
"""Seconds over which Prometheus computes rates."""
HEARD = 0.5
"""Seconds after which no client sends a new request to a replica that stops."""


@dataclass(frozen=True, slots=True)
class Readings:
    """``resets``: scrapes with a histogram that had begun anew; ``surplus``: polls beyond one per device and interval,
    as a share of these; ``with_histograms``: the share of pages that have them."""

    seconds: float
    scrapes: int
    slowest_scrape: float
    resets: int
    surplus: float
    with_histograms: float


@contextmanager
def reading_replicas(
    folder: Path, timing: Timing = SHORT_TIMING, *, interval: float = 1.0, shifts: Sequence[int] = (0, 0, 0)
) -> Iterator[Fleet]:
    """Three replicas that poll devices whose counters are the time of the reading; the replicas' time of day is shifted
    by so many seconds."""
    clocks = ShiftedClocks(folder) if any(shifts) else None
    with RedisServer(folder) as redis, Fleet(folder, {**redis.env, **SETTINGS}, timing, interval) as fleet:
        for name, shift in zip(NAMES, shifts, strict=True):
            fleet.start(name, env=clocks.env(shift) if clocks is not None else {})
        fleet.settle()
        fleet.add_devices(DEVICES, kind=ReadingDevice)
        yield fleet


Turn = Callable[[ReadingScrapes, Replica], None]
"""What happens to one replica, while the others are scraped."""


def owners_sleep(fleet: Fleet, *, scrapes: int, asleep: float, rest: float, rate: float = RATE) -> Readings:
    """Each replica in turn sleeps (SIGSTOP) while the others are scraped, and is scraped again when it wakes."""
    return _play(
        fleet, [_sleep(fleet, asleep, rest)], scrapes=scrapes, rate=rate, may_reset=asleep >= MEMBER_TIMEOUT / 2
    )


def owners_crash(fleet: Fleet, *, scrapes: int, rest: float, rate: float = RATE) -> Readings:
    """Each replica in turn is killed (SIGKILL) and started again."""
    return _play(fleet, [_crash(fleet, rest)], scrapes=scrapes, rate=rate, may_reset=True)


def owners_are_replaced(fleet: Fleet, *, scrapes: int, rest: float, rate: float = RATE) -> Readings:
    """Each replica in turn is replaced by a new one and stops (SIGTERM): no histogram begins anew."""
    return _play(fleet, [_replace(fleet, rest)], scrapes=scrapes, rate=rate, may_reset=False)


def owners_meet_everything(fleet: Fleet, *, scrapes: int, asleep: float, asleep_long: float, rest: float) -> Readings:
    """Short and long sleeps, crashes and replacements follow each other, each of the next replica."""
    turns = [*every_turn(fleet, asleep=asleep, rest=rest), _sleep(fleet, asleep_long, rest)]
    return _play(fleet, turns, scrapes=scrapes, may_reset=True)


def every_turn(fleet: Fleet, *, asleep: float, rest: float) -> list[Turn]:
    """A sleep, a crash and a replacement."""
    return [_sleep(fleet, asleep, rest), _crash(fleet, rest), _replace(fleet, rest)]


def _sleep(fleet: Fleet, asleep: float, rest: float) -> Turn:
    def sleep(load: ReadingScrapes, replica: Replica) -> None:
        load.leave_out(replica)
        with fleet.paused(replica):
            time.sleep(asleep)
        load.include(replica)
        time.sleep(rest)

    return sleep


def _crash(fleet: Fleet, rest: float) -> Turn:
    def crash(load: ReadingScrapes, replica: Replica) -> None:
        load.leave_out(replica)
        fleet.kill(replica)
        time.sleep(rest)
        load.include(*fleet.start(replica.name, env=replica.env))
        time.sleep(rest)

    return crash


def _replace(fleet: Fleet, rest: float) -> Turn:
    def replace(load: ReadingScrapes, replica: Replica) -> None:
        env = {name: value for name, value in replica.env.items() if name != "SNMP_SOURCE_ADDRESS"}  # by its name
        load.include(*fleet.start(fleet.fresh_name(), env=env))
        time.sleep(rest)
        load.leave_out(replica)
        time.sleep(HEARD)
        assert fleet.stop(replica) == 0
        time.sleep(rest)

    return replace


@dataclass(frozen=True, slots=True)
class Rates:
    """What Prometheus saw of counters that grow by 1e6 per second: the lowest and the highest rate."""

    seconds: float
    scrapes: int
    resets: int
    lowest: float
    highest: float


def prometheus_sees_true_rates(
    fleet: Fleet, folder: Path, *, pauses: int, asleep: float, rest: float, slack: float
) -> Rates:
    """A real Prometheus scrapes all devices, each time through any replica, while owners sleep: its rates are true."""
    begun = lease_clock()
    with (
        load_balancer(fleet.replicas) as balancer,
        Prometheus(folder, balancer, fleet.targets, interval=fleet.interval) as prometheus,
    ):
        time.sleep(WINDOW + rest)
        for number in range(pauses):
            replica = fleet.replicas[number % len(fleet.replicas)]
            balancer.leave_out(replica)
            with fleet.paused(replica):
                time.sleep(asleep)
            balancer.include(replica)
            time.sleep(rest)
        found = _rates(prometheus, lease_clock() - begun)
        assert min(prometheus.query(f"min(min_over_time(up[{found.seconds:.0f}s]))")) == 1, "a scrape failed"
    assert found.resets == 0, found
    deviation = 1e6 * (2 * fleet.interval + slack) / WINDOW  # a page may be two intervals old
    assert 1e6 - deviation < found.lowest <= found.highest < 1e6 + deviation, found
    return found


def _rates(prometheus: Prometheus, seconds: float) -> Rates:
    rates = f"rate(ifHCInOctets[{WINDOW:g}s])"
    past = f"[{seconds - WINDOW:.0f}s:1s]"
    scrapes, resets, lowest, highest = (
        prometheus.query(expression)[0]
        for expression in (
            f"sum(count_over_time(up[{seconds:.0f}s]))",
            f"sum(resets(ifHCInOctets[{seconds:.0f}s]))",
            f"min(min_over_time({rates}{past}))",
            f"max(max_over_time({rates}{past}))",
        )
    )
    return Rates(seconds, int(scrapes), int(resets), lowest, highest)


def _play(fleet: Fleet, turns: Sequence[Turn], *, scrapes: int, may_reset: bool, rate: float = RATE) -> Readings:
    begun = lease_clock()
    with ReadingScrapes(fleet.replicas, fleet.targets, rate=rate) as load:
        for number, turn in enumerate(itertools.cycle(turns)):
            if len(load.done) >= scrapes:
                break
            replicas = fleet.replicas
            turn(load, replicas[number % len(replicas)])
    return check_readings(fleet, load, begun, may_reset=may_reset)


def check_readings(fleet: Fleet, load: ReadingScrapes, begun: float, *, may_reset: bool) -> Readings:
    """Checks that no scrape failed, no reading went back, and no histogram jumped."""
    ended = lease_clock()
    assert not load.failures, f"{len(load.failures)} of {len(load.done)}: {load.failures[:3]}"
    assert not (back := regressions(load.done)), f"{len(back)} regressions in {len(load.done)} scrapes: {_first(back)}"
    resets, jumps = histogram_steps(load.done, fleet.devices)
    assert not jumps, f"{len(jumps)} histograms in {len(load.done)} scrapes jump to another history: {_first(jumps)}"
    assert may_reset or not resets, f"{len(resets)} histograms in {len(load.done)} scrapes begin anew: {_first(resets)}"
    more = surplus(fleet.devices, begun, ended, interval=fleet.interval)
    shown = sum(bool(one.counts) for one in load.done) / len(load.done)
    return Readings(ended - begun, len(load.done), load.slowest, len(resets), more, shown)


def _first(found: Sequence[object]) -> str:
    return "; ".join(map(str, found[:3]))
