"""The metrics of snmp_exporter about itself, from what PromSNMP counts: names, types and buckets are its own."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.observe.metric_families import gauge, histogram


def exporter_families(counts: ExporterCounts, *, in_flight: int, unexpected_types: int) -> Iterator[Metric]:
    """``in_flight``: polls running now; ``unexpected_types``: values of types that SNMP does not have."""
    yield CounterMetricFamily(
        "snmp_packets", "SNMP packets sent to devices by polls, retransmissions included.", counts.packets
    )
    yield CounterMetricFamily("snmp_packet_retries", "SNMP packets that polls sent again.", counts.retries)
    yield histogram(
        "snmp_packet_duration_seconds", "Seconds from an SNMP packet of a poll to its answer.", counts.packet_seconds
    )
    yield CounterMetricFamily(
        "snmp_request_errors", "Scrapes of /snmp whose parameters were wrong.", counts.request_errors
    )
    yield CounterMetricFamily(
        "snmp_unexpected_pdu_type", "Values of devices whose types SNMP does not have.", unexpected_types
    )
    yield gauge("snmp_request_in_flight", "Polls of devices that run now.", in_flight)
    collections = HistogramMetricFamily(
        "snmp_collection_duration_seconds", "Seconds that polls spent on a module.", labels=["module"]
    )
    for module, seconds in sorted(counts.collections.items()):
        collections.add_metric([module], seconds.cumulative(), seconds.total)
    yield collections
