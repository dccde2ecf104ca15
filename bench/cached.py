"""CPU of a scrape that is answered from memory."""

from __future__ import annotations

import http.client
import statistics

from bench.parts import SIMULATOR_PORT, cpu_seconds, devices, folder, get, progress, promsnmp

ROUNDS, SCRAPES = 7, 1000
KEPT = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "600000", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
PATH = f"/snmp?target=127.9.0.1:{SIMULATOR_PORT}&module=if_mib&auth=public_v2"


def main() -> None:
    """Prints microseconds per scrape, gzip and identity, text and OpenMetrics."""
    with folder() as where, devices(where), promsnmp(where, KEPT) as (pid, port):
        samples = sum(1 for line in get(port, PATH).splitlines() if line and not line.startswith(b"#"))
        print(f"Scrapes from memory, {samples} samples, one keep-alive connection")
        for title, headers in (
            ("text, gzip", {"Accept-Encoding": "gzip"}),
            ("OpenMetrics, gzip", {"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text"}),
            ("text, identity", {"Accept-Encoding": "identity"}),
        ):
            progress(f"scrapes from memory, {title}")
            figures = [_round(pid, port, headers) for _ in range(ROUNDS)]
            print(f"  {title}: {statistics.median(figures):.0f} us (min {min(figures):.0f} max {max(figures):.0f})")
        print()


def _round(pid: int, port: int, headers: dict[str, str]) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    began = cpu_seconds(pid)
    for _ in range(SCRAPES):
        connection.request("GET", PATH, headers=headers)
        connection.getresponse().read()
    return (cpu_seconds(pid) - began) / SCRAPES * 1e6
