"""Is PromSNMP well, and may it be sent requests? In the words of Spring Boot, which its probes and dashboards know.

Three questions, kept apart on purpose. *Liveness*: does the process need a restart? Only when its loop no longer
runs, and then nothing answers; so whoever gets an answer gets UP. *Readiness*: should requests come here? Not before
there is an inventory, and not once the shutdown has begun. *Health*: is everything as it should be? That is for
people and alerts, and a full disk belongs there: a restart would not empty it.
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
"""Below this much room on its disk the inventory's component is DOWN (Spring Boot's default for diskSpace)."""
DISK_SILENCE = 20.0
"""Seconds without an answer from the disk (a hung network volume) after which it counts as DOWN."""
MAX_LAG = 1.0
"""Seconds of event-loop lag above which the loop's component is DOWN."""
MAX_SILENCE = 30.0
"""Seconds without a measurement after which the loop's component is DOWN."""


class Status(StrEnum):
    """Spring Boot's statuses, worst first: the order in which they decide the whole."""

    DOWN = "DOWN"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UP = "UP"
    UNKNOWN = "UNKNOWN"

    @property
    def is_healthy(self) -> bool:
        return self in (Status.UP, Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Component:
    """One part's status, and what a person wants to know of it."""

    status: Status
    details: Mapping[str, object] = field(default_factory=dict)


UP = Component(Status.UP)
HealthCheck = Callable[[], Component]


class Health:
    """The components' checks, and the two states that Kubernetes asks for. Checks must be quick and must not block."""

    def __init__(self, checks: Mapping[str, HealthCheck]) -> None:
        self._draining = False
        self._checks: dict[str, HealthCheck] = {
            **checks,
            "livenessState": self.liveness,
            "ping": lambda: UP,
            "readinessState": self.readiness,
        }

    def drain(self) -> None:
        """Not ready from now on: the shutdown has begun."""
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
        """Why it is not ready, for people; empty when it is."""
        return "shutting down" if self._draining else ""

    def components(self) -> dict[str, Component]:
        return {name: _run_check(check) for name, check in sorted(self._checks.items())}

    def component(self, name: str) -> Component | None:
        check = self._checks.get(name)
        return None if check is None else _run_check(check)


def worst_status(components: Mapping[str, Component]) -> Status:
    """The status of the whole: that of the worst component."""
    order = list(Status)
    return min((part.status for part in components.values()), key=order.index, default=Status.UNKNOWN)


def _run_check(check: HealthCheck) -> Component:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  # a component that cannot be asked is not well
        return Component(Status.DOWN, {"error": f"{type(error).__name__}: {error}"})


def loop_check(lag: LoopLag) -> Component:
    """UP while the loop wakes its tasks in time."""
    silence = time.monotonic() - lag.measured_at
    status = Status.UP if lag.last <= MAX_LAG and silence <= MAX_SILENCE else Status.DOWN
    return Component(status, {"lagSeconds": round(lag.last, 6)})


class DiskSpace:
    """Room on the disk of one file, asked in a thread: a network volume that hangs must not hang the loop."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._answer: tuple[int, int] | None = None
        self.modified = 0.0
        """Unix time of the file's last change; 0 while there is no file."""
        self._error = ""
        self._asked_at = time.monotonic()

    async def refresh(self) -> None:
        """Ask the disk. Never raises for what the disk answers."""
        try:
            self._answer, self.modified = await asyncio.to_thread(_measure, self._file)
            self._error = ""
        except OSError as error:
            self._error = f"{error.strerror}: {self._file.parent}"
        self._asked_at = time.monotonic()

    @property
    def is_silent(self) -> bool:
        """Whether the disk has not answered for long: a network volume that hangs."""
        return time.monotonic() - self._asked_at > DISK_SILENCE

    def check(self) -> Component:
        """``total`` and ``free`` bytes as last answered."""
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
    """(total, free) bytes of the disk that ``file`` is, or will be, on; and its time of change."""
    folder = file.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    modified = file.stat().st_mtime if file.exists() else 0.0
    return (usage.total, usage.free), modified
