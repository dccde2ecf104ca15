"""``promsnmp demo`` as a user runs it: it starts, shows its output, stops, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from promsnmp.sim.devices import DEMO, SILENT
from tests.support.service.demo import COMMAND, Demo
from tests.support.tools import PLAIN, PROJECT, wait_until


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_serves_every_device_and_prints_one_link(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo, httpx.Client(base_url=demo.url, timeout=20, verify=PLAIN) as client:
        names = [make().name for make in DEMO]
        assert len(client.get("/targets").json()) == len(names) + 1
        for name in names:
            page = client.get("/snmp", params={"target": name})
            assert page.status_code == 200
            assert f'sysName="{name}"' in page.text or "sysUpTime" in page.text
        assert re.findall(r"http://\S+", demo.output()) == [f"{demo.url}/"]
        wait_until(lambda: shows_everything(client, names), deadline=60, what="what the demo is for, on its pages")
        assert not re.search(r" (INFO|WARNING) ", demo.output())
        assert demo.stop() == 0


def shows_everything(client: httpx.Client, names: list[str]) -> bool:
    """Whether the overview has the fan that has failed, and the map all devices, one of them down, with their links."""
    if "Fan 2" not in client.get("/", headers={"accept": "text/html"}).text:
        return False
    drawn = client.get("/map.json").json()
    by_id = {one["id"]: one["name"] for one in drawn["nodes"]}
    links = {frozenset((by_id[one["a"]], by_id[one["b"]])) for one in drawn["links"]}
    states = {one["name"]: one["state"] for one in drawn["nodes"]}
    wanted = dict.fromkeys(names, "up") | {SILENT: "down"}
    return states == wanted and len(links) == 7 and {SILENT, "access-sw-01"} in links


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_it_with_its_service_and_files(tmp_path: Path, number: signal.Signals) -> None:
    with Demo(tmp_path) as demo:
        children = demo.children
        assert len(children) == 1
        assert demo.leftovers
        os.kill(demo.pid, number)
        assert demo.process.wait(30) == 0
        assert not any(map(alive, children))
        assert demo.leftovers == []
        assert "Traceback" not in demo.output()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_kill_stops_the_service_too(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        children = demo.children
        demo.process.kill()
        demo.process.wait(10)
        wait_until(lambda: not any(map(alive, children)), deadline=30, what="the end of the service")


def test_a_service_that_stops_ends_the_demo_with_a_message(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo:
        os.kill(demo.children[0], signal.SIGKILL)
        assert demo.process.wait(30) == 1
        assert "the service stopped unexpectedly" in demo.output()
        assert demo.leftovers == []


def test_ctrl_c_during_the_start_stops_it_cleanly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}/src", "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    process.stdout.readline()  # "Starting ..."
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_reported_in_one_line_with_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = time.monotonic()
        result = run(SERVER_PORT=str(port))
        assert time.monotonic() - started < 30
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"port {port} is in use" in result.stderr
    assert "SERVER_PORT" in result.stderr


def test_a_wrong_port_setting_is_reported_in_one_line() -> None:
    result = run(SERVER_PORT="many")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "SERVER_PORT=many" in result.stderr


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": f"{PROJECT}/src", **settings}
    return subprocess.run(COMMAND, capture_output=True, text=True, timeout=60, check=False, env=env)
