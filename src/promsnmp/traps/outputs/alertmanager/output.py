"""Alertmanager's API: ``POST /api/v2/alerts``.

A notification with severity warning or critical fires an alert until one resolves it, or until its time is over:
``endsAt`` says when, so the alert stays although PromSNMP is down. It is sent again every ``repeat`` seconds, since an
Alertmanager that restarts has forgotten it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.outputs.alertmanager.active_alerts import ActiveAlert, ActiveAlerts
from promsnmp.traps.outputs.event import Event, iso_time
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.worker import DeliveryFailed, DeliveryRefused

log = logging.getLogger(__name__)

PATH = "/api/v2/alerts"
MAX_DESCRIPTION = 2000
"""Characters of the annotation that lists what the notification carries."""
MAX_CLOCK_DIFFERENCE = 5.0
"""Seconds by which the clocks of replicas may differ: what is older by more does not end an alert that fired since."""
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]")


class AlertmanagerOutput:
    """One Alertmanager. ``state_file`` keeps the firing alerts over restarts; ``timeout`` is for rules without one.

    ``page_url`` is the address of PromSNMP for people, for ``generatorURL``; empty: none.
    """

    kind = "alertmanager"
    batch = 200

    def __init__(
        self,
        target: HttpTarget,
        *,
        name: str = "alertmanager",
        state_file: Path | None = None,
        repeat: float = 60.0,
        timeout: float = 900.0,
        page_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._target, self._repeat, self._timeout, self._clock = target, repeat, timeout, clock
        self._page_url = page_url.rstrip("/")
        self.active = ActiveAlerts(state_file)
        self._repeat_at = 0.0

    def adopt(self, state_file: Path) -> None:
        """Repeats the firing alerts of a process that is gone, from its file. Raises OSError."""
        self.active.adopt(state_file)

    def wants(self, event: Event) -> bool:
        if event.get("confirms") and (event["state"] == "resolved" or event["confirmation"] == Finding.SUPERSEDED):
            return False  # its alert has ended, or a later notification fires it
        return event["state"] != "event" or self.kind in event["outputs"]

    async def send(self, events: Sequence[Event]) -> int:
        """Sends changes in their order: of one alert, at most one in each request.

        What fires is changed when Alertmanager has taken all of them: until then the queue has the events, and sends
        them again.
        """
        changes: dict[str, ActiveAlert | None] = {}
        requests: list[dict[str, dict[str, Any]]] = [{}]
        for event in events:
            for key, alert in self._changes(event, changes):
                if key in requests[-1]:
                    requests.append({})
                requests[-1][key] = alert
        for alerts in filter(None, requests):
            await self._post(list(alerts.values()))
        for key, active in changes.items():
            if active is None:
                self.active.pop(key)
            else:
                self.active.put(key, active)
        await self._save()
        return 0

    async def idle(self) -> float:
        now = self._clock()
        if now >= self._repeat_at:
            self.active.expire(now)
            firing = [self._alert(one, one.ends_at) for one in self.active]
            for start in range(0, len(firing), self.batch):
                try:
                    await self._post(firing[start : start + self.batch])
                except DeliveryRefused as error:  # the others of the request were taken
                    log.warning("%s refused an alert that fires: %s", self.name, error)
            self._repeat_at = now + self._repeat
            await self._save()
        return max(self._repeat_at - self._clock(), 0.05)

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(self.active.save)
        except OSError as error:
            raise DeliveryFailed(f"the file of firing alerts cannot be written: {error.strerror}") from None

    async def close(self) -> None:
        self._target.close()

    def _changes(self, event: Event, changes: dict[str, ActiveAlert | None]) -> Sequence[tuple[str, dict[str, Any]]]:
        """The alerts that an event changes, by key; ``changes`` are those of the events before, and get its own."""
        if event.get("confirms"):
            return self._confirmed(event, changes)
        if event["state"] != "resolved":
            key = _key_text(event["key"])
            alert = changes[key] = self._fired(event, changes[key] if key in changes else self.active.get(key))
            return [(key, self._alert(alert, alert.ends_at))]
        found: list[tuple[str, dict[str, Any]]] = []
        for key in map(_key_text, event["resolves"]):
            firing = changes[key] if key in changes else self.active.get(key)
            if firing is not None and _may_end(firing, event):
                changes[key] = None
                found.append((key, self._alert(firing, max(event["receivedAt"], firing.starts_at + 0.001))))
        return found

    def _confirmed(self, event: Event, changes: dict[str, ActiveAlert | None]) -> Sequence[tuple[str, dict[str, Any]]]:
        """The alert of the notification that an event confirms, or does not, if nothing has changed it since."""
        key = _key_text(event["key"])
        firing = changes[key] if key in changes else self.active.get(key)
        if firing is None or firing.event_id != event["confirms"]:
            return []
        annotations = {**firing.annotations, "confirmation": event["confirmation"]}
        alert = changes[key] = replace(firing, annotations=annotations)
        return [(key, self._alert(alert, alert.ends_at))]

    def _fired(self, event: Event, before: ActiveAlert | None) -> ActiveAlert:
        """The alert of an event; one that fires keeps its start and, so that it stays the same alert, its labels."""
        ends_at = event["receivedAt"] + (event["timeout"] or self._timeout)
        if before is not None and before.is_authenticated and not event["authenticated"]:
            return before
        return ActiveAlert(
            _labels(event) if before is None else before.labels,
            _annotations(event),
            event["receivedAt"] if before is None else before.starts_at,
            ends_at if before is None else max(ends_at, before.ends_at),
            event["receivedAt"],
            event["id"],
            event["authenticated"],
        )

    def _alert(self, alert: ActiveAlert, ends_at: float) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": iso_time(alert.starts_at),
            "endsAt": iso_time(ends_at),
        }
        if self._page_url:
            shown["generatorURL"] = self._page_url
        return shown

    async def _post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        await self._target.post(json.dumps(alerts, ensure_ascii=False).encode("utf-8", "replace"))


def _may_end(alert: ActiveAlert, event: Event) -> bool:
    """Whether an event may end an alert that it resolves: not when it is older than what fired the alert, and not when
    its sender proved nothing, but that of the alert did."""
    is_late = event["receivedAt"] + MAX_CLOCK_DIFFERENCE < alert.fired_at
    return not is_late and bool(event["authenticated"] or not alert.is_authenticated)


def _key_text(key: Mapping[str, Any]) -> str:
    return json.dumps([key["device"], key["name"], key["group"]], ensure_ascii=False)


def _labels(event: Event) -> dict[str, str]:
    """The labels of an alert; those of PromSNMP win. Alertmanager drops empty ones."""
    group = {_NOT_IN_LABELS.sub("_", name): value for name, value in event["key"]["group"]}
    own = {
        "alertname": event["trap"],
        "device": event["device"]["name"] or event["sender"],
        "instance": event["sender"],
        "severity": event["severity"],
        "source": "snmp-trap",
    }
    return {name: value for name, value in {**group, **event["labels"], **own}.items() if value}


def _annotations(event: Event) -> dict[str, str]:
    parts = [f"{one['name']}{'.' if one['index'] else ''}{one['index']} = {one['text']}" for one in event["varbinds"]]
    description = "\n".join(parts)
    if len(description) > MAX_DESCRIPTION:
        description = f"{description[: MAX_DESCRIPTION - 3]}..."
    found = {"summary": event["text"], "description": description, "oid": event["oid"]}
    if not event["authenticated"]:
        found["unauthenticated"] = "true"
    return {name: value for name, value in found.items() if value}
