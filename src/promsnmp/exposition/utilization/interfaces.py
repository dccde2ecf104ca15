"""Feeds the utilisation histogram from the interface columns of a poll: chooses counters and speeds.

It uses 64-bit octet counters where the row has them, else the 32-bit ones; ifHighSpeed, or ifSpeed where that is 0 or
missing (RFC 2863 sections 3.1.4 and 3.1.6).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from promsnmp.exposition.plan import MetricPlan, Plan
from promsnmp.exposition.renderer import Renderer
from promsnmp.exposition.utilization import histogram
from promsnmp.exposition.utilization.histogram import InterfaceCounters, Utilization
from promsnmp.support.steps import Steps

IF_SPEED = "1.3.6.1.2.1.2.2.1.5"
IF_IN_OCTETS = "1.3.6.1.2.1.2.2.1.10"
IF_OUT_OCTETS = "1.3.6.1.2.1.2.2.1.16"
IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"
IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"
IF_HIGH_SPEED = "1.3.6.1.2.1.31.1.1.1.15"
SYS_UP_TIME = "1.3.6.1.2.1.1.3"
_FEW_OCTETS = 4096
"""Octets of the index of a table that is processed in one step: some 1,000 rows."""


def add_utilization(
    renderer: Renderer, plan: Plan, utilization: Utilization, *, at: float, visible: bool = True
) -> Steps[None]:
    """Observes a poll at the time ``at`` (seconds, monotonic), and adds the histogram to the page if ``visible``.

    Does nothing when the plan has no interface counters.
    """
    labelled = _labelled(plan)
    if labelled is None:
        return
    interfaces = yield from _interfaces(renderer, labelled)
    utilization.observe(interfaces, at=at, ticks=_up_time(renderer))
    yield
    samples = utilization.samples() if visible else []
    if samples:
        renderer.exposition.own_family(histogram.NAME, "histogram", histogram.HELP).extend(samples)


def _labelled(plan: Plan) -> MetricPlan | None:
    """The metric whose labels the histogram uses."""
    for module in plan.modules:
        for metric in module.metrics:
            if metric.metric.oid in (IF_HC_IN_OCTETS, IF_IN_OCTETS):
                return metric
    return None


def _interfaces(renderer: Renderer, labelled: MetricPlan) -> Steps[Iterable[InterfaceCounters]]:
    """All interfaces of the poll whose octets are known; of many, one at a time: the garbage collector looks at what is
    kept."""
    rows = _same_rows(renderer, labelled)
    if rows is not None:
        return rows
    counters = _octets(renderer, 64, IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS)
    if not counters.keys() >= set(renderer.suffixes(IF_IN_OCTETS)):
        counters = {**_octets(renderer, 32, IF_IN_OCTETS, IF_OUT_OCTETS), **counters}
    index = b"".join([len(row).to_bytes(2, "big") + row for row in counters])
    _, labels, repeated = yield from renderer.table(labelled).texts(index, renderer.rows)
    fast = renderer.integers(IF_HIGH_SPEED)
    slow = {} if all(map(fast.get, counters)) else renderer.integers(IF_SPEED)
    return (
        InterfaceCounters(labels[at], histogram.speed_of(fast.get(row), slow.get(row)), *octets)
        for at, (row, octets) in enumerate(counters.items())
        if at not in repeated
    )


def _same_rows(renderer: Renderer, labelled: MetricPlan) -> list[InterfaceCounters] | None:
    """The interfaces of a device whose columns all have the same rows, and whose labels are known; else None.

    That is so for most devices, and a table's worth of dictionaries faster than asking for each row.
    """
    index, received = renderer.numbers(IF_HC_IN_OCTETS)
    if not index or len(index) > _FEW_OCTETS or renderer.row_index(IF_IN_OCTETS) not in (b"", index):
        return None
    texts = renderer.table(labelled).known_texts(index)
    other_index, sent = renderer.numbers(IF_HC_OUT_OCTETS)
    speed_index, speeds = renderer.numbers(IF_HIGH_SPEED)
    if texts is None or texts.repeated or not index == other_index == speed_index:
        return None
    try:
        known = [histogram.speed_of(int(speed), None) for speed in speeds]
        if not all(known):
            return None
        rows = zip(texts.texts, known, map(int, received), map(int, sent), repeat(64), strict=False)
        return list(map(InterfaceCounters._make, rows))
    except ValueError:  # some are fractions
        return None


def _octets(renderer: Renderer, bits: int, inward: str, outward: str) -> dict[bytes, tuple[int, int, int]]:
    """Octets received and sent, and the counters' width, of the rows that have both."""
    received, sent = renderer.integers(inward), renderer.integers(outward)
    return {row: (number, sent[row], bits) for row, number in received.items() if row in sent}


def _up_time(renderer: Renderer) -> int | None:
    return renderer.integers(SYS_UP_TIME).get(b"\0")
