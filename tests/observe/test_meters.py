"""Own metrics in Spring Boot's form."""

from __future__ import annotations

import pytest
from prometheus_client.metrics_core import Metric

from promsnmp.observe import meters
from promsnmp.observe.counts import PollCounts
from promsnmp.observe.meters import Measurement, Meters, ProcessMeters, available_tags, meter_of, statistics
from promsnmp.observe.metric_families import cache_families, gauge, poll_families


def _cache() -> Metric:
    return next(iter(cache_families(hits=3, misses=4, size=5)))


def test_a_counter_has_a_dotted_name_and_a_count_for_each_tag() -> None:
    meter = meter_of(_cache())
    assert (meter.name, meter.base_unit) == ("cache.gets", None)
    assert statistics(meter.measurements) == {"COUNT": 7.0}
    assert statistics(meter.tagged([("result", "hit")])) == {"COUNT": 3.0}
    assert meter.tagged([("result", "hit"), ("cache", "other")]) == ()


def test_a_histogram_of_seconds_has_count_and_total_time() -> None:
    polls = PollCounts()
    polls.record("success", seconds=0.25)
    found = {meter.name: meter for meter in map(meter_of, poll_families(polls))}
    duration = found["promsnmp.poll.duration"]
    assert duration.base_unit == "seconds"
    assert statistics(duration.measurements) == {"COUNT": 1.0, "TOTAL_TIME": 0.25}


def test_a_gauge_of_bytes_has_its_unit_in_a_field() -> None:
    meter = meter_of(gauge("process_resident_memory_bytes", "Memory.", 5))
    assert (meter.name, meter.base_unit) == ("process.resident.memory", "bytes")
    assert statistics(meter.measurements) == {"VALUE": 5.0}


def test_tags_that_were_chosen_are_no_longer_available() -> None:
    found = [Measurement("VALUE", 1, {"a": "1", "b": "2"}), Measurement("VALUE", 1, {"a": "1", "b": "0"})]
    assert available_tags(found, without=["a"]) == {"b": ["0", "2"]}


@pytest.mark.parametrize("name", ["cache.gets", "cache_gets", "cache_gets_total"])
def test_a_meter_is_found_by_its_dotted_and_its_prometheus_names(name: str) -> None:
    meter = Meters((), [_cache()]).get(name)
    assert meter is not None
    assert meter.name == "cache.gets"


def test_an_unknown_name_finds_nothing() -> None:
    assert Meters((), [_cache()]).get("cache.puts") is None


def test_jvm_memory_is_the_memory_of_this_process() -> None:
    found = Meters(ProcessMeters().meters(), ())
    used, most = found.get("jvm.memory.used"), found.get("jvm.memory.max")
    assert used is not None
    assert most is not None
    assert "Python" in used.description
    assert 1_000_000 < used.measurements[0].value < most.measurements[0].value


def test_a_memory_limit_of_the_container_is_the_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "cgroup_limit", lambda: 1048576)
    assert meters.limit() == 1048576
    monkeypatch.setattr(meters, "cgroup_limit", lambda: None)
    assert meters.limit() > 1048576
