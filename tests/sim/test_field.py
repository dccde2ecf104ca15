"""A thousand devices on one socket: each answers from its own address, as its own device."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest

from promsnmp.sim.field import Field, populate, siblings, spread_over
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from tests.support.tools import ENGINE_DISCOVERY

SYS_NAME = "1.3.6.1.2.1.1.5.0"
MAC = "1.3.6.1.2.1.2.2.1.6.1"
SERIAL = "1.3.6.1.2.1.47.1.1.1.1.11.1"
MIB = Mib.of(
    {
        "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a switch"),
        SYS_NAME: ber.tlv(ber.OCTET_STRING, b"switch"),
        MAC: ber.tlv(ber.OCTET_STRING, bytes.fromhex("001b54010203")),
        "1.3.6.1.2.1.2.2.1.6.2": ber.tlv(ber.OCTET_STRING, b""),
        SERIAL: ber.tlv(ber.OCTET_STRING, b"FOC1234"),
    }
)


def get(name: str) -> bytes:
    pdu = ber.encode_request(ber.GET, 7, 0, 0, oid.encode(name))
    return ber.tlv(ber.SEQUENCE, ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public") + pdu)


def value(mib: Mib, name: str) -> bytes:
    found = mib.get(oid.encode(name))
    assert found is not None
    return found[2:]


async def ask(field: Field, address: str, datagram: bytes) -> tuple[bytes, str] | None:
    """The answers that arrive within a moment, and their senders."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setblocking(False)
        await loop.sock_sendto(asker, datagram, (address, field.port))
        try:
            async with asyncio.timeout(0.2 if address not in known(field) else 10):
                reply, source = await loop.sock_recvfrom(asker, 65_535)
        except TimeoutError:
            return None
        return reply, source[0]


def known(field: Field) -> set[str]:
    return {str(ipaddress.IPv4Address(one)) for one in field.devices}


async def test_every_device_answers_from_the_address_that_was_asked_and_the_others_are_silent() -> None:
    async with populate([MIB], ["127.60.0.1", "127.60.3.9"]) as field:
        for number, address in enumerate(("127.60.0.1", "127.60.3.9"), 1):
            answer = await ask(field, address, get(SYS_NAME))
            assert answer is not None
            assert b"switch-%05d" % number in answer[0]
            assert answer[1] == address
        assert await ask(field, "127.60.0.2", get(SYS_NAME)) is None


async def test_a_closed_field_frees_its_port() -> None:
    async with populate([MIB], ["127.60.0.1"]) as field:
        port = field.port
    async with await populate([MIB], ["127.60.0.1"]).start(port) as again:
        assert await ask(again, "127.60.0.1", ENGINE_DISCOVERY) is None  # it has no users


def test_siblings_differ_only_in_their_identifiers() -> None:
    made = list(siblings([MIB], 300))
    for name in (SYS_NAME, MAC, SERIAL):
        assert len({value(mib, name) for _, mib in made}) == 300
    assert len({engine for engine, _ in made}) == 300
    assert {value(mib, "1.3.6.1.2.1.1.1.0") for _, mib in made} == {b"a switch"}
    assert {value(mib, "1.3.6.1.2.1.2.2.1.6.2") for _, mib in made} == {b""}
    assert value(MIB, SYS_NAME) == b"switch"


def test_addresses_are_spread_over_the_whole_network() -> None:
    found = [ipaddress.IPv4Address(one) for one in spread_over("127.60.0.0/16", 1000)]
    assert len(set(found)) == 1000
    assert {int(one) - int(other) for one, other in zip(found[1:], found, strict=False)} == {65, 66}
    assert (str(found[0]), str(found[-1])) == ("127.60.0.1", "127.60.255.189")
    assert len(set(spread_over("127.60.0.0/29", 6))) == 6


@pytest.mark.parametrize(("network", "count"), [("127.60.0.0/29", 7), ("127.60.0.0/24", 0), ("127.60.0.0/33", 1)])
def test_more_devices_than_addresses_are_refused(network: str, count: int) -> None:
    with pytest.raises(ValueError, match=r"127\.60"):
        spread_over(network, count)
