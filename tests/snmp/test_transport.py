"""Targets in every spelling, name resolution, and sockets."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import socket
import warnings

import pytest

from promsnmp.errors import AddressError, BadTarget
from promsnmp.snmp.transport import Address, SnmpEndpoint, open_socket, parse_endpoint, resolve


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 161),
        ("192.0.2.1:1161", "192.0.2.1", 1161),
        ("udp://192.0.2.1:1161", "192.0.2.1", 1161),
        ("[2001:db8::1]", "2001:db8::1", 161),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
        ("2001:DB8:0::1", "2001:db8::1", 161),
        ("fe80::1%eth0", "fe80::1%eth0", 161),
        ("switch-1.example.com", "switch-1.example.com", 161),
        ("switch:1", "switch", 1),
        ("a_b.example.", "a_b.example.", 161),
    ],
)
def test_targets_are_read(text: str, host: str, port: int) -> None:
    assert parse_endpoint(text) == SnmpEndpoint(host, port)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 161), ("2001:db8::1", 1161), ("switch", 5)])
def test_an_endpoint_s_text_reads_back(host: str, port: int, is_stream: bool) -> None:
    endpoint = SnmpEndpoint(host, port, is_stream)
    assert str(endpoint).startswith("tcp://") == is_stream
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        *("", ":161", "[]", "[2001:db8::1", "[2001:db8::1]1161", "[2001:db8::1]:", "192.0.2.1:", "192.0.2.1:0"),
        *("192.0.2.1:65536", "192.0.2.1:x", "192.0.2.1:-1", "192.0.2.256", "1.2.3", "a b", "-a", "a..b", "a" * 64),
        *("TCP://x", "tcp://", "tcp://udp://x", "http://x/", "x/y", "1.2.3.4:\u0661"),
    ],
)
def test_a_wrong_target_is_refused_and_named(text: str) -> None:
    with pytest.raises(BadTarget) as caught:
        parse_endpoint(text)
    assert repr(text) in str(caught.value)
    assert "write an address" in str(caught.value)


async def test_addresses_need_no_name_server() -> None:
    assert await resolve(SnmpEndpoint("192.0.2.1", 5)) == Address(socket.AF_INET, ("192.0.2.1", 5))
    assert await resolve(SnmpEndpoint("2001:db8::1", 5)) == Address(socket.AF_INET6, ("2001:db8::1", 5, 0, 0))


async def test_only_addresses_inside_the_networks_of_an_endpoint_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = ipaddress.ip_network("192.0.2.0/28"), ipaddress.ip_network("2001:db8::/32")
    for host in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"):
        assert (await resolve(SnmpEndpoint(host, 5, allowed_networks=inside))).sockaddr[:2] == (host, 5)
    for host in ("192.0.2.16", "::ffff:192.0.2.16", "2001:db9::1", "fe80::1%lo"):
        with pytest.raises(AddressError, match="SNMP_ADHOC_NETWORKS"):
            await resolve(SnmpEndpoint(host, 5, allowed_networks=inside))

    async def found(*_: object, **__: object) -> object:
        addresses = ["198.51.100.1", "192.0.2.7", "2001:db8::7"]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 2, 17, "", (one, 5)) for one in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    assert (await resolve(SnmpEndpoint("switch", 5))).sockaddr[0] == "198.51.100.1"
    assert (await resolve(SnmpEndpoint("switch", 5, allowed_networks=inside))).sockaddr[0] == "192.0.2.7"


async def test_a_name_s_ipv4_address_is_taken_first(monkeypatch: pytest.MonkeyPatch) -> None:
    six = (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", 161, 0, 0))
    four = (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", 161))

    async def both(*_: object, **__: object) -> list[object]:
        return [six, four]

    async def only_six(*_: object, **__: object) -> list[object]:
        return [six]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    assert (await resolve(SnmpEndpoint("localhost"))).sockaddr == ("127.0.0.1", 161)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", only_six)
    assert (await resolve(SnmpEndpoint("localhost"))).family == socket.AF_INET6


async def test_a_name_that_does_not_resolve_is_an_address_error() -> None:
    with pytest.raises(AddressError) as caught:
        await resolve(SnmpEndpoint("no-such-host.invalid", 1161))
    assert str(caught.value).startswith("no-such-host.invalid:1161: the name does not resolve")


def test_a_socket_that_cannot_be_connected_is_closed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with pytest.raises(OverflowError):
            open_socket(Address(socket.AF_INET, ("127.0.0.1", 70_000)))
        gc.collect()


def test_sockets_do_not_block() -> None:
    with (
        open_socket(Address(socket.AF_INET, ("127.0.0.1", 9)), connected=False) as opened,
        pytest.raises(BlockingIOError),
    ):
        opened.recv(1)


@pytest.mark.parametrize(
    ("target", "source", "own"),
    [("127.0.0.1", "127.0.0.7", "127.0.0.7"), ("::1", "127.0.0.7", "::1"), ("127.0.0.1", "::1", "127.0.0.1")],
)
async def test_a_socket_sends_from_a_source_of_the_same_family(target: str, source: str, own: str) -> None:
    with open_socket(await resolve(SnmpEndpoint(target, 9)), source=source) as opened:
        assert opened.getsockname()[0] == own


def test_sending_from_an_address_of_another_machine_fails() -> None:
    with pytest.raises(OSError, match="assign"):
        open_socket(Address(socket.AF_INET, ("127.0.0.1", 9)), source="192.0.2.1")
