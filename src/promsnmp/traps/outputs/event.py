"""A named notification as the JSON that queues hold and outputs pass on. It contains no community."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from promsnmp.snmp import oid as oids
from promsnmp.snmp.credentials import LEVEL_NAMES, Version
from promsnmp.traps.names.model import AlertKey, NamedNotification

Event = Mapping[str, Any]
"""A decoded event: its keys are those of ``event_of``."""
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_VERSIONS = {Version.V1: "1", Version.V2C: "2c", Version.V3: "3"}


def event_of(named: NamedNotification) -> dict[str, Any]:
    """The JSON object of one notification; ``id`` is new, so that receivers can tell a repeated delivery."""
    sent = named.notification
    return {
        "id": secrets.token_hex(8),
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
        "key": _key(named.key),
        "resolves": [_key(one) for one in named.resolves],
        "timeout": named.timeout,
        "outputs": list(named.outputs),
    }


def _key(key: AlertKey) -> dict[str, Any]:
    return {"device": key.device, "name": key.name, "group": [list(pair) for pair in key.group]}


def encode(event: Event) -> bytes:
    """One line of JSON without its end."""
    return _to_json(event).encode("utf-8", "replace")


def decode(record: bytes) -> Event:
    """The event of a record. Raises ValueError when it is none."""
    try:
        event = json.loads(record)
    except RecursionError:
        raise ValueError("the record is nested too deeply") from None
    if not isinstance(event, dict) or not isinstance(event.get("receivedAt"), int | float):
        raise ValueError("the record is no event")
    return event


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
