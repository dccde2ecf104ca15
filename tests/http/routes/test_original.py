"""Small paths of the original PromSNMP's API."""

from __future__ import annotations

import httpx
import pytest
import yaml

from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol


def test_the_small_answers_of_the_original(client: httpx.Client) -> None:
    for path, text in (("/promsnmp/hello", "Hello World"), ("/promsnmp/evictCache", "Cache cleared.")):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert client.get("/promsnmp/authProtocols").json() == [item.value for item in AuthProtocol]
    assert client.get("/promsnmp/privProtocols").json() == [item.value for item in PrivProtocol]


def test_thread_pools_have_the_original_s_names_and_our_figures(client: httpx.Client) -> None:
    pools = client.get("/promsnmp/threadPools").json()
    assert set(pools) == {"snmpDiscoveryExecutor", "snmpMetricsExecutor"}
    for pool in pools.values():
        assert set(pool) == {"active", "poolSize", "maxPoolSize", "queueSize"}
        assert all(isinstance(figure, int) for figure in pool.values())


@pytest.mark.parametrize("path", ["/metricsPlain", "/allMetrics"])
def test_the_original_s_experimental_paths_have_openmetrics(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/plain"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    assert "promsnmp_build_info" in answer.text


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?target=", 400), ("?target=nosuch", 404)])
def test_filtered_metrics_need_a_known_target(client: httpx.Client, query: str, status: int) -> None:
    assert client.get(f"/filteredMetrics{query}").status_code == status


def test_the_openapi_document_is_there_as_yaml(client: httpx.Client) -> None:
    answer = client.get("/v3/api-docs.yaml")
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi")
    assert yaml.safe_load(answer.text) == client.get("/v3/api-docs").json()
