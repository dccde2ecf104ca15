"""Finds out from a poll when the counters on its page began (``device_start.py`` has the rules)."""

from __future__ import annotations

import time
from functools import partial

from promsnmp.exposition.formats.start_times import StartTimes
from promsnmp.exposition.plan import MetricPlan, Plan
from promsnmp.exposition.renderer import Renderer
from promsnmp.exposition.utilization.interfaces import (
    IF_HC_IN_OCTETS,
    IF_HC_OUT_OCTETS,
    IF_HIGH_SPEED,
    SYS_UP_TIME,
)
from promsnmp.polling.detection.identity_state import scalar
from promsnmp.polling.history.device_start import DeviceStart
from promsnmp.polling.poll import PollResult
from promsnmp.snmp import ber

IF_COUNTER_DISCONTINUITY_TIME = "1.3.6.1.2.1.31.1.1.1.19"
_SLACK_SECONDS, _SLACK_SHARE = 60.0, 1.1
"""By how much counters may be ahead of sysUpTime and of the speed: an agent starts after its interfaces."""


def start_times(
    start: DeviceStart, renderer: Renderer, result: PollResult, *, is_other_device: bool
) -> StartTimes | None:
    """When the counters of a poll began, after ``start`` has noted it; None when that is not known.

    ``is_other_device``: another device answers than is expected, so nothing of earlier polls counts.
    """
    if is_other_device:
        start.forget()
    ticks = _up_time(result)
    if ticks is not None:
        age = time.monotonic() - result.started
        counts_on = result.render_state.utilization.counts_on
        now = time.time() - age
        start.note(
            ticks,
            result.host_ticks,
            at=result.started,
            now=now,
            slack=result.seconds,
            counts_on=counts_on,
            is_possible=partial(_can_have_counted, renderer),
        )
    if start.has_host_uptime is None and result.asked_host_uptime:
        start.has_host_uptime = result.host_ticks is not None
    if start.started is None:
        return None
    return StartTimes(start.started, {} if ticks is None else _rows(start, renderer, ticks))


def _up_time(result: PollResult) -> int | None:
    octets = scalar(result.plan, result.scanner, SYS_UP_TIME)
    rows = ber.varbinds(octets, 0, len(octets)) if octets else []
    return ber.integer_value(rows[0].tag, rows[0].value) if rows else None


def _can_have_counted(renderer: Renderer, seconds: float) -> bool:
    """Whether the fastest interface can have counted in some seconds what each 64-bit octet counter shows.

    The fastest, because the speed of a tunnel or of a loopback interface is often a number without meaning.
    """
    fastest = max(renderer.integers(IF_HIGH_SPEED).values(), default=0) * 1e6
    counted = max(
        (number for name in (IF_HC_IN_OCTETS, IF_HC_OUT_OCTETS) for number in renderer.integers(name).values()),
        default=0,
    )
    return not fastest or counted <= fastest / 8 * (seconds + _SLACK_SECONDS) * _SLACK_SHARE


def _rows(start: DeviceStart, renderer: Renderer, ticks: int) -> dict[bytes, float]:
    """The starts of the interfaces whose counters began after the device, by label text."""
    metric = _metric(renderer.plan, IF_COUNTER_DISCONTINUITY_TIME)
    if metric is None:
        return {}
    index, values = renderer.numbers(IF_COUNTER_DISCONTINUITY_TIME)
    if not any(value != b"0" for value in values):
        return {}
    texts = renderer.table(metric).known_texts(index)
    if texts is None or texts.repeated:
        return {}
    return {
        text: start.began_at(since) if since <= ticks else 0.0
        for text, value in zip(texts.texts, values, strict=True)
        if (since := int(value) if value.isdigit() else 0)
    }


def _metric(plan: Plan, name: str) -> MetricPlan | None:
    return next((one for module in plan.modules for one in module.metrics if one.metric.oid == name), None)
