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

from promsnmp.cli.commands.simulation.demo import SAMPLE_LINES, sample
from promsnmp.cli.commands.simulation.demo_service import DemoResponse
from promsnmp.sim.devices import DEMO
from tests.support.service.demo import COMMAND, Demo
from tests.support.tools import PROJECT, wait_until


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_serves_every_device_and_every_path_it_shows(tmp_path: Path) -> None:
    with Demo(tmp_path) as demo, httpx.Client(base_url=demo.url, timeout=20) as client:
        names = [make().name for make in DEMO]
        assert len(client.get("/targets").json()) == len(names)
        for name in names:
            page = client.get("/snmp", params={"target": name})
            assert page.status_code == 200
            assert f'sysName="{name}"' in page.text or "sysUpTime" in page.text
        paths = re.findall(rf"{re.escape(demo.url)}(/\S*)", demo.output())
        assert {"/targets", "/snmp?target=access-sw-01", "/actuator/health"} <= set(paths)
        for path in paths:
            assert client.get(path, follow_redirects=True).status_code == 200, path
        assert re.search(r"^  ifHCInOctets\{.*\} \d+$", demo.output(), re.MULTILINE)
        assert "http_sd_configs" in demo.output()
        assert demo.stop() == 0


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


def test_a_sample_is_short_and_has_samples_of_several_families() -> None:
    families = ("sysUpTime", "ifHCInOctets", "ifOperStatus", "ifAlias", "interface_utilization")
    rows = [f'{name}{{ifIndex="{row}"}} 1' for row in range(5) for name in families]
    page = DemoResponse(200, "\n".join([f"# TYPE {name} gauge" for name in families] + rows))
    lines = sample(page)
    assert len(lines) <= SAMPLE_LINES
    assert {line.split("{")[0] for line in lines if not line.startswith("#")} == set(families)


def test_the_sample_of_an_unknown_page_is_its_start() -> None:
    assert sample(DemoResponse(200, "up 1\ndown 0\n")) == ["up 1", "down 0"]
