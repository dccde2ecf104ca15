"""What people do with discovery, browse and the map, in Chromium: on the demo, and on a map of 2,000 devices."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from promsnmp.inventory.model import Device
from promsnmp.polling.pages.poll_status import PollStatus
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.objects import system
from promsnmp.web.assets import assets
from tests.support.agents.threads import running
from tests.support.service.demo import Demo
from tests.support.web import neighbours as says
from tests.support.web.browser import check_accessible, quiet_page
from tests.support.web.interface import device, interface, up

PLACES = "all => all.map(one => [one.cx.baseVal.value, one.cy.baseVal.value])"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo"), COLLECTION_INTERVAL="2000", DISCOVERY_TIMEOUT="300") as made:
        yield made


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(base_url=demo.url, timezone_id="Asia/Kolkata", locale="en-GB")
    with quiet_page(context) as made:
        yield made
    context.close()


def test_a_person_discovers_a_network(page: Page) -> None:
    objects = system("new-sw-01", "a switch", object_id_suffix="1.48", contact="", location="", services=2)
    found = SimulatedAgent(Mib.of(objects), uptime=1000.0)
    with running(found):
        page.goto("/discovery")
        first = page.locator("ol.upcoming time").first
        expect(first).to_have_text(re.compile(r"^\d+ \w+ 20\d\d, \d\d:\d\d:\d\d$"))  # the zone of the browser
        page.get_by_label("Addresses", exact=True).fill("127.0.0.0/30 127.0.0.999")
        expect(page.locator("#check")).to_contain_text("2 addresses")
        expect(page.locator("#check")).to_contain_text("127.0.0.999")
        page.get_by_label("Addresses", exact=True).fill("127.0.0.1 127.9.0.0/22")
        expect(page.locator("#check")).to_contain_text("1 023 addresses".replace(" ", "\u202f", 1))
        page.get_by_text("More", exact=True).click()
        page.get_by_label("UDP port").fill(str(found.port))
        page.get_by_text("Other credentials").click()
        page.get_by_label("Community").fill("public")
        check_accessible(page)
        page.get_by_role("button", name="Search now").click()
        page.wait_for_url("**/discovery?job=*")
        expect(page.locator("#searches h2").first).to_contain_text("finished")
        expect(page.locator("#searches")).to_contain_text("new-sw-01")
        assert page.locator("#searches tbody tr").first.locator("td").first.inner_text() == "new"
        assert "public" not in page.locator("main").inner_text().replace("public_v", "")
        check_accessible(page)
        page.get_by_role("link", name="new-sw-01").click()
        page.wait_for_url("**/devices/*")
        expect(page.locator("h1")).to_contain_text("new-sw-01")


def test_a_person_stops_a_search_without_javascript(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(base_url=demo.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/discovery")
    assert page.locator("ol.upcoming time").first.inner_text().endswith("Z")
    page.get_by_label("Addresses", exact=True).fill("127.80.0.0/14")
    page.get_by_label("public_v2").check()
    page.get_by_role("button", name="Search now").click()
    assert "running" in page.inner_text("#searches h2")
    page.get_by_role("button", name="Stop").click()
    assert "cancelled" in page.inner_text("#searches h2")
    context.close()


def test_a_person_walks_a_device_and_takes_a_module_home(page: Page, tmp_path: Path) -> None:
    page.goto("/browse")
    page.get_by_role("textbox", name="Device", exact=True).fill("edge-rtr-01")
    page.get_by_label("OID or name").fill("ifXTable")
    page.get_by_role("button", name="Walk").click()
    row = page.locator(".objects tbody tr", has_text="ifHighSpeed").filter(has_text="ifIndex 4")
    expect(row).to_contain_text("100000 Mbit/s")
    assert page.locator("text=if_mib").count() > 5
    check_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download snmp.yml").click()
    download.value.save_as(tmp_path / "snmp.yml")
    assert "my_module:" in (tmp_path / "snmp.yml").read_text(encoding="utf-8")


def test_a_person_looks_at_the_map_of_the_demo(page: Page, browser: Browser, demo: Demo) -> None:
    page.goto("/map")
    expect(page.locator("svg.map a.node.down", has_text="core-sw-02")).to_have_count(1)
    assert page.locator("table.links tbody tr").count() == 7
    check_accessible(page)
    before = page.locator("svg.map").get_attribute("viewBox")
    page.get_by_role("button", name="Zoom in").click()
    zoomed = page.locator("svg.map").get_attribute("viewBox")
    assert zoomed != before
    page.get_by_role("group", name=re.compile("^Map")).press("ArrowRight")
    assert page.locator("svg.map").get_attribute("viewBox") != zoomed
    places = page.locator("svg.map circle").evaluate_all(PLACES)
    page.get_by_role("button", name="All").click()
    page.reload()
    assert places == page.locator("svg.map circle").evaluate_all(PLACES)
    page.locator("svg.map a.node", has_text="core-sw-02").click()
    page.wait_for_url("**/devices/*")
    expect(page.locator("h1")).to_contain_text("core-sw-02")
    context = browser.new_context(base_url=demo.url, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/map")
    assert plain.locator("svg.map circle").count() >= 7
    context.close()


async def _large() -> str:
    """The map of 2,000 devices, each at one of nine ports of another one."""
    devices: dict[Device, PollStatus | None] = {device(number): up() for number in range(1, 2001)}
    texts = {f"switch-{number}": says.lldp(1, "p1", f"switch-{number // 9 + 1}", "x") for number in range(2, 2001)}
    return (await interface(devices, pages=texts).page("map"))[1]


def test_a_map_of_two_thousand_devices_stays_usable(browser: Browser) -> None:
    with ThreadPoolExecutor(1) as other:  # this thread has a loop of Playwright's
        html = other.submit(asyncio.run, _large()).result(60)

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        media_type, content = assets().get(name, ("text/html; charset=utf-8", html.encode()))
        route.fulfill(body=content, content_type=media_type)

    context = browser.new_context(base_url="http://promsnmp.test")
    page = context.new_page()
    page.route("**/*", answer)
    page.goto("/map")
    assert page.locator("svg.map circle").count() == 2000
    leaf = page.locator("svg.map .leaf text").first
    expect(leaf).not_to_be_visible()
    began = time.perf_counter()
    for _ in range(8):
        page.get_by_role("button", name="Zoom in").click()
    assert time.perf_counter() - began < 8.0  # 1 s on an idle machine
    expect(page.locator("svg.map")).to_have_class(re.compile("near"))
    page.get_by_role("button", name="All").click()
    expect(leaf).not_to_be_visible()
    context.close()
