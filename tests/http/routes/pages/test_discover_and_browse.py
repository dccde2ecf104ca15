"""Discovery, browse and map over HTTP: who may, what a form starts, and the stream of events."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.routing import APIRoute

from promsnmp import app
from promsnmp.http.app import ROUTERS
from promsnmp.http.middleware.page_forms import TOKEN_FIELD
from promsnmp.http.responses.events import MOST_STREAMS, EventStreams, event
from promsnmp.http.route_policy import UNDECLARED, declared_policy
from promsnmp.http.routes.pages.answers import require_pages
from promsnmp.settings import load_settings
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import system
from tests.support.web.forms import open_form
from tests.support.web.html import Page

TOKEN = "a-token-for-tests"
BROWSER = {"accept": "text/html"}
READ = ("/discovery", "/discovery/check?targets=10.0.0.1", "/browse", "/map", "/map.svg", "/map.json")
CHANGE = ("/discovery/search", "/discovery/jobs/x/stop", "/discovery/seeds/x/search", "/discovery/seeds/x/delete",
          "/browse", "/browse/module.yml")  # fmt: skip


@asynccontextmanager
async def opened(folder: Path, client: str = "127.0.0.1", **settings: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client, of the address ``client``, of the application without sockets."""
    built = app.build(load_settings(prom_inv_file=folder / "inventory.json", **settings))
    transport = httpx.ASGITransport(built.asgi_app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=BROWSER) as made:
        yield made


async def sent(client: httpx.AsyncClient, path: str, data: Mapping[str, object]) -> httpx.Response:
    """The answer to a form with the token of a page."""
    opened_form = await open_form(client, "/discovery", "search")
    return await client.post(path, data={**data, TOKEN_FIELD: opened_form.fields[TOKEN_FIELD]})


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets: list[socket.socket] = []
    monkeypatch.setattr(app, "listen_all", lambda *_: sockets)


@asynccontextmanager
async def agent(name: str = "found") -> AsyncIterator[SimulatedAgent]:
    """An agent on a free port of 127.0.0.1."""
    objects = system(name, "an example", object_id_suffix="1", contact="", location="", services=2)
    async with SimulatedAgent(Mib.of(objects)) as made:
        await made.start("127.0.0.1", 0)
        yield made


async def test_a_browser_gets_the_files_of_the_map_as_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        for path, media_type in (("/map.json", "application/json"), ("/map.svg", "image/svg+xml")):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        refused = await client.get('/map.json?query="open')
        assert (refused.status_code, refused.headers["content-type"].partition(";")[0]) == (400, "text/html")


async def test_reading_is_for_readers_and_changing_for_managers(tmp_path: Path) -> None:
    async with opened(tmp_path, "192.0.2.9", api_token=TOKEN, web_read_anonymous=True) as client:
        for path in READ:
            assert (await client.get(path)).status_code == 200, path
        for path in CHANGE:
            assert (await client.post(path, data={"targets": "10.0.0.1"})).status_code == 401, path
        assert 'method="post"' not in (await client.get("/discovery")).text
        assert "<form method" not in (await client.get("/browse")).text
    async with opened(tmp_path, "192.0.2.9", api_token=TOKEN) as client:
        for path in (*READ, "/discovery/events"):
            assert (await client.get(path)).headers["location"].partition("?")[0].endswith("login"), path
            assert (await client.get(path, headers={"accept": "*/*"})).status_code == 401, path
    async with opened(tmp_path) as client:
        for path in CHANGE:
            refused = await client.post(path, headers={"origin": "http://evil.example"})
            assert refused.status_code == 403, path
        refused = await client.post("/browse", headers={"sec-fetch-site": "cross-site"})
        assert refused.status_code == 403


async def test_pages_that_are_off_change_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, web_ui=False) as client:
        for path in (*READ, "/discovery/events"):
            assert (await client.get(path)).status_code == 404, path
        for path in ("/discovery/search", "/browse"):
            answer = await client.post(path, data={"targets": "127.0.0.1", "auth": "public_v2"})
            assert answer.status_code in (403, 404), path
        assert (await client.get("/promsnmp/discovery/jobs")).json() == []


def test_everything_that_a_page_changes_is_off_with_the_pages() -> None:
    changing = [
        route
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        and "POST" in (route.methods or ())
        and (declared_policy(route.endpoint) or UNDECLARED).is_page
    ]
    assert len(changing) > len(CHANGE)
    assert [one.path for one in changing if require_pages not in [each.dependency for each in one.dependencies]] == []


async def test_a_form_starts_a_search_that_is_followed_and_found(tmp_path: Path) -> None:
    async with opened(tmp_path, discovery_timeout=200) as client, agent() as found:
        form = {"targets": "127.0.0.1", "auth": "public_v2", "port": str(found.port), "save": "yes"}
        answer = await sent(client, "/discovery/search", form)
        assert answer.status_code == 303
        place = answer.headers["location"]
        assert re.fullmatch(r"\.\./discovery\?job=[0-9a-f-]{36}", place)
        events = (await client.get(f"/discovery/events?{urlsplit(place).query}")).text
        assert events.startswith("event: begin\n")
        assert events.endswith("event: end\ndata: \n\n")
        page = Page((await client.get(f"/discovery?{urlsplit(place).query}")).text)
        assert "finished" in page.text
        assert ["new", "found", f"127.0.0.1:{found.port}"] in [row[:3] for row in page.rows]
        seeds = (await client.get("/promsnmp/discovery")).json()
        assert [one["potentialTargets"] for one in seeds] == [["127.0.0.1"]]
        seed = f"/discovery/seeds/{seeds[0]['id']}"
        again = await sent(client, f"{seed}/search", {})
        assert again.headers["location"].startswith("../../../discovery?job=")
        deleted = await sent(client, f"{seed}/delete", {})
        assert deleted.headers["location"] == "../../../discovery"
        assert (await client.get("/promsnmp/discovery")).json() == []
        assert (await sent(client, f"{seed}/search", {})).status_code == 404


async def test_a_search_is_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        form = {"targets": "127.80.0.0/14", "auth": "public_v2"}
        place = (await sent(client, "/discovery/search", form)).headers["location"]
        await asyncio.sleep(0)
        job = place.partition("job=")[2]
        stopped = await sent(client, f"/discovery/jobs/{job}/stop", {})
        assert stopped.headers["location"] == f"../../../discovery?job={job}"
        assert "cancelled" in Page((await client.get(f"/discovery?job={job}")).text).text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"targets": "10.0.0.0/33", "auth": "public_v2"}, "potentialTargets[0]"),
        ({"targets": "", "auth": "public_v2"}, "potentialTargets"),
        ({"targets": "10.0.0.1"}, "choose credentials"),
        ({"targets": "10.0.0.1", "auth": "none"}, "unknown auth 'none'"),
        ({"targets": "10.0.0.1", "exclude": "10.0.0.1", "auth": "public_v2"}, "leaves nothing"),
    ],
)
async def test_a_wrong_form_comes_back_with_the_reasons_and_without_secrets(
    tmp_path: Path, form: dict[str, str], says: str
) -> None:
    async with opened(tmp_path) as client:
        answer = await sent(client, "/discovery/search", form)
        assert answer.status_code == 400
        assert says in Page(answer.text).text
        assert 'href="../web/web.css"' in answer.text  # the page is at /discovery/search
        secret = {**form, "targets": "10.0.0.0/33", "community": "geheim-1", "authPassphrase": "geheim-2"}
        assert "geheim" not in (await sent(client, "/discovery/search", secret)).text
        assert (await client.get("/promsnmp/discovery/jobs")).json() == []


async def test_a_form_that_is_too_large_or_none_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        form = {"content-type": "application/x-www-form-urlencoded"}
        large = await client.post("/discovery/search", content=b"x" * (1 << 20) + b"y", headers=form)
        assert large.status_code == 413
        assert (await client.post("/discovery/search", content=b"\xff\xfe", headers=form)).status_code == 400
        assert (await client.post("/browse", content=b"a=&" * 3000, headers=form)).status_code == 400


async def test_a_problem_in_the_address_of_the_page_is_not_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as client:
        assert "call this number" not in (await client.get("/discovery?problem=call+this+number")).text


async def test_a_device_is_walked_and_its_columns_become_a_module(tmp_path: Path) -> None:
    async with opened(tmp_path) as client, agent("walked") as found:
        endpoint = {"address": "127.0.0.1", "port": found.port}
        entry = {"type": "snmp-community", "version": 1, "readCommunity": "public", "endpoint": endpoint}
        document = {"devices": [{"sysName": "walked", "agents": [entry], "primaryAgent": entry}]}
        assert (await client.post("/promsnmp/inventory", json=document)).status_code == 200
        answer = await sent(client, "/browse", {"device": "walked", "oid": "sysName"})
        assert answer.status_code == 200
        page = Page(answer.text)
        assert ["sysName", "", "walked"] in [row[:3] for row in page.rows]
        columns = [one["value"] for name, one in page.elements if one.get("name") == "column"]
        built = await sent(client, "/browse/module.yml", {"name": "mine", "column": columns})
        assert built.headers["content-disposition"] == 'attachment; filename="snmp.yml"'
        assert "  mine:" in built.text
        assert (await sent(client, "/browse/module.yml", {"name": "mine"})).status_code == 400
        found.close()
        silent = await sent(client, "/browse", {"device": "walked", "oid": "1.3.6.1"})
        assert silent.status_code == 400


async def test_streams_are_bounded() -> None:
    streams = EventStreams(most=1)

    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_: object) -> None: ...

    first = streams.respond(nothing(), {})
    with pytest.raises(Exception, match="streams of events are open"):
        streams.respond(nothing(), {})
    await first({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert streams.open == 0
    assert MOST_STREAMS > 1


def test_an_event_has_no_other_lines_than_data() -> None:
    assert event("a\nb\r\nc\revent: x", "name") == b"event: name\ndata: a\ndata: b\ndata: c\ndata: event: x\n\n"
