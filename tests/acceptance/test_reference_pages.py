"""The reference is complete: every path and every own metric of a running service is on its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service.service_process import ServiceProcess
from tests.support.tools import PROJECT

REFERENCE = PROJECT / "docs" / "reference"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("promsnmp")) as server:
        yield server


def page(name: str) -> str:
    return Path(REFERENCE / name).read_text(encoding="utf-8")


def test_every_path_of_the_api_is_on_its_page(service: ServiceProcess) -> None:
    text = page("api.md")
    operations = [
        (method.upper(), path)
        for path, methods in service.client.get("/v3/api-docs").json()["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert len(operations) > 30
    names = "|".join(("device", "id", "seed", "job", "component", "name"))
    documented = re.sub(rf"\{{(?:{names})\}}", "{}", text)
    missing = [one for one in operations if f"{one[0]} {re.sub(r'{[^}]*}', '{}', one[1])}" not in documented]
    assert missing == []


def test_every_own_metric_is_on_its_page(service: ServiceProcess) -> None:
    text = page("metrics.md")
    families = re.findall(r"^# TYPE (\w+) ", service.client.get("/metrics").text, re.MULTILINE)
    assert len(families) > 30
    own = [name for name in families if not name.startswith(("process_", "python_"))]
    missing = [name for name in own if f"`{name}" not in text]
    shortened = re.findall(r"`_(\w+)`", text)
    assert [name for name in missing if not name.endswith(tuple(shortened))] == []
