"""A named notification as the JSON that queues hold and outputs pass on. It contains no community."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from promsnmp.snmp import oid as oids
from promsnmp.snmp.credentials import LEVEL_NAMES, Version
from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.names.model import AlertKey, NamedNotification, State

Event = Mapping[str, Any]
"""A decoded event: its keys are those of ``event_of``."""
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MAX_RESOLVED = 100
"""Alerts that one notification resolves, as another replica tells."""
_FINDINGS = {
    Finding.CONFIRMED: "confirmed by a poll",
    Finding.NOT_CONFIRMED: "not confirmed, a poll found another state",
    Finding.SUPERSEDED: "superseded by a later trap",
    Finding.UNKNOWN: "unknown whether it is so, the device did not say",
}
_VERSIONS = {Version.V1: "1", Version.V2C: "2c", Version.V3: "3"}


def event_of(named: NamedNotification) -> dict[str, Any]:
    """The JSON object of one notification; by ``id`` receivers can tell a repeated delivery."""
    sent = named.notification
    return {
        "id": sent.id,
        "time": iso_time(sent.received_at),
        "receivedAt": sent.received_at,
        "trap": named.name,
        "mib": named.mib,
        "oid": oids.to_text(sent.oid),
        "severity": str(named.severity),
        "state": str(named.state),
        "text": named.text,
        "device": {"id": sent.device_id, "name": sent.device_name},
        "sender": sent.sender,
        "version": _VERSIONS[sent.version],
        "securityLevel": LEVEL_NAMES[sent.security_level],
        "authenticated": sent.authenticated,
        "user": sent.user,
        "inform": sent.is_inform,
        "engineId": sent.engine_id.hex(),
        "uptime": sent.uptime,
        "labels": dict(named.labels),
        "varbinds": [
            {"name": one.name, "index": one.index, "value": one.value, "text": one.text} for one in named.varbinds
        ],
        "leftOut": named.left_out,
        "confirmation": "",
        "confirms": "",
        "key": _key(named.key),
        "resolves": [_key(one) for one in named.resolves],
        "timeout": named.timeout,
        "outputs": list(named.outputs),
    }


def confirmation_of(event: Event, finding: Finding, found_at: float) -> dict[str, Any]:
    """A second event of a notification, after a poll has found whether it was right; ``found_at``: Unix seconds."""
    return {
        **event,
        "id": secrets.token_hex(8),
        "time": iso_time(found_at),
        "receivedAt": found_at,
        "text": f"{event['text']}: {_FINDINGS[finding]}",
        "confirmation": str(finding),
        "confirms": event["id"],
    }


def resolution_of(named: NamedNotification) -> dict[str, Any]:
    """What other replicas need of a notification that resolves alerts, which they may have raised."""
    sent = named.notification
    return _resolution(sent.received_at, [_key(one) for one in named.resolves], is_authenticated=sent.authenticated)


def read_resolution(document: Any) -> dict[str, Any]:
    """What ``resolution_of`` has made, on another replica. Raises ValueError, KeyError, TypeError."""
    received_at, resolves = float(document["receivedAt"]), document["resolves"]
    if not math.isfinite(received_at) or not 0 < len(resolves) <= MAX_RESOLVED:
        raise ValueError
    keys = [AlertKey(str(one["device"]), str(one["name"]), tuple((str(a), str(b)) for a, b in one["group"]))
            for one in resolves]  # fmt: skip
    return _resolution(received_at, [_key(one) for one in keys], is_authenticated=document["authenticated"] is True)


def _resolution(received_at: float, resolves: list[dict[str, Any]], *, is_authenticated: bool) -> dict[str, Any]:
    return {
        "receivedAt": received_at,
        "state": str(State.RESOLVED),
        "authenticated": is_authenticated,
        "resolves": resolves,
    }


def _key(key: AlertKey) -> dict[str, Any]:
    return {"device": key.device, "name": key.name, "group": [list(pair) for pair in key.group]}


def encode(event: Event) -> bytes:
    """One line of JSON without its end."""
    return _to_json(event).encode("utf-8", "replace")


def decode(record: bytes) -> Event:
    """The event of a record. Raises ValueError when the record does not hold one."""
    try:
        event = json.loads(record)
    except RecursionError:
        raise ValueError("the record is nested too deeply") from None
    if not isinstance(event, dict) or not _is_time(event.get("receivedAt")):
        raise ValueError("the record is not an event")
    return event


def _is_time(value: object) -> bool:
    """Whether a value is Unix seconds up to the year 9999."""
    return isinstance(value, int | float) and 0 <= value < 253_402_300_800  # never so for NaN


def public(event: Event) -> dict[str, Any]:
    """The event without what is for our own outputs only."""
    return {name: value for name, value in event.items() if name not in ("key", "resolves", "timeout", "outputs")}


def line_of(event: Event) -> str:
    """The public event as one line: JSON without line ends."""
    return _to_json(public(event))


def iso_time(seconds: float) -> str:
    """Unix seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def nanoseconds(event: Event) -> int:
    """When it was received, in nanoseconds since 1970; exact to the microsecond."""
    return round(float(event["receivedAt"]) * 1_000_000) * 1000
