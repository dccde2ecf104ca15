"""Small paths of the original PromSNMP's API."""

from __future__ import annotations

import httpx

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
