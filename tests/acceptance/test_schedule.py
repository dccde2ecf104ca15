"""Saved seeds are searched on schedule and at the start, with snmpd."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.support.service.service_process import ServiceProcess
from tests.support.tools import Snmpd, start_snmpd, wait_until


def names(server: ServiceProcess) -> list[str]:
    return [group["labels"]["__meta_promsnmp_address"] for group in server.client.get("/targets").json()]


def save_seed(folder: Path, agent: Snmpd) -> None:
    """A seed that a service without a schedule keeps and does not search."""
    with ServiceProcess(folder, env={"COLLECTION_INTERVAL": "0", "DISCOVERY_CRON": "-"}) as server:
        answer = server.client.post(
            "/promsnmp/discovery",
            params={"scheduleNow": "false", "saveSeed": "true"},
            json={
                "potentialTargets": ["127.0.0.1"],
                "agentType": "snmp-community",
                "version": "v2c",
                "port": agent.port,
                "readCommunity": "public",
            },
        )
        assert answer.is_success, answer.text
        page = server.client.get("/metrics").text
        assert "promsnmp_discovery_next_run_timestamp_seconds 0.0" in page
        assert names(server) == []


@pytest.mark.parametrize(
    "env", [{"DISCOVERY_CRON": "*/2 * * * * *"}, {"DISCOVERY_CRON": "-", "DISCOVERY_ON_START": "true"}]
)
def test_saved_seeds_are_searched_at_their_time_or_at_the_start(tmp_path: Path, env: dict[str, str]) -> None:
    with start_snmpd(tmp_path) as agent:
        save_seed(tmp_path, agent)
        with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0", **env}) as server:
            wait_until(lambda: names(server) == ["127.0.0.1"], deadline=60, what="the device of the seed")
            wait_until(
                lambda: 'promsnmp_discovery_jobs_total{outcome="finished"}' in server.client.get("/metrics").text,
                what="the end of the search",
            )


def test_the_next_run_is_two_o_clock_by_default(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0", "DISCOVERY_TZ": "Asia/Kathmandu"}) as server:
        found = re.search(r"\npromsnmp_discovery_next_run_timestamp_seconds (\S+)", server.client.get("/metrics").text)
        assert found is not None
        at = float(found[1])
        assert 0 < at - time.time() <= 86_400
        assert (at + 5.75 * 3600) % 86_400 == 2 * 3600  # 5:45 ahead of UTC
