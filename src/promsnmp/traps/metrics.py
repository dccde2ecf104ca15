"""Metrics about traps: accepted by name, dropped by reason, how long until pages show events, what polls found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, Metric

from promsnmp.observe.counts import Distribution
from promsnmp.observe.metric_families import gauge, histogram
from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.naming import OTHER
from promsnmp.traps.receive.counts import TrapCounts

MAX_NAMES = 300
"""Series of ``promsnmp_traps_total``; further names count as ``other``."""
DELAY_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)


class TrapMeters:
    """What is counted of accepted notifications and of their polls."""

    def __init__(self) -> None:
        self.accepted: Counter[tuple[str, str]] = Counter()
        """By name ("" for an unknown one) and severity."""
        self.delay = Distribution(DELAY_BOUNDS)
        """Seconds from the receipt of a trap until the page of a poll that began after it."""
        self.findings: Counter[Finding] = Counter(dict.fromkeys(Finding, 0))
        self.missed = 0
        self.polls = 0
        """Polls that traps asked for."""
        self.page_updates = 0
        """Pages that got rows before a poll has ended."""

    def add(self, name: str, severity: str) -> None:
        """Counts an accepted notification."""
        key = (name or OTHER, severity)
        if key not in self.accepted and len(self.accepted) >= MAX_NAMES:
            key = (OTHER, OTHER)
        self.accepted[key] += 1

    def families(self, counts: TrapCounts, *, waiting: int) -> Iterator[Metric]:
        """All families; ``waiting`` datagrams are not processed yet."""
        total = CounterMetricFamily(
            "promsnmp_traps", "Traps and informs accepted, by notification and severity.", labels=["trap", "severity"]
        )
        for labels, count in sorted(self.accepted.items()):
            total.add_metric(list(labels), count)
        yield total
        yield CounterMetricFamily("promsnmp_traps_received", "Datagrams that came to TRAP_PORT.", counts.received)
        dropped = CounterMetricFamily(
            "promsnmp_traps_dropped", "Datagrams to TRAP_PORT that were dropped, by reason.", labels=["reason"]
        )
        for reason, count in counts.dropped.items():
            dropped.add_metric([reason.value], count)
        yield dropped
        yield CounterMetricFamily("promsnmp_informs_acknowledged", "Informs that were answered.", counts.acknowledged)
        yield gauge("promsnmp_traps_queued", "Datagrams that wait for being processed.", waiting)
        yield CounterMetricFamily("promsnmp_trap_polls", "Polls of devices because of their traps.", self.polls)
        yield CounterMetricFamily(
            "promsnmp_trap_page_updates",
            "Pages that got the rows that traps were about before the poll had ended.",
            self.page_updates,
        )
        yield histogram(
            "promsnmp_trap_page_delay_seconds",
            "Time from the receipt of a trap until the page of its device shows a poll that began after it.",
            self.delay,
        )
        for name, help_text in (
            ("promsnmp_trap_confirmations", "Traps that something confirms, by what the device answered after them."),
            ("promsnmp_trap_link_states", "The old name of promsnmp_trap_confirmations_total; gone in 0.8.0."),
        ):
            confirmed = CounterMetricFamily(name, help_text, labels=["result"])
            for finding, count in self.findings.items():
                confirmed.add_metric([finding.value], count)
            yield confirmed
        yield CounterMetricFamily(
            "promsnmp_traps_missed",
            "Interfaces whose state polls found changed without a trap, of devices that have sent link traps.",
            self.missed,
        )
