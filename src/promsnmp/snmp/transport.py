"""Endpoints of agents: parses targets, resolves names, opens UDP sockets.

Sockets are connected by default: the kernel then drops datagrams from any other source, and reports at once when
nothing listens. An unconnected socket is for agents that answer from another address than the request went to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from dataclasses import dataclass, field
from functools import lru_cache

from promsnmp.errors import AddressError, BadTarget, SnmpTimeout
from promsnmp.snmp.silence import time_limit

DEFAULT_PORT = 161
RECEIVE_SIZE = 65_536  # larger than any UDP payload
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_STREAM = "tcp://"
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True, slots=True)
class SnmpEndpoint:
    """A host (address or name) and a UDP port, or with ``is_stream`` a TCP port.

    The host's address must lie in one of ``allowed_networks``; an empty tuple allows all.
    """

    host: str
    port: int = DEFAULT_PORT
    is_stream: bool = False
    allowed_networks: tuple[Network, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        host_and_port = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return f"{_STREAM}{host_and_port}" if self.is_stream else host_and_port


def parse_endpoint(text: str) -> SnmpEndpoint:
    """An endpoint from ``[udp://|tcp://]host[:port]``, ``[v6]:port`` or a bare IPv6 address.

    Raises BadTarget, which names the text and the valid forms.
    """
    is_stream = text.startswith(_STREAM)
    body = text.removeprefix(_STREAM if is_stream else "udp://")
    try:
        host, port = _split(body)
        return SnmpEndpoint(_host(host), _port(port), is_stream)
    except ValueError as error:
        reason = str(error)
    raise BadTarget(f"target {text!r}: {reason}; write an address, a name, address:port or [IPv6]:port")


def _split(body: str) -> tuple[str, str]:
    if body.startswith("["):
        host, bracket, rest = body[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("the brackets of an IPv6 address do not match")
        return host, rest[1:] if rest else str(DEFAULT_PORT)
    if body.count(":") == 1:
        host, _, port = body.partition(":")
        return host, port
    return body, str(DEFAULT_PORT)


def _host(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError("it is neither an address nor a name")
    if re.fullmatch(r"[0-9.]+", host):
        raise ValueError("it is not an IPv4 address")
    return host


def _port(port: str) -> int:
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65_536:
        raise ValueError(f"{port!r} is not a port from 1 to 65535")
    return int(port)


@dataclass(frozen=True, slots=True)
class Address:
    """A resolved endpoint: socket family and address."""

    family: socket.AddressFamily
    sockaddr: tuple[str, int] | tuple[str, int, int, int]


@lru_cache(maxsize=16_384)
def literal_address(endpoint: SnmpEndpoint) -> Address | None:
    """The address of an endpoint whose host is an address; None for a name, and for an address that is not allowed."""
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return None
    if not _is_within(endpoint.host, endpoint.allowed_networks):
        return None
    if address.version == 4:
        return Address(socket.AF_INET, (endpoint.host, endpoint.port))
    if getattr(address, "scope_id", None):
        return None
    return Address(socket.AF_INET6, (endpoint.host, endpoint.port, 0, 0))


async def resolve(endpoint: SnmpEndpoint) -> Address:
    """The address of an endpoint; names are looked up without blocking the loop.

    Prefers the resolver's first IPv4 address: more agents listen on IPv4 only than on IPv6 only, and UDP does not show
    at once which one works. Raises AddressError when there is no address, or none in the allowed networks.
    """
    return literal_address(endpoint) or await _look_up(endpoint)


async def resolve_by(endpoint: SnmpEndpoint, seconds: float, limit: str) -> Address:
    """As ``resolve``, within ``seconds`` (may be infinite), which ``limit`` names in errors. Raises SnmpTimeout."""
    if (known := literal_address(endpoint)) is not None:
        return known
    try:
        async with asyncio.timeout(None if seconds == float("inf") else seconds):
            return await resolve(endpoint)
    except TimeoutError:
        message = f"the name did not resolve within the {time_limit(limit)}"
        raise SnmpTimeout(message, target=str(endpoint)) from None


async def _look_up(endpoint: SnmpEndpoint) -> Address:
    loop = asyncio.get_running_loop()
    try:
        addresses = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AddressError(f"the name does not resolve: {reason}", target=str(endpoint)) from None
    addresses = [info for info in addresses if _is_within(str(info[4][0]), endpoint.allowed_networks)]
    if not addresses:
        raise AddressError("the address is outside the allowed networks (SNMP_ADHOC_NETWORKS)", target=str(endpoint))
    family, _, _, _, sockaddr = min(addresses, key=lambda info: info[0] != socket.AF_INET)
    return Address(family, sockaddr)  # type: ignore[arg-type]  # the stubs allow address families that UDP has not


def _is_within(host: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of ``networks`` (empty: any); an IPv4-mapped IPv6 address counts as IPv4."""
    address = ipaddress.ip_address(host.partition("%")[0])
    plain = getattr(address, "ipv4_mapped", None) or address
    return not networks or any(plain in network for network in networks)


def open_socket(address: Address, *, connected: bool = True, source: str = "") -> socket.socket:
    """A non-blocking UDP socket, by default connected to ``address``.

    Binds it to ``source`` if that is an address of the same family. Raises OSError.
    """
    sock = socket.socket(address.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        bind_source(sock, source)
        if connected:
            sock.connect(address.sockaddr)
        return sock
    except BaseException:  # raised again
        sock.close()
        raise


def bind_source(sock: socket.socket, source: str) -> None:
    """Binds a socket to ``source`` if that is an address of its family. Raises OSError."""
    if source and (":" in source) == (sock.family == socket.AF_INET6):
        sock.bind((source, 0))
