"""Loki's push API: ``POST /loki/api/v1/push`` with JSON streams (Grafana Loki HTTP API)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from promsnmp.traps.outputs.event import Event, line_of, nanoseconds
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.json_lines import NEVER

PATH = "/loki/api/v1/push"


class LokiOutput:
    """One stream for each device and severity; the line is the event as JSON."""

    kind = "loki"
    batch = 500

    def __init__(self, target: HttpTarget, *, name: str = "loki", labels: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._target = target
        self._labels = {"job": "promsnmp", "source": "snmp-trap", **(labels or {})}

    def wants(self, event: Event) -> bool:
        return True

    async def send(self, events: Sequence[Event]) -> int:
        streams: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for event in events:
            device = event["device"]["name"] or event["sender"]
            streams[device, event["severity"]].append((nanoseconds(event), line_of(event)))
        body = {
            "streams": [
                {
                    "stream": self._labels | {"device": device, "severity": severity},
                    "values": [[str(time), line] for time, line in sorted(lines)],
                }
                for (device, severity), lines in streams.items()
            ]
        }
        await self._target.post(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
        return 0

    async def idle(self) -> float:
        return NEVER

    async def close(self) -> None:
        self._target.close()
