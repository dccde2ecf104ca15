"""The metrics that snmp_exporter has about itself, under its names."""

from __future__ import annotations

from promsnmp.observe.exporter_counts import COLLECTION_BOUNDS, PACKET_BOUNDS, ExporterCounts
from promsnmp.observe.exporter_families import exporter_families
from promsnmp.observe.registry import SelfMetrics


def counted() -> ExporterCounts:
    counts = ExporterCounts()
    counts.add_packets(sent=5, retried=2)
    counts.packet_seconds.observe(0.00015)
    counts.record_collection("if_mib", 0.03)
    counts.record_collection("if_mib", 20.0)
    counts.request_errors = 3
    return counts


def page(counts: ExporterCounts) -> list[str]:
    metrics = SelfMetrics(lambda: exporter_families(counts, in_flight=4, unexpected_types=1))
    return [line for line in metrics.text().decode().splitlines() if line.startswith(("snmp_", "# TYPE snmp_"))]


def test_names_types_and_labels_are_those_of_snmp_exporter() -> None:
    lines = page(counted())
    types = dict(line.split()[2:] for line in lines if line.startswith("#"))
    assert types == {
        "snmp_packets_total": "counter",
        "snmp_packet_retries_total": "counter",
        "snmp_packet_duration_seconds": "histogram",
        "snmp_request_errors_total": "counter",
        "snmp_unexpected_pdu_type_total": "counter",
        "snmp_request_in_flight": "gauge",
        "snmp_collection_duration_seconds": "histogram",
    }
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert samples["snmp_packets_total"] == "5.0"
    assert samples["snmp_packet_retries_total"] == "2.0"
    assert samples['snmp_packet_duration_seconds_bucket{le="0.0001"}'] == "0.0"
    assert samples['snmp_packet_duration_seconds_bucket{le="0.0002"}'] == "1.0"
    assert samples["snmp_request_errors_total"] == "3.0"
    assert samples["snmp_unexpected_pdu_type_total"] == "1.0"
    assert samples["snmp_request_in_flight"] == "4.0"
    assert samples['snmp_collection_duration_seconds_bucket{le="0.05",module="if_mib"}'] == "1.0"
    assert samples['snmp_collection_duration_seconds_count{module="if_mib"}'] == "2.0"


def test_the_buckets_are_those_of_snmp_exporter() -> None:
    assert (PACKET_BOUNDS[0], PACKET_BOUNDS[-1], len(PACKET_BOUNDS)) == (0.0001, 1.6384, 15)
    assert COLLECTION_BOUNDS == (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
