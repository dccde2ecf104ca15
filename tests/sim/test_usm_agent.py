"""The simulated authoritative engine, asked by net-snmp's own manager."""

from __future__ import annotations

import itertools
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from promsnmp.sim.usm_agent import UsmAgent
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import Pdu
from promsnmp.snmp.credentials import LEVEL_NAMES, AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols
from promsnmp.snmp.v3.message import Header
from promsnmp.snmp.v3.reports import Report
from tests.support.tools import require_tool

ENGINE_ID = bytes.fromhex("80001f8880a1b2c3d4e5")
SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")
JOE = User("joe", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "bravo-lima-auth", PrivProtocol.AES, "bravo-lima-priv")
PAIRS = [
    replace(JOE, name=f"{auth}-{priv}", auth_protocol=auth, priv_protocol=priv)
    for auth, priv in itertools.product(AuthProtocol, PrivProtocol)
]
USERS = [
    JOE,
    User("nobody"),
    replace(JOE, name="signs", level=SecurityLevel.AUTH_NO_PRIV),
    *(pair for pair in PAIRS if pair.auth_protocol in (AuthProtocol.MD5, AuthProtocol.SHA256)),
]


def respond(pdu: Pdu, _: bytes) -> bytes:
    return ber.encode_pdu(ber.RESPONSE, pdu.request_id, 0, 0, ber.encode_varbind(SYS_NAME, b"\x04\x06router"))


def serve(agent: UsmAgent, sock: socket.socket) -> None:
    """Answer until an empty datagram comes."""
    while True:
        datagram, source = sock.recvfrom(65536)
        if not datagram:
            return
        if (answer := agent.handle(datagram, respond)) is not None:
            sock.sendto(answer, source)


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    agent = UsmAgent(USERS, engine_id=ENGINE_ID, boots=3, time=5000, contexts={"", "vlan"})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(agent, sock))
        thread.start()
        yield f"127.0.0.1:{sock.getsockname()[1]}"
        sock.sendto(b"", sock.getsockname())
        thread.join(10)


def snmpget(target: str, user: User, folder: Path, *options: str) -> str:
    """What net-snmp's snmpget prints for sysName, errors included."""
    command = [require_tool("snmpget", package="snmp"), "-v3", "-u", user.name, "-l", LEVEL_NAMES[user.level], *options]
    if user.level >= SecurityLevel.AUTH_NO_PRIV:
        command += ["-a", user.auth_protocol.spec.net_snmp_name, "-A", user.auth_passphrase]
    if user.level == SecurityLevel.AUTH_PRIV:
        command += ["-x", user.priv_protocol.spec.net_snmp_name, "-X", user.priv_passphrase]
    environment = {"SNMPCONFPATH": str(folder), "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""}
    command += ["-t", "2", "-r", "1", target, "1.3.6.1.2.1.1.5.0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
    return done.stdout + done.stderr


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name)
def test_net_snmp_reads_from_it(target: str, tmp_path: Path, user: User) -> None:
    assert "router" in snmpget(target, user, tmp_path)


def test_net_snmp_reads_from_a_context_of_it(target: str, tmp_path: Path) -> None:
    assert "router" in snmpget(target, JOE, tmp_path, "-n", "vlan")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(JOE, name="eve"), "Unknown user name"),
        (replace(JOE, auth_passphrase="something else"), "Authentication failure"),
        (replace(JOE, priv_passphrase="something else"), "Decryption error"),
        (replace(JOE, name="signs"), "Unsupported security level"),
    ],
    ids=lambda value: value if isinstance(value, str) else "user",
)
def test_net_snmp_understands_its_reports(target: str, tmp_path: Path, wrong: User, said: str) -> None:
    assert said in snmpget(target, wrong, tmp_path)


def header_of(agent: UsmAgent, **change: object) -> Header:
    header = Header(77, SecurityLevel.AUTH_NO_PRIV, True, agent.engine_id, agent.boots, agent.time, b"joe")
    return header._replace(**change)  # type: ignore[arg-type]  # a test changes what it likes


def request() -> bytes:
    return ber.encode_pdu(ber.GET, 9, 0, 0, ber.encode_varbind(SYS_NAME))


@pytest.mark.parametrize(("boots", "time"), [(3, 0), (4, 5000), (2, 5000), (3, 5151), (3, 4849)])
def test_a_request_outside_the_time_window_gets_a_signed_report(boots: int, time: int) -> None:
    agent = UsmAgent([JOE], engine_id=ENGINE_ID, boots=3, time=5000, clock=lambda: 0.0)
    answer = agent.handle(agent.secure(header_of(agent, boots=boots, time=time), request()), respond)
    assert answer is not None
    assert usm_message.parse_message(answer).header == Header(
        77, SecurityLevel.AUTH_NO_PRIV, False, ENGINE_ID, 3, 5000, b"joe"
    )
    assert agent.reported[Report.NOT_IN_TIME_WINDOW] == 1


def test_a_message_without_the_reportable_flag_gets_no_report() -> None:
    agent = UsmAgent([JOE], engine_id=ENGINE_ID)
    assert agent.handle(agent.secure(header_of(agent, boots=99, reportable=False), request()), respond) is None


def test_a_reboot_increments_boots_and_resets_the_time() -> None:
    agent = UsmAgent([JOE], engine_id=ENGINE_ID, boots=3, time=5000, clock=lambda: 7.0)
    agent.reboot()
    assert (agent.boots, agent.time) == (4, 0)


def test_another_engine_id_changes_the_keys() -> None:
    agent = UsmAgent([JOE], engine_id=ENGINE_ID)
    before = agent.secure(header_of(agent), request())
    agent.engine_id = b"replaced device"
    answer = agent.handle(before, respond)
    assert answer is not None
    assert usm_message.parse_message(answer).header.engine_id == b"replaced device"
    assert agent.handle(agent.secure(header_of(agent), request()), respond) is not None
    assert agent.reported[Report.WRONG_DIGEST] == 0


@pytest.mark.parametrize("datagram", [b"", b"\x30", b"\x30\x03\x02\x01\x01", bytes(100)])
def test_datagrams_that_are_not_snmp_get_no_answer(datagram: bytes) -> None:
    assert UsmAgent([JOE], engine_id=ENGINE_ID).handle(datagram, respond) is None


def test_a_response_gets_no_answer() -> None:
    agent = UsmAgent([JOE], engine_id=ENGINE_ID)
    assert agent.handle(agent.secure(header_of(agent), respond(Pdu(0, 1, 0, 0, 0, 0), b"")), respond) is None


def test_discovery_is_answered_for_every_sender() -> None:
    agent = UsmAgent([], engine_id=ENGINE_ID)
    header = Header(1, SecurityLevel.NO_AUTH_NO_PRIV, True, b"", 0, 0, b"")
    scoped = usm_message.encode_scoped_pdu(b"", b"", ber.encode_pdu(ber.GET, 5, 0, 0, b""))
    answer = agent.handle(usm_message.build_message(header, scoped, SecurityProtocols(), 0), respond)
    assert answer is not None
    assert usm_message.parse_message(answer).header.engine_id == ENGINE_ID
