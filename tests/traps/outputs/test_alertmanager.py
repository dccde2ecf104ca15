"""Alerts: by Debian's Alertmanager, and by a receiver where times have to be ours."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from promsnmp.snmp.credentials import SecurityLevel
from promsnmp.traps.confirm.object_states import Finding
from promsnmp.traps.names.model import NamedNotification
from promsnmp.traps.outputs.alertmanager import active_alerts
from promsnmp.traps.outputs.alertmanager.output import PATH, AlertmanagerOutput
from promsnmp.traps.outputs.event import (
    Event,
    confirmation_of,
    decode,
    encode,
    event_of,
    read_resolution,
    resolution_of,
)
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.outputs.queue.memory import MemoryQueue
from promsnmp.traps.outputs.worker import DeliveryFailed, Worker
from tests.support.notifications import COLD_START, LINK_DOWN, LINK_UP, RECEIVED_AT, link, notification, passed
from tests.support.notifications.receiver import OK, Receiver
from tests.support.tools import WEB, Process, free_tcp_port, require_tool, until

CONFIG = "route: {receiver: none, group_by: [alertname, device]}\nreceivers: [{name: none}]\n"


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    running = Alertmanager(tmp_path)
    running.start()
    yield running
    running.process.stop()


class Alertmanager:
    """Debian's Alertmanager, which can be started again at its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_tcp_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "alertmanager.yml").write_text(CONFIG)

    def start(self) -> None:
        program = require_tool("prometheus-alertmanager", package="prometheus-alertmanager")
        command = [
            program, f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
        ]  # fmt: skip
        self.process = Process(command, log=self.folder / "log", ready=self.is_ready)

    def is_ready(self) -> bool:
        try:
            return WEB.get(f"{self.url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = WEB.get(f"{self.url}/api/v2/alerts").json()
        return found


def event(named: NamedNotification) -> Event:
    return decode(encode(event_of(named)))


def now_is(seconds: float) -> NamedNotification:
    return passed(link(received_at=seconds))


async def test_alerts_fire_outlive_alertmanager_and_end(alertmanager: Alertmanager) -> None:
    rules = "rules: [{trap: link*, labels: {team: net}}]"
    output = AlertmanagerOutput(
        HttpTarget(alertmanager.url, setting="T", path=PATH), repeat=0.2, page_url="http://promsnmp.example/"
    )
    outputs = Outputs([Worker(output, MemoryQueue(max_count=10, max_octets=1 << 20), max_age=0, pause=0.05)])
    await outputs.start()
    await outputs.accept(passed(link(LINK_DOWN, 3, received_at=time.time()), rules))
    await outputs.accept(passed(link(LINK_DOWN, 4, received_at=time.time()), rules))
    await outputs.accept(passed(link(LINK_UP, 4, received_at=time.time()), rules))
    await until(lambda: len(alertmanager.alerts()) == 1)
    (alert,) = alertmanager.alerts()
    assert alert["labels"] == {
        "alertname": "linkDown", "device": "core1", "instance": "192.0.2.1", "severity": "warning", "ifIndex": "3",
        "team": "net", "source": "snmp-trap",
    }  # fmt: skip
    assert alert["annotations"]["summary"] == "Interface 3 went down"
    assert alert["generatorURL"] == "http://promsnmp.example"
    await asyncio.to_thread(alertmanager.process.stop)
    await asyncio.to_thread(alertmanager.start)
    await until(lambda: len(alertmanager.alerts()) == 1)
    assert alertmanager.alerts()[0]["startsAt"] == alert["startsAt"]
    await outputs.accept(passed(link(LINK_UP, 3, received_at=time.time()), rules))
    await until(lambda: alertmanager.alerts() == [])
    await outputs.stop(0)


async def test_a_flap_is_told_in_its_order() -> None:
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH))
        down, up = link(LINK_DOWN, 3), link(LINK_UP, 3, received_at=RECEIVED_AT + 5)
        await output.send([event(passed(one)) for one in (down, up, replace(down, received_at=RECEIVED_AT + 9))])
        first, second, third = (request.json for request in receiver.taken)
    assert [one["startsAt"] for (one,) in (first, second, third)] == [
        "2027-01-15T08:00:00.000000Z", "2027-01-15T08:00:00.000000Z", "2027-01-15T08:00:09.000000Z",
    ]  # fmt: skip
    assert [one["endsAt"] for (one,) in (first, second)] == [
        "2027-01-16T08:00:00.000000Z", "2027-01-15T08:00:05.000000Z",
    ]  # fmt: skip


async def test_firing_alerts_are_repeated_after_a_restart_until_their_time_is_over(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        now = RECEIVED_AT

        def made() -> AlertmanagerOutput:
            target = HttpTarget(receiver.url, setting="T", path=PATH)
            return AlertmanagerOutput(target, state_file=tmp_path / "firing.json", clock=lambda: now)

        await made().send([event(passed(link())), event(passed(notification(COLD_START)))])
        assert len(receiver.taken.pop().json) == 2
        output = made()
        assert await output.idle() == 60
        assert receiver.taken.pop().json[0]["labels"]["alertname"] == "linkDown"
        assert await output.idle() == 60
        assert receiver.taken == []
        now += 601  # coldStart has a timeout of ten minutes
        await output.idle()
        assert [one["labels"]["alertname"] for one in receiver.taken.pop().json] == ["linkDown"]
        now += 86400
        await output.idle()
        assert (receiver.taken, len(made().active)) == ([], 0)


async def test_an_end_that_was_not_taken_is_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "firing.json"
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH), state_file=file)
        await output.send([event(passed(link()))])
        receiver.answer = lambda _: (503, {}, b"")
        with pytest.raises(DeliveryFailed):
            await output.send([event(passed(link(LINK_UP)))])
        receiver.answer = lambda _: OK
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH), state_file=file)
        await output.send([event(passed(link(LINK_UP, received_at=RECEIVED_AT + 7)))])
        assert receiver.taken[-1].json[0]["endsAt"] == "2027-01-15T08:00:07.000000Z"
        assert len(output.active) == 0


async def test_an_alert_that_is_refused_does_not_keep_others_from_being_repeated() -> None:
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH), clock=lambda: RECEIVED_AT)
        await output.send([event(passed(link()))])
        receiver.answer = lambda _: (400, {}, b"bad label")
        assert await output.idle() == 60


async def test_an_alert_that_fires_again_stays_the_same_alert() -> None:
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH))
        await output.send([event(passed(link()))])
        again = passed(link(received_at=RECEIVED_AT + 60), "rules: [{severity: critical, text: still down}]")
        await output.send([event(again)])
        (first,), (second,) = (request.json for request in receiver.taken)
    assert first["labels"] == second["labels"]
    assert first["startsAt"] == second["startsAt"]
    assert second["annotations"]["summary"] == "still down"


async def test_an_alert_says_what_a_poll_found_of_the_last_notification_that_fired_it() -> None:
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH))
        first, again = event(passed(link())), event(passed(link(received_at=RECEIVED_AT + 1)))
        found = [confirmation_of(one, Finding.NOT_CONFIRMED, RECEIVED_AT + 2) for one in (first, again)]
        assert all(map(output.wants, found))
        assert not output.wants(confirmation_of(event(passed(link(LINK_UP))), Finding.CONFIRMED, RECEIVED_AT))
        await output.send([first, again, *found])
        last = receiver.taken[-1].json
        assert [one["annotations"].get("confirmation") for one in last] == ["not_confirmed"]
        assert len(receiver.taken) == 3
        await output.send([event(passed(link(LINK_UP, received_at=RECEIVED_AT + 3))), found[1]])
        assert len(receiver.taken) == 4  # nothing is fired again by what a poll found


async def test_who_proves_nothing_ends_or_changes_no_alert_of_one_who_did() -> None:
    def made(trap: str, level: SecurityLevel) -> Event:
        return event(passed(replace(link(trap), security_level=level)))

    none, auth = SecurityLevel.NO_AUTH_NO_PRIV, SecurityLevel.AUTH_NO_PRIV
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH))
        await output.send([made(LINK_DOWN, auth), made(LINK_DOWN, none), made(LINK_UP, none)])
        told = resolution_of(passed(link(LINK_UP)))
        await output.send([read_resolution(told)])
        (alert,) = output.active
        assert "unauthenticated" not in alert.annotations
        await output.send([made(LINK_UP, auth)])
        assert len(output.active) == 0


async def test_what_another_replica_tells_late_does_not_end_an_alert_that_fired_since() -> None:
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH))
        await output.send([event(passed(link(received_at=RECEIVED_AT + 60)))])
        for seconds, left in ((0, 1), (58, 0)):
            told = json.loads(json.dumps(resolution_of(passed(link(LINK_UP, received_at=RECEIVED_AT + seconds)))))
            await output.send([read_resolution(told)])
            assert len(output.active) == left


async def test_what_ends_no_alert_is_not_sent() -> None:
    async with Receiver() as receiver:
        output = AlertmanagerOutput(HttpTarget(receiver.url, setting="T", path=PATH))
        assert await output.send([event(passed(link(LINK_UP)))]) == 0
        assert receiver.requests == []
        info = event(passed(notification("1.3.6.1.6.3.1.1.5.5")))
        assert not output.wants(info)
        assert output.wants(event(passed(notification("1.3.6.1.6.3.1.1.5.5"), "rules: [{outputs: alertmanager}]")))


def test_firing_alerts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_alerts, "MAX_ALERTS", 3)
    active = active_alerts.ActiveAlerts()
    for number in range(5):
        active.put(str(number), active_alerts.ActiveAlert({"n": str(number)}, {}, 0, 1))
    assert [one.labels["n"] for one in active] == ["2", "3", "4"]
    assert active.given_up == 2


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "{", '{"a": {"labels": {}}}'])
def test_a_damaged_file_of_firing_alerts_is_no_reason_to_fail(tmp_path: Path, text: str) -> None:
    file = tmp_path / "firing.json"
    file.write_text(text)
    active = active_alerts.ActiveAlerts(file)
    active.put("k", active_alerts.ActiveAlert({}, {}, 0, 1))
    active.save()
    assert list(json.loads(file.read_text())) == ["k"]
