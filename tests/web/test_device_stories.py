"""What a person does with devices, in Chromium: finds out why one is down or a metric is missing, looks at interfaces;
and that pages of 20,000 devices and of none work, under their policies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.service.service_process import ServiceProcess
from tests.support.web.browser import OF_ERRORS, check_accessible, quiet_page
from tests.support.web.polled import PORTS, SETTINGS, document

MANY = 20_000


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    with quiet_page(context, expected=OF_ERRORS) as made:
        yield made
    context.close()


def test_a_person_finds_out_why_a_device_is_down_and_why_a_metric_is_missing(
    page: Page, server: ServiceProcess
) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="1 down").click()
    page.get_by_role("link", name="dead").click()
    assert "nothing listens" in page.inner_text(".note")
    polls = page.locator("section", has=page.get_by_role("heading", name="Last polls"))
    assert "nothing listens" in polls.inner_text()
    page.get_by_role("link", name="Explain").click()
    assert "nothing listens" in page.get_by_role("alert").inner_text()
    page.goto(f"{server.url}/devices/switch")
    page.get_by_role("link", name="Explain").click()
    missing = page.locator("section", has=page.get_by_role("heading", name="Missing metrics"))
    assert "the device has no object under" in missing.inner_text()
    page.get_by_role("link", name="health", exact=True).click()
    assert "entity_sensor" in page.inner_text("main")


@pytest.mark.parametrize("about", ["modules", "health"])
def test_an_explanation_is_accessible(page: Page, server: ServiceProcess, about: str) -> None:
    page.goto(f"{server.url}/devices/switch/explain?about={about}")
    check_accessible(page)


def test_a_person_finds_an_interface_and_its_last_hour(page: Page, server: ServiceProcess) -> None:
    page.goto(f"{server.url}/devices/switch")
    rows = page.locator("table.interfaces tbody tr")
    expect(rows).to_have_count(PORTS)
    page.get_by_role("searchbox", name="Find interfaces").press_sequentially("Gi1/0/2")
    expect(rows).to_have_count(4)
    expect(page.locator(".spark").first).to_be_visible()
    assert "Last hour: at most" in (page.locator(".spark").first.get_attribute("aria-label") or "")
    page.get_by_role("searchbox", name="Find interfaces").blur()
    with page.expect_response(lambda answer: "interfaces=Gi1" in answer.url):
        pass
    expect(rows).to_have_count(4)
    check_accessible(page)


def test_targets_health_and_the_api_are_pages(page: Page, server: ServiceProcess) -> None:
    for path, text in (("/targets", "__meta_promsnmp_sysname"), ("/actuator/health", "diskSpace")):
        page.goto(server.url + path)
        assert text in page.inner_text("main")
        check_accessible(page)
    page.goto(f"{server.url}/swagger-ui.html")
    page.get_by_text("/promsnmp/devices/{device}").first.click()
    page.get_by_role("button", name="Try it out").first.wait_for()


def test_pages_of_no_device_and_of_twenty_thousand(page: Page, tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, env={**SETTINGS, "COLLECTION_INTERVAL": "0"}) as service:
        for path in ("/", "/devices", "/targets"):
            page.goto(service.url + path)
            check_accessible(page, "dark")
        devices = [document(f"switch-{number}", 1161) for number in range(MANY)]
        for number, one in enumerate(devices):
            for agent in (*one["agents"], one["primaryAgent"]):  # type: ignore[misc]
                agent["endpoint"] = {"address": f"10.1.{number >> 8}.{number & 255}", "port": 161}
        assert service.client.post("/promsnmp/inventory", json={"devices": devices}, timeout=60).status_code == 200
        page.goto(service.url)
        page.get_by_role("link", name="20\u202f000 devices").click()
        assert page.locator("tbody tr").count() == 100
        page.get_by_role("link", name="switch-10", exact=True).click()
        assert "Not polled yet" in page.inner_text("main")
        check_accessible(page, "light")
