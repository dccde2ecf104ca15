"""The metrics of outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from promsnmp.traps.outputs.queue.model import DAMAGED, FULL, TOO_LARGE, UNWRITABLE
from promsnmp.traps.outputs.worker import DELIVERED, EXPIRED, FAILED, REFUSED, Worker

RESULTS = (DELIVERED, FAILED, REFUSED, EXPIRED, FULL, TOO_LARGE, UNWRITABLE, DAMAGED)


def output_families(workers: Iterable[Worker]) -> Iterator[Metric]:
    deliveries = CounterMetricFamily(
        "promsnmp_trap_deliveries",
        "Notifications by output and result: delivered; failed (attempts, which are repeated); lost because the "
        "receiver refused them, or because they were too old (expired), the queue was full, they were too_large, or "
        "the disk was unwritable or damaged.",
        labels=["output", "result"],
    )
    length = GaugeMetricFamily("promsnmp_trap_queue_length", "Notifications that wait.", labels=["output"])
    octets = GaugeMetricFamily("promsnmp_trap_queue_bytes", "Size of the queue.", labels=["output"])
    failing = GaugeMetricFamily(
        "promsnmp_trap_output_failing", "Whether the last attempt of the output failed (1).", labels=["output"]
    )
    for worker in workers:
        name, results = worker.output.name, worker.results
        for result in RESULTS:
            deliveries.add_metric([name, result], results[result])
        length.add_metric([name], len(worker.queue))
        octets.add_metric([name], worker.queue.octets)
        failing.add_metric([name], float(worker.is_failing))
    yield from (deliveries, length, octets, failing)
