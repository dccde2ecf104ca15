"""Discovery jobs: the state of a search as clients see it, and the history of jobs.

A job has an id, by which clients follow and stop it. ``search.py`` does the work and records its progress here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from promsnmp.discovery.reconcile.lost import MissedDevices
from promsnmp.discovery.reconcile.merge import MergeOutcome, NewDeviceDefaults, SightingKind, instant
from promsnmp.discovery.scan.addresses import Addresses
from promsnmp.discovery.scan.sweep import Progress
from promsnmp.discovery.scan.target_syntax import SearchScope
from promsnmp.inventory.document.values import new_id
from promsnmp.inventory.model import DEFAULT_PORT, AgentEndpoint, Device, Seed
from promsnmp.snmp.credentials import Credentials

MAX_ENDED_JOBS = 100
"""Ended jobs that are kept."""
MAX_JOBS_WITH_DEVICES = 5
"""The last of them keep their lists of devices."""


def packets_to_silent(communities: int, users: int, retries: int) -> int:
    """Packets to an address that does not answer: users share one packet, the discovery of the engine (RFC 3414
    section 4)."""
    return (communities + (users > 0)) * (retries + 1)


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED_STATES = frozenset({JobState.FINISHED, JobState.CANCELLED, JobState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What to search, and how."""

    targets: tuple[str, ...]
    """As the operator wrote them."""
    scope: SearchScope
    credentials: tuple[Credentials, ...]
    port: int = DEFAULT_PORT
    new_device_defaults: NewDeviceDefaults = field(default_factory=NewDeviceDefaults)
    neighbours: Addresses = field(default_factory=Addresses)
    """Networks in which neighbours of found devices are asked too."""
    remove_lost: bool = False
    seed: Seed | None = None
    """What the plan was made of; None: the search cannot go on at another replica."""
    seed_id: str = ""
    """That of the saved seed, if it is one."""
    who: str = ""
    """The author, for the audit log."""
    problems: tuple[str, ...] = ()
    """Invalid targets, which are left out, and the reasons."""


@dataclass(slots=True)
class DiscoveredDevice:
    """A device that a job found, with all of its sightings."""

    sighting_kind: SightingKind
    device: Device
    endpoints: list[AgentEndpoint]
    updated: bool

    @property
    def kind(self) -> str:
        """``added``, ``updated``, or ``unchanged`` (except for the time of the sighting)."""
        if self.sighting_kind is SightingKind.ADDED:
            return "added"
        return "updated" if self.updated else "unchanged"


@dataclass(slots=True)
class Job:
    """One search. Times are Unix time, 0 for not yet."""

    plan: SearchPlan
    created: float
    id: str = field(default_factory=new_id)
    state: JobState = JobState.QUEUED
    started: float = 0.0
    resumed: float = 0.0
    """When this process went on with a search of an earlier leader; 0: it began it."""
    done_before: int = 0
    """Addresses of the scope that the earlier leader had done: the first ones of ``Addresses.spread``."""
    ended: float = 0.0
    progress: Progress = field(default_factory=Progress)
    discovered_devices: dict[str, DiscoveredDevice] = field(default_factory=dict)
    """By device id."""
    devices_omitted: bool = False
    """Whether the devices were dropped to save memory."""
    change_counts: Counter[str] = field(default_factory=Counter)
    """Devices by kind; stays when the devices are dropped."""
    refusing: Sequence[str] = ()
    """Addresses that speak SNMP but reject all credentials."""
    in_flight: int = 0
    """Addresses that are being asked now."""
    packets_per_address: int = 1
    """Packets to an address that does not answer."""
    neighbours_probed: int = 0
    """Addresses of neighbours that were asked."""
    missed_devices: MissedDevices = field(default_factory=MissedDevices)
    error: str = ""
    stop_requested: bool = False
    is_suspended: bool = False
    """Whether it stops here only because another replica, or the next process, goes on with it."""
    ended_event: asyncio.Event = field(default_factory=asyncio.Event)

    def record_outcome(self, outcome: MergeOutcome) -> None:
        """Records a sighting that has been written to the inventory."""
        discovered = self.discovered_devices.get(outcome.device.id)
        if discovered is None:
            kind = SightingKind.ADDED if self._is_new(outcome.device) else outcome.sighting_kind
            discovered = DiscoveredDevice(kind, outcome.device, [], outcome.updated)
            self.discovered_devices[outcome.device.id] = discovered
        else:
            self.change_counts[discovered.kind] -= 1
        discovered.device = outcome.device
        discovered.updated |= outcome.updated
        if outcome.endpoint not in discovered.endpoints:
            discovered.endpoints.append(outcome.endpoint)
        self.change_counts[discovered.kind] += 1

    def _is_new(self, device: Device) -> bool:
        """Whether an earlier leader added the device for this search."""
        return bool(self.resumed and device.discovered_at and device.discovered_at >= instant(self.created))

    def end(self, state: JobState, now: float, error: str = "") -> None:
        """Ends the job."""
        self.state, self.ended, self.error = state, now, error
        self.ended_event.set()

    def seconds_left(self, now: float) -> float | None:
        """The estimated seconds left at ``now``, if most addresses do not answer; None when unknown."""
        rate = self.packets_per_second(now)
        if self.state is not JobState.RUNNING or not rate:
            return None
        addresses = self.progress.addresses - self.done_before
        return max(0.0, addresses * self.packets_per_address - self.progress.packets) / rate

    def packets_per_second(self, now: float) -> float:
        """Packets per second, over the whole run, or since this process went on with it."""
        began = self.resumed or self.started
        took = (self.ended or now) - began if began else 0.0
        return self.progress.packets / took if took > 0 else 0.0


class JobHistory:
    """Jobs by id, the newest first; drops the jobs that ended longest ago."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return reversed(self._jobs.values())

    def add(self, job: Job) -> None:
        self._jobs[job.id] = job

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def remove(self, job: Job) -> None:
        """Forgets a job."""
        self._jobs.pop(job.id, None)

    def trim(self) -> None:
        """Drops old jobs, and the devices of less old ones."""
        ended = [job for job in self if job.state in ENDED_STATES]
        for job in ended[MAX_ENDED_JOBS:]:
            del self._jobs[job.id]
        for job in ended[MAX_JOBS_WITH_DEVICES:MAX_ENDED_JOBS]:
            job.devices_omitted = job.devices_omitted or bool(job.discovered_devices)
            job.discovered_devices = {}
