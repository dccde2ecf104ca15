"""Makes the listening sockets, so that an error at the start names the setting to change.

An empty address means every address, in one socket for IPv6 and IPv4 where the machine has both (RFC 3493 section
5.3), and in one for IPv4 where it has no IPv6.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

from promsnmp.errors import PromSnmpError

BACKLOG = 1024
ANY_ADDRESS = ("::", "0.0.0.0")  # noqa: S104  # the meaning of the empty setting
NO_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}
"""Errors of a machine without IPv6."""
_REASONS = {
    errno.EADDRINUSE: "port {port} is in use; stop the program that listens there, or set SERVER_PORT to another port",
    errno.EACCES: "this user may not use port {port}; set SERVER_PORT to a port above 1023",
    errno.EADDRNOTAVAIL: "this machine has no address {address}; set SERVER_ADDRESS to one it has, or leave it empty",
}


def listen(address: str, port: int) -> list[socket.socket]:
    """Sockets that listen on ``address`` (empty: on all) and ``port`` (0: a free one, the same for all of them).

    Raises PromSnmpError with what to change when that is not possible.
    """
    try:
        return [_listen_on_any(port)] if not address else _listen_on_name(address, port)
    except OSError as error:
        raise PromSnmpError(f"cannot listen: {_reason(error, address, port)}") from None


def listen_all(places: Sequence[tuple[str, int]]) -> list[socket.socket]:
    """Sockets that listen on several addresses and ports, as ``listen``; all of them or none."""
    sockets: list[socket.socket] = []
    try:
        for address, port in places:
            sockets += listen(address, port)
    except PromSnmpError:
        for item in sockets:
            item.close()
        raise
    return sockets


def urls(sockets: Sequence[socket.socket], scheme: str = "http") -> list[str]:
    """The URLs of the sockets on this machine; a socket for every address is shown as ``localhost``."""
    found = []
    for item in sockets:
        host, port = item.getsockname()[:2]
        name = "localhost" if host in ANY_ADDRESS else f"[{host}]" if ":" in host else host
        found.append(f"{scheme}://{name}:{port}")
    return found


def _listen_on_any(port: int) -> socket.socket:
    try:
        return _bound(socket.AF_INET6, (ANY_ADDRESS[0], port), dual_stack=True)
    except OSError as error:
        if error.errno not in NO_FAMILY:
            raise
    return _bound(socket.AF_INET, (ANY_ADDRESS[1], port))


def _listen_on_name(address: str, port: int) -> list[socket.socket]:
    """One socket for each address that the name has (``localhost`` has two)."""
    found = socket.getaddrinfo(
        address.strip("[]"), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    for family, _, _, _, place in dict.fromkeys(found):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_bound(family, (place[0], chosen, *place[2:])))
        except OSError as error:
            missing = error
            if error.errno not in NO_FAMILY:
                break
    if missing is not None and (not sockets or missing.errno not in NO_FAMILY):
        for item in sockets:
            item.close()
        raise missing
    return sockets


def _bound(family: socket.AddressFamily, place: tuple[object, ...], *, dual_stack: bool = False) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual_stack else 1)
        listener.bind(place)
        listener.listen(BACKLOG)  # now, so that a port in use is an error before anything else starts
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _reason(error: OSError, address: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"SERVER_ADDRESS={address} is not an address or name of this machine ({error.strerror})"
    text = _REASONS.get(error.errno or 0, f"{error.strerror} (SERVER_ADDRESS={address}, SERVER_PORT={port})")
    return text.format(port=port, address=address)
