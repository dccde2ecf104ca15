"""What stands out among the readings of a device."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from promsnmp.exposition.health.evaluate import Health
from promsnmp.polling.health.summary import MOST_NAMES, NO_SUMMARY, HealthSummary, NamedValue, summarise
from promsnmp.support.steps import run_steps


def sample(family: str, value: float, **labels: str) -> Any:
    return SimpleNamespace(family=family, value=value, labels=labels, table=SimpleNamespace(name="table"))


def summary(*samples: Any, **info: str) -> HealthSummary:
    return run_steps(summarise(Health(cast("Any", samples), info)))


def status(name: str, state: str) -> list[Any]:
    states = ("ok", "degraded", "failed", "unknown")
    return [sample("hw_status", float(one == state), hw_name=name, hw_state=one) for one in states]


def test_failed_and_degraded_components_are_counted_and_named() -> None:
    found = summary(*status("PSU 1", "degraded"), *status("Fan 1", "ok"), *status("Fan 2", "failed"))
    assert (found.failed, found.degraded, found.names) == (1, 1, ("Fan 2", "PSU 1"))


def test_only_some_names_are_kept() -> None:
    found = summary(*(one for number in range(50) for one in status(f"Fan {number}", "failed")))
    assert (found.failed, len(found.names)) == (50, MOST_NAMES)


def test_the_hottest_and_the_fullest_are_kept_with_what_the_device_is() -> None:
    found = summary(
        sample("hw_temperature_celsius", 41, hw_name="Inlet"),
        sample("hw_temperature_celsius", 71.5, hw_name="CPU"),
        sample("system_memory_utilization_ratio", 0.61, pool="Memory"),
        sample("system_filesystem_utilization_ratio", 0.93, mountpoint="/var"),
        sample("system_cpu_utilization_ratio", 0.99, cpu="1"),
        vendor="Example",
        model="EX-1",
    )
    assert found.hottest == NamedValue("CPU", 71.5)
    assert found.fullest == NamedValue("/var", 0.93)
    assert (found.vendor, found.model) == ("Example", "EX-1")


def test_without_readings_there_is_nothing() -> None:
    assert summary() == NO_SUMMARY
    assert summary(sample("hw_temperature_celsius", 20)).hottest == NamedValue("table", 20)
