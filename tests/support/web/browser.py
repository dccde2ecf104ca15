"""Chromium (by Playwright) for tests of pages: what a page must not do, and what makes it accessible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from axe_playwright_python.sync_playwright import Axe, AxeResults
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.support.tools import require_tool

PHONE: ViewportSize = {"width": 390, "height": 844}
WAIT_MS = 60_000
"""Milliseconds for whatever a test waits for, on a busy machine."""
OF_ERRORS = ("Failed to load resource", "htmx:afterRequest", "htmx:sendError")
"""What the console says of a page whose status is an error, and of a request that fails or is left behind."""

expect.set_options(timeout=WAIT_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts Chromium without its windows, and ends it. Until then this thread has an event loop: coroutines cannot be
    run in it."""
    program = require_tool("chromium-headless-shell", package="chromium-headless-shell")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@contextmanager
def quiet_page(context: BrowserContext, expected: tuple[str, ...] = ()) -> Iterator[Page]:
    """A page that must not log an error, such as one of its policy, open a dialog, or ask another server for anything;
    messages that begin with one of ``expected`` are allowed."""
    made, problems = context.new_page(), list[str]()
    made.set_default_timeout(WAIT_MS)
    made.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on("dialog", lambda dialog: problems.append(dialog.message))
    made.on("request", lambda asked: problems.append(asked.url) if "127.0.0.1" not in asked.url else None)
    yield made
    made.close()
    assert [one for one in problems if not one.startswith(expected)] == []


def check_accessible(page: Page, *schemes: Literal["light", "dark"]) -> None:
    """Asserts that a page is accessible in light and dark, or in some ``schemes``, and no wider than a phone. Only
    colours depend on the scheme, and all rules take seconds on a large page. What is as it should be is not described:
    that takes as long as finding it out."""
    size = page.viewport_size
    page.evaluate(Axe().axe_script)
    for number, scheme in enumerate(schemes or ("light", "dark")):
        page.emulate_media(color_scheme=scheme)
        rules = {"runOnly": ["color-contrast"]} if number else {}
        found = AxeResults(page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **rules}))
        assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    page.set_viewport_size(PHONE)
    width, most = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= most, page.url
    if size is not None:
        page.set_viewport_size(size)
