"""A simulated site under scrapes, and what happens to its replicas: each method in FAULTS is a fault."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.reads.replicas import INTERVAL, SimulatedReplica, Site
from tests.support.reads.scrapes import SimulatedScrapes, histogram_steps, regressions
from tests.support.reads.world import World

MOST_REPLICAS = 6
STARTED = 8.0
"""Seconds until three replicas have started and polled all devices."""
SLOWEST_POLL = 3.0
OLDEST = 1.5 * INTERVAL + 2 * SLOWEST_POLL
"""Seconds since the poll of a page began, at most: 1.5 intervals, the time of a slow poll that it waited for, and that
of the one which replaces it."""
CALM = 15.0
"""Seconds without faults at the end."""


class SimulatedSite:
    """Three replicas at first, six devices, and a scrape of any device at any replica every 50 ms."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.site = Site(self.world, [f"device-{number}" for number in range(6)])
        self.log: list[str] = []
        """What happened, and when."""
        self.scrapes: SimulatedScrapes

    def play(self, faults: Sequence[str], *, seconds: float) -> None:
        """Runs the site under ``faults`` for so many seconds of its own time."""
        world = self.world
        with world.in_charge_of_time():
            self.begin()
            self.scrapes = SimulatedScrapes(self.site, pause=0.05)
            while world.now < STARTED + seconds:
                world.run(world.now + world.chance.uniform(0.3, 8.0))
                self._do(world.chance.choice(faults))
            world.run(world.now + CALM)
            errors = [error for process in world.processes for error in process.loop.errors]
        assert not errors, errors[:3]

    def begin(self) -> SimulatedReplica:
        """Starts three replicas, and returns one of them when they have polled all devices."""
        for number in range(3):
            self.site.start(f"pod-{number}")
        self.world.run(STARTED)
        return self.site.replicas[0]

    def check(self) -> tuple[int, int]:
        """Checks what must never happen; returns the numbers of answers and of histograms that began anew."""
        answers = self.scrapes.answers
        back = regressions(answers)
        assert not back, f"{len(back)} of {len(answers)} go back: {back[:2]}, after {self.log}"
        old = [one for one in answers if one.asked_at - one.begun > OLDEST]
        assert not old, f"{len(old)} of {len(answers)} are older than {OLDEST} s: {old[:2]}, after {self.log}"
        resets, jumps = histogram_steps(answers, self.site.polls)
        assert not jumps, f"{len(jumps)} of {len(answers)} histograms jump: {jumps[:2]}, after {self.log}"
        return len(answers), len(resets)

    def polls_beyond_one_per_interval(self) -> float:
        """How many polls there were since the start beyond one per device and interval."""
        polls = sum(at > STARTED for of_device in self.site.polls.values() for at in of_device)
        return polls - len(self.site.devices) * (self.world.now - STARTED) / INTERVAL

    def _do(self, fault: str) -> None:
        staying = [replica for replica in self.site.running if not replica.is_stopping]
        if staying:
            replica = self.world.chance.choice(staying)
            self.log.append(f"{self.world.now:.3f} {fault} {replica.me.instance}")
            getattr(self, fault)(replica, len(staying) > 1)

    def sleep(self, replica: SimulatedReplica, _: bool) -> None:
        replica.process.asleep_until = self.world.now + self.world.chance.uniform(0.2, 6.0)

    def sleep_long(self, replica: SimulatedReplica, _: bool) -> None:
        replica.process.asleep_until = self.world.now + self.world.chance.uniform(6.0, 25.0)

    def kill(self, replica: SimulatedReplica, has_others: bool) -> None:
        if has_others:
            replica.kill()

    def restart(self, replica: SimulatedReplica, _: bool) -> None:
        replica.kill()
        self.world.at(self.world.now + self.world.chance.uniform(0.1, 6.0), lambda: self.site.start(replica.name))

    def start(self, _: SimulatedReplica, __: bool) -> None:
        if len(self.site.running) < MOST_REPLICAS:
            self.site.start(f"pod-{len(self.site.replicas)}")

    def start_cut_off(self, _: SimulatedReplica, __: bool) -> None:
        """A new replica and the others know each other from Redis only: something between them resets connections."""
        if len(self.site.running) < MOST_REPLICAS:
            new = self.site.start(f"pod-{len(self.site.replicas)}")
            self.world.reset |= {frozenset((new, other)) for other in self.site.running if other is not new}

    def stop(self, replica: SimulatedReplica, has_others: bool) -> None:
        if has_others:
            replica.stop()

    def replace(self, replica: SimulatedReplica, _: bool) -> None:
        self.site.start(f"pod-{len(self.site.replicas)}")
        self.world.at(self.world.now + 1.0, replica.stop)

    def cut(self, replica: SimulatedReplica, has_others: bool) -> None:
        if has_others:
            others = [other for other in self.site.running if other is not replica]
            self.world.cut.add(frozenset((replica, self.world.chance.choice(others))))

    def slow_network(self, _: SimulatedReplica, __: bool) -> None:
        self.world.slowest = self.world.chance.choice([0.01, 0.1, 0.5, 2.0])

    def lossy_network(self, _: SimulatedReplica, __: bool) -> None:
        self.world.lost = self.world.chance.choice([0.0, 0.1, 0.4])

    def slow_devices(self, _: SimulatedReplica, __: bool) -> None:
        self.site.slowest_poll = self.world.chance.choice([0.05, 0.3, SLOWEST_POLL])

    def heal(self, _: SimulatedReplica, __: bool) -> None:
        self.world.cut.clear()
        self.world.reset.clear()
        self.world.lost, self.world.slowest = 0.0, 0.01


PLANNED = ("start", "stop", "replace", "slow_devices")
"""What an operator does, and devices that are slow: no histogram begins anew."""
CUT_OFF = ("start_cut_off", "start_cut_off", "kill", "heal", "slow_network")
"""Replicas that start without a connection to the others."""
FAULTS = (
    *PLANNED, "sleep", "sleep_long", "kill", "restart", "cut", "slow_network", "lossy_network", "heal",
)  # fmt: skip
