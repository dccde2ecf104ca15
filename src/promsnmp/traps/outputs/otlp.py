"""OTLP logs over HTTP in JSON (OpenTelemetry Protocol Specification 1.x, section OTLP/HTTP; ExportLogsServiceRequest).

JSON is one of the two encodings that every receiver takes, so no protobuf classes are needed: 64-bit numbers are
strings, enumerations numbers, names are in lower camel case.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from promsnmp import __version__
from promsnmp.traps.outputs.event import Event, nanoseconds
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.json_lines import NEVER

log = logging.getLogger(__name__)

PATH = "/v1/logs"
SEVERITIES = {"info": (9, "INFO"), "warning": (13, "WARN"), "critical": (17, "ERROR")}
"""SeverityNumber and its short name (OpenTelemetry Logs Data Model)."""


class OtlpOutput:
    """One log record for each event; its body is the text."""

    kind = "otlp"
    batch = 500

    def __init__(self, target: HttpTarget, *, name: str = "otlp", resource: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._target = target
        self._resource = {"service.name": "promsnmp", "service.version": __version__, **(resource or {})}

    def wants(self, event: Event) -> bool:
        return True

    async def send(self, events: Sequence[Event]) -> int:
        scope = {"name": "promsnmp.traps", "version": __version__}
        body = {
            "resourceLogs": [
                {
                    "resource": {"attributes": [_attribute(*pair) for pair in self._resource.items()]},
                    "scopeLogs": [{"scope": scope, "logRecords": [_record(event) for event in events]}],
                }
            ]
        }
        answer = await self._target.post(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
        return self._rejected(answer.body, len(events))

    def _rejected(self, answer: bytes, most: int) -> int:
        """How many records a partial success leaves out; they must not be sent again."""
        try:
            partial = json.loads(answer or b"{}").get("partialSuccess") or {}
            rejected = int(partial.get("rejectedLogRecords") or 0)
        except (ValueError, AttributeError, TypeError):
            return 0
        if rejected:
            log.warning("%s rejected %d log records: %.200s", self.name, rejected, partial.get("errorMessage", ""))
        return max(0, min(rejected, most))

    async def idle(self) -> float:
        return NEVER

    async def close(self) -> None:
        self._target.close()


def _record(event: Event) -> dict[str, Any]:
    number, text = SEVERITIES[event["severity"]]
    time = str(nanoseconds(event))
    return {
        "timeUnixNano": time,
        "observedTimeUnixNano": time,
        "severityNumber": number,
        "severityText": text,
        "eventName": f"snmp.trap.{event['trap']}",
        "body": {"stringValue": event["text"]},
        "attributes": [_attribute(*pair) for pair in _attributes(event).items()],
    }


def _attributes(event: Event) -> dict[str, Any]:
    found = {
        "event.id": event["id"],
        "snmp.trap.name": event["trap"],
        "snmp.trap.oid": event["oid"],
        "snmp.trap.mib": event["mib"],
        "snmp.trap.state": event["state"],
        "snmp.trap.confirmation": event.get("confirmation", ""),
        "snmp.trap.confirms": event.get("confirms", ""),
        "snmp.version": event["version"],
        "snmp.security_level": event["securityLevel"],
        "device.id": event["device"]["id"],
        "device.name": event["device"]["name"],
        "client.address": event["sender"],
        **{f"label.{name}": value for name, value in event["labels"].items()},
    }
    for one in event["varbinds"]:
        name = f"snmp.varbind.{one['name']}" + (f".{one['index']}" if one["index"] else "")
        found.setdefault(name, one["text"])
    return {name: value for name, value in found.items() if value != ""}


def _attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": str(value)}}
