"""Discovery of a /16 with 1,000 devices while 1,000 others are polled: time, CPU, memory, delay of polls."""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.fleet import INTERVAL, inventory
from bench.parts import OTHER_CORES, cpu_seconds, devices, folder, get, memory_mb, process, progress, promsnmp

NETWORK, FOUND, PORT = "127.20.0.0/16", 1000, 16200
SECRETS = {"PROMSNMP_AUTH_PASSPHRASE": "authenticate", "PROMSNMP_PRIV_PASSPHRASE": "keep-private"}
COMMUNITY = {"agentType": "snmp-community", "version": "v2c", "readCommunity": "public"}
USER = {
    "agentType": "snmp-user", "version": "v3", "securityName": "monitor", "securityLevel": 3,
    "authProtocol": "SHA256", "authPassphrase": "authenticate", "privProtocol": "AES256",
    "privPassphrase": "keep-private",
}  # fmt: skip
PORTS = 24
_BUCKET = re.compile(r'promsnmp_poll_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')


def recording() -> str:
    """A switch of PORTS ports."""
    system = ("1.0|4|Simulated switch", "2.0|6|1.3.6.1.4.1.9.1.1208", "3.0|67|8640000", "4.0|4|noc", "5.0|4|found")
    lines = [f"1.3.6.1.2.1.1.{cell}" for cell in (*system, "6.0|4|rack 7")]
    lines += ["1.3.6.1.2.1.47.1.1.1.1.5.1|2|3", "1.3.6.1.2.1.47.1.1.1.1.11.1|4|FOC1234"]
    for port in range(1, PORTS + 1):
        cells = (
            f"1.{port}|2|{port}",
            f"2.{port}|4|port {port}",
            f"6.{port}|4x|001b5400{port:04x}",
            f"10.{port}|65|1000",
        )
        lines += [f"1.3.6.1.2.1.2.2.1.{cell}" for cell in cells]
    return "\n".join(lines) + "\n"


@contextmanager
def network(where: Path) -> Iterator[None]:
    """FOUND devices in NETWORK; all other addresses there are silent."""
    file = where / "switch.snmprec"
    file.write_text(recording())
    log = where / "network.log"
    command = [
        *OTHER_CORES,
        sys.executable,
        "-m",
        "promsnmp",
        "simulate",
        "--network",
        NETWORK,
        "--devices",
        str(FOUND),
    ]
    with process([*command, "--port", str(PORT), "--user", "monitor", str(file)], log, SECRETS):
        while "Press Ctrl-C" not in log.read_text():
            time.sleep(0.2)
        yield


def main() -> None:
    """Searches by an idle service, and by one that also polls 1,000 devices."""
    with folder() as where, network(where):
        with promsnmp(where, {"COLLECTION_INTERVAL": "0"}) as (pid, port):
            progress(f"{NETWORK}, nothing else to do")
            _search(pid, port, "one community, nothing is polled", [COMMUNITY])
        (where / "inventory.json").unlink()
        with devices(where), promsnmp(where, {"COLLECTION_INTERVAL": str(INTERVAL * 1000)}) as (pid, port):
            _post(port, "/promsnmp/inventory", inventory())
            progress(f"1,000 devices are polled; {INTERVAL} s until all were")
            time.sleep(INTERVAL)
            for title, credentials in (
                ("one community", [COMMUNITY]),
                ("a v3 user, then a community", [USER, COMMUNITY]),
                ("a community that no device has, then the user", [COMMUNITY | {"readCommunity": "other"}, USER]),
            ):
                progress(f"{NETWORK}, {title}")
                _search(pid, port, f"{title}, while 1,000 devices are polled", credentials)


def _search(pid: int, port: int, title: str, credentials: list[dict[str, object]]) -> None:
    before, cpu, began, most = _lags(port), cpu_seconds(pid), time.monotonic(), memory_mb(pid)
    base = most
    body = {"potentialTargets": [NETWORK], "port": PORT, "credentials": credentials}
    location = _post(port, "/promsnmp/discovery", body)["location"]
    while True:
        job = json.loads(get(port, location))
        most = max(most, memory_mb(pid))
        if job["state"] not in ("queued", "running"):
            break
        time.sleep(0.5)
    took, used = time.monotonic() - began, cpu_seconds(pid) - cpu
    print(
        f"{NETWORK}, {title}: {job['state']} in {took:.0f} s, {job['found']} of {FOUND} devices "
        f"({job['added']} new), {job['packets']:,} packets; {used:.1f} s of CPU ({used / took:.0%} of one core, polls "
        f"included), {most:.0f} MB (before: {base:.0f}); polls started late, p99: {_p99(before, _lags(port))}"
    )


def _post(port: int, path: str, body: object) -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    answer = urllib.request.urlopen(request).read()
    return dict(json.loads(answer)) if answer.startswith(b"{") else {}


def _lags(port: int) -> dict[str, float]:
    return {bound: float(count) for bound, count in _BUCKET.findall(get(port, "/metrics").decode())}


def _p99(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """The bound of the bucket that contains the 99th percentile of the observations in between."""
    grown = {bound: after[bound] - before[bound] for bound in after}
    for bound, count in grown.items():
        if grown["+Inf"] and count >= 0.99 * grown["+Inf"]:
            return f"at most {bound} s of {grown['+Inf']:.0f} polls"
    return "there were none"
