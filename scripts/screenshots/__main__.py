"""``make screenshots``: takes the pictures in docs/images that show PromSNMP, its demo and Prometheus at work.

    python -m scripts.screenshots

Everything runs in a network namespace of its own, so that the usual ports are free and nothing is loaded from
elsewhere. It takes four minutes, most of them for Prometheus to collect data. Look at the pictures before you commit
them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

from promsnmp.inventory.document.seeds import credentials_document
from promsnmp.sim.devices import DEMO
from scripts.screenshots import browser, terminal
from scripts.screenshots.browser import WebPicture
from scripts.screenshots.services import (
    PROMETHEUS_URL,
    PROMSNMP_URL,
    Failed,
    demo,
    has_samples,
    prometheus,
    require,
    wait_for,
)
from scripts.screenshots.terminal import TerminalPicture

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
MAX_OCTETS = 150_000
INSIDE = "--inside-namespace"
ROUTER_RATE = 'rate(ifHCInOctets{instance="edge-rtr-01"}[1m])'
GRAPH = urllib.parse.urlencode({"g0.expr": ROUTER_RATE, "g0.tab": "0", "g0.range_input": "2m"})
WEB_PICTURES = (
    WebPicture("web-overview", f"{PROMSNMP_URL}/", 1100, 700),
    WebPicture("web-devices", f"{PROMSNMP_URL}/devices", 1200, 330),
    WebPicture("web-device", f"{PROMSNMP_URL}/devices/edge-rtr-01", 1100, 960),
    WebPicture("web-map", f"{PROMSNMP_URL}/map", 1100, 700),
    WebPicture("api-page", f"{PROMSNMP_URL}/swagger-ui.html", 1000, 742),
    WebPicture("prometheus-targets", f"{PROMETHEUS_URL}/classic/targets", 1200, 770),
    WebPicture("prometheus-graph", f"{PROMETHEUS_URL}/classic/graph?{GRAPH}", 1000, 920),
)
TERMINAL_PICTURES = (
    TerminalPicture(
        "discover", ("discover", "127.0.0.11-15", "--port", "16161", "--credentials", "credentials.json"), 110
    ),
    TerminalPicture(
        "explain", ("explain", "-v", "1", "127.0.0.15:16161", "--metric", "ifHCInOctets"), 110
    ),
)  # fmt: skip


def main() -> int:
    try:
        if INSIDE not in sys.argv:
            return _in_namespace()
        subprocess.run([require("ip"), "link", "set", "lo", "up"], check=True)
        with tempfile.TemporaryDirectory(prefix="promsnmp-screenshots-") as folder:
            _take_all(Path(folder))
    except (Failed, subprocess.SubprocessError) as error:
        print(f"make screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def _in_namespace() -> int:
    """Runs this program again in a new network namespace; returns its exit code."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = [require("unshare"), *as_root, "--net", sys.executable, "-m", "scripts.screenshots", INSIDE]
    return subprocess.run(command, check=False).returncode


def _take_all(folder: Path) -> None:
    credentials = [credentials_document(make().credentials, mask=False) for make in DEMO]
    (folder / "credentials.json").write_text(json.dumps(credentials), encoding="utf-8")
    with demo(folder), prometheus(folder):
        for terminal_picture in TERMINAL_PICTURES:
            _check(terminal.take(terminal_picture, IMAGES, cwd=folder))
        print("Waiting for three minutes of data ...", flush=True)
        wait_for(lambda: has_samples("ifHCInOctets offset 3m"), "data for the graph", seconds=300)
        for web_picture in WEB_PICTURES:
            _check(browser.take(web_picture, IMAGES, profile=folder / web_picture.name))


def _check(picture: Path) -> None:
    size = picture.stat().st_size
    print(f"{picture.name}: {size / 1000:.0f} kB", flush=True)
    if size > MAX_OCTETS:
        raise Failed(f"{picture.name} has {size:,} octets, more than {MAX_OCTETS:,}: make the window smaller")


if __name__ == "__main__":
    sys.exit(main())
