"""Devices in SRV records, from a name server that a test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from promsnmp.errors import SourceError
from promsnmp.inventory.model import AgentEndpoint
from promsnmp.settings.device_sources.definitions import DnsSource
from promsnmp.sources.readers.dns_srv import DnsReader
from promsnmp.sources.readers.document import Defaults

NAME = "_snmp._udp.example.org."
Answer = Callable[[dns.message.Message], bytes | None]


class _Server(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(dns.message.from_wire(data))
        if answer is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def name_server(answer: Answer) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(answer), local_addr=("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


def records(*texts: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    def answer(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        response.set_rcode(rcode)
        if texts:
            response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "SRV", *texts))
        return response.to_wire()

    return answer


def reader(server: str, timeout: int = 20_000) -> DnsReader:
    source = DnsSource(name="d", type="dns", records=(NAME,), servers=(server,), timeout=timeout)
    return DnsReader(source, Defaults(credentials="campus", labels=(("site", "ber"),)))


async def test_each_record_is_a_device() -> None:
    twice = "0 5 161 sw2.example.org."
    async with name_server(records(twice, "10 0 1161 sw1.example.org.", twice, "0 0 0 sw3.example.org.")) as server:
        reading = await reader(server).read()
    assert [one.key for one in reading.devices] == ["sw1.example.org:1161", "sw2.example.org:161"]
    first = reading.devices[0]
    assert (first.endpoint, first.name) == (AgentEndpoint("sw1.example.org", 1161), "sw1.example.org")
    assert (first.credentials_name, first.labels) == ("campus", (("site", "ber"),))
    assert [one.key for one in reading.unusable] == ["sw3.example.org:0"]


async def test_no_service_is_no_device() -> None:
    async with name_server(records("0 0 0 .")) as server:
        assert (await reader(server).read()).devices == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (records(rcode=dns.rcode.NXDOMAIN), "does not exist"),
        (records(), "has no SRV records"),
        (records(rcode=dns.rcode.REFUSED), "usable answer"),
        (lambda _: None, "in time"),
        (lambda _: b"\x00garbage", "in time"),
    ],
)
async def test_anything_else_is_an_error(answer: Answer, reason: str) -> None:
    async with name_server(answer) as server:
        with pytest.raises(SourceError, match=reason):
            await reader(server, timeout=500).read()
    with pytest.raises(SourceError, match="cannot be used"):
        await reader("a b").read()
