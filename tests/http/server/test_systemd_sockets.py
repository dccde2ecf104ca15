"""Sockets that systemd passes: taken over, or refused with what to do."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest

from promsnmp.errors import PromSnmpError
from promsnmp.http.server import systemd_sockets as module
from promsnmp.http.server.systemd_sockets import systemd_sockets


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Passes sockets, as systemd does, from a free descriptor on; returns the environment."""

    def pass_on(*sockets: socket.socket) -> dict[str, str]:
        first = 200
        for offset, one in enumerate(sockets):
            os.dup2(one.fileno(), first + offset)
        monkeypatch.setattr(module, "FIRST", first)
        return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": "x"}

    return pass_on


def test_sockets_are_taken_over_once(passed: Callable[..., dict[str, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("::1", 0), family=socket.AF_INET6) as two:
        environment = passed(one, two) | {"OTHER": "1"}
        found = systemd_sockets(environment)
        assert [item.getsockname() for item in found] == [one.getsockname(), two.getsockname()]
        assert not any(item.getblocking() or item.get_inheritable() for item in found)
        assert environment == {"OTHER": "1"}
        for item in found:
            item.close()


@pytest.mark.parametrize(
    "environment",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
     {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "x"}, {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "9999"}],
)  # fmt: skip
def test_without_sockets_the_error_names_the_unit(environment: dict[str, str]) -> None:
    with pytest.raises(PromSnmpError, match=r"promsnmp\.socket"):
        systemd_sockets(environment)


def test_another_socket_is_refused(passed: Callable[..., dict[str, str]]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, pytest.raises(PromSnmpError, match="no TCP socket"):
        systemd_sockets(passed(udp))
    with socket.socket() as unconnected, pytest.raises(PromSnmpError, match="no TCP socket"):
        systemd_sockets(passed(unconnected))
