"""The program that PromSNMP is compared with, running with one file of modules."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

CACHE = Path.home() / ".cache" / "promsnmp-conformance"


class Missing(Exception):
    """There is nothing to compare with, and why."""


def program(shared: Path) -> str:
    """Path of snmp_exporter: that of ``SNMP_EXPORTER``, the one on the PATH, or fetched once. Raises Missing."""
    named = os.environ.get("SNMP_EXPORTER") or shutil.which("snmp_exporter")
    if named:
        return named
    fetch = ["bash", str(shared / "bench" / "get_exporter.sh"), str(CACHE)]
    done = subprocess.run(fetch, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise Missing(f"snmp_exporter cannot be fetched (name one in SNMP_EXPORTER): {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


class Exporter:
    """snmp_exporter on a free port, for as long as the context lasts."""

    def __init__(self, path: str, config: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._command = [path, f"--config.file={config}", f"--web.listen-address={self.address}", "--log.level=error"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__(None, None, None)
                raise Missing(f"{self._command[0]} does not start")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/healthy", timeout=2):
                return True
        except OSError:
            return False

    def scrape(self, target: str, module: str) -> tuple[int, str]:
        """Status and body of a scrape."""
        query = urlencode({"target": target, "module": module, "auth": "public_v2"})
        try:
            with urllib.request.urlopen(f"http://{self.address}/snmp?{query}", timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
