"""snmp_exporter, for comparisons: found or downloaded, and run with a file of modules."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from scripts.programs import exporter
from tests.support.tools import Process, free_tcp_port, unavailable


def require_exporter() -> str:
    """Path of snmp_exporter; without it the test is skipped, and fails where ``CI=true``."""
    return _require(exporter.EXPORTER)


def require_generator() -> str:
    """Path of snmp_exporter's generator; otherwise as ``require_exporter``."""
    return _require(exporter.GENERATOR)


def _require(name: str) -> str:
    try:
        return exporter.find(name)
    except exporter.Unavailable as reason:
        unavailable(str(reason))


class Exporter:
    """snmp_exporter on a free port while the context lasts; ``configs`` are files or globs."""

    def __init__(
        self,
        path: str,
        *configs: Path,
        log: Path,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self._path = path
        self._options = [*(f"--config.file={config}" for config in configs), "--log.level=error", *options]
        self._log = log
        self._env = env
        self.process: Process | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.url = f"http://127.0.0.1:{free_tcp_port()}"
        command = [self._path, f"--web.listen-address={self.url.removeprefix('http://')}", *self._options]
        self.process = Process(command, log=self._log, ready=self._answers, deadline=60, env=self._env)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.stop()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.running

    def ended(self) -> bool:
        """Waits up to 5 s; whether the program has ended, as it does for some values (a crash)."""
        assert self.process is not None
        try:
            self.process.process.wait(5)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/healthy", timeout=2):
                return True
        except OSError:
            return False

    def scrape(self, target: str, *modules: str, auth: str = "public_v2", **more: str) -> tuple[int, str]:
        """Status and body of a scrape; status 0 without a response."""
        query = [("target", target), ("auth", auth), *(("module", module) for module in modules), *more.items()]
        return self.get(f"/snmp?{urlencode(query)}")

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and body of a page."""
        return fetch(f"{self.url}{path}", headers=headers)


def fetch(url: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and body of a page, whatever the status; without a response 0 and the reason."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers or {})), timeout=120) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def dry_run(path: str, config: Path, *options: str, more: Sequence[Path] = ()) -> Process:
    """Runs snmp_exporter's check of files: exit code 0 when it accepts them."""
    command = [path, *(f"--config.file={file}" for file in (config, *more)), "--dry-run", *options]
    process = Process(command, log=config.with_suffix(".log"))
    process.process.wait(60)
    return process


def reload(exporter: Exporter) -> None:
    """Makes snmp_exporter reload its files, which must be valid."""
    with urllib.request.urlopen(
        urllib.request.Request(f"{exporter.url}/-/reload", method="POST"), timeout=60
    ) as response:
        assert response.status == 200
