"""Why each metric of a device is there or missing: an explained poll in sections, as ``promsnmp explain`` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promsnmp.errors import ModuleError, SnmpError, UnknownDevice
from promsnmp.inventory.model import Device
from promsnmp.polling.explain.health import HealthExplanation
from promsnmp.polling.explain.model import Explanation, LookupExplanation, MetricExplanation
from promsnmp.polling.explain.reasons import DROPPED
from promsnmp.polling.explain.service import ExplanationBusy
from promsnmp.web.sources import Sources

MOST_ROWS = 300
"""Rows of each section."""
_ABOUT = ("modules", "health")


@dataclass(frozen=True, slots=True)
class MissingGroup:
    """Metrics that have no samples for one reason."""

    reason: str
    metrics: Sequence[MetricExplanation]


@dataclass(frozen=True, slots=True)
class EmptyLabel:
    """A label whose text comes from a column that lacks rows, and the metrics that have it."""

    lookup: LookupExplanation
    metrics: Sequence[str]


async def explain_view(sources: Sources, wanted: str, query: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """The values of the page; ``status`` is 503 when too many are made, 502 when the device cannot be read.

    Polls the device once. Raises UnknownDevice.
    """
    device = sources.devices.find(wanted)
    about = dict(query).get("about", "")
    about = about if about in _ABOUT else _ABOUT[0]
    values = {"device": device, "about": about, "abouts": _ABOUT, "most": MOST_ROWS, "dropped_reasons": DROPPED}
    try:
        return {**values, "status": 200, "problem": "", **await _sections(sources, device, about)}
    except (SnmpError, ModuleError) as error:
        return {**values, "status": 502, "problem": str(error), "explanation": None}
    except (ExplanationBusy, UnknownDevice) as error:
        return {**values, "status": 503, "problem": str(error), "explanation": None}


async def _sections(sources: Sources, device: Device, about: str) -> Mapping[str, object]:
    if about == "health":
        return _health(await sources.explain_health(device))
    return _modules(await sources.explain(device))


def _modules(found: Explanation) -> Mapping[str, object]:
    made = [metric for metric in found.metrics if metric.samples or metric.given_by or metric.dropped]
    return {
        "explanation": found,
        "made": made,
        "missing": missing_groups(found.metrics),
        "empty_labels": empty_labels(found.metrics),
        "incomplete": sum(walk.end != "whole" for walk in found.walks),
    }


def _health(found: HealthExplanation) -> Mapping[str, object]:
    return {"explanation": found, "readings": [one for one in found.readings if one.samples]}


def missing_groups(metrics: Sequence[MetricExplanation]) -> Sequence[MissingGroup]:
    """The metrics without samples, together with those that have the same reason."""
    groups: dict[str, list[MetricExplanation]] = {}
    for metric in metrics:
        if metric.reason:
            groups.setdefault(metric.reason, []).append(metric)
    return [MissingGroup(reason, found) for reason, found in groups.items()]


def empty_labels(metrics: Sequence[MetricExplanation]) -> Sequence[EmptyLabel]:
    """The labels that are empty in some rows."""
    found: dict[tuple[str, str], tuple[LookupExplanation, dict[str, None]]] = {}
    for metric in metrics:
        for lookup in metric.lookups:
            if lookup.missed:
                found.setdefault((lookup.label, lookup.oid), (lookup, {}))[1][metric.name] = None
    return [EmptyLabel(lookup, list(names)) for lookup, names in found.values()]
