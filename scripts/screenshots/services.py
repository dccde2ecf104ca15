"""What the pictures show: ``promsnmp demo`` and a real Prometheus that scrapes it, on their usual ports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROMSNMP_URL = "http://localhost:8080"
PROMETHEUS_URL = "http://localhost:9090"
SCRAPE_INTERVAL = 5
"""Seconds; the demo polls as often."""
START_SECONDS = 90.0
CONFIG = f"""\
global: {{scrape_interval: {SCRAPE_INTERVAL}s}}
scrape_configs:
  - job_name: promsnmp
    static_configs:
      - targets: [localhost:8080]
  - job_name: snmp
    metrics_path: /snmp
    http_sd_configs:
      - {{url: "{PROMSNMP_URL}/targets", refresh_interval: 5s}}
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "localhost:8080"}}
"""


class Failed(Exception):
    """A program is missing, did not start, or did not do its work; the message says which and why."""


def require(program: str) -> str:
    """The path of a program. Raises Failed without it."""
    path = shutil.which(program)
    if path is None:
        raise Failed(f"{program} is missing; as root on Debian, scripts/debian-packages screenshots installs it")
    return path


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float) -> None:
    """Polls until ``condition`` holds. Raises Failed after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {seconds:.0f} s")
        time.sleep(0.5)


@contextmanager
def demo(folder: Path) -> Iterator[None]:
    """The simulated devices and PromSNMP on port 8080."""
    command = [sys.executable, "-m", "promsnmp", "demo", "--port", "8080"]
    log = folder / "demo.log"
    settings = {"COLLECTION_INTERVAL": str(SCRAPE_INTERVAL * 1000)}
    with _running(command, log, settings):
        wait_for(lambda: "Running until Ctrl-C" in log.read_text(encoding="utf-8"), "demo", seconds=START_SECONDS)
        yield


@contextmanager
def prometheus(folder: Path) -> Iterator[None]:
    """Prometheus on port 9090, which scrapes the demo."""
    config = folder / "prometheus.yml"
    config.write_text(CONFIG, encoding="utf-8")
    command = [require("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    with _running([*command, "--web.listen-address=localhost:9090"], folder / "prometheus.log", {}):
        wait_for(lambda: has_samples("up == 1"), "a scrape by Prometheus", seconds=START_SECONDS)
        yield


def has_samples(query: str) -> bool:
    """Whether an instant query of Prometheus has a result; False while Prometheus does not answer."""
    url = f"{PROMETHEUS_URL}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # a constant address
            return bool(json.load(response)["data"]["result"])
    except OSError:
        return False


@contextmanager
def _running(command: Sequence[str], log: Path, settings: Mapping[str, str]) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **settings})
    try:
        yield
    except Failed as error:
        raise Failed(f"{error}\n{log.read_text(encoding='utf-8')[-2000:]}") from None
    finally:
        process.terminate()
        process.wait(30)
