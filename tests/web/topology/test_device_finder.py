"""Which device a neighbour is: in one order, and what several have says nothing."""

from __future__ import annotations

import json

import pytest

from promsnmp.web.topology.device_finder import DeviceFinder, Identifiers
from tests.support.web import neighbours as says
from tests.support.web.html import Page
from tests.support.web.interface import device, interface, up

FINDER = DeviceFinder(
    [
        Identifiers("1", "core.example.net", frozenset({"10.0.0.1"}), frozenset({"02aa"})),
        Identifiers("2", "edge", frozenset({"10.0.0.2", "10.9.9.9"}), frozenset({"02bb", "02cc"})),
        Identifiers("3", "twin", frozenset({"10.9.9.9"}), frozenset({"02cc"})),
        Identifiers("4", "twin"),
        Identifiers("5", "10.0.0.5"),
    ]
)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"chassis": "02aa", "address": "10.0.0.2", "name": "edge"}, "1"),
        ({"chassis": "ffff", "address": "10.0.0.2", "name": "core.example.net"}, "2"),
        ({"name": "EDGE."}, "2"),
        ({"name": "core"}, "1"),
        ({"name": "edge.example.net"}, "2"),
        ({"chassis": "02cc", "address": "10.9.9.9", "name": "twin"}, ""),
        ({"name": "10.1.1.1"}, ""),
        ({"name": "10.0.0.5"}, "5"),
        ({}, ""),
    ],
)
def test_a_neighbour_is_found_by_what_it_says(said: dict[str, str], found: str) -> None:
    assert FINDER.find(**said) == found


@pytest.mark.parametrize("name", ["switch-2", "SWITCH-2.", "switch-2.example.net", "another"])
async def test_the_map_and_the_page_of_a_device_agree(name: str) -> None:
    page = says.interface(1, "p1") + says.lldp(1, "p1", name, "q7")
    pages = interface({device(1): up(), device(2): up()}, pages={"switch-1": page})
    links = json.loads(await pages.file("map.json"))["links"]
    _, html = await pages.page("device", item=device(1).id)
    on_map = device(2).id in {one[end] for one in links for end in ("a", "b")}
    on_page = f"../devices/{device(2).id}" in Page(html).links()
    assert on_map is on_page is (name != "another")
