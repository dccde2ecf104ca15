"""One service that polls for all tests of pages; they change nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.service.service_process import ServiceProcess
from tests.support.web.polled import polled_devices


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with polled_devices(tmp_path_factory.mktemp("web")) as service:
        yield service
