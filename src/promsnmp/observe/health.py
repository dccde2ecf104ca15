"""Health, liveness and readiness, with Spring Boot's statuses and names, which existing probes and dashboards use.

Three separate questions. *Liveness*: does the process need a restart? Only when its event loop no longer runs, and then
nothing answers, so every answer is UP. *Readiness*: should requests come here? Not before the inventory is loaded (the
service does not listen until then), and not once the shutdown has begun. *Health*: is everything as it should be? That
is for people and alerts. A full disk belongs there: a restart would not empty it.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from promsnmp.observe.tasks import LoopLag

MIN_FREE_BYTES = 10 * 1024 * 1024
"""With less free disk space the diskSpace component is DOWN (Spring Boot's default)."""
DISK_SILENCE = 20.0
"""Seconds without an answer from the disk (a hung network volume) until the component is DOWN."""
MAX_LAG = 1.0
"""Seconds of event-loop lag above which the eventLoop component is DOWN."""
MAX_SILENCE = 30.0
"""Seconds without a measurement until the eventLoop component is DOWN."""


class Status(StrEnum):
    """Spring Boot's statuses, worst first: the worst component decides the overall status."""

    DOWN = "DOWN"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UP = "UP"
    UNKNOWN = "UNKNOWN"

    @property
    def is_healthy(self) -> bool:
        return self in (Status.UP, Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Component:
    """The status of one component, with details for people."""

    status: Status
    details: Mapping[str, object] = field(default_factory=dict)


UP = Component(Status.UP)
HealthCheck = Callable[[], Component]


class Health:
    """The checks of all components, liveness and readiness. Checks must be quick and must not block."""

    def __init__(self, checks: Mapping[str, HealthCheck]) -> None:
        self._draining = False
        self._checks: dict[str, HealthCheck] = {
            **checks,
            "livenessState": self.liveness,
            "ping": lambda: UP,
            "readinessState": self.readiness,
        }

    def drain(self) -> None:
        """Marks the service as not ready: the shutdown has begun."""
        self._draining = True

    def liveness(self) -> Component:
        return UP

    def readiness(self) -> Component:
        return Component(Status.OUT_OF_SERVICE) if self._draining else UP

    @property
    def ready(self) -> bool:
        return self.readiness().status.is_healthy

    @property
    def reason(self) -> str:
        """Why the service is not ready, for people; empty when it is ready."""
        return "shutting down" if self._draining else ""

    def components(self) -> dict[str, Component]:
        return {name: _run_check(check) for name, check in sorted(self._checks.items())}

    def component(self, name: str) -> Component | None:
        check = self._checks.get(name)
        return None if check is None else _run_check(check)


def worst_status(components: Mapping[str, Component]) -> Status:
    """The overall status: that of the worst component."""
    order = list(Status)
    return min((part.status for part in components.values()), key=order.index, default=Status.UNKNOWN)


def _run_check(check: HealthCheck) -> Component:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  # a check that fails means the component is down
        return Component(Status.DOWN, {"error": f"{type(error).__name__}: {error}"})


def loop_check(lag: LoopLag) -> Component:
    """UP while the event loop wakes its tasks in time."""
    silence = time.monotonic() - lag.measured_at
    status = Status.UP if lag.last <= MAX_LAG and silence <= MAX_SILENCE else Status.DOWN
    return Component(status, {"lagSeconds": round(lag.last, 6)})


class DiskSpace:
    """Free space on the disk of one file, measured in a thread: a hung network volume must not hang the event loop."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._answer: tuple[int, int] | None = None
        self.modified = 0.0
        """Unix time of the file's last change; 0 without a file."""
        self._error = ""
        self._asked_at = time.monotonic()

    async def refresh(self) -> None:
        """Measures the disk. Stores an OSError instead of raising it."""
        try:
            self._answer, self.modified = await asyncio.to_thread(_measure, self._file)
            self._error = ""
        except OSError as error:
            self._error = f"{error.strerror}: {self._file.parent}"
        self._asked_at = time.monotonic()

    @property
    def is_silent(self) -> bool:
        """Whether the disk has not answered for DISK_SILENCE seconds (a hung network volume)."""
        return time.monotonic() - self._asked_at > DISK_SILENCE

    def check(self) -> Component:
        """The component, with ``total`` and ``free`` bytes as last measured."""
        if self.is_silent:
            return Component(Status.DOWN, {"error": "the disk does not answer", "path": str(self._file.parent)})
        if self._error:
            return Component(Status.DOWN, {"error": self._error})
        if self._answer is None:
            return Component(Status.UNKNOWN)
        total, free = self._answer
        details = {"total": total, "free": free, "threshold": MIN_FREE_BYTES, "path": str(self._file.parent)}
        return Component(Status.UP if free >= MIN_FREE_BYTES else Status.DOWN, {**details, "exists": True})


def _measure(file: Path) -> tuple[tuple[int, int], float]:
    """(total, free) bytes of the disk of ``file`` (which need not exist yet), and the file's modification time."""
    folder = file.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    modified = file.stat().st_mtime if file.exists() else 0.0
    return (usage.total, usage.free), modified
