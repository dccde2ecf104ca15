"""``/actuator``: settings, loggers, caches and scheduled work."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.service.service_process import ServiceProcess
from tests.support.tools import PLAIN

TOKEN = "s3cret-token-of-the-api-0123456789"  # a test's
REDIS = "s3cret-redis"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    env = {"API_TOKEN": TOKEN, "COLLECTION_INTERVAL": "45s", "REDIS_PASSWORD": REDIS, "DISCOVERY_CRON": "0 0 3 * * *"}
    with ServiceProcess(tmp_path_factory.mktemp("actuator"), env=env) as server:
        yield server


@pytest.fixture
def caller(secured: ServiceProcess) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=secured.url, timeout=10, verify=PLAIN, headers=headers) as made:
        yield made


def test_settings_are_shown_by_source_with_masked_secrets(caller: httpx.Client, secured: ServiceProcess) -> None:
    answer = caller.get("/actuator/env")
    assert TOKEN not in answer.text
    assert REDIS not in answer.text
    sources = {one["name"]: one["properties"] for one in answer.json()["propertySources"]}
    assert sources["systemEnvironment"]["COLLECTION_INTERVAL"]["value"] == 45_000
    assert sources["systemEnvironment"]["API_TOKEN"]["value"] == "******"
    assert "HEALTH_METRICS" in sources["defaultProperties"]
    for name in ("COLLECTION_INTERVAL", "collection.interval"):
        assert caller.get(f"/actuator/env/{name}").json()["property"]["value"] == 45_000
    assert caller.get("/actuator/env/api_token").json()["property"]["value"] == "******"
    assert caller.get("/actuator/env/nosuch").status_code == 404


@pytest.mark.parametrize("path", ["env", "env/API_TOKEN", "loggers", "loggers/ROOT", "caches", "scheduledtasks"])
def test_they_need_credentials(secured: ServiceProcess, path: str) -> None:
    with httpx.Client(base_url=secured.url, timeout=10, verify=PLAIN) as anybody:
        assert anybody.get(f"/actuator/{path}").status_code == 401


def test_the_level_of_a_logger_can_be_changed(caller: httpx.Client) -> None:
    path = "/actuator/loggers/promsnmp.polling.poller"
    before = caller.get(path).json()
    assert before == {"effectiveLevel": before["effectiveLevel"]}
    assert caller.post(path, json={"configuredLevel": "DEBUG"}).status_code == 204
    assert caller.get(path).json() == {"configuredLevel": "DEBUG", "effectiveLevel": "DEBUG"}
    assert caller.post(path, json={"configuredLevel": None}).status_code == 204
    assert caller.get(path).json() == before
    everything = caller.get("/actuator/loggers").json()
    assert everything["levels"][0] == "OFF"
    assert {"ROOT", "promsnmp.polling.poller"} <= everything["loggers"].keys()


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("promsnmp.polling.poller", {"configuredLevel": "LOUD"}, 400),
        ("promsnmp.polling.poller", [], 400),
        ("promsnmp.polling.poller", {"configuredLevel": 3}, 400),
        ("promsnmp.audit", {"configuredLevel": "OFF"}, 400),
        ("ROOT", {"configuredLevel": "DEBUG"}, 400),
        ("uvicorn.error", {"configuredLevel": "DEBUG"}, 400),
        ("no.such", {"configuredLevel": "DEBUG"}, 404),
    ],
)
def test_what_is_no_level_or_not_ours_is_refused(caller: httpx.Client, name: str, body: object, status: int) -> None:
    assert caller.post(f"/actuator/loggers/{name}", json=body).status_code == status


def test_the_cache_can_be_evicted(caller: httpx.Client) -> None:
    assert set(caller.get("/actuator/caches").json()["cacheManagers"]["cacheManager"]["caches"]) == {"metrics"}
    assert caller.delete("/actuator/caches").status_code == 204
    assert caller.delete("/actuator/caches/metrics").status_code == 204
    assert caller.delete("/actuator/caches/nosuch").status_code == 404


def test_scheduled_work_is_listed(caller: httpx.Client) -> None:
    body = caller.get("/actuator/scheduledtasks").json()
    assert [one["expression"] for one in body["cron"]] == ["0 0 3 * * *"]
    assert [one["interval"] for one in body["fixedRate"]] == [45_000]
    assert (body["fixedDelay"], body["custom"]) == ([], [])
