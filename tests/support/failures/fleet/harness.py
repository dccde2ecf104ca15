"""A fleet of real replicas that can be killed, paused and stopped, for the tests of failures.

::

    with RedisServer(folder) as redis, Fleet(folder, env=redis.env, timing=SHORT_TIMING) as fleet:
        fleet.start("pod-0", "pod-1", "pod-2")      # in parallel; fleet.settle() then waits until all know each other
        fleet.add_devices()                         # simulated ones; each records who polled it, and when
        with Scrapes(fleet.replicas, fleet.targets) as scrapes:       # scrapes.py
            leader = fleet.leader()
            killed_at = lease_clock()
            scrapes.forget(leader)                  # its scrapes may fail from now on
            fleet.kill(leader)                      # or pause, resume, stop; start another one under any name
            period = fleet.lead_period_after(killed_at, within=...)
        assert not scrapes.failures
        assert not overlaps(fleet.lead_periods())

The harness reads from the logs of the replicas when each believed that it led. All times here are by the clock of the
machine (``lease_clock``). Closing the fleet ends all its processes. ``Fleet(env=...)`` and
``start(env=..., prefix=...)`` take settings, and a command to run under (``ip netns exec``). Each replica polls devices
from an address of its own, ``127.0.1.N``.
"""

from __future__ import annotations

import fcntl
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Self

from promsnmp.cluster.election.rules import Timing, lease_clock
from promsnmp.sim.agent import Peer, SimulatedAgent
from promsnmp.sim.devices import switch
from promsnmp.sim.mib import Mib
from tests.support.agents.threads import running
from tests.support.cluster.replica import DEVICES, Replica, device
from tests.support.tools import wait_until

SHORT_TIMING = Timing(duration=4.0, renew=1.0)
"""Leases of seconds, for tests; on a busy machine a leader may lose its lease although nothing failed."""
BUSY = 15.0
"""Extra seconds allowed on a busy machine."""
DEFAULT_TIMING = Timing()
"""The default settings."""
TEN_SECONDS = Timing(duration=10.0, renew=3.0)
"""The profile with shorter leases of docs/high-availability.md."""

_BEGUN = re.compile(r"this replica is the leader since ([\d.]+), term (\d+), lease until ([\d.]+) ")
_ENDED = re.compile(r"this replica is no longer the leader, since ([\d.]+), term (\d+):")


@dataclass(frozen=True, slots=True, order=True)
class LeadPeriod:
    """When a replica believed that it led, from ``begin`` to ``end``, by ``lease_clock``."""

    begin: float
    end: float
    term: int
    name: str
    pid: int = 0


def overlaps(lead_periods: Sequence[LeadPeriod]) -> list[tuple[LeadPeriod, LeadPeriod]]:
    """Pairs of periods that overlap, or whose terms do not grow."""
    ordered = sorted(lead_periods)
    return [
        (earlier, later) for earlier, later in combinations(ordered, 2)
        if later.begin < earlier.end or later.term <= earlier.term
    ]  # fmt: skip


class CountedDevice:
    """A simulated device that counts its polls by sender. All packets from one port belong to one poll."""

    def __init__(self, name: str, mib: Mib | None = None) -> None:
        self.name = name
        self.polls: list[tuple[float, str]] = []
        """When each poll began, and from which address."""
        self._last_ports: dict[str, object] = {}
        self.agent = SimulatedAgent(mib or switch(name, ports=2).mib, on_datagram=self._count_poll)

    def _count_poll(self, peer: Peer) -> None:
        address, port = peer[:2]
        if self._last_ports.get(address) != port:
            self._last_ports[address] = port
            self.polls.append((lease_clock(), address))


def _states(pid: int) -> list[str]:
    """The state of each thread, as proc_pid_stat(5) has it."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks]


@dataclass
class _Run:
    """One process; ``ended_at`` is when it was killed or ended."""

    replica: Replica
    ended_at: float = inf

    def lead_periods(self) -> list[LeadPeriod]:
        text = self.replica.output()
        ends = {int(match[2]): float(match[1]) for match in _ENDED.finditer(text)}
        return [
            LeadPeriod(
                float(match[1]),
                min(ends.get(int(match[2]), inf), self.ended_at),
                int(match[2]),
                self.replica.name,
                self.replica.pid,
            )
            for match in _BEGUN.finditer(text)
        ]


@dataclass
class Fleet:
    """Replicas that share one folder and one election backend (``env``), and their devices."""

    folder: Path
    env: Mapping[str, str]
    timing: Timing = SHORT_TIMING
    interval: float = 1.0
    """Seconds between two polls of a device."""
    device_address: str = "127.0.0.1"
    """The address of the devices."""
    devices: list[CountedDevice] = field(default_factory=list)
    _runs: list[_Run] = field(default_factory=list)
    _paused: set[int] = field(default_factory=set)
    _stack: ExitStack = field(default_factory=ExitStack)

    # ------------------------------------------------------------------------------------------------ the replicas

    @property
    def replicas(self) -> list[Replica]:
        """The running replicas, including paused ones."""
        return [run.replica for run in self._runs if run.replica.running]

    def start(self, *names: str, env: Mapping[str, str] | None = None, prefix: Sequence[str] = ()) -> list[Replica]:
        """Starts new replicas at once; returns when they listen."""
        with ThreadPoolExecutor(len(names)) as pool:
            return list(pool.map(lambda name: self._start(name, env or {}, prefix), names))

    def _start(self, name: str, env: Mapping[str, str], prefix: Sequence[str]) -> Replica:
        own = {
            "ELECTION_LEASE_DURATION": f"{self.timing.duration * 1000:.0f}",
            "ELECTION_RENEW_INTERVAL": f"{self.timing.renew * 1000:.0f}",
            "COLLECTION_INTERVAL": f"{self.interval * 1000:.0f}",
            "COLLECTION_MODULES": "system",
            "DISCOVERY_PACKETS_PER_SECOND": "250",
            "SNMP_SOURCE_ADDRESS": self.source_address_of(name),
        }
        replica = Replica(self.folder, name, {**own, **self.env, **env}, prefix=prefix)
        self._runs.append(_Run(replica))
        return replica

    def fresh_name(self, *, after: int = 0) -> str:
        """A name that no replica has had; ``after`` skips so many."""
        return f"pod-{max(int(run.replica.name.rpartition('-')[2]) for run in self._runs) + 1 + after}"

    @staticmethod
    def source_address_of(name: str) -> str:
        """The address from which the replica ``pod-N`` polls devices."""
        return f"127.0.1.{int(name.rpartition('-')[2]) + 1}"

    def settle(self, *, deadline: float = 60.0) -> None:
        """Waits until every replica knows all running replicas and the leader."""
        replicas = self.replicas
        wait_until(
            lambda: all(replica.knows(len(replicas)) for replica in replicas),
            deadline=deadline,
            what="every replica to know all others and the leader",
        )

    def kill(self, replica: Replica) -> None:
        """Sends SIGKILL. A paused replica does nothing any more, and its locks are free before this returns."""
        moment = lease_clock() if replica.pid in self._paused else inf
        replica.process.kill()
        self._end(replica, ended_at=moment)

    def stop(self, replica: Replica, *, within: float = 60.0) -> int:
        """Sends SIGTERM and waits for the process to end; returns its exit code."""
        replica.process.terminate()
        self._end(replica, within)
        return replica.process.wait(within)

    def pause(self, replica: Replica) -> None:
        """Sends SIGSTOP; returns when every thread has stopped: a thread in a system call finishes that first."""
        self._paused.add(replica.pid)
        replica.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: all(state == "T" for state in _states(replica.pid)), what=f"{replica.name} to stop")

    def resume(self, replica: Replica) -> None:
        """Sends SIGCONT."""
        self._paused.discard(replica.pid)
        replica.process.send_signal(signal.SIGCONT)

    @contextmanager
    def paused(self, replica: Replica) -> Iterator[None]:
        """Pauses a replica while the block runs."""
        self.pause(replica)
        try:
            yield
        finally:
            self.resume(replica)

    @contextmanager
    def paused_between_writes(self, replica: Replica) -> Iterator[None]:
        """Pauses a replica at a moment at which it does not hold the lock of the inventory file: with the lock, nobody
        else can write the claim of a new leader."""
        self.pause_at_lock(replica, holds=False)
        try:
            yield
        finally:
            self.resume(replica)

    def pause_at_lock(self, replica: Replica, *, holds: bool) -> None:
        """Pauses a replica at a moment at which somebody holds the lock of the inventory file, or nobody does."""
        end = time.monotonic() + 60.0
        self.pause(replica)
        while self._is_locked() != holds:
            assert time.monotonic() < end, f"the lock was never {'held' if holds else 'free'}"
            self.resume(replica)
            time.sleep(0.01)
            self.pause(replica)

    def _is_locked(self) -> bool:
        with (self.folder / ".inventory.json.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _end(self, replica: Replica, within: float = 60.0, *, ended_at: float = inf) -> None:
        replica.process.wait(within)
        self._paused.discard(replica.pid)
        next(run for run in self._runs if run.replica is replica).ended_at = min(ended_at, lease_clock())
        replica.client.close()

    # ------------------------------------------------------------------------------------------------- leaders

    def lead_periods(self) -> list[LeadPeriod]:
        """All periods so far, also those that have not ended (end: infinite)."""
        return sorted(period for run in self._runs for period in run.lead_periods())

    def leader(self, *, within: float = 60.0) -> Replica:
        """The current leader, by its log."""
        self.lead_period_after(-inf, within=within)
        last = self.lead_periods()[-1]
        return next(replica for replica in self.replicas if replica.name == last.name)

    def followers(self) -> list[Replica]:
        """The running replicas except the leader."""
        leader = self.leader()
        return [replica for replica in self.replicas if replica is not leader]

    def lead_period_after(self, moment: float, *, within: float) -> LeadPeriod:
        """Waits for the first period that begins after ``moment``; with -inf, for one that has not ended."""

        def matching() -> list[LeadPeriod]:
            return [
                period
                for period in self.lead_periods()
                if period.begin > moment and (moment > -inf or period.end == inf)
            ]

        wait_until(lambda: bool(matching()), deadline=within, what="a new leader")
        return matching()[0]

    # ------------------------------------------------------------------------------------------------ the devices

    def add_devices(self, count: int = 3, *, kind: Callable[[str], CountedDevice] = CountedDevice) -> None:
        """Adds simulated devices through a follower; returns when every replica has them and each was polled."""
        new = [kind(f"device-{number}") for number in range(len(self.devices), len(self.devices) + count)]
        self._stack.enter_context(running(*(counted.agent for counted in new), address=self.device_address))
        self.devices += new
        for counted in new:
            document = device(counted.agent, counted.name)
            response = self.replicas[0].client.post(DEVICES, json=document, timeout=60)
            assert response.status_code == 201, response.text
        for replica in self.replicas:
            wait_until(lambda replica=replica: self._has_all(replica), what=f"{replica.name} to have the devices")  # type: ignore[misc]
        wait_until(lambda: all(counted.polls for counted in self.devices), deadline=30, what="a poll of each device")

    def _has_all(self, replica: Replica) -> bool:
        return all(replica.client.get(f"{DEVICES}/{counted.name}").status_code == 200 for counted in self.devices)

    @property
    def targets(self) -> list[str]:
        return [counted.name for counted in self.devices]

    # ------------------------------------------------------------------------------------------------------ the end

    def close(self) -> None:
        """Ends every process."""
        for replica in self.replicas:
            self.resume(replica)
            replica.process.terminate()
        for run in self._runs:
            run.replica.stop()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if kind is not None:
            for run in self._runs:
                print(f"--- the last output of {run.replica.name}\n{run.replica.tail()}")
