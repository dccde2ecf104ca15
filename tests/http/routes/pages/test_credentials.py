"""Named credentials on pages, over HTTP with the real inventory: who may, what happens, what is never shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from tests.support.web.forms import OpenForm, open_form
from tests.support.web.hostile import HOSTILE

Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
LOCAL = {"host": "localhost", "address": "127.0.0.1", "collection_interval": 0}
SECRET, ROTATED = "s3cret-community", "s3cret-rotated"
CAMPUS = {"version": 1, "type": "snmp-community", "readCommunity": SECRET}


async def campus(client: httpx.AsyncClient, *, devices: int = 0) -> list[str]:
    """Credentials with some devices that use them; returns the ids of the devices."""
    assert (await client.put("/promsnmp/credentials/campus", json=CAMPUS)).status_code == 201
    found = []
    for number in range(devices):
        agent = {"credentialsName": "campus", "endpoint": {"address": f"192.0.2.{number + 1}"}}
        answer = await client.post("/promsnmp/devices", json={"sysName": f"switch-{number}", "agents": [agent]})
        assert answer.status_code == 201, answer.text
        found.append(answer.json()["id"])
    return found


async def entry(client: httpx.AsyncClient, name: str = "campus") -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/promsnmp/credentials/{name}")).json()
    return found


async def test_credentials_are_added_used_rotated_and_removed(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    texts = []
    async with opened(**LOCAL) as client:
        form = await open_form(client, "/add-credentials")
        wrong = await form.send(name="no name!", version="v3", user="ops", auth_passphrase="short")
        assert wrong.status_code == 400
        assert "the name must be" in wrong.text
        added = await form.send(
            name="ops", version="v3", user="monitor", level="authPriv", auth_passphrase=SECRET, priv_passphrase=SECRET
        )
        assert added.headers["location"] == "credentials?done=credentials-added"
        twice = await form.send(name="ops", community="x")
        assert (twice.status_code, "already" in twice.text) == (400, True)
        page = await client.get("/credentials")
        expected = ("ops", "monitor", "authPriv", "SHA256", "AES128", "anonymous@127.0.0.1")
        assert [text for text in expected if text not in page.text] == []
        [device_id] = await campus(client, devices=1)
        shown = await client.get(f"/devices/{device_id}")
        assert 'href="../credentials?find=campus"' in shown.text
        form = await open_form(client, "/credentials/campus/change")
        changed = await form.send(community=ROTATED)
        assert changed.headers["location"] == "../../credentials?done=credentials-changed"
        refused = await (await open_form(client, "/credentials/ops/remove")).send()
        assert refused.status_code == 303
        used = await client.get("/credentials/campus/remove")
        assert "switch-0" in used.text
        assert 'class="danger"' not in used.text
        texts += [wrong.text, twice.text, page.text, shown.text, used.text]
        selected = await client.get("/devices?query=credentials%3Dcampus")
        assert "switch-0" in selected.text
        assert [one["name"] for one in (await client.get("/promsnmp/credentials")).json()] == ["campus"]
    assert "credentials added" in caplog.text
    assert "credentials=ops" in caplog.text
    assert SECRET not in "".join(texts) + caplog.text
    assert ROTATED not in "".join(texts) + caplog.text


async def test_a_form_that_is_too_old_changes_nothing(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        [device_id] = await campus(client, devices=1)
        change = await open_form(client, "/credentials/campus/change")
        remove = OpenForm(client, "/credentials/campus/remove", (await client.get("/add-credentials")).text)
        assert (await change.send()).headers["location"].endswith("done=unchanged")
        assert (await change.send(community=ROTATED)).status_code == 303
        late = await change.send(community="another")
        assert (late.status_code, "somebody else" in late.text) == (412, True)
        assert (await remove.send(etag="x")).status_code == 412
        etag = (await client.get("/promsnmp/credentials/campus")).headers["etag"]
        kept = await remove.send(etag=etag)
        assert (kept.status_code, "switch-0" in kept.text) == (409, True)
        stale = {"if-match": '"x"'}
        assert (await client.delete("/promsnmp/credentials/campus", headers=stale)).status_code == 412
        assert (await client.put("/promsnmp/credentials/campus", json=CAMPUS, headers=stale)).status_code == 412
        assert (await client.delete(f"/promsnmp/devices/{device_id}")).status_code == 204
        assert (await remove.send(etag=etag)).status_code == 303
        assert (await change.send(community="x")).status_code == 404
        assert (await client.get("/credentials/campus/change")).status_code == 404


async def test_seeds_with_the_same_credentials_follow_where_asked(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        await campus(client)
        search = await open_form(client, "/discovery", "discovery/search")
        unknown = await search.send(targets="192.0.2.1", auth="credentials:none", action="save")
        assert (unknown.status_code, "no credentials" in unknown.text) == (400, True)
        assert (await search.send(targets="192.0.2.1", auth="credentials:campus", action="save")).status_code == 303
        assert (await entry(client))["usedBySeeds"] == 1
        form = await open_form(client, "/credentials/campus/change")
        assert form.fields.pop("with_seeds") == "yes"
        assert (await form.send(community="apart")).status_code == 303
        assert (await entry(client))["usedBySeeds"] == 0
        assert (await (await open_form(client, "/credentials/campus/change")).send(community=SECRET)).status_code == 303
        form = await open_form(client, "/credentials/campus/change")
        assert (await form.send(community=ROTATED)).status_code == 303
        assert (await entry(client))["usedBySeeds"] == 1


async def test_devices_get_credentials_by_name(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        await campus(client)
        add = await open_form(client, "/add-device")
        both = await add.send(name="new", address="192.0.2.9", named="campus", community="x", anyway="1")
        assert (both.status_code, "others as well" in both.text) == (400, True)
        assert (await add.send(name="new", address="192.0.2.9", named="campus", anyway="1")).status_code == 303
        device = (await client.get("/promsnmp/devices/new")).json()
        assert device["agents"][0]["credentialsName"] == "campus"
        edit = await open_form(client, f"/devices/{device['id']}/edit")
        assert edit.fields["named"] == "campus"
        assert (await edit.send(version="v1")).status_code == 400
        assert (await edit.send(named="", version="v1")).status_code == 303
        agent = (await client.get("/promsnmp/devices/new")).json()["agents"][0]
        assert (agent.get("credentialsName"), agent["version"]) == (None, 0)
        edit = await open_form(client, f"/devices/{device['id']}/edit")
        assert (await edit.send(named="none")).status_code == 400
        assert (await edit.send(named="campus")).status_code == 303
        bulk = await client.get(f"/devices/{device['id']}/edit")
        token = OpenForm(client, "/", bulk.text).fields["form_token"]
        chosen = {"form_token": token, "id": device["id"], "action": "credentials"}
        asked = OpenForm(client, "/bulk", (await client.post("/bulk", data=chosen)).text)
        neither, mixed = await asked.send(), await asked.send(credentials_name="campus", entered="new")
        assert (neither.status_code, mixed.status_code) == (400, 400)
        done = await asked.send(credentials_name="campus")
        assert done.headers["location"] == "../devices?done=credentials-set&number=1"
        assert (await client.get("/promsnmp/devices/new")).json()["agents"][0]["credentialsName"] == "campus"


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_names_are_refused_and_stay_text(opened: Opened, kind: str) -> None:
    name = HOSTILE[kind][:60_000].encode("utf-8", "replace").decode()
    async with opened(**LOCAL) as client:
        answer = await (await open_form(client, "/add-credentials")).send(name=name, community=SECRET)
        assert answer.status_code in (400, 413)
        assert "<script>alert" not in answer.text
        assert "<img" not in answer.text
        assert len(answer.text) < 20_000
        assert SECRET not in answer.text
        assert (await client.get("/credentials", params={"find": name[:2_000]})).status_code == 200
        assert (await client.get("/promsnmp/credentials")).json() == []


async def test_forms_need_their_token_and_management_access(opened: Opened) -> None:
    async with opened(**LOCAL) as client:
        await campus(client)
        for path in ("/add-credentials", "/credentials/campus/change", "/credentials/campus/remove"):
            assert (await client.post(path, data={"community": "x"})).status_code == 403
    settings = {"api_token": "a-token-for-tests-of-pages", "collection_interval": 0}
    async with opened(**settings, web_read_anonymous=True) as client:
        page = await client.get("/credentials")
        assert (page.status_code, "campus" in page.text, "/change" in page.text) == (200, True, False)
        for path in ("/add-credentials", "/credentials/campus/change", "/credentials/campus/remove"):
            answer = await client.get(path)
            assert "login?next=" in answer.headers["location"]
    async with opened(**settings) as client:
        refused = await client.get("/credentials")
        assert (refused.status_code, "campus" in refused.text) == (303, False)
    async with opened(**LOCAL, web_ui=False) as client:
        for path in ("/credentials", "/add-credentials"):
            assert (await client.get(path)).status_code == 404
