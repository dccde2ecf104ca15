"""CPU and memory of polling 1,000 devices of 48 ports every 30 seconds, and the delay of the polls."""

from __future__ import annotations

import json
import re
import time
import urllib.request

from bench.parts import SIMULATOR_PORT, cpu_seconds, devices, folder, get, memory_mb, progress, promsnmp

DEVICES, INTERVAL, INTERVALS = 1000, 30, 4


def inventory() -> dict[str, object]:
    """DEVICES switches, each on an address of its own."""
    return {
        "devices": [
            {
                "sysName": f"switch-{number:04}",
                "agents": [
                    {
                        "type": "snmp-community",
                        "endpoint": {"address": f"127.8.{number // 250}.{number % 250 + 1}", "port": SIMULATOR_PORT},
                        "version": 1,
                        "readCommunity": "public",
                    }
                ],
            }
            for number in range(DEVICES)
        ]
    }


def main() -> None:
    """Polls in the background, and one scrape per device and interval, as Prometheus does it."""
    with (
        folder() as where,
        devices(where),
        promsnmp(where, {"COLLECTION_INTERVAL": str(INTERVAL * 1000)}) as (pid, port),
    ):
        body = json.dumps(inventory()).encode()
        url, headers = f"http://127.0.0.1:{port}/promsnmp/inventory", {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, body, headers)).read()
        for scraping in (False, True):
            progress(f"{DEVICES} devices, {INTERVALS} intervals, {'with' if scraping else 'without'} scrapes")
            _scrape_for(port, INTERVAL if not scraping else 0, scraping=False)
            began, cpu = time.monotonic(), cpu_seconds(pid)
            _scrape_for(port, INTERVAL * INTERVALS, scraping=scraping)
            share = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
            print(
                f"{DEVICES} devices of 48 ports every {INTERVAL} s, {'scraped as often' if scraping else 'unscraped'}: "
                f"{share:.1%} of one core, {memory_mb(pid):.0f} MB"
            )
        _report(get(port, "/metrics").decode())


def _scrape_for(port: int, seconds: float, *, scraping: bool) -> None:
    end, number = time.monotonic() + seconds, 0
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    while time.monotonic() < end:
        if scraping:
            get(port, f"/snmp?target=switch-{number % DEVICES:04}", {"Accept": accept, "Accept-Encoding": "gzip"})
            number += 1
        time.sleep(INTERVAL / DEVICES if scraping else 0.5)


def _report(own: str) -> None:
    """Outcomes of the polls and how late they began."""
    for line in own.splitlines():
        if re.match(r"promsnmp_polls_total\{.*\} [1-9]", line) or line.startswith("promsnmp_poll_lag_seconds_bucket"):
            print(f"  {line}")
