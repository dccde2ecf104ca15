"""One service that polls for all tests of pages, which change nothing of it; and a browser for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.service.service_process import ServiceProcess
from tests.support.web.browser import chromium
from tests.support.web.polled import polled_devices


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with polled_devices(tmp_path_factory.mktemp("web")) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: other tests of the worker are coroutines."""
    with chromium() as made:
        yield made
