"""The fast path of scrapes from memory: its responses are those of ASGI."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import WEB

CACHE_SETTINGS = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "600000", "SNMP_ALLOW_ADHOC_TARGETS": "true"}


@pytest.fixture(scope="module")
def path(server: ServiceProcess) -> Iterator[str]:
    """The path of a page that is in memory, in both formats."""
    agent = SimulatedAgent(mib())
    with running(agent):
        made = f"/snmp?target={agent.target}"
        for accept in ("text/plain", "application/openmetrics-text"):
            assert server.client.get(made, headers={"Accept": accept}).status_code == 200
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("express"), env=CACHE_SETTINGS) as made:
        yield made


def talk(server: ServiceProcess, request: bytes) -> bytes:
    """Everything that the server sends after ``request`` until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        said = b""
        while more := connection.recv(65_536):
            said += more
    return said


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_the_fast_path_and_asgi_give_the_same_response(
    server: ServiceProcess, path: str, accept: str, coding: str
) -> None:
    headers = {"Accept": accept, "Accept-Encoding": coding}
    short = server.client.get(path, headers=headers)
    long = WEB.get(f"{server.url}{path}", headers=headers)
    assert short.status_code == long.status_code == 200
    assert short.content == long.content
    ignored = {"date", "age", "connection"}
    assert {name: value for name, value in short.headers.items() if name not in ignored} == {
        name: value for name, value in long.headers.items() if name not in ignored
    }
    assert "date" in short.headers


def test_requests_sent_one_after_the_other_are_answered_in_order(server: ServiceProcess, path: str) -> None:
    one = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n".encode()
    hello = b"GET /promsnmp/hello HTTP/1.1\r\nHost: x\r\n\r\n"
    last = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    said = talk(server, one + hello + one + last)
    assert said.count(b"HTTP/1.1 200 OK\r\n") == 4
    first, second = said.index(b"\x1f\x8b"), said.index(b"Hello World")
    assert first < second < said.rindex(b"\x1f\x8b") < said.rindex(b"ifInOctets{")


@pytest.mark.parametrize(
    "request_text",
    [
        "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        "GET {path}#part HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_unusual_requests_are_answered(server: ServiceProcess, path: str, request_text: str) -> None:
    said = talk(server, request_text.format(path=path).encode())
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"ifInOctets{" in said


def test_head_has_the_headers_and_no_body(server: ServiceProcess, path: str) -> None:
    answer = server.client.head(path)
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 0
    assert answer.content == b""


def test_scrapes_are_counted(server: ServiceProcess, path: str) -> None:
    def counted() -> float:
        lines = server.client.get("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if "cache_gets_total" in line and "hit" in line)

    before = counted()
    for _ in range(5):
        server.client.get(path)
    assert counted() == before + 5


def test_after_the_cache_is_emptied_the_device_is_asked_again(server: ServiceProcess, path: str) -> None:
    server.client.get("/promsnmp/evictCache")
    before = server.client.get("/metrics").text
    assert server.client.get(path).status_code == 200
    after = server.client.get("/metrics").text
    missed = 'cache_gets_total{cache="metrics",result="miss"} '
    assert before.split(missed)[1].split()[0] != after.split(missed)[1].split()[0]
