"""The map: what is drawn and listed, its bounds, what other replicas know, and that hostile names stay text."""

from __future__ import annotations

import asyncio
import json
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.support.http_client import HttpResponse
from promsnmp.web.interface import WebInterface
from promsnmp.web.pages.map import MOST_NODES, MOST_ROWS
from promsnmp.web.topology import service
from promsnmp.web.topology.neighbours import facts_of, octets_of
from tests.support.web import neighbours as says
from tests.support.web.hostile import HOSTILE, check_harmless
from tests.support.web.html import Page
from tests.support.web.interface import ME, device, down, interface, up

SVG = "{http://www.w3.org/2000/svg}"
PORT = says.labels(1, "p1")


def pair(name: str = "foreign", **fields: Any) -> WebInterface:
    """Two devices with a link, one of them down, a neighbour of another kind, and a device alone."""
    page = says.interface(1, "p1") + says.lldp(1, "p1", "switch-2", "q7") + says.lldp(2, "p2", name, name, "02AA")
    devices: dict[Device, PollStatus | None] = {device(1): up(), device(2): down("no response"), device(3): up()}
    return interface(devices, pages={"switch-1": page}, rates={PORT: (100e6, 950e6)}, **fields)


async def test_links_have_states_ports_speed_and_use() -> None:
    pages = pair()
    status, html = await pages.page("map")
    page = Page(html)
    assert (status, page.unclosed) == (200, [])
    assert ["up", "switch-1", "p1", "down", "switch-2", "q7", "1 Gbit/s", "950 Mbit/s", "100 Mbit/s"] in [
        row[:9] for row in page.rows
    ]
    drawn = [attributes.get("class") for name, attributes in page.elements if name in ("a", "g")]
    assert {"node up", "node down leaf", "node foreign leaf"} <= set(drawn)
    assert "link high" in html
    assert "switch-3" in page.text  # without neighbours


async def test_svg_and_json_have_the_same() -> None:
    pages = pair()
    picture = ET.fromstring(await pages.file("map.svg"))
    texts = [one.text for one in picture.iter(f"{SVG}text")]
    assert set(texts) == {"switch-1", "switch-2", "switch-3", "foreign"}
    document = json.loads(await pages.file("map.json"))
    assert {one["name"]: one["inInventory"] for one in document["nodes"]}["foreign"] is False
    assert document["links"][0]["seenBy"] == ["lldp"]
    rated = next(one for one in document["links"] if one["forthBitsPerSecond"])
    assert (rated["forthBitsPerSecond"], rated["backBitsPerSecond"], rated["bitsPerSecond"]) == (950e6, 100e6, 1e9)


async def test_a_query_chooses_devices_with_their_neighbours() -> None:
    pages = pair()
    assert "foreign" not in Page((await pages.page("map", query=[("others", "hide")]))[1]).text.replace("not in", "")
    _, html = await pages.page("map", query=[("query", "name:switch-3")])
    assert "switch-1" not in html
    status, html = await pages.page("map", query=[("query", '"open')])
    assert (status, "alert" in html) == (400, True)
    with pytest.raises(ValueError, match="quot"):
        await pages.file("map.json", query=[("query", '"open')])


async def test_a_large_map_is_bounded_and_says_what_it_leaves_out() -> None:
    count = MOST_NODES + 300
    devices: dict[Device, PollStatus | None] = {device(number): up() for number in range(1, count + 1)}
    texts = {f"switch-{number}": says.lldp(1, "p1", f"switch-{number // 9 + 1}", "x") for number in range(2, count + 1)}
    pages = interface(devices, pages=texts)
    began = time.thread_time()
    _, html = await pages.page("map")
    assert time.thread_time() - began < 0.1  # the rest is done in threads
    page = Page(html)
    assert sum(name == "circle" for name, _ in page.elements) == MOST_NODES
    assert len(page.rows) == MOST_ROWS + 1
    assert "the 2 000 with the most links are drawn" in page.text
    assert len(json.loads(await pages.file("map.json"))["nodes"]) == count


async def test_devices_that_say_more_than_is_kept_have_no_links_and_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = {f"switch-{one}": says.lldp(1, "p1", f"switch-{one % 3 + 1}", "x") for one in (1, 2, 3)}
    most = octets_of(facts_of([texts["switch-1"]]))
    for name, value, links in (("MOST_FACTS", 2 * most, 2), ("MOST_OF_DEVICE", most - 1, 0)):
        with monkeypatch.context() as patched:
            patched.setattr(service, name, value)
            pages = interface({device(one): up() for one in (1, 2, 3)}, pages=texts)
            assert len(json.loads(await pages.file("map.json"))["links"]) == links, name
            assert "more about neighbours than a map keeps" in (await pages.page("map"))[1]
    whole = interface({device(one): up() for one in (1, 2, 3)}, pages=texts)
    assert len(json.loads(await whole.file("map.json"))["links"]) == 3
    assert "than a map keeps" not in (await whole.page("map"))[1]


async def test_replicas_that_ask_at_the_same_time_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    pages, made = pair(), list[int]()
    collect = service.TopologyService._collect

    def counting(*given: Any) -> Any:
        made.append(1)
        return collect(*given)

    monkeypatch.setattr(service.TopologyService, "_collect", counting)
    parts = await asyncio.gather(*(pages.neighbours(b"") for _ in range(5)))
    assert len(made) == len(set(parts)) == 1


async def test_parameters_that_a_map_does_not_have_make_no_other_map(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = pair()
    first = await pages.page("map")
    monkeypatch.setattr(pages._renderer, "html", None)
    for query in ([("x", "1")], [("others", "")], [("query", " ")]):
        assert await pages.page("map", query=query) == first


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_devices_say_stays_text(text: str) -> None:
    _, plain = await pair().page("map")
    _, html = await pair(text).page("map")
    check_harmless(html, plain)
    _, html = await pair(text).page("map", query=[("query", text)])
    check_harmless(html, plain + '<p role="alert"></p><code></code>')
    ET.fromstring(await pair(text).file("map.svg"))


async def test_other_replicas_are_asked_and_those_that_do_not_answer_are_named() -> None:
    others = (ME, replace(ME, name="replica-2", instance="two", address="192.0.2.51:8080"))
    mine = interface(dict.fromkeys(map(device, range(1, 30))), members=others)
    ring = mine._sources.cluster.members.ring
    foreign = [one for one in map(device, range(1, 30)) if ring.owner(one.id) == "replica-2"]
    page = says.interface(1, "p1") + says.lldp(1, "p1", foreign[1].sys_name, "x")
    theirs = interface(
        {one: up() if one in foreign else None for one in map(device, range(1, 30))},
        pages={foreign[0].sys_name: page},
        rates={PORT: (1.0, 2e6)},
    )
    asked: list[tuple[str, bytes]] = []
    answers: list[HttpResponse | PeerError] = [
        HttpResponse(200, [], await theirs.neighbours(b"")),
        PeerError("no connection"),
        HttpResponse(200, [], b"[]"),
    ]

    async def request(address: str, _: str, target: bytes, *__: object, **___: object) -> HttpResponse:
        asked.append((address, target))
        answer = answers[len(asked) - 1]
        if isinstance(answer, PeerError):
            raise answer
        return answer

    mine._sources.cluster.peers = cast("Any", SimpleNamespace(request=request))
    document = json.loads(await mine.file("map.json"))
    assert asked == [("192.0.2.51:8080", b"/-/neighbours")]
    assert len(document["links"]) == 1
    assert {one["name"] for one in document["nodes"] if one["state"] == "up"} == {one.sys_name for one in foreign}
    assert document["unknownReplicas"] == []
    for _ in answers[1:]:
        again = interface(dict.fromkeys(map(device, range(1, 30))), members=others)
        again._sources.cluster.peers = cast("Any", SimpleNamespace(request=request))
        assert "No answer from replica-2" in Page((await again.page("map"))[1]).text
