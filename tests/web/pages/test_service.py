"""Targets and health as pages: the content that programs get, its status, its bounds."""

from __future__ import annotations

import pytest

from promsnmp.observe.health import Component, Status
from promsnmp.web.interface import WebInterface
from promsnmp.web.pages.service import SIZE
from tests.support.web.html import Page
from tests.support.web.interface import broken, device, interface, up
from tests.support.web.polled import MARKUP


async def shown(pages: WebInterface, which: str, item: str = "", status: int = 200, **query: str) -> Page:
    found, html = await pages.page(f"service/{which}", item=item, query=list(query.items()))
    assert found == status, html
    made = Page(html)
    assert made.unclosed == []
    return made


async def test_targets_have_their_labels_and_links_to_their_devices() -> None:
    hostile = device(2, sys_name=MARKUP, sys_location="\u202e" + MARKUP * 900)
    page = await shown(interface({device(1, labels=(("rack", "7"),)): up(), hostile: up()}), "targets")
    rows = {row[0]: row[1] for row in page.rows[1:]}
    assert "__meta_promsnmp_label_rack= 7" in " ".join(rows["switch-1"].split()) or "label_rack=7" in rows["switch-1"]
    assert "\\u{202e}" in rows["10.0.0.2"]
    assert "img" not in page.names()
    assert len(page.text) < 10_000
    assert f"devices/{device(1).id}" in page.links()


async def test_targets_are_filtered_as_for_programs_and_come_in_pages() -> None:
    pages = interface({device(number): up() for number in range(1, 2 * SIZE + 2)})
    page = await shown(pages, "targets", page="3", vendor="Example")
    assert [row[0] for row in page.rows[1:]] == [f"switch-{2 * SIZE + 1}"]
    assert f"{2 * SIZE + 1} targets" in page.text
    assert any(link == "targets?vendor=Example&page=2" for link in page.links())
    assert [row[0] for row in (await shown(pages, "targets", name="switch-7")).rows[1:]] == ["switch-7"]
    assert "unknown filter" in (await shown(pages, "targets", status=400, nonsense="1")).text


async def test_without_devices_there_are_no_targets() -> None:
    assert "0 targets" in (await shown(interface({}), "targets")).text


@pytest.mark.parametrize(("item", "base"), [("health", "../"), ("health/diskSpace", "../../")])
async def test_health_has_the_status_and_the_reasons(item: str, base: str) -> None:
    pages = interface({}, components={"diskSpace": broken(MARKUP), "poller": Component(Status.UP, {"active": 3})})
    page = await shown(pages, "health", item, 503)
    assert MARKUP in page.text
    assert ("poller" in page.text) == (item == "health")
    assert f"{base}replicas" in page.links()
    assert (await shown(interface({}), "health", "health")).text.count("up") >= 3


async def test_a_component_that_does_not_exist_is_404() -> None:
    await shown(interface({}), "health", "health/nothing", 404)
