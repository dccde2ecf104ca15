"""Takes over the listening sockets that systemd passes to a service (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from promsnmp.errors import PromSnmpError

FIRST = 3
"""The first file descriptor that is passed (SD_LISTEN_FDS_START)."""
MOST = 64
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def systemd_sockets(environment: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """The TCP sockets that this process was started with, listening. The variables are removed, so that no child takes
    them for its own.

    Raises PromSnmpError without sockets, or when one is no TCP socket that listens.
    """
    pid, count = (environment.get(name, "") for name in VARIABLES[:2])
    for name in VARIABLES:
        environment.pop(name, None)
    if pid != str(os.getpid()) or not (count.isascii() and count.isdigit() and 0 < int(count) <= MOST):
        raise PromSnmpError(
            "systemd has passed no sockets (LISTEN_PID, LISTEN_FDS); start the service by its socket unit "
            "(systemctl start promsnmp.socket), or leave out --web.systemd-socket"
        )
    sockets: list[socket.socket] = []
    try:
        sockets.extend(_adopted(descriptor) for descriptor in range(FIRST, FIRST + int(count)))
    except PromSnmpError:
        for one in sockets:
            one.close()
        raise
    return sockets


def _adopted(descriptor: int) -> socket.socket:
    try:
        found = socket.socket(fileno=descriptor)
    except OSError as error:
        raise PromSnmpError(f"descriptor {descriptor} of systemd is no socket: {error.strerror}") from None
    is_tcp = found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM
    if not is_tcp or not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        found.close()
        raise PromSnmpError(
            f"descriptor {descriptor} of systemd is no TCP socket that listens; use ListenStream= with a port, and "
            "leave out Accept=yes"
        )
    os.set_inheritable(descriptor, False)
    found.setblocking(False)
    return found
