"""The list of devices: queries, states, order, pages."""

from __future__ import annotations

import time

import pytest

from promsnmp.inventory.model import LOST
from promsnmp.polling.health.summary import HealthSummary
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.web.interface import WebInterface
from tests.support.web.html import Page
from tests.support.web.interface import device, down, interface, up

FLEET = 20_000


async def listed(pages: WebInterface, *query: tuple[str, str]) -> list[str]:
    status, html = await pages.page("devices", query=query)
    assert status == 200
    return [row[1] for row in Page(html).rows[1:]]


@pytest.fixture(scope="module")
def some() -> WebInterface:
    return interface(
        {
            device(1, labels=(("region", "eu"),)): up(1, seconds=3.0),
            device(2, vendor="Acme"): down(),
            device(3, status=LOST): PollStatus("partial", 2.0, "in part", 1.0, 5),
            device(10, labels=(("region", "us"),)): up(health=HealthSummary(1)),
        }
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ([], ["switch-2", "switch-3", "switch-10", "switch-1"]),
        ([("sort", "name")], ["switch-1", "switch-10", "switch-2", "switch-3"]),
        ([("sort", "name"), ("order", "desc")], ["switch-3", "switch-2", "switch-10", "switch-1"]),
        ([("sort", "address")], ["switch-1", "switch-2", "switch-3", "switch-10"]),
        ([("sort", "duration"), ("order", "desc")], ["switch-2", "switch-1", "switch-3", "switch-10"]),
        ([("sort", "no such"), ("page", "x")], ["switch-2", "switch-3", "switch-10", "switch-1"]),
        ([("state", "down")], ["switch-2"]),
        ([("state", "down"), ("state", "failed")], ["switch-2", "switch-10"]),
        ([("state", "lost")], ["switch-3"]),
        ([("state", "nonsense")], ["switch-2", "switch-3", "switch-10", "switch-1"]),
        ([("query", "label.region=eu")], ["switch-1"]),
        ([("query", "-vendor=acme address:10.0.0.0/29"), ("sort", "name")], ["switch-1", "switch-3"]),
        ([("label.region", "us")], ["switch-10"]),
        ([("module", "if_mib"), ("sort", "name")], ["switch-1", "switch-10", "switch-2", "switch-3"]),
        ([("query", "nothing at all")], []),
    ],
)
async def test_what_is_listed(some: WebInterface, query: list[tuple[str, str]], names: list[str]) -> None:
    assert await listed(some, *query) == names


@pytest.mark.parametrize("query", [("query", 'name:"open'), ("nonsense", "1"), ("query", "wrong=1")])
async def test_a_wrong_query_says_why(some: WebInterface, query: tuple[str, str]) -> None:
    status, html = await some.page("devices", query=[query])
    assert status == 400
    assert 'role="alert"' in html
    status, html = await some.page("devices", query=[query], is_fragment=True)
    assert status == 200
    assert 'role="alert"' in html


async def test_links_keep_the_query(some: WebInterface) -> None:
    _, html = await some.page("devices", query=[("query", 'a&b="x y"'), ("state", "up"), ("sort", "name")])
    links = Page(html).links()
    assert "devices?query=a%26b%3D%22x+y%22&state=up&sort=name&order=desc" in links
    assert "devices?query=a%26b%3D%22x+y%22&sort=name" in links


async def test_twenty_thousand_devices_come_in_pages_of_a_hundred_and_cheaply() -> None:
    fleet = {device(number): up() if number % 50 else down() for number in range(1, FLEET + 1)}
    pages = interface(dict(fleet))
    assert len(await listed(pages, ("page", "2"))) == 100
    assert (await listed(pages, ("sort", "address"), ("page", "200")))[-1] == f"switch-{FLEET}"
    assert (await listed(pages, ("sort", "address"), ("page", "9999")))[-1] == f"switch-{FLEET}"
    _, html = await pages.page("devices", query=[("page", "2"), ("query", "switch")])
    assert "Page 2 of 200" in html
    best = min([await _seconds(pages, ("query", f"switch-1{number}")) for number in range(5)])
    assert best < 0.5, "far above the 50 ms that it takes on an idle core"


async def _seconds(pages: WebInterface, *query: tuple[str, str]) -> float:
    """Of CPU, for one page."""
    began = time.process_time()
    await pages.page("devices", query=query)
    return time.process_time() - began
