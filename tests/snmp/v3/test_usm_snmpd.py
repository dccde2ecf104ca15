"""USM against net-snmp's snmpd: every pair of protocols, and the errors for wrong credentials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from promsnmp.errors import AuthenticationError, SnmpTimeout
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import EngineState, UsmModel
from tests.support.tools import Snmpd, SnmpdUser, start_snmpd

SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")
AUTH_PASSPHRASE = "bravo-lima-auth"
PRIV_PASSPHRASE = "bravo-lima-priv"
KEYS = KeyCache()
PAIRS = list(product(AuthProtocol, PrivProtocol))
NOBODY = User("nobody")


class Agents(NamedTuple):
    """A device, and one behind it that it exposes as the context ``behind``."""

    front: Snmpd
    back: Snmpd


def of_pair(auth: AuthProtocol, priv: PrivProtocol) -> User:
    return User(f"{auth}-{priv}", SecurityLevel.AUTH_PRIV, auth, AUTH_PASSPHRASE, priv, PRIV_PASSPHRASE)


def snmpd_user(user: User) -> SnmpdUser:
    level = {1: "noauth", 2: "auth", 3: "priv"}[user.level]
    auth, priv = user.auth_protocol.spec.net_snmp_name, user.priv_protocol.spec.net_snmp_name
    return SnmpdUser(user.name, level, auth, user.auth_passphrase, priv, user.priv_passphrase)


AUTH_ONLY = User("auth-only", SecurityLevel.AUTH_NO_PRIV, AuthProtocol.SHA256, AUTH_PASSPHRASE)
USERS = [NOBODY, AUTH_ONLY, *(of_pair(auth, priv) for auth, priv in PAIRS)]


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    users = [snmpd_user(user) for user in USERS]
    back_folder, front_folder = tmp_path_factory.mktemp("back"), tmp_path_factory.mktemp("front")
    with start_snmpd(back_folder, extra_conf="sysName back") as back:
        conf = f"sysName front\nproxy -Cn behind -v 2c -c public {back.target} .1.3.6.1.2.1.1"
        with start_snmpd(front_folder, users=users, extra_conf=conf) as front:
            yield Agents(front, back)


async def sys_name(agent: Snmpd, user: User, *, engine: EngineState | None = None) -> str:
    """The value of sysName that ``user`` gets."""
    return await ask(agent, UsmModel(user, engine=engine or EngineState(), keys=KEYS))


async def ask(agent: Snmpd, model: UsmModel, *, timeout: float = 1.0, retries: int = 3) -> str:
    gets = GetOperation([SYS_NAME], limits=AgentLimits())
    async with Session(SnmpEndpoint(agent.address, agent.port), model, timeout=timeout, retries=retries) as session:
        await session.run(gets)
    return gets.varbinds[0].value.decode()


async def timeout_hint(agent: Snmpd, user: User) -> str:
    """The model's error when snmpd does not answer ``user`` at all."""
    model = UsmModel(user, engine=EngineState(), keys=KEYS)
    with pytest.raises(SnmpTimeout):
        await ask(agent, model, timeout=0.3, retries=0)
    return model.timeout_hint()


async def refusal(agent: Snmpd, user: User) -> str:
    """The error message that ``user`` gets."""
    with pytest.raises(AuthenticationError) as caught:
        await sys_name(agent, user)
    assert AUTH_PASSPHRASE not in str(caught.value)
    assert PRIV_PASSPHRASE not in str(caught.value)
    return caught.value.message


@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=lambda protocol: str(protocol))
async def test_every_pair_of_protocols_reads_from_snmpd(agents: Agents, auth: AuthProtocol, priv: PrivProtocol) -> None:
    assert await sys_name(agents.front, of_pair(auth, priv)) == "front"


@pytest.mark.parametrize("auth", AuthProtocol)
async def test_every_auth_protocol_reads_without_privacy(tmp_path: Path, auth: AuthProtocol) -> None:
    user = User("reader", SecurityLevel.AUTH_NO_PRIV, auth, AUTH_PASSPHRASE)
    with start_snmpd(tmp_path, users=[snmpd_user(user)], extra_conf="sysName plain") as agent:
        assert await sys_name(agent, user) == "plain"


async def test_a_user_without_authentication_reads(agents: Agents) -> None:
    assert await sys_name(agents.front, NOBODY) == "front"


async def test_a_known_engine_is_not_discovered_again(agents: Agents) -> None:
    engine = EngineState()
    user = of_pair(AuthProtocol.SHA256, PrivProtocol.AES256)
    await sys_name(agents.front, user, engine=engine)
    model = UsmModel(user, engine=engine, keys=KEYS)
    async with Session(SnmpEndpoint(agents.front.address, agents.front.port), model) as session:
        await session.run(GetOperation([SYS_NAME], limits=AgentLimits()))
        assert session.traffic.sent == 1


async def test_an_unknown_user_is_named(agents: Agents) -> None:
    assert "does not know user 'nemo'" in await refusal(agents.front, replace(AUTH_ONLY, name="nemo"))


async def test_a_wrong_auth_passphrase_is_reported(agents: Agents) -> None:
    assert "check the auth passphrase" in await refusal(
        agents.front, replace(AUTH_ONLY, auth_passphrase="not this one")
    )


@pytest.mark.parametrize("wrong", [AuthProtocol.SHA, AuthProtocol.SHA512])
async def test_a_wrong_auth_protocol_is_reported(agents: Agents, wrong: AuthProtocol) -> None:
    assert "that the auth protocol is" in await refusal(agents.front, replace(AUTH_ONLY, auth_protocol=wrong))


async def test_an_unsupported_security_level_is_reported(agents: Agents) -> None:
    user = replace(AUTH_ONLY, level=SecurityLevel.AUTH_PRIV, priv_passphrase=PRIV_PASSPHRASE)
    assert "check the security level" in await refusal(agents.front, user)


@pytest.mark.parametrize("priv", PrivProtocol)
async def test_a_wrong_priv_passphrase_gives_no_value_and_a_hint(agents: Agents, priv: PrivProtocol) -> None:
    user = replace(of_pair(AuthProtocol.SHA256, priv), priv_passphrase="not this one")
    assert "check the priv passphrase" in await timeout_hint(agents.front, user)


async def test_a_context_name_reaches_another_device(agents: Agents) -> None:
    user = replace(of_pair(AuthProtocol.SHA, PrivProtocol.AES), context_name="behind")
    assert await sys_name(agents.front, user) == "back"


async def test_the_timeout_for_a_missing_context_names_the_context(agents: Agents) -> None:
    user = replace(AUTH_ONLY, context_name="nowhere")
    assert "and the context name" in await timeout_hint(agents.front, user)


async def test_a_device_that_reboots_between_two_requests_is_followed(tmp_path: Path) -> None:
    user = of_pair(AuthProtocol.SHA256, PrivProtocol.AES)
    engine = EngineState()
    with start_snmpd(tmp_path, users=[snmpd_user(user)], extra_conf="sysName once") as first:
        assert await sys_name(first, user, engine=engine) == "once"
        before = replace(engine)
    with start_snmpd(tmp_path, users=[snmpd_user(user)], extra_conf="sysName again", port=first.port) as second:
        assert await sys_name(second, user, engine=engine) == "again"
    assert engine.engine_id == before.engine_id
    assert engine.boots == before.boots + 1


async def test_a_device_that_was_replaced_is_followed(tmp_path: Path) -> None:
    user = of_pair(AuthProtocol.SHA, PrivProtocol.DES)
    engine = EngineState()
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with start_snmpd(tmp_path / "old", users=[snmpd_user(user)], extra_conf="sysName old") as old:
        assert await sys_name(old, user, engine=engine) == "old"
        before = engine.engine_id
    with start_snmpd(tmp_path / "new", users=[snmpd_user(user)], extra_conf="sysName new", port=old.port) as new:
        assert await sys_name(new, user, engine=engine) == "new"
    assert engine.engine_id != before
