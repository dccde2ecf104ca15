"""``/actuator`` over HTTP."""

from __future__ import annotations

import httpx
import pytest

from promsnmp import __version__

SPRING = "application/vnd.spring-boot.actuator.v3+json"


def test_every_link_of_the_index_works(client: httpx.Client) -> None:
    answer = client.get("/actuator")
    assert answer.headers["content-type"] == SPRING
    links = answer.json()["_links"]
    assert links["self"] == {
        "href": f"{client.base_url}/actuator".replace("//actuator", "/actuator"),
        "templated": False,
    }
    assert {"health", "health-path", "info", "prometheus", "metrics", "metrics-requiredMetricName"} <= set(links)
    assert links["metrics-requiredMetricName"]["templated"]
    for link in links.values():
        if not link["templated"]:
            assert client.get(link["href"]).status_code == 200


def test_health_has_status_components_and_groups(client: httpx.Client) -> None:
    answer = client.get("/actuator/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "UP")
    assert body["groups"] == ["liveness", "readiness"]
    assert {"diskSpace", "eventLoop", "inventory", "livenessState", "ping", "readinessState"} <= set(body["components"])
    assert body["components"]["inventory"] == {"status": "UP", "details": body["components"]["inventory"]["details"]}
    assert body["components"]["ping"] == {"status": "UP"}


@pytest.mark.parametrize("path", ["", "/inventory", "/readiness"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_under_a_name_that_a_web_page_may_have_health_has_no_details(
    client: httpx.Client, path: str, accept: str
) -> None:
    answer = client.get(f"/actuator/health{path}", headers={"host": "rebound.example.com", "accept": accept})
    assert (answer.status_code, answer.json()["status"]) == (200, "UP")
    assert "details" not in answer.text


@pytest.mark.parametrize("group", ["liveness", "readiness", "ping", "livenessState"])
def test_a_group_or_component_has_its_own_status(client: httpx.Client, group: str) -> None:
    answer = client.get(f"/actuator/health/{group}")
    assert (answer.status_code, answer.json()) == (200, {"status": "UP"})


def test_an_unknown_component_is_404(client: httpx.Client) -> None:
    assert client.get("/actuator/health/jms").status_code == 404


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("*/*", SPRING), ("application/json", "application/json"), (f"{SPRING}, application/json", SPRING)],
)
def test_the_media_type_is_spring_s_unless_plain_json_is_asked_for(
    client: httpx.Client, accept: str, content_type: str
) -> None:
    assert client.get("/actuator/health", headers={"accept": accept}).headers["content-type"] == content_type


def test_info_shows_the_version(client: httpx.Client) -> None:
    info = client.get("/actuator/info").json()
    assert info["app"]["name"] == "promsnmp"
    assert info["build"]["version"] == __version__
    assert info["python"]["version"].startswith("3.")


def test_every_listed_metric_can_be_read(client: httpx.Client) -> None:
    names = client.get("/actuator/metrics").json()["names"]
    assert names == sorted(set(names))
    for name in names:
        body = client.get(f"/actuator/metrics/{name}").json()
        assert body["name"] == name
        assert {"description", "measurements", "availableTags"} <= set(body)
    assert {"jvm.memory.used", "jvm.memory.max", "process.cpu.usage", "process.uptime", "process.files.open"} <= set(
        names
    )
    assert {"system.cpu.count", "cache.gets", "cache.size", "promsnmp.devices", "http.server.requests"} <= set(names)


def test_the_jvm_s_memory_is_the_process_s(client: httpx.Client) -> None:
    body = client.get("/actuator/metrics/jvm.memory.used").json()
    assert body["baseUnit"] == "bytes"
    assert "Python process" in body["description"]
    assert body["measurements"][0]["statistic"] == "VALUE"
    assert body["measurements"][0]["value"] > 1_000_000


def test_a_tag_filters_and_is_no_longer_offered(client: httpx.Client) -> None:
    body = client.get("/actuator/metrics/cache.gets", params={"tag": "result:hit"}).json()
    assert body["measurements"][0]["statistic"] == "COUNT"
    assert body["availableTags"] == [{"tag": "cache", "values": ["metrics"]}]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/actuator/metrics/no.such.metric", 404),
        ("/actuator/metrics/cache.gets?tag=result:never", 404),
        ("/actuator/metrics/cache.gets?tag=result:hit&tag=result:miss", 404),
        ("/actuator/metrics/jvm.memory.used?tag=area:heap", 404),
        ("/actuator/metrics/cache.gets?tag=result", 400),
        ("/actuator/metrics/cache.gets?tag=", 400),
        ("/actuator/nothing", 404),
    ],
)
def test_an_unknown_path_or_wrong_tag_is_a_json_error(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["status"] == status


def test_a_metric_is_found_by_its_prometheus_name_too(client: httpx.Client) -> None:
    assert client.get("/actuator/metrics/cache_gets_total").json()["name"] == "cache.gets"
