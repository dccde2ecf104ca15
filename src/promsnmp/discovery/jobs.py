"""Searches as jobs: each has an id by which it is followed and stopped, and ends in a bounded history.

A job is what is seen of a search from outside. ``search.py`` does the work and writes down here how it goes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from promsnmp.discovery.reconcile.merge import Event, Newcomers, Outcome
from promsnmp.discovery.reconcile.stale import Missed
from promsnmp.discovery.scan.addresses import Addresses
from promsnmp.discovery.scan.sweep import Progress
from promsnmp.discovery.scan.target_syntax import Scope
from promsnmp.inventory.document.values import new_id
from promsnmp.inventory.model import DEFAULT_PORT, Device, Endpoint
from promsnmp.snmp.credentials import Credentials

MOST_KEPT = 100
"""Jobs that are kept after they ended."""
WITH_DEVICES = 5
"""Of these, the last ones whose devices are still listed."""


class State(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset({State.FINISHED, State.CANCELLED, State.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be searched, and how."""

    targets: tuple[str, ...]
    """As they were written."""
    scope: Scope
    credentials: tuple[Credentials, ...]
    port: int = DEFAULT_PORT
    newcomers: Newcomers = field(default_factory=Newcomers)
    neighbours: Addresses = field(default_factory=Addresses)
    """Where neighbours of what is found are asked, too."""
    remove_lost: bool = False
    seed_id: str = ""
    who: str = ""
    """Who asked for it, for the audit log."""
    problems: tuple[str, ...] = ()
    """Targets that are left out, and why."""


@dataclass(slots=True)
class Finding:
    """A device that was found, all sightings of a job together."""

    event: Event
    device: Device
    endpoints: list[Endpoint]
    updated: bool

    @property
    def kind(self) -> str:
        """``added``, ``updated``, or ``unchanged`` (but for the time when it was seen)."""
        if self.event is Event.ADDED:
            return "added"
        return "updated" if self.updated else "unchanged"


@dataclass(slots=True)
class Job:
    """One search. Times are Unix time, 0 when it has not come to that."""

    plan: Plan
    created: float
    id: str = field(default_factory=new_id)
    state: State = State.QUEUED
    started: float = 0.0
    ended: float = 0.0
    progress: Progress = field(default_factory=Progress)
    findings: dict[str, Finding] = field(default_factory=dict)
    """By device id."""
    omitted: bool = False
    """Whether the findings were dropped to save memory."""
    counted: Counter[str] = field(default_factory=Counter)
    """Findings by what they are; stays when they are dropped."""
    refusing: Sequence[str] = ()
    """Addresses that speak SNMP and refuse all credentials."""
    in_flight: int = 0
    """Addresses that are being asked."""
    packets_each: int = 1
    """Packets that a silent address costs."""
    suggested: int = 0
    """Addresses that neighbours told of, and that were asked."""
    missed: Missed = field(default_factory=Missed)
    error: str = ""
    stopping: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, outcome: Outcome) -> None:
        """Notes a sighting that is in the inventory now."""
        finding = self.findings.get(outcome.device.id)
        if finding is None:
            finding = Finding(outcome.event, outcome.device, [], outcome.updated)
            self.findings[outcome.device.id] = finding
        else:
            self.counted[finding.kind] -= 1
        finding.device = outcome.device
        finding.updated |= outcome.updated
        if outcome.endpoint not in finding.endpoints:
            finding.endpoints.append(outcome.endpoint)
        self.counted[finding.kind] += 1

    def end(self, state: State, now: float, error: str = "") -> None:
        """Comes to its end."""
        self.state, self.ended, self.error = state, now, error
        self.over.set()

    def seconds_left(self, now: float) -> float | None:
        """How long it will probably take from ``now``, most addresses being silent; None when that cannot be told."""
        rate = self.packets_per_second(now)
        if self.state is not State.RUNNING or not rate:
            return None
        return max(0.0, self.progress.addresses * self.packets_each - self.progress.packets) / rate

    def packets_per_second(self, now: float) -> float:
        """Packets sent in a second, over its whole time."""
        took = (self.ended or now) - self.started if self.started else 0.0
        return self.progress.packets / took if took > 0 else 0.0


class History:
    """Jobs by id, the newest first; those that ended longest ago are forgotten."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return reversed(self._jobs.values())

    def add(self, job: Job) -> None:
        self._jobs[job.id] = job

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def trim(self) -> None:
        """Forgets what is too much: whole jobs, and the devices that older ones found."""
        ended = [job for job in self if job.state in ENDED]
        for job in ended[MOST_KEPT:]:
            del self._jobs[job.id]
        for job in ended[WITH_DEVICES:MOST_KEPT]:
            job.omitted = job.omitted or bool(job.findings)
            job.findings = {}
