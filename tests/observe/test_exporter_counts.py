"""Counts of packets and collections, as snmp_exporter has them."""

from __future__ import annotations

from promsnmp.observe.exporter_counts import ExporterCounts


def test_sessions_add_up_and_modules_are_apart() -> None:
    counts = ExporterCounts()
    counts.add_packets(sent=5, retried=2)
    counts.add_packets(sent=1, retried=0)
    counts.record_collection("if_mib", 0.03)
    counts.record_collection("system", 20.0)
    assert (counts.packets, counts.retries) == (6, 2)
    assert counts.collections["if_mib"].counts[3] == 1
    assert counts.collections["system"].counts[-1] == 1
