"""Prometheus's own probes."""

from __future__ import annotations

import httpx


def test_prometheus_s_own_probes(client: httpx.Client) -> None:
    assert client.get("/-/healthy").status_code == 200
    assert client.get("/-/ready").status_code == 200
