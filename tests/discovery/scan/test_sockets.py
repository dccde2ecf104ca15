"""The shared socket on loopback: the senders of datagrams, and which datagrams were lost."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from promsnmp.discovery.scan.sockets import (
    AT_ONCE,
    SendResult,
    SocketAddress,
    SweepSockets,
    Undelivered,
    socket_address,
)
from tests.support.tools import free_udp_port, wait_until


@pytest.fixture
def sockets() -> Iterator[SweepSockets]:
    made = SweepSockets()
    yield made
    made.close()


def all_received(sockets: SweepSockets, count: int) -> list[tuple[bytes, SocketAddress]]:
    found: list[tuple[bytes, SocketAddress]] = []

    def enough() -> bool:
        found.extend(sockets.received())
        return len(found) >= count

    wait_until(enough, what=f"{count} datagrams")
    return found


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_answers_come_with_the_address_that_was_asked(sockets: SweepSockets, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as agent:
        agent.bind((address, 0))
        sockaddr = socket_address(address, agent.getsockname()[1])
        assert sockets.send(b"question", sockaddr) is SendResult.SENT
        _, asker = agent.recvfrom(100)
        agent.sendto(b"answer", asker)
        assert all_received(sockets, 1) == [(b"answer", sockaddr)]


def test_each_refusal_names_the_address_that_refused_and_disturbs_no_other(sockets: SweepSockets) -> None:
    port = free_udp_port()
    refusing = [socket_address(f"127.0.1.{number}", port) for number in range(1, 21)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.2.1", port))
        for sockaddr in refusing:
            assert sockets.send(b"x", sockaddr) is SendResult.SENT
        assert sockets.send(b"x", socket_address("127.0.2.1", port)) is SendResult.SENT
        _, asker = agent.recvfrom(100)
        agent.sendto(b"answer", asker)
        lost: list[Undelivered] = []

        def all_lost() -> bool:
            lost.extend(sockets.undelivered())
            return len(lost) == 20

        wait_until(all_lost, what="twenty refusals")
        assert sorted(lost) == sorted(Undelivered(sockaddr, errno.ECONNREFUSED) for sockaddr in refusing)
        assert all_received(sockets, 1) == [(b"answer", socket_address("127.0.2.1", port))]


def test_failed_sends_are_reported(sockets: SweepSockets) -> None:
    assert sockets.send(b"x", socket_address("127.255.255.255", 9)) is SendResult.UNREACHABLE  # a broadcast address
    assert sockets.send(b"x" * 70_000, socket_address("127.0.0.1", 9)) is SendResult.UNREACHABLE


def test_a_flood_is_received_in_portions(sockets: SweepSockets) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        sockets.send(b"x", socket_address("127.0.0.1", agent.getsockname()[1]))
        _, asker = agent.recvfrom(100)
        for _ in range(AT_ONCE * 3):
            agent.sendto(b"flood", asker)
        assert len(list(sockets.received())) <= AT_ONCE
