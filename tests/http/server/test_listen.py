"""Listening sockets."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from promsnmp.errors import PromSnmpError
from promsnmp.http.server import listen as module
from promsnmp.http.server.listen import listen, listen_all, urls


@pytest.fixture
def opened() -> Iterator[list[socket.socket]]:
    """Sockets to close after the test."""
    sockets: list[socket.socket] = []
    yield sockets
    for item in sockets:
        item.close()


def test_no_address_means_every_address_in_one_socket(opened: list[socket.socket]) -> None:
    opened += listen("", 0)
    (made,) = opened
    if made.family == socket.AF_INET6:
        assert made.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 0
    socket.create_connection(("127.0.0.1", made.getsockname()[1]), timeout=5).close()


def test_a_machine_without_ipv6_listens_on_ipv4(opened: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def no_ipv6(family: int = -1, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *rest)

    monkeypatch.setattr(module.socket, "socket", no_ipv6)  # type: ignore[attr-defined]  # the module's own import
    opened += listen("", 0)
    assert [item.family for item in opened] == [socket.AF_INET]


def test_all_addresses_of_a_name_get_the_same_port(opened: list[socket.socket]) -> None:
    opened += listen("localhost", 0)
    assert len({item.getsockname()[1] for item in opened}) == 1


def test_brackets_around_an_ipv6_address_are_tolerated(opened: list[socket.socket]) -> None:
    try:
        opened += listen("[::1]", 0)
    except PromSnmpError:
        pytest.skip("this machine has no IPv6")
    assert urls(opened) == [f"http://[::1]:{opened[0].getsockname()[1]}"]


def test_a_port_in_use_says_so_and_names_the_setting(opened: list[socket.socket]) -> None:
    opened += listen("127.0.0.1", 0)
    port = opened[0].getsockname()[1]
    with pytest.raises(PromSnmpError, match=f"port {port} is in use.*SERVER_PORT"):
        listen("127.0.0.1", port)


def test_an_address_of_another_machine_says_so() -> None:
    with pytest.raises(PromSnmpError, match=r"no address 192\.0\.2\.77.*SERVER_ADDRESS"):
        listen("192.0.2.77", 0)


def test_urls_show_all_addresses_as_localhost(opened: list[socket.socket]) -> None:
    opened += listen("", 0)
    assert urls(opened) == [f"http://localhost:{opened[0].getsockname()[1]}"]


def test_the_server_listens_at_all_places_or_none(opened: list[socket.socket]) -> None:
    opened += listen_all([("127.0.0.1", 0), ("127.0.0.2", 0)])
    assert [item.getsockname()[0] for item in opened] == ["127.0.0.1", "127.0.0.2"]
    taken = opened[0].getsockname()[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.3", 0))
        free = probe.getsockname()[1]
    with pytest.raises(PromSnmpError, match=f"port {taken} is in use"):
        listen_all([("127.0.0.3", free), ("127.0.0.1", taken)])
    opened += listen("127.0.0.3", free)
