"""Hostile devices and clients against a real service: what is cut says so, and everything else goes on."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.preloaded import run
from tests.support.service.service_process import ServiceProcess, environment
from tests.support.tools import wait_until

ROWS, PAGE_BYTES = 500, 60_000
LIMITS = {
    "COLLECTION_MAX_ROWS": str(ROWS),
    "COLLECTION_MAX_OCTETS": "300000",
    "COLLECTION_MAX_PAGE_BYTES": str(PAGE_BYTES),
}
SETTINGS = {
    "COLLECTION_INTERVAL": "0",
    "SNMP_ALLOW_ADHOC_TARGETS": "true",
    "DISCOVERY_CRON": "-",
    "API_ALLOWED_HOSTS": "x",
    **LIMITS,
}
DESCRIPTORS = 288
"""What the service of the second half may open: the least that its shares need."""


def long_column(rows: int, value: bytes) -> Mib:
    """One column of ifTable, and the uptime."""
    objects = {f"1.3.6.1.2.1.2.2.1.2.{row}": ber.tlv(ber.OCTET_STRING, value) for row in range(1, rows + 1)}
    return Mib.of({"1.3.6.1.2.1.1.3.0": ber.encode_integer(4711, ber.TIME_TICKS), **objects})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("bounds"), env=SETTINGS) as process:
        yield process


def scrape(server: ServiceProcess, agent: SimulatedAgent) -> str:
    target = {"target": agent.target, "module": "if_mib", "auth": "public_v2"}
    answer = server.client.get("/snmp", params=target, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


def explained(folder: Path, agent: SimulatedAgent) -> str:
    done = run("explain", "-m", "if_mib", agent.target, env={**environment(folder), **LIMITS})
    assert done.returncode == 0, done.stderr
    return done.stdout


def figure(server: ServiceProcess, name: str) -> float:
    match = re.search(rf"^{re.escape(name)} (\S+)$", server.client.get("/metrics").text, re.MULTILINE)
    assert match is not None, name
    return float(match[1])


def status_of(server: ServiceProcess, request: bytes) -> bytes:
    """The status that a request of its own connection gets."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        with contextlib.suppress(ConnectionError):  # the server does not read all of a request that it refuses
            connection.sendall(request)
        return connection.recv(4096).split(b" ")[1]


# ---------------------------------------------------------------------------------------------------------- devices


@pytest.mark.parametrize(
    ("device", "setting"),
    [
        pytest.param(long_column(ROWS + 200, b"port"), "COLLECTION_MAX_ROWS", id="a table without end"),
        pytest.param(long_column(400, bytes(1000)), "COLLECTION_MAX_OCTETS", id="large values"),
    ],
)
def test_a_device_that_returns_too_much_is_cut_and_the_setting_is_named(
    server: ServiceProcess, device: Mib, setting: str
) -> None:
    agent = SimulatedAgent(device)
    with running(agent):
        page = scrape(server, agent)
        assert '\npromsnmp_module_up{module="if_mib"} 0\n' in page
        assert 100 < float(page.partition('snmp_scrape_pdus_returned{module="if_mib"} ')[2].split()[0]) < 600
        wait_until(lambda: f"{agent.target}): the device returns more than" in server.output(), what="the log")
        assert setting in server.output()
        assert setting in explained(server.folder, agent)


def test_metrics_that_do_not_fit_on_the_page_are_left_out_and_counted(server: ServiceProcess) -> None:
    agent = SimulatedAgent(mib(400))
    with running(agent):
        page = scrape(server, agent)
        assert PAGE_BYTES / 2 < len(page) < PAGE_BYTES + 5_000
        assert '\npromsnmp_module_up{module="if_mib"} 0\n' in page
        assert float(page.partition('promsnmp_page_dropped_values{reason="page_size"} ')[2].split()[0]) >= 400
        wait_until(lambda: "COLLECTION_MAX_PAGE_BYTES" in server.output(), what="the log")


def test_an_honest_device_within_the_limits_is_complete(server: ServiceProcess) -> None:
    agent = SimulatedAgent(mib(20))
    with running(agent):
        page = scrape(server, agent)
        assert '\npromsnmp_module_up{module="if_mib"} 1\n' in page
        assert "promsnmp_page_dropped_values" not in page


# ---------------------------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param(b"/metrics", b"Accept: text/plain\r\n" * 20_000, b"431", id="20,000 lines of Accept"),
        pytest.param(b"/-/healthy", b"Long: %b\r\n" % (b"a" * 400_000), b"431", id="a long header"),
        pytest.param(b"/snmp?target=a&x=" + b"a" * 60_000, b"", b"414", id="60 kB on /snmp"),
        pytest.param(b"/targets?query=" + b"a" * 60_000, b"", b"414", id="60 kB on /targets"),
        pytest.param(b"/targets?query=" + b"a" * 3_000, b"", b"400", id="a long query on /targets"),
        pytest.param(b"/targets?query=" + b"a+" * 200, b"", b"400", id="a query of many words"),
        pytest.param(b"/-/healthy", b"A: b\r\n" * 90, b"200", id="an honest request"),
    ],
)
def test_requests_that_are_too_large_are_refused(
    server: ServiceProcess, path: bytes, headers: bytes, status: bytes
) -> None:
    refused = 'promsnmp_http_connections_closed_total{reason="request_too_large"}'
    before = figure(server, refused)
    assert status_of(server, b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (path, headers)) == status
    assert figure(server, refused) - before == (status in (b"431", b"414"))


# ------------------------------------------------------------------------------- connections, descriptors and memory


@contextmanager
def many_connections(port: int, count: int, begin: bytes) -> Iterator[None]:
    """``count`` connections from several addresses that send ``begin`` and nothing more."""
    with ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.socket())
            connection.settimeout(5)
            connection.bind((f"127.0.7.{1 + number % 20}", 0))
            try:
                connection.connect(("127.0.0.1", port))
                connection.sendall(begin)
            except OSError:  # refused, which is one of the ways out
                continue
        yield


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that may open few files, and has little memory: less than it needs to start."""
    few = ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh"]
    env = {**SETTINGS, "MEMORY_LIMIT": "40000000", "COLLECTION_CONCURRENCY": "10"}
    with ServiceProcess(tmp_path_factory.mktemp("small"), env=env, prefix=few) as process:
        yield process


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nHost: "], ids=["idle", "half-open"])
def test_polls_and_writes_go_on_while_clients_hold_more_connections_than_there_are_descriptors(
    small_server: ServiceProcess, begin: bytes
) -> None:
    assert f"only {DESCRIPTORS} file descriptors are allowed" in small_server.output()
    agent = SimulatedAgent(mib(2))
    device = {"sysName": f"added-{len(begin)}", "agents": []}
    with running(agent), many_connections(small_server.port, 400, begin):
        assert '\npromsnmp_module_up{module="if_mib"} 1\n' in scrape(small_server, agent)
        assert small_server.client.post("/promsnmp/devices", json=device).status_code in (200, 201)
    assert "Traceback" not in small_server.output()


def test_memory_that_is_short_shows_and_the_service_goes_on(small_server: ServiceProcess) -> None:
    wait_until(lambda: "memory is short" in small_server.output(), what="the warning")
    memory = small_server.client.get("/actuator/health/memory")
    assert (memory.status_code, memory.json()["status"]) == (503, "DOWN")
    assert memory.json()["details"]["limitBytes"] == 40_000_000
    assert figure(small_server, "promsnmp_memory_short") == 1.0
    assert small_server.client.get("/actuator/health/readiness").status_code == 200
    assert small_server.client.get("/actuator/health/liveness").status_code == 200
    agent = SimulatedAgent(mib(2))
    with running(agent):
        assert '\npromsnmp_module_up{module="if_mib"} 1\n' in scrape(small_server, agent)
