"""Addresses of a name."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from promsnmp.cluster.members import dns as dns_members
from promsnmp.cluster.members.dns import ServiceDns
from promsnmp.errors import CoordinatorError


def answers(*hosts: str) -> Callable[..., list[object]]:
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80)) for host in hosts]


async def test_a_name_resolves_to_addresses_with_the_common_port() -> None:
    dns = ServiceDns("127.0.0.1", 8080)
    await dns.refresh()
    assert dns.addresses == ("127.0.0.1:8080",)


async def test_the_name_may_say_another_port() -> None:
    dns = ServiceDns("127.0.0.1:9116", 8080)
    await dns.refresh()
    assert dns.addresses == ("127.0.0.1:9116",)
    dns = ServiceDns("::1", 8080)
    await dns.refresh()
    assert dns.addresses == ("[::1]:8080",)


async def test_every_address_of_a_name_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("10.0.0.2", "10.0.0.1", "10.0.0.2", "fd00::1"))
    dns = ServiceDns("promsnmp-peers", 8080)
    await dns.refresh()
    assert dns.addresses == ("10.0.0.1:8080", "10.0.0.2:8080", "[fd00::1]:8080")


async def test_the_last_addresses_are_kept_while_the_name_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    dns = ServiceDns("promsnmp-peers.invalid", 8080)
    dns.addresses = ("10.0.0.1:8080",)
    with pytest.raises(CoordinatorError, match=r"promsnmp-peers\.invalid does not resolve"):
        await dns.refresh()
    assert dns.addresses == ("10.0.0.1:8080",)


async def test_a_resolver_that_hangs_blocks_only_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    free, calls = threading.Event(), []

    def hang(*_: object, **__: object) -> list[object]:
        calls.append(1)
        free.wait(20)
        return answers("10.0.0.1")()

    monkeypatch.setattr(dns_members, "LOOKUP_TIMEOUT", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    dns = ServiceDns("promsnmp-peers", 8080)
    for _ in range(3):
        with pytest.raises(CoordinatorError, match="timed out"):
            await dns.refresh()
    assert len(calls) == 1
    free.set()
    async with asyncio.timeout(20):
        while not dns.addresses:
            try:
                await dns.refresh()
            except CoordinatorError:
                await asyncio.sleep(0.01)
    assert dns.addresses == ("10.0.0.1:8080",)
