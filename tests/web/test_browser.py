"""The pages in Chromium (by Playwright): what a person does, accessibility, and that the console stays empty."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.service.service_process import ServiceProcess
from tests.support.web.browser import OF_ERRORS, check_accessible, quiet_page

PATHS = ("/", "/devices", "/devices?query=name:open", "/devices/none", "/traps")
"""The stories check other pages, and these with forms."""
EVERY_MS = 10_500
"""Milliseconds after which every live part of a page has been replaced once."""


@pytest.fixture
def page(browser: Browser, server: ServiceProcess) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url)
    with quiet_page(context, expected=OF_ERRORS) as made:
        yield made
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_accessible_in_light_and_dark_and_fits_a_phone(page: Page, path: str) -> None:
    page.goto(path)
    check_accessible(page)


def test_a_person_finds_out_why_a_device_is_down(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="1 down").click()
    page.get_by_role("link", name="dead").click()
    page.wait_for_selector("h1")
    assert page.inner_text("h1").split() == ["down", "dead"]
    assert "nothing listens" in page.inner_text(".note")


def test_a_person_searches_and_sorts(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    page.get_by_role("searchbox", name="Find devices").fill("-name=dead")
    page.keyboard.press("Enter")
    page.wait_for_url("**/devices?query=-name%3Ddead")
    assert page.locator("tbody tr").count() == 2
    page.get_by_role("link", name="Samples").click()
    assert page.locator("tbody tr").nth(1).locator(".name").inner_text() == "switch"
    page.get_by_role("link", name="Samples").click()
    page.wait_for_url("**order=desc**")
    assert page.locator("tbody tr").nth(0).locator(".name").inner_text() == "switch"


@pytest.mark.parametrize("path", ["/", "/devices", "/devices/switch"])
def test_an_open_page_keeps_itself_up_to_date_and_says_when_it_cannot(page: Page, path: str) -> None:
    page.clock.install()
    page.goto(path)
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as fragment:
        page.clock.run_for(EVERY_MS)
    assert fragment.value.status == 200
    assert urlsplit(fragment.value.url).path.startswith(path[: len("/devices")])
    assert page.locator("header").count() == 1
    assert page.locator("table tbody tr").count() >= 1
    note = page.locator(".lost-contact")
    assert not note.is_visible()
    page.route("**/*", lambda route: route.abort())
    page.clock.run_for(EVERY_MS)
    note.wait_for(state="visible")
    page.unroute("**/*")
    page.clock.run_for(EVERY_MS)
    note.wait_for(state="hidden")


def test_the_list_follows_what_is_typed_and_stays_with_it(page: Page) -> None:
    page.clock.install()
    page.goto("/devices")
    field, rows = page.get_by_role("searchbox", name="Find devices"), page.locator("tbody tr")
    field.press_sequentially("-name=dead")
    expect(rows).to_have_count(2)
    page.wait_for_url("**/devices?query=-name%3Ddead")
    field.fill('"open')
    page.get_by_role("alert").wait_for()
    field.fill("switch")
    expect(rows).to_have_count(1)
    field.blur()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true") as fragment:
        page.clock.run_for(EVERY_MS)
    assert fragment.value.url.endswith("/devices?query=switch")
    expect(rows).to_have_count(1)


def test_a_search_in_the_text_of_a_scrape(page: Page) -> None:
    page.goto("/devices/switch")
    page.get_by_role("searchbox", name="Find in the text").fill("promsnmp_module_up")
    page.locator("#scrape").get_by_role("button", name="Find").click()
    page.wait_for_url("**find=promsnmp_module_up**")
    lines = page.inner_text("pre").strip().splitlines()
    assert len(lines) > 3
    assert all("promsnmp_module_up" in line for line in lines)


def test_without_javascript_everything_is_there(browser: Browser, server: ServiceProcess) -> None:
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/devices/switch")
    assert page.locator("text=Fan 2").count() >= 1
    page.goto("/devices")
    assert page.locator("tbody tr").count() == 3
    context.close()
