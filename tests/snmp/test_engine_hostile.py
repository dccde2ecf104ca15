"""Walks and GETs of every hostile agent: they end in time, report failures, and return no value that does not exist."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from promsnmp.errors import PromSnmpError, SnmpError
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.operations.base import AgentLimits, Operation
from promsnmp.snmp.operations.browse import BrowseOperation
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from promsnmp.snmp.security import CommunityModel
from promsnmp.snmp.session import Session
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.behaviours import BEHAVIOURS
from tests.support.agents.hostile import HONEST, IF_ENTRY, ROWS, SYS_DESCR, Behaviour, HostileAgent

ROOT = oid.encode(IF_ENTRY)
COLUMNS = [oid.encode(f"{IF_ENTRY}.{number}") for number in (1, 2, 10)]
WANTED = [
    oid.encode(text)
    for text in (SYS_DESCR, "1.3.6.1.2.1.1.3.0", f"{IF_ENTRY}.1.1", f"{IF_ENTRY}.10.2", f"{IF_ENTRY}.10.999")
]
HONEST_LOOKING_ENDS = frozenset({"value_end_of_mib_view_too_early", "no_such_name_after_2", "status_2"})
"""The end of the MIB, as an honest agent sends it, but too early: a manager cannot tell the difference."""
PATIENCE = 0.02
"""Seconds to wait for answers that may never arrive; agent and manager share the loop."""
EXCEPTIONS = (ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW)


@dataclass
class Outcome:
    """The outcome of a session."""

    taken: list[ber.VarBind] = field(default_factory=list)
    errors: list[SnmpError] = field(default_factory=list)


async def converse(behaviour: Behaviour, operation: Operation, version: Version, *, wait: float = 0.25) -> Outcome:
    """Runs an operation; the outcome has the SnmpError that the session raised. Nothing else is caught."""
    outcome = Outcome()
    timeout = 0.3 if behaviour.is_harmless else PATIENCE
    retries = 9 if behaviour.is_harmless else 1
    loop = asyncio.get_running_loop()
    problems: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: problems.append(context))
    async with HostileAgent(behaviour) as agent, asyncio.timeout(30):
        deadline = loop.time() + (20.0 if behaviour.is_harmless else wait)
        security = CommunityModel(Community(version))
        endpoint = SnmpEndpoint(agent.address, agent.port)
        try:
            async with Session(endpoint, security, timeout=timeout, retries=retries, deadline=deadline) as session:
                await session.run(operation)
        except SnmpError as raised:
            outcome.errors.append(raised)
        outcome.errors += operation.errors()
        for error in outcome.errors:
            assert error.target == agent.target
            assert re.search(r"\(at OID [0-9.]+\)", str(error))
    assert problems == []
    return outcome


def held(mib: Mib, *, below: bytes = b"", version: Version = Version.V2C) -> set[ber.VarBind]:
    """What the device holds, as far as ``version`` can express it."""
    rows = b"".join(mib.rows(0, len(mib), 0.0))
    found: list[ber.VarBind] = []
    try:
        found = ber.varbinds(rows, 0, len(rows))
    except ber.Malformed:  # one value cannot be read: all the others
        for row in mib.rows(0, len(mib), 0.0):
            try:
                found += ber.varbinds(row, 0, len(row))
            except ber.Malformed:
                continue
    found = [one for one in found if one.oid.startswith(below) and one.tag not in EXCEPTIONS]
    return {one for one in found if version is not Version.V1 or one.tag != ber.COUNTER64}


def judge(behaviour: Behaviour, outcome: Outcome, expected: set[ber.VarBind]) -> None:
    """Whether the outcome is what ``Behaviour`` says about a correct manager."""
    taken = set(outcome.taken)
    if behaviour.is_plausible:
        return
    assert taken <= expected
    assert len(taken) == len(outcome.taken)
    if behaviour.is_harmless:
        assert outcome.errors == []
        assert taken == expected
    elif behaviour.name not in HONEST_LOOKING_ENDS:
        assert outcome.errors or taken == expected


def varbinds(columns: Iterable[bytes]) -> list[ber.VarBind]:
    octets = b"".join(columns)
    return ber.varbinds(octets, 0, len(octets))


@pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
async def test_a_walk_ends_and_returns_only_existing_objects(behaviour: Behaviour, version: Version) -> None:
    scanner = ber.Scanner(COLUMNS)
    walks = WalkOperation([Subtree(ROOT)], scanner, version=version, limits=AgentLimits())
    outcome = await converse(behaviour, walks, version)
    outcome.taken = varbinds(scanner.column(at) for at in range(len(COLUMNS)))
    judge(behaviour, outcome, held(behaviour.mib or HONEST, below=ROOT, version=version))


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
async def test_browsing_ends_and_returns_only_existing_objects(behaviour: Behaviour) -> None:
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(ROOT), taken.extend, version=Version.V2C)
    outcome = await converse(behaviour, browse, Version.V2C)
    outcome.taken = taken
    judge(behaviour, outcome, held(behaviour.mib or HONEST, below=ROOT))


@pytest.mark.parametrize("version", [Version.V1, Version.V2C], ids=["v1", "v2c"])
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
async def test_gets_end_and_return_only_existing_objects(behaviour: Behaviour, version: Version) -> None:
    gets = GetOperation(WANTED, limits=AgentLimits())
    outcome = await converse(behaviour, gets, version)
    outcome.taken = [one for one in gets.varbinds if one.tag not in EXCEPTIONS]
    expected = {one for one in held(behaviour.mib or HONEST, version=version) if one.oid in WANTED}
    if behaviour.name == "repeating_oid":  # for a GET, naming the requested OID is right
        behaviour = replace(behaviour, is_plausible=True)
    judge(behaviour, outcome, expected)


SAMPLE = re.compile(r'^ifInOctets\{[^}]*ifIndex="(\d+)"[^}]*\} (\S+)$', re.MULTILINE)
VALID = {
    "value_counter64_of_9_octets_and_leading_zero": str((1 << 53) - 1),
    "value_opaque_float": "123",
    "value_opaque_double": "123.45",
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
async def test_a_page_of_a_hostile_agent_has_no_wrong_sample(behaviour: Behaviour) -> None:
    collector = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions())
    loop = asyncio.get_running_loop()
    problems: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: problems.append(context))
    text, error = "", None
    async with HostileAgent(behaviour) as agent, asyncio.timeout(30):
        target = Target(
            "hostile",
            "hostile",
            SnmpEndpoint(agent.address, agent.port),
            Community(),
            ("if_mib",),
            timeout=0.3 if behaviour.is_harmless else PATIENCE,
            retries=9 if behaviour.is_harmless else 1,
        )
        try:
            deadline = loop.time() + (20.0 if behaviour.is_harmless else 0.25)
            page, error = await collector.collect(target, deadline=deadline)
            text = page.plain(Format.TEXT).decode()
        except PromSnmpError as raised:
            error = raised  # type: ignore[assignment]  # whatever of the tree it is
    assert problems == []
    if behaviour.is_plausible:
        return
    samples = {int(index): value for index, value in SAMPLE.findall(text)}
    if behaviour.name == "many_varbinds":
        assert samples == {row: str(row) for row in range(1, len(samples) + 1)}
        assert len(samples) > 2000
        return
    special = samples.pop(2, None)
    allowed = VALID.get(behaviour.name) if behaviour.mib and behaviour.name != "value_of_60_kb" else "2000"
    assert special in (None, allowed)
    assert samples.items() <= {row: str(row * 1000) for row in range(1, ROWS + 1)}.items()
    if behaviour.is_harmless:
        assert error is None
        assert len(samples) == ROWS - 1
        assert 'promsnmp_module_up{module="if_mib"} 1' in text
    elif not samples and behaviour.name not in HONEST_LOOKING_ENDS:
        assert error is not None


async def test_no_socket_is_left_open_by_any_of_them() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for behaviour in BEHAVIOURS[::10]:
            walks = WalkOperation([Subtree(ROOT)], ber.Scanner(COLUMNS), version=Version.V2C, limits=AgentLimits())
            await converse(behaviour, walks, Version.V2C, wait=0.1)
