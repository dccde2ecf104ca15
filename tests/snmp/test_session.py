"""Sessions over real sockets: retries, deadlines, refusals, late and foreign answers, closed sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from promsnmp.errors import AddressError, AuthenticationError, MalformedMessage, SnmpError, SnmpRefused, SnmpTimeout
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree
from promsnmp.snmp.security import CommunityModel, SecurityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel
from tests.support.agents.hostile import HONEST, IF_ENTRY, SYS_DESCR, Behaviour, HostileAgent, Reply, Request
from tests.support.tools import free_udp_port

KEYS = KeyCache()
NAME = oid.encode(SYS_DESCR)
USER = User("joe", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "auth-secret", PrivProtocol.AES, "priv-secret")
HONESTLY = Behaviour("honest", lambda request: [request.honest])
SILENT = Behaviour("silent", lambda _: [])


@pytest.fixture(autouse=True)
def _every_socket_is_closed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # what earlier tests left open
        warnings.simplefilter("error", ResourceWarning)
        yield
        gc.collect()  # an open one raises here, and pytest makes an error of it


def security(credentials: Credentials | None = None) -> SecurityModel:
    if isinstance(credentials, User):
        return UsmModel(credentials, engine=EngineState(), keys=KEYS)
    return CommunityModel(credentials or Community())


def session_with(
    agent: HostileAgent | SimulatedAgent,
    *,
    retries: int = 0,
    timeout: float = 0.1,
    connected: bool = True,
    deadline: float | None = None,
) -> Session:
    endpoint = SnmpEndpoint(agent.address, agent.port)
    return Session(endpoint, security(), timeout=timeout, retries=retries, connected=connected, deadline=deadline)


def ask() -> GetOperation:
    return GetOperation([NAME], limits=AgentLimits())


def value_of(gets: GetOperation) -> bytes:
    (varbind,) = gets.varbinds
    return varbind.value


def at_number(*numbers: int) -> Behaviour:
    """Answers only some of the requests."""
    return Behaviour("sometimes", lambda request: [request.honest] if request.number in numbers else [])


async def test_every_retry_is_sent_and_counted() -> None:
    async with HostileAgent(SILENT) as agent:
        async with session_with(agent, retries=3, timeout=0.02) as session:
            with pytest.raises(SnmpTimeout) as caught:
                await session.run(ask())
        assert (session.traffic.sent, session.traffic.retried, len(agent.requests)) == (4, 3, 4)
        assert len(set(agent.requests)) == 1
    text = str(caught.value)
    assert text.startswith(f"{session.endpoint}: no answer to 4 requests of 0.02 s")
    assert text.endswith(f"(at OID {SYS_DESCR})")


async def test_a_retry_that_is_answered_is_a_success() -> None:
    async with HostileAgent(at_number(2)) as agent, session_with(agent, retries=2, timeout=0.05) as session:
        gets = ask()
        await session.run(gets)
        assert value_of(gets) == b"honest"
        assert session.traffic.retried == 2
        assert session.meter()[1:] == (3, 2)


async def test_retries_are_counted_per_packet() -> None:
    behaviour = Behaviour("every other", lambda request: [request.honest] if request.number % 2 else [])
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode(IF_ENTRY)), taken.extend, version=Version.V2C)
    async with HostileAgent(behaviour) as agent, session_with(agent, retries=1, timeout=0.05) as session:
        await session.run(browse)
        assert session.traffic.sent == 2 * session.traffic.retried
    assert len(taken) == 120


async def test_an_answer_after_its_retransmission_is_used_once() -> None:
    late = Behaviour("late", lambda request: [Reply(request.honest, delay=0.15)])
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode("1.3.6.1.2.1.1")), taken.extend, version=Version.V1)
    async with HostileAgent(late) as agent, session_with(agent, retries=3) as session:
        await session.run(browse)
        assert session.traffic.retried >= 1
        assert session.traffic.discarded.get("request_id", 0) >= 1
    assert [one.value for one in taken] == [b"honest", b"\x12\x67", b"hostile-01"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_port_where_nothing_listens_refuses_at_once(address: str) -> None:
    endpoint = SnmpEndpoint(address, free_udp_port(address))
    async with asyncio.timeout(10), Session(endpoint, security(), timeout=60, retries=5) as session:
        with pytest.raises(SnmpRefused) as caught:
            await session.run(ask())
    assert str(caught.value) == f"{endpoint}: connection refused: nothing listens on the port (at OID {SYS_DESCR})"


async def test_an_unreachable_network_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> socket.socket:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("promsnmp.snmp.session.open_socket", unreachable)
    with pytest.raises(SnmpRefused, match=r"192\.0\.2\.1:161: cannot be reached: Network is unreachable"):
        await Session(SnmpEndpoint("192.0.2.1"), security()).open()


async def test_a_name_is_resolved() -> None:
    gets = ask()
    async with (
        SimulatedAgent(HONEST) as agent,
        Session(SnmpEndpoint("localhost", agent.port), security(), timeout=1.0) as session,
    ):
        await session.run(gets)
    assert value_of(gets) == b"honest"


async def test_a_name_that_does_not_resolve_names_the_target() -> None:
    with pytest.raises(AddressError, match=r"no-such-host\.invalid:161: the name does not resolve"):
        await Session(SnmpEndpoint("no-such-host.invalid"), security()).open()


async def test_a_name_that_does_not_resolve_in_time_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: SnmpEndpoint) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("promsnmp.snmp.transport.resolve", never)
    deadline = asyncio.get_running_loop().time() + 0.05
    with pytest.raises(SnmpTimeout, match=r"the name did not resolve within the time limit of the poll"):
        await Session(SnmpEndpoint("switch"), security(), deadline=deadline).open()


async def test_ipv6_works() -> None:
    agent = await SimulatedAgent(HONEST).start("::1")
    async with agent, session_with(agent, timeout=1.0) as session:
        gets = ask()
        await session.run(gets)
        assert str(session.endpoint).startswith("[::1]:")
    assert value_of(gets) == b"honest"


async def test_an_answer_of_60_kb_is_read() -> None:
    big = b"x" * 60_000
    behaviour = Behaviour("big", lambda r: [r.response(ber.encode_varbind(NAME, ber.tlv(ber.OCTET_STRING, big)))])
    async with HostileAgent(behaviour) as agent, session_with(agent, timeout=1.0, retries=3) as session:
        gets = ask()
        await session.run(gets)
    assert value_of(gets) == big


# -------------------------------------------------------------------------------------------------- another source


async def test_a_connected_socket_receives_only_from_its_peer() -> None:
    behaviour = Behaviour("another", lambda request: [Reply(request.honest, another=True)])
    async with HostileAgent(behaviour) as agent, session_with(agent) as session:
        with pytest.raises(SnmpTimeout):
            await session.run(ask())


async def test_an_unconnected_socket_receives_from_another_port() -> None:
    behaviour = Behaviour("another", lambda request: [Reply(request.honest, another=True)])
    gets = ask()
    async with HostileAgent(behaviour) as agent, session_with(agent, timeout=1.0, connected=False) as session:
        await session.run(gets)
    assert value_of(gets) == b"honest"


@pytest.mark.parametrize("connected", [True, False])
async def test_only_an_unconnected_socket_receives_from_another_address(connected: bool) -> None:
    """An agent with two addresses: asked at 127.0.0.1, it answers from 127.0.0.2."""
    agent = await HostileAgent(HONESTLY).start()
    loop = asyncio.get_running_loop()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        try:
            other.bind(("127.0.0.2", agent.port))
        except OSError:
            pytest.skip("this machine has no 127.0.0.2")
        loop.remove_reader(agent._sockets[0].fileno())

        def answer() -> None:
            datagram, peer = agent._sockets[0].recvfrom(65_535)
            other.sendto(agent.replies(datagram)[0].datagram, peer)

        loop.add_reader(agent._sockets[0].fileno(), answer)
        async with session_with(agent, timeout=0.3, connected=connected) as session:
            gets = ask()
            if connected:
                with pytest.raises(SnmpTimeout):
                    await session.run(gets)
            else:
                await session.run(gets)
                assert value_of(gets) == b"honest"
    finally:
        agent.close()
        other.close()


# ------------------------------------------------------------------------------------------------- what is suspected


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda request: [b"\x30\x05"], MalformedMessage, "the answer is malformed"),
        (
            lambda request: [request.message(b"\xa2\x00", community=b"x")],
            AuthenticationError,
            "another version or community",
        ),
    ],
)
async def test_a_rejected_answer_is_reported_instead_of_a_timeout(
    answer: Callable[[Request], list[bytes]], error: type[SnmpError], said: str
) -> None:
    async with HostileAgent(Behaviour("suspicious", answer)) as agent, session_with(agent) as session:
        with pytest.raises(error, match=said) as caught:
            await session.run(ask())
        assert caught.value.target == agent.target
        assert caught.value.oid == SYS_DESCR


async def test_failures_of_a_part_name_the_target() -> None:
    behaviour = Behaviour("genErr", lambda request: [request.response(request.echo, status=5, index=1)])
    gets = ask()
    async with HostileAgent(behaviour) as agent, session_with(agent) as session:
        await session.run(gets)
        assert gets.failures[NAME].target == agent.target


async def test_a_session_can_run_an_operation_after_another_failed() -> None:
    async with HostileAgent(at_number(1)) as agent, session_with(agent, timeout=0.05) as session:
        with pytest.raises(SnmpTimeout):
            await session.run(ask())
        gets = ask()
        await session.run(gets)
        assert value_of(gets) == b"honest"


async def test_a_cancelled_session_closes_its_socket() -> None:
    async with HostileAgent(SILENT) as agent:
        session = session_with(agent, timeout=60)

        async def hold() -> None:
            async with session:
                await session.run(ask())

        task = asyncio.create_task(hold())
        while not agent.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert session._sock is None
        session.close()


# ------------------------------------------------------------------------------------------------------------------ v3


class Wire(SimulatedAgent):
    """A v3 agent whose answers a test changes on the way: a function of the answer and its number (from 0)."""

    def __init__(self, change: Callable[[bytes, int], bytes | None], user: User = USER) -> None:
        super().__init__(HONEST, users=[user])
        self._change = change
        self._number = -1

    def answer(self, datagram: bytes) -> bytes | None:
        made = super().answer(datagram)
        self._number += 1
        return None if made is None else self._change(made, self._number)


def flipped(datagram: bytes, at: int) -> bytes:
    return datagram[:at] + bytes((datagram[at] ^ 1,)) + datagram[at + 1 :]


async def browse_v3(
    agent: SimulatedAgent, user: User = USER, *, timeout: float = 0.1
) -> tuple[list[ber.VarBind], Session]:
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode(IF_ENTRY)), taken.extend, version=Version.V3)
    async with Session(SnmpEndpoint(agent.address, agent.port), security(user), timeout=timeout, retries=1) as session:
        await session.run(browse)
    return taken, session


@pytest.mark.parametrize("level", SecurityLevel)
async def test_v3_walks_at_every_level(level: SecurityLevel) -> None:
    user = replace(USER, level=level)
    async with Wire(lambda datagram, _: datagram, user) as agent:
        taken, session = await browse_v3(agent, user, timeout=2.0)
    assert len(taken) == 120
    assert session.traffic.discarded == {}


@pytest.mark.parametrize("at", [-1, -40])
async def test_v3_altered_answers_are_rejected(at: int) -> None:
    async with Wire(
        lambda datagram, number: flipped(datagram, len(datagram) + at) if number > 2 else datagram
    ) as agent:
        with pytest.raises(AuthenticationError, match=r"failed authentication.*at OID 1\.3"):
            await browse_v3(agent)


async def test_v3_replayed_answers_are_rejected() -> None:
    datagrams: list[bytes] = []

    def replay(datagram: bytes, number: int) -> bytes:
        datagrams.append(datagram)
        return datagram if number <= 2 else datagrams[2]

    async with Wire(replay) as agent:
        with pytest.raises(SnmpTimeout):
            await browse_v3(agent)


async def test_v3_an_agent_whose_clock_goes_back_is_followed() -> None:
    async with SimulatedAgent(HONEST, users=[USER]) as agent:
        usm = agent.usm
        assert usm is not None
        usm.boots, usm.time = 5, 10_000
        honest = agent.answer

        def old(datagram: bytes) -> bytes | None:
            requests = agent.requests
            if requests < 1:
                return honest(datagram)
            usm._refusal = lambda *_: None  # type: ignore[method-assign]
            usm.time = 10_000 - 151
            return honest(datagram)

        agent.answer = old  # type: ignore[method-assign]
        taken, _ = await browse_v3(agent, timeout=2.0)
        assert len(taken) == 120


@pytest.mark.parametrize("keeps_boots", [True, False])
async def test_v3_a_device_that_reboots_in_mid_walk_is_followed(keeps_boots: bool) -> None:
    async with SimulatedAgent(HONEST, users=[USER]) as agent:
        usm = agent.usm
        assert usm is not None
        usm.boots, usm.time = 7, 50_000
        honest = agent.answer
        rebooted: list[int] = []

        def rebooting(datagram: bytes) -> bytes | None:
            if agent.requests == 2 and not rebooted:
                rebooted.append(1)
                usm.boots, usm.time = (8 if keeps_boots else 1), 0
            return honest(datagram)

        agent.answer = rebooting  # type: ignore[method-assign]
        taken, _ = await browse_v3(agent, timeout=2.0)
    assert rebooted
    assert len(taken) == 120


async def test_v3_a_device_that_is_replaced_in_mid_walk_is_followed() -> None:
    async with SimulatedAgent(HONEST, users=[USER], engine_id=bytes.fromhex("80001f888001")) as agent:
        honest = agent.answer
        usm = agent.usm
        assert usm is not None

        def replaced(datagram: bytes) -> bytes | None:
            if agent.requests == 2:
                usm.engine_id = bytes.fromhex("80001f888002")
            return honest(datagram)

        agent.answer = replaced  # type: ignore[method-assign]
        taken, _ = await browse_v3(agent, timeout=2.0)
    assert len(taken) == 120
