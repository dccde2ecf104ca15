"""Own counts as metric families."""

from __future__ import annotations

from prometheus_client.metrics_core import Metric

from promsnmp.observe import metric_families
from promsnmp.observe.counts import OUTCOMES, PollCounts, RequestCounts


def _values(metric: Metric) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels.values()): sample.value for sample in metric.samples}


def test_cache_metrics_have_the_original_s_names_and_labels() -> None:
    gets, size = metric_families.cache_families(hits=3, misses=4, size=5)
    assert _values(gets) == {("cache_gets_total", "metrics", "hit"): 3, ("cache_gets_total", "metrics", "miss"): 4}
    assert list(gets.samples[0].labels) == ["cache", "result"]
    assert _values(size) == {("cache_size", "metrics"): 5}


def test_poll_metrics_have_every_outcome_from_the_start() -> None:
    polls = next(iter(metric_families.poll_families(PollCounts())))
    assert {sample.labels["outcome"] for sample in polls.samples} == set(OUTCOMES)


def test_a_request_is_counted_under_its_template_status_and_outcome() -> None:
    requests = RequestCounts()
    requests.record("GET", "/targets", 503, seconds=0.5)
    (family,) = metric_families.request_families(requests)
    labels = ("GET", "/targets", "503", "SERVER_ERROR")
    assert _values(family) == {
        ("http_server_requests_seconds_count", *labels): 1,
        ("http_server_requests_seconds_sum", *labels): 0.5,
    }


def test_the_site_is_an_info_metric_with_one_label_for_each_setting() -> None:
    (info,) = metric_families.site_families({"tenant_id": "t", "site_id": 's"\n'})
    assert info.samples[0].labels == {"tenant_id": "t", "site_id": 's"\n'}
    assert info.samples[0].value == 1


def test_build_info_says_whether_the_decoder_is_compiled() -> None:
    (info,) = metric_families.build_families(version="1.2.3", compiled=False)
    assert info.samples[0].labels["version"] == "1.2.3"
    assert info.samples[0].labels["compiled"] == "false"


def test_inventory_metrics_have_devices_seeds_and_revision() -> None:
    found = metric_families.inventory_families(devices=3, seeds=2, revision=7, changed_at=1.5, healthy=False)
    assert {family.name: family.samples[0].value for family in found} == {
        "promsnmp_devices": 3,
        "promsnmp_discovery_seeds": 2,
        "promsnmp_inventory_revision": 7,
        "promsnmp_inventory_last_write_timestamp_seconds": 1.5,
        "promsnmp_inventory_healthy": 0,
    }
