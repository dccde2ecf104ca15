"""Own metrics as Spring Boot's ``/actuator/metrics`` shows them: dotted names, statistics, tags.

Dashboards and scripts made for the original ask for names such as ``jvm.memory.used`` there. Those that have a
counterpart in this process answer with it, and their description says what it really is. Every other family of the
registry is there too, under its name in Micrometer's way (``cache_gets_total`` is ``cache.gets``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.metrics_core import Metric

UNITS = ("seconds", "bytes")
"""Unit suffixes that Micrometer leaves out of a dotted name and gives as ``baseUnit``."""
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
STATISTICS = {"_total": "COUNT", "_count": "COUNT", "_sum": "TOTAL"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number of one series."""

    statistic: str
    value: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Meter:
    """One metric with all its series. ``aliases`` are the Prometheus names that find it as well."""

    name: str
    description: str
    base_unit: str | None
    measurements: tuple[Measurement, ...]
    aliases: frozenset[str] = frozenset()

    def tagged(self, tags: Sequence[tuple[str, str]]) -> tuple[Measurement, ...]:
        """The measurements that carry all of ``tags``."""
        return tuple(item for item in self.measurements if all(item.tags.get(key) == value for key, value in tags))


def statistics(measurements: Iterable[Measurement]) -> dict[str, float]:
    """Statistic to value, added up over the series."""
    sums: dict[str, float] = {}
    for item in measurements:
        sums[item.statistic] = sums.get(item.statistic, 0.0) + item.value
    return sums


def available_tags(measurements: Iterable[Measurement], *, without: Iterable[str]) -> dict[str, list[str]]:
    """Tag to its values among ``measurements``, without the tags that were already chosen."""
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
    """What Micrometer's process, system and JVM binders answer, for this process."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._cpu = (self._started, time.process_time())
        self._usage = 0.0

    def meters(self) -> Iterator[Meter]:
        used, most = "Resident memory of this Python process (there is no JVM).", "Memory that this process may use."
        yield _gauge("jvm.memory.used", used, resident(), "bytes")
        yield _gauge("jvm.memory.max", most, limit(), "bytes")
        yield _gauge("jvm.threads.live", "Threads of this Python process (there is no JVM).", threading.active_count())
        yield _gauge("process.cpu.usage", "CPU use of this process, 1 being all cores.", self._cpu_usage())
        yield _gauge("process.uptime", "How long this process has run.", time.monotonic() - self._started, "seconds")
        yield _gauge("process.files.open", "Open file descriptors.", open_files(), "files")
        yield _gauge("system.cpu.count", "Processors of this machine.", os.cpu_count() or 1)
        yield _gauge("system.load.average.1m", "Load average of one minute.", os.getloadavg()[0])

    def _cpu_usage(self) -> float:
        """Share of all cores since the last question; a question within a second gets the last answer."""
        now, used = time.monotonic(), time.process_time()
        then, before = self._cpu
        if now - then >= 1.0:
            self._usage = (used - before) / (now - then) / (os.cpu_count() or 1)
            self._cpu = (now, used)
        return self._usage


def _gauge(name: str, description: str, value: float, unit: str | None = None) -> Meter:
    return Meter(name, description, unit, (Measurement("VALUE", float(value)),))


def resident() -> int:
    """Bytes of resident memory (proc(5), /proc/pid/statm); 0 where there is no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit() -> int:
    """Bytes of memory that may be used: the cgroup's limit (cgroups(7)) when it is below the machine's."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in CGROUP_LIMITS:
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        return min(int(text), machine) if text.isdigit() else machine
    return machine


def open_files() -> int:
    """File descriptors in use; 0 where there is no /proc."""
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 0


class Meters:
    """Every meter by name: the process's, then those of the registry's families."""

    def __init__(self, process: Iterable[Meter], families: Iterable[Metric]) -> None:
        self._meters: dict[str, Meter] = {}
        for meter in (*process, *map(meter_of, families)):
            self._meters.setdefault(meter.name, meter)

    def names(self) -> list[str]:
        return sorted(self._meters)

    def get(self, name: str) -> Meter | None:
        """The meter named ``name``, dotted or as Prometheus has it; None when there is none."""
        if name in self._meters:
            return self._meters[name]
        return next((meter for meter in self._meters.values() if name in meter.aliases), None)
