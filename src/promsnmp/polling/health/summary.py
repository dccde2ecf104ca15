"""The health of a device in a few values, for lists of devices: what failed, what is hottest, what is fullest."""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.exposition.health.evaluate import Health, HealthSample
from promsnmp.support.steps import Steps

STATUS = "hw_status"
TEMPERATURE = "hw_temperature_celsius"
FULLNESS = ("system_filesystem_utilization_ratio", "system_memory_utilization_ratio")
MOST_NAMES = 5
"""Names of failed components that are kept of a device."""
_SAMPLES_PER_STEP = 512
_NAMES = ("hw_name", "mountpoint", "pool")


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A reading: the name of its component, and its value."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """What stands out among the readings of a device."""

    failed: int = 0
    """Components whose state is ``failed``."""
    degraded: int = 0
    names: tuple[str, ...] = ()
    """The names of the first failed components, then of degraded ones; at most MOST_NAMES."""
    hottest: NamedValue | None = None
    """In degrees Celsius."""
    fullest: NamedValue | None = None
    """The file system or pool of memory with the largest share in use, from 0 to 1."""
    vendor: str = ""
    """Of ``snmp_device_info``, like the next."""
    model: str = ""


NO_SUMMARY = HealthSummary()


def summarise(health: Health) -> Steps[HealthSummary]:
    """The summary of one poll's readings."""
    failed: list[str] = []
    degraded: list[str] = []
    hottest: HealthSample | None = None
    fullest: HealthSample | None = None
    for number, one in enumerate(health.samples):
        if not number % _SAMPLES_PER_STEP:
            yield
        if one.family == STATUS:
            if one.value:
                state = one.labels.get("hw_state")
                if state in ("failed", "degraded"):
                    (failed if state == "failed" else degraded).append(_name(one))
        elif one.family == TEMPERATURE:
            if hottest is None or one.value > hottest.value:
                hottest = one
        elif one.family in FULLNESS and (fullest is None or one.value > fullest.value):
            fullest = one
    names = tuple([*failed, *degraded][:MOST_NAMES])
    vendor, model = (health.info.get(label, "") for label in ("vendor", "model"))
    return HealthSummary(len(failed), len(degraded), names, _named(hottest), _named(fullest), vendor, model)


def _name(sample: HealthSample) -> str:
    return next((sample.labels[key] for key in _NAMES if key in sample.labels), sample.table.name)


def _named(sample: HealthSample | None) -> NamedValue | None:
    return None if sample is None else NamedValue(_name(sample), sample.value)
