"""Own metrics as Spring Boot's ``/actuator/metrics`` shows them: dotted names, statistics, tags.

Dashboards and scripts made for the original PromSNMP read names such as ``jvm.memory.used`` there. Names that have a
counterpart in this process return it, and their description says what it really is. Every other family of the registry
is there too, under its Micrometer name (``cache_gets_total`` is ``cache.gets``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.metrics_core import Metric

from promsnmp.support.memory import cgroup_limit, machine_memory, resident

UNITS = ("seconds", "bytes")
"""Unit suffixes that Micrometer omits from a dotted name and returns as ``baseUnit``."""
STATISTICS = {"_total": "COUNT", "_count": "COUNT", "_sum": "TOTAL"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number of one series."""

    statistic: str
    value: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    """One metric with all its series. ``aliases`` are its Prometheus names."""

    name: str
    description: str
    base_unit: str | None
    measurements: tuple[Measurement, ...]
    aliases: frozenset[str] = frozenset()

    def tagged(self, tags: Sequence[tuple[str, str]]) -> tuple[Measurement, ...]:
        """The measurements that carry all of ``tags``."""
        return tuple(item for item in self.measurements if all(item.tags.get(key) == value for key, value in tags))


def statistics(measurements: Iterable[Measurement]) -> dict[str, float]:
    """The sum of each statistic over the series."""
    sums: dict[str, float] = {}
    for item in measurements:
        sums[item.statistic] = sums.get(item.statistic, 0.0) + item.value
    return sums


def available_tags(measurements: Iterable[Measurement], *, without: Iterable[str]) -> dict[str, list[str]]:
    """The values of each tag among ``measurements``, without the tags in ``without``."""
    chosen, tags = set(without), dict[str, set[str]]()
    for item in measurements:
        for key, value in item.tags.items():
            if key not in chosen:
                tags.setdefault(key, set()).add(value)
    return {key: sorted(values) for key, values in sorted(tags.items())}


def meter_of(family: Metric) -> Meter:
    """The meter of one Prometheus family."""
    stem, unit = family.name, None
    for candidate in UNITS:
        if stem.endswith(f"_{candidate}"):
            stem, unit = stem.removesuffix(f"_{candidate}"), candidate
    measurements = tuple(_measurements(family, unit))
    names = {sample.name for sample in family.samples} | {family.name}
    return Meter(stem.replace("_", "."), family.documentation, unit, measurements, frozenset(names))


def _measurements(family: Metric, unit: str | None) -> Iterator[Measurement]:
    for sample in family.samples:
        suffix = sample.name.removeprefix(family.name)
        if suffix in ("_bucket", "_created"):
            continue
        statistic = STATISTICS.get(suffix, "VALUE")
        if statistic == "TOTAL" and unit == "seconds":
            statistic = "TOTAL_TIME"
        yield Measurement(statistic, sample.value, dict(sample.labels))


class ProcessMeters:
    """The meters of Micrometer's process, system and JVM binders, for this process."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._cpu = (self._started, time.process_time())
        self._usage = 0.0

    def meters(self) -> Iterator[Meter]:
        used = "Resident memory of this Python process (there is no JVM)."
        most = "Memory limit of this process: its cgroup's, or the machine's memory."
        yield _gauge("jvm.memory.used", used, resident(), "bytes")
        yield _gauge("jvm.memory.max", most, limit(), "bytes")
        yield _gauge("jvm.threads.live", "Threads of this Python process (there is no JVM).", threading.active_count())
        yield _gauge("process.cpu.usage", "CPU use of this process, 1 being all cores.", self._cpu_usage())
        yield _gauge("process.uptime", "Time since this process started.", time.monotonic() - self._started, "seconds")
        yield _gauge("process.files.open", "Open file descriptors.", open_files(), "files")
        yield _gauge("system.cpu.count", "Processors of this machine.", os.cpu_count() or 1)
        yield _gauge("system.load.average.1m", "Load average of one minute.", os.getloadavg()[0])

    def _cpu_usage(self) -> float:
        """Share of all cores since the last call; a call within a second returns the last result."""
        now, used = time.monotonic(), time.process_time()
        then, before = self._cpu
        if now - then >= 1.0:
            self._usage = (used - before) / (now - then) / (os.cpu_count() or 1)
            self._cpu = (now, used)
        return self._usage


def _gauge(name: str, description: str, value: float, unit: str | None = None) -> Meter:
    return Meter(name, description, unit, (Measurement("VALUE", float(value)),))


def limit() -> int:
    """The memory limit in bytes: the cgroup's (cgroups(7)), at most the machine's memory."""
    return cgroup_limit() or machine_memory()


def open_files() -> int:
    """File descriptors in use; 0 where there is no /proc."""
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 0


class Meters:
    """All meters by name: those of the process, then those of the registry's families."""

    def __init__(self, process: Iterable[Meter], families: Iterable[Metric]) -> None:
        self._meters: dict[str, Meter] = {}
        for meter in (*process, *map(meter_of, families)):
            self._meters.setdefault(meter.name, meter)

    def names(self) -> list[str]:
        return sorted(self._meters)

    def get(self, name: str) -> Meter | None:
        """The meter with a dotted or a Prometheus name; None for an unknown name."""
        if name in self._meters:
            return self._meters[name]
        return next((meter for meter in self._meters.values() if name in meter.aliases), None)
