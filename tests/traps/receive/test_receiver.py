"""Real traps and informs of net-snmp, of all versions and security levels."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from promsnmp.snmp import oid
from promsnmp.snmp.credentials import AuthProtocol, Community, PrivProtocol, SecurityLevel, User, Version
from promsnmp.traps.receive.counts import Dropped
from promsnmp.traps.receive.pdu import INFORM, SNMP_TRAP_ADDRESS, SNMP_TRAP_ENTERPRISE
from tests.support.tools import Snmpd, SnmpdUser, until
from tests.support.traps.messages import notification_binds, trap
from tests.support.traps.receiving import device, receiving
from tests.support.traps.sending import COLD_START, IF_INDEX_7, LINK_DOWN, send, v3

NO_AUTH = User("open")
AUTH = User("careful", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA256, "auth-secret")
PRIV = User("secret", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "auth-secret", PrivProtocol.AES, "priv-secret")
DES = User("old", SecurityLevel.AUTH_PRIV, AuthProtocol.MD5, "auth-secret", PrivProtocol.DES, "priv-secret")
ROUTER = device("router", "127.0.0.1", Community(community="geheim"), NO_AUTH, AUTH, PRIV, DES)
USERS = {
    "noAuthNoPriv": v3("open", "noAuthNoPriv"),
    "authNoPriv": v3("careful", "authNoPriv", auth="auth-secret", protocols=("SHA-256", "")),
    "authPriv": v3("secret", "authPriv", auth="auth-secret", priv="priv-secret"),
    "DES": v3("old", "authPriv", auth="auth-secret", priv="priv-secret", protocols=("MD5", "DES")),
}


async def sent(folder: Path, port: int, *words: str, inform: bool = False, address: str = "127.0.0.1") -> bool:
    return await asyncio.to_thread(send, folder, port, *words, inform=inform, address=address)


async def test_v1_and_v2c_traps_arrive_as_notifications(tmp_path: Path) -> None:
    async with receiving(ROUTER) as made:
        v1 = ("-v", "1", "-c", "geheim", "--", "1.3.6.1.4.1.8072.3", "192.0.2.9", "6", "17", "123", *IF_INDEX_7)
        assert await sent(tmp_path, made.port, *v1)
        assert await sent(tmp_path, made.port, "-v", "2c", "-c", "geheim", "--", "456", LINK_DOWN, *IF_INDEX_7)
        await until(lambda: len(made.got) == 2)
        one, two = made.got
    assert (one.version, oid.to_text(one.oid), one.uptime) == (Version.V1, "1.3.6.1.4.1.8072.3.0.17", 123)
    added = {bind.oid: bind.value for bind in one.varbinds}
    assert added[SNMP_TRAP_ADDRESS] == bytes((192, 0, 2, 9))
    assert added[SNMP_TRAP_ENTERPRISE] == oid.encode("1.3.6.1.4.1.8072.3")
    assert (two.version, oid.to_text(two.oid), two.uptime) == (Version.V2C, LINK_DOWN, 456)
    assert (two.device_id, two.device_name, two.sender) == (ROUTER.id, "router", "127.0.0.1")
    assert [oid.to_text(bind.oid) for bind in two.varbinds] == [IF_INDEX_7[0]]
    assert not two.authenticated
    assert "geheim" not in repr(made.got)


@pytest.mark.parametrize("kind", USERS)
async def test_v3_traps_of_every_level(tmp_path: Path, kind: str) -> None:
    async with receiving(ROUTER) as made:
        assert await sent(tmp_path, made.port, *USERS[kind], "-e", "0x8000000001020304")
        await until(lambda: bool(made.got))
        (got,) = made.got
    assert (got.version, got.user, oid.to_text(got.oid)) == (Version.V3, USERS[kind][3], COLD_START)
    assert got.engine_id.hex() == "8000000001020304"
    assert got.authenticated == (kind != "noAuthNoPriv")
    assert made.dropped == {}


@pytest.mark.parametrize("kind", ["v2c", *USERS])
async def test_informs_are_acknowledged_once_they_are_safe(tmp_path: Path, kind: str) -> None:
    words = USERS.get(kind, ["-v", "2c", "-c", "geheim"])
    async with receiving(ROUTER) as made:
        assert await sent(tmp_path, made.port, *words, inform=True)
        assert [got.is_inform for got in made.got] == [True]
        assert made.counts.acknowledged == 1


async def test_an_inform_that_is_not_stored_is_not_acknowledged(tmp_path: Path) -> None:
    async with receiving(ROUTER) as made:
        made.failing = True
        assert not await sent(tmp_path, made.port, "-v", "2c", "-c", "geheim", inform=True)
        assert (made.got, made.counts.acknowledged) == ([], 0)
    assert made.dropped[Dropped.SINK] == 2  # and its retransmission


async def test_ipv6(tmp_path: Path) -> None:
    async with receiving(device("six", "::1", Community()), address="::1") as made:
        assert await sent(tmp_path, made.port, "-v", "2c", "-c", "public", address="::1", inform=True)
    assert [(got.sender, got.device_name) for got in made.got] == [("::1", "six")]


async def test_what_is_not_accepted_is_counted_by_reason(tmp_path: Path) -> None:
    wrong = {
        Dropped.COMMUNITY: ["-v", "2c", "-c", "wrong"],
        Dropped.USER: v3("stranger", "noAuthNoPriv"),
        Dropped.LEVEL: v3("careful", "noAuthNoPriv"),
        Dropped.DIGEST: v3("careful", "authNoPriv", auth="another-secret", protocols=("SHA-256", "")),
        Dropped.DECRYPTION: v3("secret", "authPriv", auth="auth-secret", priv="another-secret"),
    }
    async with receiving(ROUTER) as made:
        for words in wrong.values():
            assert await sent(tmp_path, made.port, *words)
        await until(lambda: sum(made.dropped.values()) == len(wrong))
    assert made.dropped == dict.fromkeys(wrong, 1)
    assert made.got == []


async def test_senders_outside_the_inventory(tmp_path: Path) -> None:
    other = device("other", "192.0.2.1", Community())
    async with receiving(other) as made, receiving(other, unknown_senders=True) as lenient:
        for one in (made, lenient):
            assert await sent(tmp_path, one.port, "-v", "2c", "-c", "public")
        await until(lambda: bool(lenient.got))
        await until(lambda: bool(made.dropped))
    assert made.dropped == {Dropped.SENDER: 1}
    assert [got.device_id for got in lenient.got] == [""]


async def test_snmpd_as_the_sender(tmp_path: Path, snmpd: Callable[..., Snmpd]) -> None:
    """It announces its start to all of its sinks: v1, v2c, an inform, and v3 with its own engine."""
    async with receiving(ROUTER) as made:
        sink, session = (
            f"127.0.0.1:{made.port}",
            "-v 3 -u secret -l authPriv -a SHA -A auth-secret -x AES -X priv-secret",
        )
        conf = [f"trapsink {sink} geheim", f"trap2sink {sink} geheim", f"informsink {sink} geheim"]
        conf += [f"trapsess {session} {sink}", f"trapsess -Ci {session} {sink}"]
        user = SnmpdUser("secret", "priv", "SHA", "auth-secret", "AES", "priv-secret")
        await asyncio.to_thread(snmpd, users=[user], extra_conf="\n".join(conf))
        await until(lambda: len(made.got) >= 5)
    assert {oid.to_text(got.oid) for got in made.got} == {COLD_START}
    kinds = sorted((got.version, got.is_inform) for got in made.got)
    assert kinds == [
        (Version.V1, False),
        (Version.V2C, False),
        (Version.V2C, True),
        (Version.V3, False),
        (Version.V3, True),
    ]
    assert set(made.dropped) <= {Dropped.ENGINE, Dropped.TIME_WINDOW, Dropped.DUPLICATE}


@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
async def test_an_answer_comes_from_the_address_that_was_asked(address: str) -> None:
    """Of a machine with several addresses: a connected socket takes no other answer."""
    sender = "::1" if ":" in address else "127.0.0.1"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    async with receiving(device("one", sender, Community()), address="") as made:
        with socket.socket(family, socket.SOCK_DGRAM) as inform:
            inform.setblocking(False)
            inform.bind((sender, 0))
            inform.connect((address, made.port))
            inform.send(trap(kind=INFORM))
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(inform, 4096), 10)
    assert answer.endswith(notification_binds())
