"""Requests that are answered without being parsed, as they were answered before: which ones, and how many are kept."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from promsnmp.http.server import repeated_requests
from promsnmp.http.server.repeated_requests import MAX_REQUEST, RepeatedRequests
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess

QUERY = b"target=switch"
HEADERS = [(b"host", b"promsnmp"), (b"accept-encoding", b"gzip")]


def request_for(name: str, *lines: str) -> bytes:
    return "\r\n".join((f"GET /snmp?target={name} HTTP/1.1", "Host: promsnmp", *lines, "", "")).encode()


def test_a_request_is_known_by_its_octets() -> None:
    repeated = RepeatedRequests()
    repeated.note(request_for("switch"), QUERY, HEADERS)
    assert repeated.get(request_for("switch")) == (QUERY, HEADERS)
    assert repeated.get(request_for("switch2")) is None


@pytest.mark.parametrize("name", [b"authorization", b"cookie", b"x-promsnmp-signature", b"range"])
def test_requests_with_other_headers_are_not_kept(name: bytes) -> None:
    repeated = RepeatedRequests()
    repeated.note(request_for("switch"), QUERY, [*HEADERS, (name, b"secret")])
    assert repeated.get(request_for("switch")) is None


def test_large_requests_are_not_kept() -> None:
    repeated = RepeatedRequests()
    large = request_for("x" * MAX_REQUEST)
    repeated.note(large, QUERY, HEADERS)
    assert repeated.get(large) is None


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated_requests, "MAX_MEMORY", 10_000)
    repeated = RepeatedRequests()
    for number in range(100):
        repeated.note(request_for(f"switch{number}"), QUERY, HEADERS)
    known = sum(repeated.get(request_for(f"switch{number}")) is not None for number in range(100))
    assert 0 < known < 20


def test_the_headers_that_are_kept_have_a_bound() -> None:
    repeated = RepeatedRequests()
    for number in range(300):
        repeated.note(request_for(f"switch{number}"), QUERY, [(b"user-agent", b"%d" % number)])
    assert repeated.get(request_for("switch0")) is None
    assert repeated.get(request_for("switch299")) is not None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    settings = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "600000", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
    with ServiceProcess(tmp_path_factory.mktemp("repeated"), env=settings) as made:
        yield made


def response(connection: socket.socket) -> bytes:
    """The body of one response."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(65_536)
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    size = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < size:
        body += connection.recv(65_536)
    assert len(body) == size
    return body


def test_repeated_scrapes_get_the_same_response(server: ServiceProcess) -> None:
    agent = SimulatedAgent(mib())
    with running(agent), socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        scrape = request_for(agent.target)
        pages = []
        for _ in range(3):
            connection.sendall(scrape)
            pages.append(response(connection))
        assert pages[0] == pages[1] == pages[2]
        connection.sendall(b"GET /promsnmp/hello HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"Hello" in response(connection)
        for part in (scrape[:20], scrape[20:] + scrape[:9], scrape[9:]):  # in parts, which are no whole requests
            connection.sendall(part)
        assert response_pair(connection) == pages[0] + pages[0]
        server.client.get("/promsnmp/evictCache")
        connection.sendall(scrape)  # polled again
        assert b"ifInOctets{" in response(connection)


def response_pair(connection: socket.socket) -> bytes:
    """The bodies of two responses that may arrive in one piece."""
    said = b""
    bodies: list[bytes] = []
    while len(bodies) < 2:
        head, end, body = said.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")] if end else []
        if lines and len(body) >= (size := int(lines[0].split(b":")[1])):
            bodies.append(body[:size])
            said = body[size:]
        else:
            more = connection.recv(65_536)
            assert more
            said += more
    return b"".join(bodies)
