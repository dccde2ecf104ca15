"""Devices of NetBox and Nautobot, read with their own clients from servers that answer as they do."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from promsnmp.errors import SourceError
from promsnmp.inventory.model import AgentEndpoint
from promsnmp.settings.device_sources.definitions import ENTRY, NautobotSource, NetboxSource
from promsnmp.sources.factory import make_reader
from promsnmp.sources.model import Reading
from tests.support.service.certificates import Authority
from tests.support.sources.http_source import Answered, HttpSourceServer, http_source
from tests.support.sources.netbox import TOKEN, FakeNetbox, nautobot_device, netbox_device

FORTY = [netbox_device(number, site="muc" if number % 4 == 0 else "ber") for number in range(1, 41)]


@asynccontextmanager
async def serving(fake: FakeNetbox, tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpSourceServer]:
    async with http_source(fake.answer, tls=tls) as server:
        fake.base = server.url
        yield server


def definition(url: str, kind: str = "netbox", **more: Any) -> NetboxSource | NautobotSource:
    entry = ENTRY.validate_python({"name": "n", "type": kind, "url": url, "token_env": "NETBOX_TOKEN"} | more)
    assert isinstance(entry, NetboxSource | NautobotSource)
    return entry


async def read(url: str, kind: str = "netbox", **more: Any) -> Reading:
    return await make_reader(definition(url, kind, **more)).read()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETBOX_TOKEN", TOKEN)


async def test_all_pages_are_read_with_filters() -> None:
    fake = FakeNetbox(FORTY, page_size=7)
    async with serving(fake) as server:
        reading = await read(
            server.url, credentials="campus", labels={"origin": "netbox"}, filters={"status": "active"}
        )
        assert (len(reading.devices), fake.requests) == (40, 6)
        munich = await read(server.url, filters={"site": ["muc"], "status": ["active", "planned"]})
        assert len(munich.devices) == 10
    first = reading.devices[0]
    assert (first.key, first.name, first.endpoint) == ("1", "sw1", AgentEndpoint("10.0.0.1"))
    assert (first.credentials_name, first.modules) == ("campus", ())
    assert dict(first.labels) == {
        "origin": "netbox", "site": "ber", "role": "access", "platform": "ios-xe", "tags": "snmp",
    }  # fmt: skip
    last = server.asked[-1]
    assert [value for key, value in last.query if key == "status"] == ["active", "planned"]
    assert ("exclude", "config_context") in last.query


async def test_custom_fields_say_how_a_device_is_polled() -> None:
    fields = {"promsnmp_credentials": "core", "promsnmp_modules": "if_mib, ups"}
    chosen = {"promsnmp_credentials": {"value": "edge", "label": "Edge"}, "promsnmp_modules": ["if_mib"]}
    fake = FakeNetbox([netbox_device(1, custom_fields=fields), netbox_device(2, custom_fields=chosen)])
    async with serving(fake) as server:
        first, second = (await read(server.url, credentials="campus")).devices
        (other, _) = (
            await read(server.url, modules_field="nosuch", label_fields={"vendor": "device_type.manufacturer"})
        ).devices
    assert (first.credentials_name, first.modules) == ("core", ("if_mib", "ups"))
    assert (second.credentials_name, second.modules) == ("edge", ("if_mib",))
    assert (other.modules, dict(other.labels)) == ((), {"vendor": "cisco", "tags": "snmp"})


async def test_virtual_machines_have_keys_of_their_own() -> None:
    async with serving(FakeNetbox([netbox_device(1)], [netbox_device(1, name="vm1")])) as server:
        reading = await read(server.url, virtual_machines=True)
    assert [(one.key, one.name) for one in reading.devices] == [("1", "sw1"), ("vm/1", "vm1")]


async def test_what_cannot_be_polled_is_told_with_its_key() -> None:
    records = [
        netbox_device(1, primary_ip=None),
        netbox_device(2, primary_ip={"address": "not an address/24"}),
        netbox_device(3, custom_fields={"promsnmp_credentials": "a b"}),
        netbox_device(4, name=None, custom_fields=None, site=None, tags=None),
    ]
    async with serving(FakeNetbox(records)) as server:
        reading = await read(server.url)
    assert [one.key for one in reading.unusable] == ["1", "2", "3"]
    assert "primary_ip" in reading.unusable[0].reason
    assert [(one.key, one.name) for one in reading.devices] == [("4", "")]


async def test_nautobot_is_read_the_same_way() -> None:
    fake = FakeNetbox([nautobot_device(number) for number in range(1, 4)], page_size=2)
    async with serving(fake) as server:
        reading = await read(server.url, "nautobot")
    first = reading.devices[0]
    assert len(reading.devices) == 3
    assert (first.key, first.endpoint) == ("00000000-0000-4000-8000-000000000001", AgentEndpoint("10.1.0.1"))
    assert (first.credentials_name, first.modules) == ("core", ("if_mib", "ups"))
    assert dict(first.labels) == {"location": "Berlin", "role": "Access", "tags": "SNMP"}
    assert ("depth", "1") in server.asked[0].query


PAGE = json.dumps({"count": 1, "next": None, "previous": None, "results": [netbox_device(1)]}).encode()
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("kind", ["netbox", "nautobot"])
@pytest.mark.parametrize(
    ("number", "answer", "reason"),
    [
        (0, Answered(500, b"<html>s3cret", {"content-type": "text/html"}), "answered 500"),
        (1, Answered(502, b"{}"), "answered 502"),
        (0, Answered(200, b"<html>s3cret", {"content-type": "text/html"}), "JSON"),
        (0, Answered(200, PAGE[:-20], JSON), "JSON"),
        (0, Answered(200, PAGE[:-20], JSON, announced=len(PAGE)), "connection was lost"),
        (0, Answered(200, b"5", JSON), "something else"),
        (0, Answered(200, b'{"count": 1, "next": null, "results": [5]}', JSON), "something else"),
        (0, Answered(302, b"", {"location": "http://127.0.0.2:1/s3cret"}), "redirects"),
        (0, Answered(200, b'"' + b"x" * 300_000 + b'"', JSON), "more than 200000 bytes"),
        (0, Answered(hangs=True), "in time"),
    ],
)
async def test_a_bad_answer_is_an_error_without_secrets(kind: str, number: int, answer: Answered, reason: str) -> None:
    devices = [netbox_device(one) for one in range(1, 5)]
    async with serving(FakeNetbox(devices, page_size=2, fault={number: answer})) as server:
        with pytest.raises(SourceError, match=reason) as caught:
            await read(server.url, kind, timeout=300 if answer.hangs else 20_000, max_bytes=200_000)
    assert "s3cret" not in str(caught.value)


async def test_a_wrong_token_filter_or_url_is_told() -> None:
    async with serving(FakeNetbox(FORTY)) as server:
        for more, reason in (
            ({"filters": {"site": "nosuch"}}, "answered 400; is a filter wrong"),
            ({"url": f"{server.url}/x"}, "answered 404; is the url right"),
            ({"token_env": "HOME"}, "answered 403; may the token"),
        ):
            with pytest.raises(SourceError, match=reason) as caught:
                await read(**{"url": server.url} | more)
            assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("kind", "reason"), [("netbox", "announced 2 devices"), ("nautobot", "another address")])
async def test_the_token_does_not_go_to_another_server(kind: str, reason: str) -> None:
    async with http_source(lambda _: Answered()) as other:
        links = json.loads(PAGE) | {"next": f"{other.url}/api/dcim/devices/?offset=1", "count": 2}
        async with serving(FakeNetbox([], fault={0: Answered(200, json.dumps(links).encode(), JSON)})) as server:
            with pytest.raises(SourceError, match=reason):
                await read(server.url, kind)
    assert other.asked == []


async def test_a_slow_server_does_not_hold_the_loop() -> None:
    async with serving(FakeNetbox([], fault={0: Answered(hangs=True)})) as server:
        reading = asyncio.create_task(read(server.url, timeout=500))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not reading.done()
        with pytest.raises(SourceError):
            await reading


async def test_the_server_is_checked_by_its_certificate(tmp_path: Path) -> None:
    authority = Authority()
    authority.issue("server", "IP:127.0.0.1").write(tmp_path, "server")
    (tmp_path / "ca.crt").write_bytes(authority.cert)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    async with serving(FakeNetbox(FORTY), tls) as server:
        assert len((await read(server.url, ca_file=str(tmp_path / "ca.crt"))).devices) == 40
        with pytest.raises(SourceError, match="certificate"):
            await read(server.url)
        with pytest.raises(SourceError, match="nosuch"):
            await read(server.url, ca_file=str(tmp_path / "nosuch.crt"))
