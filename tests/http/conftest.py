"""One service for all tests of the API; each test leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.service.service_process import ServiceProcess
from tests.support.tools import PLAIN


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """The service, without background polls."""
    with ServiceProcess(
        tmp_path_factory.mktemp("api"), env={"COLLECTION_INTERVAL": "0", "PROM_SITE_LABEL": "Wien"}
    ) as server:
        yield server


@pytest.fixture
def client(serving: ServiceProcess) -> Iterator[httpx.Client]:
    """A client of the service; the inventory is empty before and after."""
    with httpx.Client(base_url=serving.url, timeout=10, verify=PLAIN) as made:
        yield made
        assert made.post("/promsnmp/inventory", json={"devices": []}).status_code == 200
