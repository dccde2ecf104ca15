"""CPU per sample of live scrapes, HTTP and gzip included, against snmp_exporter in one interleaved run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.parts import ONE_CORE, devices, folder, process, progress, promsnmp, shared

EXPORTER_PORT = 19116
LIVE = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "0", "SNMP_ALLOW_ADHOC_TARGETS": "true"}


def run(where: Path, extra: dict[str, str]) -> str:
    """One comparison; prints the output of versus.py."""
    fetch = ["bash", str(shared("bench", "get_exporter.sh")), str(Path.home() / ".cache" / "promsnmp-bench")]
    exporter = subprocess.run(fetch, check=True, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    options = [
        f"--config.file={shared('snmp_exporter', 'snmp.yml')}",
        f"--web.listen-address=127.0.0.1:{EXPORTER_PORT}",
    ]
    command = [*ONE_CORE, exporter, *options]
    with (
        process(command, where / "exporter.log", {"GOMAXPROCS": "1"}) as other,
        promsnmp(where, {**LIVE, **extra}) as (pid, port),
    ):
        sides = ["--a-url", f"http://127.0.0.1:{port}", "--a-pid", str(pid)]
        sides += ["--b-url", f"http://127.0.0.1:{EXPORTER_PORT}", "--b-pid", str(other)]
        versus = [sys.executable, str(shared("bench", "versus.py")), *sides]
        return subprocess.run(versus, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Compares twice: with default settings, and without the histogram, which snmp_exporter does not have."""
    with folder() as where, devices(where):
        for title, extra in (
            ("as it comes", {}),
            ("without interface_utilization", {"INTERFACE_UTILIZATION": "false"}),
        ):
            progress(f"live scrapes, {title}")
            print(f"Live scrapes, {title} (A: PromSNMP, B: snmp_exporter)\n{run(where, extra)}")
