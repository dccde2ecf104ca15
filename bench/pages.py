"""Pages for people with 20,000 devices: the CPU of a page, and of fifty overviews that stay open."""

from __future__ import annotations

import http.client
import json
import statistics
import time

from bench.inventory import DEVICES, device
from bench.parts import cpu_seconds, folder, progress, promsnmp

POLLING = {"COLLECTION_INTERVAL": "3600000", "SNMP_RETRIES": "0"}
ROUNDS, VIEWERS, EVERY, SECONDS = 15, 50, 5.0, 60.0
PAGES = {
    "overview": "/",
    "devices, first page": "/devices",
    "devices, sorted by address": "/devices?sort=address&order=desc",
    "devices, a search": "/devices?query=rack+label.region%3Deu+-site-7",
    "one device": "/devices/switch-00042.example.net",
    "replicas": "/replicas",
    "discovery": "/discovery",
    "map (nobody has neighbours)": "/map",
}
BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip"}


def main() -> None:
    """Prints milliseconds of CPU for each page, and the share of a core of the viewers."""
    with folder() as where, promsnmp(where, POLLING) as (pid, port):
        progress(f"an inventory of {DEVICES} devices is imported")
        document = json.dumps({"devices": [device(number) for number in range(DEVICES)]}).encode()
        _request(port, "POST", "/promsnmp/inventory", document, {"Content-Type": "application/json"})
        time.sleep(5)
        print(f"Pages of {DEVICES} devices: CPU of the service for each")
        for title, path in PAGES.items():
            progress(f"pages, {title}")
            spent = [_cpu_of(pid, port, path) for _ in range(ROUNDS)]
            print(f"  {title}: first {spent[0]:.0f} ms, then {statistics.median(spent[1:]):.1f} ms (median)")
        for viewers in (0, VIEWERS):
            progress(f"pages, {viewers} open overviews for {SECONDS:.0f} s")
            print(f"  {viewers} open overviews: {_share(pid, port, viewers):.2%} of a core, polls included")
        print()


def _request(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body or None, headers or BROWSER)
    response = connection.getresponse()
    content = response.read()
    assert response.status == 200, (path, response.status, content[:200])
    connection.close()
    return content


def _cpu_of(pid: int, port: int, path: str) -> float:
    before = cpu_seconds(pid)
    _request(port, "GET", path)
    return (cpu_seconds(pid) - before) * 1e3


def _share(pid: int, port: int, viewers: int) -> float:
    """The share of a core while so many overviews ask for their live part every EVERY seconds, each on a connection of
    its own that stays open, as browsers keep it."""
    headers = {**BROWSER, "HX-Request": "true"}
    open_pages = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(viewers)]
    before, begun, turn = cpu_seconds(pid), time.monotonic(), 0
    while (now := time.monotonic()) < begun + SECONDS:
        if open_pages:
            connection = open_pages[turn % viewers]
            connection.request("GET", "/", headers=headers)
            assert connection.getresponse().read()
            turn += 1
        time.sleep(max(now + EVERY / max(viewers, 1) - time.monotonic(), 0.0))
    spent = cpu_seconds(pid) - before
    for connection in open_pages:
        connection.close()
    return spent / (time.monotonic() - begun)
