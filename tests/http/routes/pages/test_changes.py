"""Changes from the pages, over HTTP with the real inventory: who may, what happens, what the audit log says."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import system
from tests.support.tools import free_udp_port
from tests.support.web.forms import OpenForm, open_form
from tests.support.web.html import Page

Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
LOCAL = {"host": "localhost", "address": "127.0.0.1", "collection_interval": 0}
SECRET = "s3cret-community"


async def add(client: httpx.AsyncClient, number: int, **keys: Any) -> dict[str, Any]:
    agent = {
        "type": "snmp-community", "version": 1, "readCommunity": SECRET, "endpoint": {"address": f"192.0.2.{number}"},
    }  # fmt: skip
    answer = await client.post("/promsnmp/devices", json={"sysName": f"switch-{number}", "agents": [agent], **keys})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def shown(client: httpx.AsyncClient, device_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/promsnmp/devices/{device_id}")).json()
    return found


async def test_the_first_device_is_added(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "promsnmp.audit")
    async with opened(**LOCAL) as client:
        form = await open_form(client, "/add-device")
        wrong = await form.send(address="not an address!", community="")
        assert wrong.status_code == 400
        assert "endpoint.address" in wrong.text
        assert "readCommunity" in wrong.text
        port = str(free_udp_port())
        silent = await form.send(
            name="core", address="127.0.0.1", port=port, community=SECRET, labels="region=eu\r\nrack = 7",
            modules="if_mib, system", interval="30s", timeout="100", retries="0",
        )  # fmt: skip
        assert (silent.status_code, SECRET in silent.text) == (400, False)
        assert "does not answer" in silent.text
        assert (await client.get("/promsnmp/devices")).json()["devices"] == []
        again = await open_form_of(client, "/add-device", silent)
        answer = await client.post("/add-device", data={**again, "anyway": "1"})
        assert answer.status_code == 303
        page = await client.get(f"/{answer.headers['location']}")
        assert "Added." in page.text
        assert SECRET not in page.text
        device = (await client.get("/promsnmp/devices/core")).json()
        assert device["labels"] == {"region": "eu", "rack": "7"}
        assert device["modules"] == ["if_mib", "system"]
        assert device["interval"] == 30_000
        assert (device["agents"][0]["endpoint"], device["agents"][0]["version"]) == (
            {"address": "127.0.0.1", "port": int(port)}, 1,
        )  # fmt: skip
    assert any("device added" in line and "anonymous@127.0.0.1" in line for line in caplog.messages)
    assert SECRET not in caplog.text


async def test_a_device_that_answers_is_added_at_once(opened: Opened) -> None:
    objects = system("core", "an example", object_id_suffix="1", contact="", location="", services=2)
    async with SimulatedAgent(Mib.of(objects)) as agent, opened(**LOCAL) as client:
        await agent.start("127.0.0.1", 0)
        form = await open_form(client, "/add-device")
        given = {"address": "127.0.0.1", "port": str(agent.port), "timeout": "200", "retries": "0"}
        assert "does not answer" in (await form.send(**given, community="wrong")).text
        assert (await form.send(**given, community="public")).status_code == 303


async def test_credentials_of_another_agent_are_edited_and_copied(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        one, other = await add(client, 1), await add(client, 2)
        second = {
            "type": "snmp-community", "version": 1, "readCommunity": SECRET, "endpoint": {"address": "192.0.2.99"},
        }  # fmt: skip
        answer = await client.patch(
            f"/promsnmp/devices/{one['id']}", json={"agents": [one["agents"][0], second], "primaryAgent": None},
            headers={"content-type": "application/merge-patch+json"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        first_id, second_id = (agent["id"] for agent in answer.json()["agents"])
        path = f"/devices/{one['id']}/edit?agent={second_id}"
        form = await open_form(client, path)
        assert form.fields["address"] == "192.0.2.99"
        done = await form.send(version="v3", user="monitor", level="noAuthNoPriv", port="1161")
        assert done.headers["location"].endswith("done=saved")
        agents = {agent["id"]: agent for agent in (await shown(client, one["id"]))["agents"]}
        assert agents[second_id]["securityName"] == "monitor"
        assert agents[second_id]["endpoint"] == {"address": "192.0.2.99", "port": 1161}
        assert agents[first_id] == one["agents"][0]
        assert (await shown(client, one["id"]))["primaryAgent"]["id"] == first_id
        gone = await form.send(agent="gone", port="1")
        assert gone.status_code == 400
        form = await open_form(client, f"/devices/{one['id']}/edit")
        await form.send(version="v3", user="primary", level="noAuthNoPriv")
        list_form = await open_form(client, "/devices", "bulk")
        ask = await client.post("/bulk", data={**list_form.fields, "id": other["id"], "action": "credentials"})
        confirm = await open_form_of(client, "/bulk", ask)
        assert "no device" in (await client.post("/bulk/apply", data={**confirm, "entered": "gone"})).text
        done = await client.post("/bulk/apply", data={**confirm, "entered": "switch-1"})
        assert done.headers["location"] == "../devices?done=credentials-set&number=1"
        copied = (await shown(client, other["id"]))["primaryAgent"]
        assert (copied["securityName"], copied["endpoint"]["address"]) == ("primary", "192.0.2.2")


async def test_an_edit_changes_what_was_entered_and_nothing_else(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        before = await add(client, 1, sysDescr="line 1\r\nline\x002 ​" + "x" * 5_000, labels={"a": "1", "b": "2"})
        form = await open_form(client, f"/devices/{before['id']}/edit")
        assert SECRET not in str(form.fields)
        assert (await form.send()).headers["location"] == f"../{before['id']}?done=unchanged"
        assert await shown(client, before["id"]) == before
        answer = await form.send(name="renamed", labels="b=3", timeout="2500", max_repetitions="10", unconnected="yes")
        assert answer.headers["location"] == f"../{before['id']}?done=saved"
        after = await shown(client, before["id"])
        agent = {**before["agents"][0], "timeout": 2500}
        assert after == before | {
            "sysName": "renamed", "labels": {"b": "3"}, "maxRepetitions": 10, "unconnected": True,
            "agents": [agent], "primaryAgent": agent,
        }  # fmt: skip
        form = await open_form(client, f"/devices/{before['id']}/edit")
        await form.send(max_repetitions="", unconnected="", labels="")
        after = await shown(client, before["id"])
        assert "maxRepetitions" not in after
        assert "unconnected" not in after
        assert "labels" not in after


async def test_credentials_are_entered_and_never_shown(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        device = await add(client, 1)
        path = f"/devices/{device['id']}/edit"
        user = {
            "version": "v3", "user": "monitor", "level": "authPriv", "auth_protocol": "SHA512",
            "auth_passphrase": "an auth passphrase", "priv_protocol": "AES256", "priv_passphrase": "a priv passphrase",
        }  # fmt: skip
        missing = await (await open_form(client, path)).send(**{**user, "priv_passphrase": ""})
        assert missing.status_code == 400
        assert "privPassphrase: is missing" in missing.text
        assert "an auth passphrase" not in missing.text
        assert "are kept for ten minutes" in missing.text
        assert (await (await open_form(client, path)).send(**user)).status_code == 303
        agent = (await shown(client, device["id"]))["agents"][0]
        assert (agent["type"], agent["version"], agent["securityName"]) == ("snmp-user", 3, "monitor")
        assert (agent["authPassphrase"], agent["privPassphrase"]) == ("******", "******")
        form = await open_form(client, path)
        assert "passphrase" not in form.fields["shown"]
        assert (form.fields["auth_passphrase"], form.fields["user"]) == ("", "monitor")
        tag = (await client.get(f"/promsnmp/devices/{device['id']}")).headers["etag"]
        assert (await form.send(auth_passphrase="another auth passphrase")).status_code == 303
        assert (await client.get(f"/promsnmp/devices/{device['id']}")).headers["etag"] != tag
        await (await open_form(client, path)).send(version="v2c", community="another community")
        agent = (await shown(client, device["id"]))["agents"][0]
        assert (agent["type"], agent["readCommunity"], "securityName" in agent) == ("snmp-community", "******", False)


async def test_two_people_edit_one_device_and_the_second_decides(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        device = await add(client, 1, sysLocation="Vienna", sysContact="Ada")
        path = f"/devices/{device['id']}/edit"
        first, second = await open_form(client, path), await open_form(client, path)
        assert (await first.send(location="Graz", contact="Grace")).status_code == 303
        answer = await second.send(location="Linz", description="mine", community="typed again")
        assert answer.status_code == 412
        page = Page(answer.text)
        rows = {row[0]: row[1:] for row in page.rows}
        assert rows["Location"] == ["Vienna", "Graz", "Linz", "yours"]
        assert rows["Contact"] == ["Ada", "Grace", "Ada", "now"]
        assert "typed again" not in answer.text
        assert (await shown(client, device["id"]))["sysLocation"] == "Graz"
        decided = await open_form_of(client, path, answer)
        assert (decided["location"], decided["contact"], decided["description"]) == ("Linz", "Grace", "mine")
        assert (await client.post(path, data=decided)).status_code == 303
        after = await shown(client, device["id"])
        assert (after["sysLocation"], after["sysContact"], after["sysDescr"]) == ("Linz", "Grace", "mine")


async def open_form_of(client: httpx.AsyncClient, path: str, answer: httpx.Response) -> dict[str, str]:
    return OpenForm(client, path, answer.text).fields


async def test_what_a_search_notes_is_no_conflict(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        device = await add(client, 1)
        form = await open_form(client, f"/devices/{device['id']}/edit")
        agent = {**device["agents"][0], "engineId": "80001f8880e9630000d61ff449"}
        seen = {"lastSeen": "2026-01-01T00:00:00Z", "vendor": "Acme", "sysDescr": "as it says", "agents": [agent]}
        assert (await client.patch(f"/promsnmp/devices/{device['id']}", json=seen)).status_code == 200
        assert (await form.send(description="mine")).status_code == 412, "both have changed the description"
        assert (await form.send(name="renamed")).status_code == 303
        assert (await shown(client, device["id"]))["sysDescr"] == "as it says"


async def test_a_device_is_removed_after_a_question_and_only_as_it_was_seen(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        device = await add(client, 1)
        path = f"/devices/{device['id']}/remove"
        form = await open_form(client, path)
        await client.patch(f"/promsnmp/devices/{device['id']}", json={"sysContact": "Ada"})
        changed = await form.send()
        assert changed.status_code == 412
        assert (
            (await (await open_form(client, path)).send()).headers["location"].startswith("../../devices?done=removed")
        )
        assert (await client.get(path)).status_code == 404
        assert (await form.send()).status_code == 404


async def test_many_devices_are_changed_in_one_write_and_exactly_those_that_were_named(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        devices = [await add(client, number, labels={"region": "eu"}) for number in range(1, 6)]
        form = await open_form(client, "/devices", "bulk")
        chosen = [one["id"] for one in devices[:2]]
        answer = await client.post("/bulk", data={**form.fields, "id": chosen, "action": "labels"})
        assert "Set labels of 2 devices" in Page(answer.text).text
        assert "switch-1" in answer.text
        confirm = await open_form_of(client, "/bulk", answer)
        revision = (await client.get("/promsnmp/devices")).json()["revision"]
        wrong = await client.post("/bulk/apply", data={**confirm, "entered": "1wrong=x"})
        assert wrong.status_code == 400
        assert "is not a label name" in wrong.text
        done = await client.post("/bulk/apply", data={**confirm, "entered": "rack=7\r\nregion="})
        assert done.headers["location"] == "../devices?done=labels-set&number=2"
        listed = (await client.get("/promsnmp/devices")).json()
        assert listed["revision"] == revision + 1
        labels = {one["sysName"]: one.get("labels") for one in listed["devices"]}
        assert labels["switch-1"] == labels["switch-2"] == {"rack": "7"}
        assert labels["switch-3"] == {"region": "eu"}
        every = {**form.fields, "all": "yes", "query": "query=label.region%3Deu", "action": "remove"}
        answer = await client.post("/bulk", data=every)
        assert "Remove 3 devices?" in Page(answer.text).text
        confirm = await open_form_of(client, "/bulk", answer)
        await add(client, 9, labels={"region": "eu"})
        assert (await client.post("/bulk/apply", data=confirm)).headers["location"].endswith("removed&number=3")
        left = [one["sysName"] for one in (await client.get("/promsnmp/devices")).json()["devices"]]
        assert left == ["switch-1", "switch-2", "switch-9"]
        none = await client.post("/bulk", data={**form.fields, "action": "remove"})
        assert none.headers["location"] == "devices?done=none"


async def test_modules_of_many_devices(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        device = await add(client, 1)
        form = await open_form(client, "/devices", "bulk")
        answer = await client.post("/bulk", data={**form.fields, "id": device["id"], "action": "modules"})
        confirm = await open_form_of(client, "/bulk", answer)
        await client.post("/bulk/apply", data={**confirm, "entered": "if_mib, system"})
        assert (await shown(client, device["id"]))["modules"] == ["if_mib", "system"]


async def test_the_list_as_csv_is_safe_to_open(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        hostile = ["=HYPERLINK(1)", " +1+cmd", "@SUM(1)", "-2", "\t=1", 'a,b"c', "line\nbreak", "\u202egnp"]
        for number, text in enumerate(hostile, 1):
            await add(client, number, sysLocation=text, sysContact=text)
        answer = await client.get("/devices.csv?sort=name")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == len(hostile)
        assert SECRET not in answer.text
        cells = [cell for row in rows for cell in row.values()]
        assert [cell for cell in cells if re.match(r"\s*[=+@-]", cell)] == []
        assert {row["location"] for row in rows} >= {"'=HYPERLINK(1)", "'@SUM(1)", "'-2", 'a,b"c'}
        form = await open_form(client, "/devices", "bulk")
        chosen = await client.post("/bulk", data={**form.fields, "id": rows[0]["id"], "action": "export"})
        assert len(list(csv.reader(io.StringIO(chosen.text)))) == 2
        wrong = await client.get("/devices.csv?nonsense=1")
        assert wrong.status_code == 400
        assert "unknown filter" in wrong.text


CHECKED = [
    ("modules:\n  mine:\n    walk: [1.3.6.1.2.1.2]\n    metrics: []\n", "can be loaded", "1 module"),
    ("modules:\n  mine:\n    wolk: []\n", "1 problem", "mine.yml:3"),
    ("modules: [", "problem", "mine.yml:"),
    ("modules:\n" + "".join(f"  m{number}: {{wolk: 1}}\n" for number in range(3_000)), "problems", "mine.yml:2"),
]


@pytest.mark.parametrize(("text", "verdict", "detail"), CHECKED, ids=("right", "wrong key", "no YAML", "hostile"))
async def test_a_file_is_checked_without_being_used(opened: Opened, text: str, verdict: str, detail: str) -> None:
    async with opened(**LOCAL) as client:
        form = await open_form(client, "/modules", "check")
        answer = await client.post("/modules/check", data=form.fields, files={"file": ("mine.yml", text.encode())})
        assert answer.status_code == 200
        assert verdict in answer.text
        assert detail in answer.text
        assert "mine" not in Page((await client.get("/modules")).text).text.split()


async def test_a_file_that_is_too_large_or_not_text_is_refused_with_a_page(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        form = await open_form(client, "/modules", "check")
        for content, status in ((b"\xff\xfe\x00", 400), (b"#" * (5 * 1024 * 1024), 413), (b"", 400)):
            answer = await client.post("/modules/check", data=form.fields, files={"file": ("mine.yml", content)})
            assert answer.status_code == status
            assert "<h1>" in answer.text


async def test_reload_and_step_down_say_what_they_did(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        form = await open_form(client, "/modules", "reload")
        answer = await form.send()
        assert answer.headers["location"] == "../modules?done=reloaded"
        assert "read again" in (await client.get("/modules?done=reloaded")).text
        refused = await client.post("/replicas/step-down", data=form.fields)
        assert refused.status_code == 400
        assert "only replica" in refused.text


async def test_a_poll_is_asked_for(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        agent = {"type": "snmp-community", "version": 1, "readCommunity": "x", "timeout": 100, "retries": 0,
                 "endpoint": {"address": "127.0.0.1", "port": 9}}  # fmt: skip
        device = (await client.post("/promsnmp/devices", json={"sysName": "dead", "agents": [agent]})).json()
        for action, notice in (("poll", "polled"), ("detect", "detected")):
            answer = await (await open_form(client, f"/devices/{device['id']}", action)).send()
            assert answer.headers["location"] == f"../{device['id']}?done={notice}"
        form = await open_form(client, "/devices", "bulk")
        answer = await client.post("/bulk", data={**form.fields, "id": device["id"], "action": "poll"})
        assert answer.headers["location"] == "devices?done=polls&number=1"
        assert "1 poll has begun" in (await client.get("/devices?done=polls&number=1")).text
        assert (await shown(client, device["id"]))["polling"]["state"] == "down"


@pytest.mark.parametrize("path", ["/add-device", "/login", "/devices", "/modules", "/nothing-like-it"])
async def test_a_form_that_is_no_form_is_refused(opened: Opened, path: str) -> None:
    async with opened(**LOCAL) as client:
        for body, kind in ((b"{}", "application/json"), (b"\xff%ZZ", "application/x-www-form-urlencoded"), (b"x", "")):
            answer = await client.post(path, content=body, headers={"content-type": kind})
            assert answer.status_code in (400, 403, 404, 405, 415)
