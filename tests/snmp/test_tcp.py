"""SNMP over TCP: messages split from a stream, snmpd on a TCP port, and peers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.errors import MalformedMessage, SnmpError, SnmpRefused, SnmpTimeout
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.walk import Subtree
from promsnmp.snmp.security import CommunityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.tcp import LARGEST_MESSAGE, MessageSplitter
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel
from tests.support.agents.hostile import HONEST, IF_ENTRY
from tests.support.tools import Snmpd, SnmpdUser, free_tcp_port, start_snmpd

AUTH, PRIV = "authenticate-me", "keep-this-private"
LOGINS: dict[str, Credentials] = {
    "v1": Community(Version.V1),
    "v2c": Community(),
    "v3": User("reader", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, AUTH, PrivProtocol.AES, PRIV),
}
SYSTEM_AND_SNMP = ("1.3.6.1.2.1.1", "1.3.6.1.6.3")

# ---------------------------------------------------------------------------------------------------------- the cutting


@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.integers(1, 50)))
def test_messages_come_out_whole_however_the_stream_is_cut(contents: list[bytes], cuts: list[int]) -> None:
    sent = [ber.tlv(ber.SEQUENCE, content) for content in contents]
    stream = b"".join(sent)
    messages, found, at = MessageSplitter(), list[bytes](), 0
    for cut in (*cuts, len(stream)):
        found += messages.feed(stream[at : at + cut])
        at += cut
    assert found == sent


@pytest.mark.parametrize(
    "octets",
    [b"HTTP/1.1 400", b"\x30\x80", b"\x30\x85\0\0\0\0\1", b"\x30\x84\xff\xff\xff\xff", b"\x30\x00\x04\x00"],
)
def test_octets_that_are_not_a_message_end_the_stream(octets: bytes) -> None:
    with pytest.raises(ber.Malformed):
        MessageSplitter().feed(octets)


def test_a_message_may_be_large_but_not_endless() -> None:
    size = LARGEST_MESSAGE - 6
    assert len(MessageSplitter().feed(b"\x30\x84" + size.to_bytes(4, "big") + bytes(size))) == 1
    with pytest.raises(ber.Malformed, match="octets"):
        MessageSplitter().feed(b"\x30\x84" + (size + 1).to_bytes(4, "big"))


# ----------------------------------------------------------------------------------------------------------- with snmpd


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    user = SnmpdUser("reader", "priv", "SHA-256", AUTH, "AES", PRIV)
    with start_snmpd(tmp_path_factory.mktemp("snmpd"), users=[user], tcp=True) as started:
        yield started


async def walked(endpoint: SnmpEndpoint, credentials: Credentials, root: str) -> list[ber.VarBind]:
    model = (
        UsmModel(credentials, engine=EngineState(), keys=KeyCache())
        if isinstance(credentials, User)
        else CommunityModel(credentials)
    )
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode(root)), taken.extend, version=credentials.version)
    async with Session(endpoint, model, timeout=5.0, retries=0) as session:
        await session.run(browse)
    assert browse.failure is None
    return taken


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("root", SYSTEM_AND_SNMP)
async def test_snmpd_returns_the_same_over_tcp_and_udp(snmpd: Snmpd, login: str, root: str) -> None:
    over_tcp = await walked(SnmpEndpoint(snmpd.address, snmpd.port, is_stream=True), LOGINS[login], root)
    over_udp = await walked(SnmpEndpoint(snmpd.address, snmpd.port), LOGINS[login], root)
    assert [one.oid for one in over_tcp] == [one.oid for one in over_udp] != []


async def test_a_port_on_which_nothing_listens_refuses_at_once() -> None:
    with pytest.raises(SnmpRefused, match=r"tcp://127\.0\.0\.1:\d+: connection refused: nothing listens"):
        await walked(SnmpEndpoint("127.0.0.1", free_tcp_port(), is_stream=True), Community(), IF_ENTRY)


# ------------------------------------------------------------------------------------------------ peers that misbehave


@asynccontextmanager
async def peer(behave: Callable[[bytes], list[bytes]], *, closes: bool = False) -> AsyncIterator[SnmpEndpoint]:
    """Listens on TCP, and answers each received chunk with the pieces that ``behave`` returns for it, one by one."""

    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())  # type: ignore[arg-type]  # there is one: start_server made it
        while asked := await reader.read(65_536):
            for piece in behave(asked):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if closes:
                break
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield SnmpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1], is_stream=True)
        await asyncio.gather(*served)


def honest(datagram: bytes) -> bytes:
    answer = SimulatedAgent(HONEST, max_message=200_000).answer(datagram)
    assert answer is not None
    return answer


async def test_an_answer_in_single_octets_is_read() -> None:
    async with peer(lambda asked: [bytes((octet,)) for octet in honest(asked)]) as endpoint:
        assert len(await walked(endpoint, Community(), IF_ENTRY)) == 120


async def test_an_answer_among_others_in_one_segment_is_found() -> None:
    stranger = ber.tlv(ber.SEQUENCE, b"")
    async with peer(lambda asked: [stranger + honest(asked) + stranger]) as endpoint:
        assert len(await walked(endpoint, Community(), IF_ENTRY)) == 120


@pytest.mark.parametrize(
    ("pieces", "closes", "error"),
    [
        ([], True, SnmpRefused),
        ([b"\x30\x20\x02"], True, SnmpRefused),
        ([b"HTTP/1.1 400 Bad Request\r\n"], False, MalformedMessage),
        ([b"\x30\x84\x7f\xff\xff\xff"], False, MalformedMessage),
    ],
)
async def test_a_peer_that_closes_or_sends_garbage_gives_one_clear_error(
    pieces: list[bytes], closes: bool, error: type[SnmpError]
) -> None:
    async with peer(lambda _: pieces, closes=closes) as endpoint:
        with pytest.raises(error, match="tcp://127"):
            await walked(endpoint, Community(), IF_ENTRY)


async def test_a_silent_peer_times_out() -> None:
    async with peer(lambda _: []) as endpoint:
        model = CommunityModel(Community())
        browse = BrowseOperation(Subtree(oid.encode(IF_ENTRY)), lambda _: None, version=Version.V2C)
        async with Session(endpoint, model, timeout=0.05, retries=1) as session:
            with pytest.raises(SnmpTimeout, match="no answer to 2 requests"):
                await session.run(browse)
        assert session.traffic.retried == 1


async def test_requests_after_the_end_of_the_stream_fail() -> None:
    async with peer(lambda asked: [honest(asked)], closes=True) as endpoint:
        browses = [
            BrowseOperation(Subtree(oid.encode(IF_ENTRY)), lambda _: None, version=Version.V2C) for _ in range(2)
        ]
        async with Session(endpoint, CommunityModel(Community()), timeout=5.0, retries=0) as session:
            for browse in browses:
                with pytest.raises(SnmpRefused):
                    await session.run(browse)
