"""The engine against net-snmp: a walk of snmpd's whole tree equals that of snmpbulkwalk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.walk import Subtree
from promsnmp.snmp.security import CommunityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from promsnmp.snmp.v3.engine import EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.usm import UsmModel
from tests.support.tools import Snmpd, SnmpdUser, require_tool, start_snmpd

AUTH, PRIV = "authenticate-me", "keep-this-private"
USER = User("reader", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, AUTH, PrivProtocol.AES256, PRIV)
V3 = ["-v3", "-u", "reader", "-l", "authPriv", "-a", "SHA-256", "-A", AUTH, "-x", "AES-256", "-X", PRIV]
LOGINS: dict[str, tuple[Credentials, list[str]]] = {
    "v1": (Community(Version.V1), ["-v1", "-c", "public"]),
    "v2c": (Community(), ["-v2c", "-c", "public"]),
    "v3": (USER, V3),
}
ROOTS = ["1.3.6.1.2.1.1", "1.3.6.1.2.1.2", "1.3.6.1.2.1.4", "1.3.6.1.2.1.31", "1.3.6.1.6.3"]
"""Trees that do not change between two walks."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    user = SnmpdUser("reader", "priv", "SHA-256", AUTH, "AES-256", PRIV)
    with start_snmpd(tmp_path_factory.mktemp("snmpd"), users=[user]) as started:
        yield started


async def ours(agent: Snmpd, login: str, root: str) -> list[str]:
    """The OIDs that the engine finds, in order."""
    credentials = LOGINS[login][0]
    model = (
        UsmModel(credentials, engine=EngineState(), keys=KeyCache())
        if isinstance(credentials, User)
        else CommunityModel(credentials)
    )
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode(root)), taken.extend, version=credentials.version)
    async with Session(SnmpEndpoint(agent.address, agent.port), model, timeout=5.0) as session:
        await session.run(browse)
    assert browse.failure is None
    return [f".{oid.to_text(one.oid)}" for one in taken]


def theirs(agent: Snmpd, login: str, root: str) -> list[str]:
    """The OIDs that net-snmp prints."""
    name = "snmpwalk" if login == "v1" else "snmpbulkwalk"
    command = [require_tool(name, package="snmp"), *LOGINS[login][1], "-On", "-Oe", "-t5", agent.target, root]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env={"MIBS": ""}).stdout
    lines = [line for line in printed.splitlines() if line.startswith(".1.") and " = " in line]
    return [line.split(" = ")[0] for line in lines if "No more variables left" not in line]


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("root", ROOTS)
async def test_a_tree_equals_that_of_net_snmp(agent: Snmpd, login: str, root: str) -> None:
    expected = theirs(agent, login, root)
    assert expected
    assert await ours(agent, login, root) == expected


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("root", ["1", "1.3.6.1"])
async def test_the_whole_tree_equals_that_of_net_snmp(agent: Snmpd, login: str, root: str) -> None:
    """Processes, connections and caches change between the walks, so the few trees that list them are left out."""
    found, expected = await ours(agent, login, root), theirs(agent, login, root)
    assert sorted(found, key=oid.parse) == found
    assert len(found) > 100
    living = (".1.3.6.1.2.1.25.", ".1.3.6.1.2.1.6.", ".1.3.6.1.2.1.7.", ".1.3.6.1.2.1.4.35.", ".1.3.6.1.2.1.4.22.")
    steady = [[one for one in oids if not one.startswith(living)] for oids in (found, expected)]
    assert steady[0] == steady[1]
