"""From the interface columns of a page to its utilisation histogram: which counters and speeds are used.

64-bit octet counters where the row has them, else the 32-bit ones; ifHighSpeed, or ifSpeed where that is 0 or missing
(RFC 2863 sections 3.1.4 and 3.1.6).
"""

from __future__ import annotations

from promsnmp.metrics import histogram
from promsnmp.metrics.histogram import Interface, Utilization
from promsnmp.metrics.plan import MetricPlan, Plan
from promsnmp.metrics.samples import Renderer

IF_SPEED = "1.3.6.1.2.1.2.2.1.5"
IF_IN_OCTETS = "1.3.6.1.2.1.2.2.1.10"
IF_OUT_OCTETS = "1.3.6.1.2.1.2.2.1.16"
IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"
IF_HIGH_SPEED = "1.3.6.1.2.1.31.1.1.1.15"
SYS_UP_TIME = "1.3.6.1.2.1.1.3"


def add_utilization(renderer: Renderer, plan: Plan, utilization: Utilization, *, at: float) -> None:
    """Observes one poll made at ``at`` (seconds, monotonic) and adds the histogram to the page.

    Does nothing when the plan has no interface counters.
    """
    labelled = _labelled(plan)
    if labelled is None:
        return
    utilization.observe(_interfaces(renderer, labelled), at=at, ticks=_up_time(renderer))
    samples = utilization.samples()
    if samples:
        renderer.page.family(histogram.NAME, "histogram", histogram.HELP).extend(samples)


def _labelled(plan: Plan) -> MetricPlan | None:
    """The metric whose labels the histogram takes."""
    for module in plan.modules:
        for metric in module.metrics:
            if metric.metric.oid in (IF_HC_IN_OCTETS, IF_IN_OCTETS):
                return metric
    return None


def _interfaces(renderer: Renderer, labelled: MetricPlan) -> dict[bytes, Interface]:
    """All interfaces of one poll whose speed and octets are known, by OID suffix."""
    counters: dict[bytes, tuple[int, int, int]] = {}
    for bits, inward, outward in ((32, IF_IN_OCTETS, IF_OUT_OCTETS), (64, IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS)):
        received, sent = renderer.integers(inward), renderer.integers(outward)
        counters.update((row, (number, sent[row], bits)) for row, number in received.items() if row in sent)
    index = b"".join([len(row).to_bytes(2, "big") + row for row in counters])
    labels, repeated = renderer.table(labelled).texts(index, renderer.rows)
    fast, slow = renderer.integers(IF_HIGH_SPEED), renderer.integers(IF_SPEED)
    found = {}
    for at, (row, (received_now, sent_now, bits)) in enumerate(counters.items()):
        speed = histogram.speed_of(fast.get(row), slow.get(row))
        if speed and at not in repeated:
            found[row] = Interface(labels[at], speed, received_now, sent_now, bits)
    return found


def _up_time(renderer: Renderer) -> int | None:
    return renderer.integers(SYS_UP_TIME).get(b"\0")
