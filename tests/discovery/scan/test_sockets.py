"""The shared socket on loopback: where datagrams came from, and which ones were lost."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from promsnmp.discovery.scan.sockets import AT_ONCE, Lost, Place, Sent, Wire, place_of
from tests.support.tools import free_udp_port, wait_until


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def all_received(wire: Wire, count: int) -> list[tuple[bytes, Place]]:
    found: list[tuple[bytes, Place]] = []

    def enough() -> bool:
        found.extend(wire.received())
        return len(found) >= count

    wait_until(enough, what=f"{count} datagrams")
    return found


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_answers_come_with_the_address_that_was_asked(wire: Wire, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as agent:
        agent.bind((address, 0))
        place = place_of(address, agent.getsockname()[1])
        assert wire.send(b"question", place) is Sent.GONE
        _, asker = agent.recvfrom(100)
        agent.sendto(b"answer", asker)
        assert all_received(wire, 1) == [(b"answer", place)]


def test_each_refusal_names_the_address_that_refused_and_disturbs_no_other(wire: Wire) -> None:
    port = free_udp_port()
    refusing = [place_of(f"127.0.1.{number}", port) for number in range(1, 21)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.2.1", port))
        for place in refusing:
            assert wire.send(b"x", place) is Sent.GONE
        assert wire.send(b"x", place_of("127.0.2.1", port)) is Sent.GONE
        _, asker = agent.recvfrom(100)
        agent.sendto(b"answer", asker)
        lost: list[Lost] = []

        def all_lost() -> bool:
            lost.extend(wire.lost())
            return len(lost) == 20

        wait_until(all_lost, what="twenty refusals")
        assert sorted(lost) == sorted(Lost(place, errno.ECONNREFUSED) for place in refusing)
        assert all_received(wire, 1) == [(b"answer", place_of("127.0.2.1", port))]


def test_what_cannot_be_sent_is_told(wire: Wire) -> None:
    assert wire.send(b"x", place_of("127.255.255.255", 9)) is Sent.IMPOSSIBLE  # a broadcast address
    assert wire.send(b"x" * 70_000, place_of("127.0.0.1", 9)) is Sent.IMPOSSIBLE


def test_a_flood_is_taken_in_portions(wire: Wire) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        wire.send(b"x", place_of("127.0.0.1", agent.getsockname()[1]))
        _, asker = agent.recvfrom(100)
        for _ in range(AT_ONCE * 3):
            agent.sendto(b"flood", asker)
        assert len(list(wire.received())) <= AT_ONCE
