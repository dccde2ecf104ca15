"""Simulated agents as net-snmp's tools see them, and rules that those tools do not show."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Sequence

import pytest

from promsnmp.sim.agent import LARGEST_DATAGRAM, SimulatedAgent
from promsnmp.sim.mib import Mib, Value
from promsnmp.sim.moving import counter64, ticks
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User, Version
from tests.support.agents.threads import running
from tests.support.tools import require_shared, require_tool

ENTRY = "1.3.6.1.2.1.2.2.1"
OBJECTS: dict[str, Value] = {
    "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"simulated"),
    "1.3.6.1.2.1.1.3.0": ticks,
    **{f"{ENTRY}.{column}.{row}": ber.encode_integer(row) for column in (1, 7) for row in range(1, 31)},
    "1.3.6.1.2.1.31.1.1.1.6.1": ber.encode_integer(2**40, ber.COUNTER64),
    "1.3.6.1.2.1.31.1.1.1.6.2": counter64(lambda uptime: uptime * 100),
    "1.3.6.1.2.1.31.1.1.1.18.1": ber.tlv(ber.OCTET_STRING, b"the last"),
}
MIB = Mib.of(OBJECTS)
USER = User(
    "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "authenticate", PrivProtocol.AES256, "keep-private"
)
V3 = (
    "-v3",
    "-u",
    "monitor",
    "-l",
    "authPriv",
    "-a",
    "SHA-256",
    "-A",
    "authenticate",
    "-x",
    "AES-256",
    "-X",
    "keep-private",
)
FLAVOURS: dict[str, Sequence[str]] = {"v1": ("-v1", "-cpublic"), "v2c": ("-v2c", "-cpublic"), "v3": V3}


def ask(tool: str, agent: SimulatedAgent, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a tool of net-snmp against a running agent; the last word is the OID."""
    *options, name = words
    command = [require_tool(tool, package="snmp"), "-On", "-Oe", "-t2", "-r1", *options, agent.target, name]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)


def message(
    pdu_type: int, *names: str, version: int = 1, first: int = 0, second: int = 0, community: bytes = b"public"
) -> bytes:
    rows = b"".join(ber.encode_varbind(oid.encode(name)) for name in names)
    pdu = ber.encode_pdu(pdu_type, 42, first, second, rows)
    return ber.tlv(ber.SEQUENCE, ber.encode_integer(version) + ber.tlv(ber.OCTET_STRING, community) + pdu)


def opened(datagram: bytes | None) -> tuple[ber.Pdu, list[ber.VarBind]]:
    assert datagram is not None
    start, end = ber.read(datagram, 0, len(datagram), ber.SEQUENCE)
    assert end == len(datagram)
    _, at = ber.read_integer(datagram, start, end)
    _, at = ber.read(datagram, at, end, ber.OCTET_STRING)
    pdu = ber.read_pdu(datagram, at, end)
    assert (pdu.type, pdu.request_id) == (ber.RESPONSE, 42)
    return pdu, ber.varbinds(datagram, pdu.start, pdu.end)


def texts(varbinds: Sequence[ber.VarBind]) -> list[str]:
    return [oid.to_text(varbind.oid) for varbind in varbinds]


# ------------------------------------------------------------------------------------------------ with real tools


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("tool", ["snmpwalk", "snmpbulkwalk"])
def test_net_snmp_walks_every_object_in_order(flavour: str, tool: str) -> None:
    if (flavour, tool) == ("v1", "snmpbulkwalk"):
        tool = "snmpwalk"  # there is no GETBULK in v1
    agent = SimulatedAgent(MIB, users=[USER])
    with running(agent):
        output = ask(tool, agent, *FLAVOURS[flavour], ".1").stdout
    seen = [line.split(" = ")[0].lstrip(".") for line in output.splitlines() if " = " in line]
    expected = [oid.to_text(MIB.oid(at)) for at in range(len(MIB)) if flavour != "v1" or not MIB.is_counter64(at)]
    assert list(dict.fromkeys(seen)) == expected


@pytest.mark.parametrize("flavour", ["v2c", "v3"])
def test_net_snmp_gets_values_and_what_is_missing(flavour: str) -> None:
    agent = SimulatedAgent(MIB, users=[USER])
    with running(agent):
        output = ask("snmpget", agent, *FLAVOURS[flavour], "1.3.6.1.2.1.1.1.0").stdout
        assert output == '.1.3.6.1.2.1.1.1.0 = STRING: "simulated"\n'
        assert "No Such Instance" in ask("snmpget", agent, *FLAVOURS[flavour], f"{ENTRY}.7.99").stdout
        assert "No Such Object" in ask("snmpget", agent, *FLAVOURS[flavour], "1.3.6.1.4.1.1.1.0").stdout


def test_v1_refuses_a_missing_object_by_name() -> None:
    agent = SimulatedAgent(MIB)
    with running(agent):
        result = ask("snmpget", agent, "-v1", "-cpublic", f"{ENTRY}.7.99")
    assert result.returncode == 2
    assert "noSuchName" in result.stderr


def test_net_snmp_cannot_write() -> None:
    agent = SimulatedAgent(MIB)
    with running(agent):
        command = [require_tool("snmpset", package="snmp"), "-v2c", "-cpublic", "-t2", "-r0", agent.target]
        result = subprocess.run(
            [*command, "1.3.6.1.2.1.1.1.0", "s", "mine"], capture_output=True, text=True, timeout=30, check=False
        )
    assert "notWritable" in result.stderr


def test_agents_answer_over_ipv6() -> None:
    agent = SimulatedAgent(MIB)
    with running(agent, address="::1"):
        command = [require_tool("snmpget", package="snmp"), "-v2c", "-cpublic", "-t2", f"udp6:{agent.target}"]
        result = subprocess.run(
            [*command, "1.3.6.1.2.1.1.1.0"], capture_output=True, text=True, timeout=30, check=False
        )
    assert "simulated" in result.stdout


def test_a_wrong_passphrase_is_refused() -> None:
    agent = SimulatedAgent(MIB, users=[USER])
    with running(agent):
        options = [word if word != "authenticate" else "something-else" for word in V3]
        assert "Authentication failure" in ask("snmpget", agent, *options, "1.3.6.1.2.1.1.1.0").stderr
    assert agent.requests == 0


def test_every_object_of_real_recordings_can_be_walked() -> None:
    for path in sorted(require_shared("recordings").glob("*.snmprec")):
        mib = read_recording(path).mib
        agent = SimulatedAgent(mib, max_message=LARGEST_DATAGRAM)
        with running(agent):
            result = ask("snmpbulkwalk", agent, "-v2c", "-cpublic", "-Cr100", ".1")
        names = [
            line.split(" = ")[0] for line in result.stdout.splitlines() if line.startswith(".1.") and " = " in line
        ]
        assert len(set(names)) == len(mib), (path.name, result.stderr)


# ---------------------------------------------------------------------------------------------------- the rules


def test_v1_getnext_skips_counter64() -> None:
    agent = SimulatedAgent(MIB)
    _, rows = opened(agent.answer(message(ber.GET_NEXT, f"{ENTRY}.7.30", version=0)))
    assert texts(rows) == ["1.3.6.1.2.1.31.1.1.1.18.1"]


def test_v1_get_of_a_counter64_is_no_such_name_and_echoes_the_request() -> None:
    agent = SimulatedAgent(MIB)
    names = ["1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.31.1.1.1.6.1", "1.3.6.9"]
    pdu, rows = opened(agent.answer(message(ber.GET, *names, version=0)))
    assert (pdu.status, pdu.index) == (2, 2)
    assert texts(rows) == names
    assert {row.tag for row in rows} == {ber.NULL}


def test_v1_getnext_at_the_end_is_no_such_name_at_its_place() -> None:
    agent = SimulatedAgent(MIB)
    pdu, _ = opened(agent.answer(message(ber.GET_NEXT, "1.3.6.1", "1.3.7", version=0)))
    assert (pdu.status, pdu.index) == (2, 2)


def test_v2c_getnext_at_the_end_is_end_of_mib_view_with_the_requested_oid() -> None:
    _, rows = opened(SimulatedAgent(MIB).answer(message(ber.GET_NEXT, "1.3.7")))
    assert rows == [ber.VarBind(oid.encode("1.3.7"), ber.END_OF_MIB_VIEW, b"")]


def test_getbulk_answers_non_repeaters_once_and_the_others_row_by_row() -> None:
    agent = SimulatedAgent(MIB)
    request = message(ber.GET_BULK, "1.3.6.1.2.1.1.3", f"{ENTRY}.1", f"{ENTRY}.7", first=1, second=2)
    _, rows = opened(agent.answer(request))
    assert texts(rows) == [
        "1.3.6.1.2.1.1.3.0",
        *(f"{ENTRY}.1.1", f"{ENTRY}.7.1"),
        *(f"{ENTRY}.1.2", f"{ENTRY}.7.2"),
    ]


@pytest.mark.parametrize(("first", "second", "count"), [(-1, -5, 0), (0, 0, 0), (9, 3, 1), (0, 2**31 - 1, 1)])
def test_getbulk_handles_odd_numbers_as_the_rfc_says(first: int, second: int, count: int) -> None:
    request = message(ber.GET_BULK, "1.3.6.1.2.1.31.1.1.1.6.2", first=first, second=second)
    _, rows = opened(SimulatedAgent(MIB).answer(request))
    assert len([row for row in rows if row.tag != ber.END_OF_MIB_VIEW]) == count


def test_getbulk_past_the_end_has_one_end_of_mib_view_per_column() -> None:
    agent = SimulatedAgent(MIB)
    _, rows = opened(agent.answer(message(ber.GET_BULK, "1.3.6.1.2.1.31.1.1.1.18", "1.3.7", second=10)))
    assert [row.tag for row in rows] == [ber.OCTET_STRING, *[ber.END_OF_MIB_VIEW] * 3]
    assert texts(rows)[2] == "1.3.6.1.2.1.31.1.1.1.18.1"


@pytest.mark.parametrize("size", [484, 1000, 1472])
def test_getbulk_fills_the_message(size: int) -> None:
    agent = SimulatedAgent(MIB, max_message=size)
    for names in ([ENTRY], [f"{ENTRY}.1", f"{ENTRY}.7"]):
        answer = agent.answer(message(ber.GET_BULK, *names, second=1000))
        pdu, rows = opened(answer)
        assert answer is not None
        assert len(answer) <= size
        assert pdu.status == 0
        assert len(rows) > 15


def test_a_response_that_does_not_fit_is_too_big() -> None:
    big = ber.tlv(ber.OCTET_STRING, b"x" * 2000)
    agent = SimulatedAgent(Mib.of({"1.3.6.1.1": big}))
    requests = [(ber.GET, "1.3.6.1.1"), (ber.GET_NEXT, "1.3.6.1"), (ber.GET_BULK, "1.3.6.1")]
    for pdu_type, name in requests:
        pdu, rows = opened(agent.answer(message(pdu_type, name, second=1 if pdu_type == ber.GET_BULK else 0)))
        assert (pdu.status, pdu.index, rows) == (1, 0, [])
    pdu, rows = opened(agent.answer(message(ber.GET, "1.3.6.1.1", version=0)))
    assert (pdu.status, len(rows)) == (1, 1)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x30",
        b"\x30\x82\xff\xff",
        b"text",
        message(ber.GET, "1.3.6.1.2.1.1.1.0", community=b"private"),
        message(ber.GET, "1.3.6.1.2.1.1.1.0", version=2),
        message(ber.GET, "1.3.6.1.2.1.1.1.0", version=3),
        message(ber.RESPONSE, "1.3.6.1.2.1.1.1.0"),
        message(0xA7, "1.3.6.1.2.1.1.1.0"),
        message(ber.REPORT),
        message(ber.SET),
        message(ber.GET_BULK, "1.3.6.1", version=0, second=3),
    ],
)
def test_an_agent_is_silent_where_it_may_not_answer(datagram: bytes) -> None:
    agent = SimulatedAgent(MIB)
    assert agent.answer(datagram) is None
    assert (agent.requests, agent.ignored) == (0, 1)


def test_an_agent_speaks_only_its_versions() -> None:
    agent = SimulatedAgent(MIB, versions=[Version.V1])
    assert agent.answer(message(ber.GET, "1.3.6.1.2.1.1.1.0")) is None
    assert agent.answer(message(ber.GET, "1.3.6.1.2.1.1.1.0", version=0)) is not None


# --------------------------------------------------------------------------------------------------- the device


def test_requests_and_varbinds_are_counted() -> None:
    agent = SimulatedAgent(MIB)
    agent.answer(message(ber.GET_BULK, ENTRY, second=10))
    agent.answer(message(ber.GET, "1.3.6.1.2.1.1.1.0"))
    assert (agent.requests, agent.varbinds) == (2, 11)


def test_a_reboot_resets_uptime_and_counters() -> None:
    now = 1000.0
    agent = SimulatedAgent(MIB, clock=lambda: now, uptime=60.0, users=[USER])
    names = ("1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.31.1.1.1.6.2")

    def values() -> list[int]:
        return [int.from_bytes(row.value, "big") for row in opened(agent.answer(message(ber.GET, *names)))[1]]

    now += 10
    assert values() == [7000, 7000]
    agent.reboot()
    assert values() == [0, 0]
    now += 1
    assert values() == [100, 100]
    assert agent.usm is not None
    assert agent.usm.boots == 2


def test_all_requests_are_lost_with_drop_one_and_some_of_them_with_less() -> None:
    agent = SimulatedAgent(MIB, drop=1.0)
    request = message(ber.GET, "1.3.6.1.2.1.1.1.0")
    assert agent.answer(request) is None
    agent.drop = 0.5
    answered = sum(agent.answer(request) is not None for _ in range(1000))
    assert 400 < answered < 600


def test_a_new_mib_is_used_at_once() -> None:
    agent = SimulatedAgent(MIB)
    agent.mib = Mib.of({"1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"changed")})
    _, rows = opened(agent.answer(message(ber.GET, "1.3.6.1.2.1.1.1.0")))
    assert rows[0].value == b"changed"


async def test_a_delayed_answer_comes_after_the_delay_while_others_are_answered() -> None:
    loop = asyncio.get_running_loop()
    async with SimulatedAgent(MIB, delay=0.2) as slow, SimulatedAgent(MIB) as fast:
        order: list[int] = []
        both = asyncio.Event()

        class Client(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                order.append(addr[1])
                if len(order) == 2:
                    both.set()

        transport, _ = await loop.create_datagram_endpoint(Client, local_addr=("127.0.0.1", 0))
        for agent in (slow, fast):
            transport.sendto(message(ber.GET, "1.3.6.1.2.1.1.1.0"), (agent.address, agent.port))
        await asyncio.wait_for(both.wait(), 10)
        transport.close()
        assert order == [fast.port, slow.port]


async def test_a_taken_port_is_an_error_and_a_closed_agent_frees_its_own() -> None:
    async with SimulatedAgent(MIB) as agent:
        port = agent.port
        with pytest.raises(OSError, match="in use"):
            await SimulatedAgent(MIB).start("127.0.0.1", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", port))
    with pytest.raises(RuntimeError, match="not started"):
        _ = agent.port
