"""The life of the process: start, signals, shutdown."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from promsnmp import app
from promsnmp.settings import load_settings
from tests.support.service.failing import failing
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import wait_until

DOCUMENT = b'{"devices": [{"sysName": "router", "agents": [{"type": "snmp-community", "version": 1, ' + (
    b'"endpoint": {"address": "192.0.2.1", "port": 161}, "readCommunity": "geheim"}]}]}'
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """``ServiceProcess`` in a folder of the test; ended after it."""
    started: list[ServiceProcess] = []

    def one(**options: object) -> ServiceProcess:
        started.append(ServiceProcess(tmp_path, **options))  # type: ignore[arg-type]  # as ServiceProcess takes them
        return started[-1]

    yield one
    for server in started:
        server.client.close()
        server.stop()


class _Upload:
    """A request in flight: a POST of an inventory whose body is not complete yet."""

    def __init__(self, server: ServiceProcess) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        head = f"POST /promsnmp/inventory HTTP/1.1\r\nhost: x\r\ncontent-length: {len(DOCUMENT)}\r\n\r\n"
        self._socket.sendall(head.encode() + DOCUMENT[:10])

    def finish(self) -> bytes:
        """Sends the rest of the body; returns the whole response."""
        with self._socket as connection:
            connection.sendall(DOCUMENT[10:])
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def close(self) -> None:
        self._socket.close()


def _in_flight(server: ServiceProcess) -> bool:
    """Whether the server answers another request meanwhile."""
    return server.client.get("/-/healthy").status_code == 200


def test_an_idle_server_ends_at_once_with_exit_code_0(start: Callable[..., ServiceProcess]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        server = start()
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert "Traceback" not in server.output()


def test_a_request_in_flight_is_answered_after_sigterm_while_readiness_says_no(
    start: Callable[..., ServiceProcess],
) -> None:
    server = start()
    upload = _Upload(server)
    assert _in_flight(server)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: server.client.get("/-/ready").status_code == 503, what="not ready")
    readiness = server.client.get("/actuator/health/readiness")
    assert (readiness.status_code, readiness.json()) == (503, {"status": "OUT_OF_SERVICE"})
    assert server.client.get("/actuator/health/liveness").status_code == 200
    assert server.client.get("/actuator/health").json()["status"] == "OUT_OF_SERVICE"
    assert "shutting down" in server.client.get("/-/ready").text
    answer = upload.finish()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"Inventory imported successfully.")
    assert server.process.wait(10) == 0


def test_a_scrape_that_waits_for_a_device_is_answered_after_sigterm(start: Callable[..., ServiceProcess]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, ThreadPoolExecutor() as threads:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(10)
        server = start(env={"SNMP_ALLOW_ADHOC_TARGETS": "true", "SCRAPE_TIMEOUT": "1500"})
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        scrape = threads.submit(httpx.get, f"{server.url}/snmp", params={"target": target}, timeout=10)
        silent.recv(4096)  # the device has been asked: the scrape is in flight
        server.process.send_signal(signal.SIGTERM)
        answer = scrape.result(10)
        assert answer.status_code == 504
        assert target in answer.text
        assert server.process.wait(10) == 0
        assert "Traceback" not in server.output()


def test_background_polls_do_not_delay_the_end(start: Callable[..., ServiceProcess]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(10)
        server = start(env={"COLLECTION_INTERVAL": "60000"})
        document = DOCUMENT.replace(b"192.0.2.1", b"127.0.0.1").replace(b"161", b"%d" % silent.getsockname()[1])
        assert server.client.post("/promsnmp/inventory", content=document).status_code == 200
        silent.recv(4096)  # a new device is polled at once; this one never answers
        assert server.stop(grace=5) == 0
        assert "Traceback" not in server.output()


def test_a_missing_compiled_decoder_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "COMPILED", False)
    sockets: list[socket.socket] = []
    monkeypatch.setattr(app, "listen_all", lambda *_: sockets)
    app.build(load_settings(prom_inv_file=tmp_path / "inventory.json"))
    (message,) = [record.getMessage() for record in caplog.records if "compiled decoder" in record.getMessage()]
    assert "gcc" in message


def test_an_unknown_module_ends_the_start_and_the_known_ones_are_listed(tmp_path: Path) -> None:
    code, errors = failing(tmp_path, COLLECTION_MODULES="system,if_mibb")
    assert code == 2
    assert "if_mibb" in errors.splitlines()[-1]
    assert "if_mib," in errors.splitlines()[-1]


def test_a_request_that_does_not_end_is_cancelled_after_the_shutdown_timeout(
    start: Callable[..., ServiceProcess],
) -> None:
    server = start(env={"SHUTDOWN_TIMEOUT": "500"})
    upload = _Upload(server)
    assert _in_flight(server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert "Traceback" not in server.output()
    upload.close()


def test_after_sigterm_new_requests_are_answered_for_the_shutdown_delay(
    start: Callable[..., ServiceProcess],
) -> None:
    server = start(env={"SHUTDOWN_DELAY": "60000"})
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: server.client.get("/actuator/health/readiness").status_code == 503, what="not ready")
    assert httpx.get(f"{server.url}/targets").status_code == 200, "on a new connection"
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) in (0, 130), "Ctrl-C ends the delay"


@pytest.mark.parametrize(
    ("env", "seconds"),
    [({}, 0), ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, 10), ({"SHUTDOWN_DELAY": "1500"}, 1.5)],
)
def test_the_shutdown_delay_is_ten_seconds_in_a_pod_and_none_elsewhere(
    env: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert load_settings().shutdown_delay_seconds == seconds


def test_a_second_interrupt_does_not_wait_for_requests(start: Callable[..., ServiceProcess]) -> None:
    server = start()
    upload = _Upload(server)
    assert _in_flight(server)
    server.process.send_signal(signal.SIGINT)
    wait_until(lambda: "shutting down" in server.output(), what="the shutdown")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) == 130
    assert "Traceback" not in server.output()
    upload.close()


def test_as_pid_1_it_ends_on_sigterm_with_exit_code_0(start: Callable[..., ServiceProcess]) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("a process becomes PID 1 by unshare, which needs root")
    if subprocess.run([unshare, "--fork", "--pid", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not allow PID namespaces")
    server = start(prefix=[unshare, "--fork", "--pid", "--"])
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    (inner,) = map(int, children)
    assert Path(f"/proc/{inner}/status").read_text().partition("NSpid:")[2].split("\n")[0].split()[-1] == "1"
    os.kill(inner, signal.SIGTERM)
    assert server.process.wait(10) == 0


def test_sighup_and_the_watch_read_an_inventory_that_another_process_wrote(
    start: Callable[..., ServiceProcess],
) -> None:
    server = start()
    assert server.client.get("/targets").json() == []
    other = start()
    assert other.client.post("/promsnmp/inventory", content=DOCUMENT).status_code == 200
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(server.client.get("/targets").json()) == 1, what="the inventory of the other process")


def test_a_file_damaged_at_runtime_is_reported_and_the_old_inventory_kept(
    start: Callable[..., ServiceProcess],
) -> None:
    server = start()
    assert server.client.post("/promsnmp/inventory", content=DOCUMENT).status_code == 200
    (server.folder / "inventory.json").write_bytes(b"damaged")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.client.get("/actuator/health").status_code == 503, what="DOWN")
    assert server.client.get("/actuator/health/inventory").json()["status"] == "DOWN"
    assert server.client.get("/-/ready").status_code == 200
    assert len(server.client.get("/targets").json()) == 1
    assert "promsnmp_inventory_healthy 0.0" in server.client.get("/metrics").text


def test_a_port_in_use_is_one_line_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = failing(tmp_path, "--port", str(port))
    assert code == 1
    last = errors.splitlines()[-1]
    assert str(port) in last
    assert "SERVER_PORT" in last
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("env", "code", "named"),
    [
        ({"SERVER_PORT": "eighty"}, 2, "SERVER_PORT=eighty"),
        ({"PROM_ENCRYPT_KEY": "short"}, 2, "PROM_ENCRYPT_KEY"),
        ({"LOG_LEVEL": "loud"}, 2, "LOG_LEVEL"),
        ({"SERVER_ADDRESS": "no.such.name.invalid"}, 1, "SERVER_ADDRESS"),
        ({"DISCOVERY_CRON": "0 2 * * *"}, 2, "DISCOVERY_CRON='0 0 2 * * *'"),
        ({"DISCOVERY_TZ": "Europe/Atlantis"}, 2, "DISCOVERY_TZ=Europe/Berlin"),
        ({"SNMP_ADHOC_NETWORKS": "192.0.2.1/24"}, 2, "192.0.2.0/24"),
        ({"SERVER_ADDRESS": "192.0.2.77"}, 1, "192.0.2.77"),
    ],
)
def test_a_wrong_setting_ends_the_start_with_a_message(
    tmp_path: Path, env: dict[str, str], code: int, named: str
) -> None:
    found, errors = failing(tmp_path, **env)
    assert found == code
    assert named in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert "short" not in errors.replace("16, 24 or 32 bytes", "").partition("PROM_ENCRYPT_KEY")[2]


@pytest.mark.parametrize("known", [True, False])
def test_a_key_that_everybody_knows_starts_with_a_warning_in_log_health_and_metrics(
    start: Callable[..., ServiceProcess], known: bool
) -> None:
    server = start(env={"PROM_ENCRYPT_KEY": "change-me-16byte"} if known else {})
    health = server.client.get("/actuator/health/inventory").json()
    assert health["status"] == "UP"
    assert ("keyWarning" in health["details"]) is known
    assert (f"promsnmp_inventory_key_known {known:.1f}\n") in server.client.get("/metrics").text
    assert ("promsnmp inventory rekey, then unset PROM_ENCRYPT_KEY" in server.output()) is known


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    _, errors = failing(tmp_path, SERVER_PORT="-1", CACHE_ENTRY_CNT="none")
    assert "SERVER_PORT" in errors
    assert "CACHE_ENTRY_CNT" in errors


def test_an_inventory_of_another_key_ends_the_start_and_is_not_changed(
    start: Callable[..., ServiceProcess], tmp_path: Path
) -> None:
    server = start(env={"PROM_ENCRYPT_KEY": "0123456789abcdef"})
    assert server.client.post("/promsnmp/inventory", content=DOCUMENT).status_code == 200
    server.stop()
    before = (tmp_path / "inventory.json").read_bytes()
    code, errors = failing(tmp_path, PROM_ENCRYPT_KEY="fedcba9876543210")
    assert code in (1, 2)
    assert "PROM_ENCRYPT_KEY" in errors
    assert "Traceback" not in errors
    assert "fedcba9876543210" not in errors
    assert (tmp_path / "inventory.json").read_bytes() == before


def test_it_listens_on_ipv4_and_ipv6_when_no_address_is_set(start: Callable[..., ServiceProcess]) -> None:
    server = start(env={"SERVER_ADDRESS": ""})
    hosts = ["127.0.0.1"]
    with socket.socket(socket.AF_INET6) as probe:
        if probe.connect_ex(("::1", server.port)) == 0:
            hosts.append("[::1]")
    for host in hosts:
        assert httpx.get(f"http://{host}:{server.port}/-/healthy").status_code == 200
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6; IPv4 answers")
    assert len(hosts) == 2


def test_json_logs_are_json_lines(start: Callable[..., ServiceProcess]) -> None:
    server = start(env={"LOG_FORMAT": "json"})
    assert all(line.startswith("{") for line in server.output().splitlines())
