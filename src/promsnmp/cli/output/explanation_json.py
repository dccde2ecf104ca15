"""The JSON of ``promsnmp explain`` and ``promsnmp modules match``: explanations and identities as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.explain.model import Explanation, MetricExplanation
from promsnmp.polling.explain.unclaimed import UnclaimedColumn
from promsnmp.snmp import oid
from promsnmp.snmp.varbind_text import TYPES, type_and_value


def to_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON values."""
    return {
        "target": explanation.target,
        "modules": list(explanation.modules),
        "why": dict(explanation.module_reasons),
        "polled_with": [asdict(one) for one in explanation.poll_values],
        "device": None if explanation.identity is None else identity_to_json(explanation.identity),
        "identity_changed": list(explanation.differences),
        "complete": not explanation.problem,
        "problem": explanation.problem,
        "total": asdict(explanation.total),
        "discarded": dict(explanation.discarded),
        "walks": [asdict(walk) for walk in explanation.walks],
        "gets": [asdict(get) for get in explanation.gets],
        "gets_cost": asdict(explanation.gets_cost),
        "returned": [{**asdict(found), "types": _named(found.types)} for found in explanation.columns],
        "metrics": [_metric_to_json(metric) for metric in explanation.metrics],
        "dropped": dict(explanation.dropped),
        "unclaimed": [_unclaimed_to_json(left) for left in explanation.unclaimed],
    }


def identity_to_json(identity: DeviceIdentity) -> dict[str, Any]:
    """What a device is, as JSON values."""
    match = identity.match
    return {
        "sysName": identity.sys_name,
        "sysObjectID": identity.sys_object_id,
        "sysDescr": identity.sys_descr,
        "vendor": match.vendor,
        "model": match.model,
        "modules": [{"name": name, "reason": reason} for name, reason in match.modules],
        "problem": identity.problem,
    }


def _named(types: Mapping[int, int]) -> dict[str, int]:
    return {TYPES.get(tag, f"0x{tag:02X}"): count for tag, count in types.items()}


def _metric_to_json(metric: MetricExplanation) -> dict[str, Any]:
    status = "made" if metric.samples else "made by another module" if metric.given_by else "missing"
    return {**asdict(metric), "types": _named(metric.types), "status": status}


def _unclaimed_to_json(left: UnclaimedColumn) -> dict[str, Any]:
    kind, value = type_and_value(left.example)
    return {
        "oid": left.oid,
        "count": left.count,
        "example": {"oid": oid.to_text(left.example.oid), "type": kind, "value": value},
        "known_as": [{"module": module, "metric": metric} for module, metric in left.known_as],
    }
