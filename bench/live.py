"""CPU per sample of live scrapes, HTTP and gzip included, against snmp_exporter in one interleaved run."""

from __future__ import annotations

from pathlib import Path

from bench.comparison.versus import Side, compare
from bench.parts import ONE_CORE, devices, exporter, folder, process, progress, promsnmp, snmp_yml

EXPORTER_PORT = 19116
LIVE = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "0", "SNMP_ALLOW_ADHOC_TARGETS": "true"}


def run(where: Path, extra: dict[str, str]) -> str:
    """One comparison; returns its lines."""
    options = [f"--config.file={snmp_yml()}", f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}"]
    command = [*ONE_CORE, exporter(), *options]
    with (
        process(command, where / "exporter.log", {"GOMAXPROCS": "1"}) as other,
        promsnmp(where, {**LIVE, **extra}) as (pid, port),
    ):
        sides = Side("PromSNMP", port, pid), Side("snmp_exporter", EXPORTER_PORT, other)
        return "".join(f"{line}\n" for line in compare(*sides))


def main() -> None:
    """Compares twice: with default settings, and without the histogram, which snmp_exporter does not have."""
    with folder() as where, devices(where):
        for title, extra in (
            ("as it comes", {}),
            ("without interface_utilization", {"INTERFACE_UTILIZATION": "false"}),
        ):
            progress(f"live scrapes, {title}")
            print(f"Live scrapes, {title}\n{run(where, extra)}")
