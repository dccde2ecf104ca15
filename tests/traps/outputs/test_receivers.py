"""What Loki, OTLP receivers, webhooks, files and the log get, and how receivers are set."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from promsnmp.errors import SettingsError
from promsnmp.settings import Settings, load_settings
from promsnmp.traps.outputs import loki, otlp
from promsnmp.traps.outputs.event import Event, decode, encode, event_of
from promsnmp.traps.outputs.factory import build_outputs, claim_folder
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.json_lines import LOGGER, FileOutput, LogOutput
from promsnmp.traps.outputs.loki import LokiOutput
from promsnmp.traps.outputs.otlp import OtlpOutput
from promsnmp.traps.outputs.webhook import WebhookOutput
from promsnmp.traps.outputs.worker import DeliveryFailed, Output
from tests.support.notifications import LINK_DOWN, LINK_UP, RECEIVED_AT, link, passed, receiver
from tests.support.notifications.receiver import Receiver

EVENTS: list[Event] = [
    decode(encode(event_of(passed(link(trap, received_at=RECEIVED_AT + at)))))
    for trap, at in ((LINK_DOWN, 0), (LINK_UP, 1.5))
]


async def test_loki_takes_streams_of_lines() -> None:
    async with Receiver(receiver.loki) as server:
        target = HttpTarget(server.url, setting="T", path=loki.PATH, headers={"x-scope-orgid": "site1"}, token="t0k")
        assert await LokiOutput(target).send(EVENTS) == 0
        (request,) = server.taken
    streams = request.json["streams"]
    assert (request.headers["x-scope-orgid"], request.headers["authorization"]) == ("site1", "Bearer t0k")
    assert [one["stream"] for one in streams] == [
        {"job": "promsnmp", "source": "snmp-trap", "device": "core1", "severity": "warning"},
        {"job": "promsnmp", "source": "snmp-trap", "device": "core1", "severity": "info"},
    ]
    assert streams[1]["values"][0][0] == "1800000001500000000"
    assert json.loads(streams[0]["values"][0][1])["trap"] == "linkDown"


async def test_otlp_takes_log_records() -> None:
    async with Receiver(receiver.otlp) as server:
        output = OtlpOutput(HttpTarget(server.url, setting="T", path=otlp.PATH))
        assert await output.send(EVENTS) == 0
        (request,) = server.taken
        server.answer = lambda _: (200, {}, b'{"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "no"}}')
        assert await output.send(EVENTS) == 1
    records = request.json["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert [(one["severityNumber"], one["severityText"]) for one in records] == [(13, "WARN"), (9, "INFO")]
    assert records[0]["body"] == {"stringValue": "Interface 3 went down"}
    attributes = {one["key"]: one["value"]["stringValue"] for one in records[0]["attributes"]}
    assert attributes["snmp.varbind.ifOperStatus.3"] == "down"
    assert attributes["device.name"] == "core1"


async def test_a_webhook_is_signed() -> None:
    async with Receiver() as server:
        target = HttpTarget(server.url.replace("//", "//us%40er:p%3Aw@") + "/hook?a=b", setting="T")
        await WebhookOutput(target, secret=b"key", clock=lambda: 1234.5).send(EVENTS)
        (request,) = server.taken
    expected = hmac.new(b"key", b"1234." + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-promsnmp-timestamp"] == "1234"
    assert request.headers["x-promsnmp-signature"] == f"sha256={expected}"
    assert request.headers["authorization"] == "Basic dXNAZXI6cDp3"
    assert request.path == "/hook?a=b"
    assert [one["trap"] for one in request.json["events"]] == ["linkDown", "linkUp"]
    assert set(request.json["events"][0]) & {"key", "resolves", "outputs", "timeout"} == set()


async def test_a_file_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "log" / "traps.json"
    output = FileOutput(path, max_octets=1500, keep=2)
    for _ in range(5):
        await output.send(EVENTS)
    assert sorted(one.name for one in path.parent.iterdir()) == ["traps.json", "traps.json.1", "traps.json.2"]
    assert [json.loads(line)["trap"] for line in path.read_text().splitlines()] == ["linkDown", "linkUp"]


async def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryFailed):
        await FileOutput(tmp_path / "file" / "traps.json", max_octets=1500, keep=2).send(EVENTS)


async def test_the_log_gets_lines_of_json(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        await LogOutput().send(EVENTS)
    assert [json.loads(record.getMessage())["trap"] for record in caplog.records] == ["linkDown", "linkUp"]


def outputs_of(**settings: object) -> list[Output]:
    return [worker.output for worker in build_outputs(load_settings(**settings)).workers]


def test_each_setting_makes_its_output(tmp_path: Path) -> None:
    found = outputs_of(
        trap_file=tmp_path / "traps.json",
        trap_alertmanager_urls=SecretStr("http://a:9093, https://u:secret@b/alerts"),
        trap_loki_url=SecretStr("http://loki:3100"),
        trap_otlp_url=SecretStr("http://[2001:db8::1]:4318/v1/logs"),
        trap_webhook_url=SecretStr("http://hook"),
        trap_queue_dir=tmp_path,
    )
    names = [one.name for one in found]
    assert names == ["log", "file", "alertmanager-a-9093", "alertmanager-b-443", "loki", "otlp", "webhook"]
    assert not any("secret" in name for name in names)
    assert [one.name for one in outputs_of(trap_log=False)] == []


@pytest.mark.parametrize(
    "url", ["loki:3100", "ftp://x", "http://", "http://a:x", "http://a:99999", "http://se cret@a", "http://a/#se"]
)
def test_a_wrong_url_is_named_by_its_setting_only(url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        outputs_of(trap_loki_url=SecretStr(url))
    assert str(raised.value).startswith("TRAP_LOKI_URL")
    assert "se" not in str(raised.value).removeprefix("TRAP_LOKI_URL")


def test_urls_and_tokens_are_secrets() -> None:
    for name in Settings.model_fields:
        if name.startswith("trap_") and name.endswith(("_url", "_urls", "_token", "_secret")) and "page" not in name:
            assert "SecretStr" in str(Settings.model_fields[name].annotation), name


def test_each_process_has_its_own_folder(tmp_path: Path) -> None:
    assert [claim_folder(tmp_path).name for _ in range(3)] == ["queue-0", "queue-1", "queue-2"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="TRAP_QUEUE_DIR"):
        claim_folder(tmp_path / "file")
