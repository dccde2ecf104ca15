"""Walks past objects that an agent cannot read: everything else is read, in a bounded number of packets."""

from __future__ import annotations

import random

import pytest

from promsnmp.errors import ErrorStatus
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from tests.support.agents.function_agent import Agent, Answer

ROOT = "1.3.6.1.4.1.9999.1"
GEN_ERR, NO_SUCH_NAME, AUTHORIZATION_ERROR = 5, 2, 16


def table(*indexes: str) -> list[str]:
    return [f"{ROOT}.{column}.{index}" for column in (1, 2, 3) for index in indexes]


TABLES = {
    "rows": table(*map(str, range(1, 31))),
    "sparse": table("1", "7", "1000", "1001", "70000", "70001", "4000000000"),
    "addresses": table(*(f"10.0.{net}.{host}" for net in (0, 1, 200) for host in (1, 2, 77, 254))),
    "scalars": [f"{ROOT}.{number}.0" for number in range(1, 12)],
}


def mib_of(names: list[str]) -> Mib:
    objects = {oid.encode(name): ber.encode_integer(1) for name in names}
    return Mib.of({**objects, oid.encode("1.3.6.1.4.1.9999.2.1.0"): ber.encode_integer(1)})


def failing_at(mib: Mib, bad: set[bytes], status: int) -> Answer:
    """Answers with an error-status where the answer would hold an object of ``bad``."""

    def answer(pdu: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        at = mib.position_after(asked[0].oid)
        times = max(pdu.index, 1) if pdu.type == ber.GET_BULK else 1
        if pdu.type != ber.GET and any(mib.oid(one) in bad for one in range(at, min(at + times, len(mib)))):
            return status, 1, ber.encode_varbind(asked[0].oid)
        return None

    return answer


def walked(
    names: list[str], bad: set[str], *, status: int, version: Version = Version.V2C
) -> tuple[WalkOperation, int]:
    mib, root = mib_of(names), oid.encode(ROOT)
    walks = WalkOperation([Subtree(root)], ber.Scanner([root]), version=version, limits=AgentLimits())
    agent = Agent(failing_at(mib, set(map(oid.encode, bad)), status), mib=mib, is_v1=version is Version.V1)
    agent.run(walks, most=2000)
    return walks, len(agent.requests)


def read(walks: WalkOperation) -> set[str]:
    column = walks._scanner.column(0)
    return {oid.to_text(one.oid) for one in ber.varbinds(column, 0, len(column))}


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("kind", TABLES)
def test_a_walk_goes_round_any_one_object(kind: str, version: Version) -> None:
    for name in TABLES[kind]:
        walks, packets = walked(TABLES[kind], {name}, status=GEN_ERR, version=version)
        assert set(TABLES[kind]) - read(walks) == {name}
        assert isinstance(walks.failures[oid.encode(ROOT)], ErrorStatus)
        assert packets < 220


@pytest.mark.parametrize("status", [NO_SUCH_NAME, AUTHORIZATION_ERROR, 99])
def test_other_errors_are_gone_round_as_well(status: int) -> None:
    bad = f"{ROOT}.2.7"
    walks, _ = walked(TABLES["rows"], {bad}, status=status)
    assert set(TABLES["rows"]) - read(walks) == {bad}


@pytest.mark.parametrize("status", [GEN_ERR, NO_SUCH_NAME, AUTHORIZATION_ERROR])
@pytest.mark.parametrize("kind", TABLES)
def test_a_bad_object_behind_the_subtree_costs_no_row_of_it(kind: str, status: int) -> None:
    """A GETBULK covers it, too; v1's noSuchName at the end of the MIB view looks the same."""
    walks, packets = walked(TABLES[kind], {"1.3.6.1.4.1.9999.2.1.0"}, status=status)
    assert read(walks) == set(TABLES[kind])
    assert bool(walks.failures) == (status != NO_SUCH_NAME)
    assert packets < 30


@pytest.mark.parametrize("bad", [table(*map(str, range(1, 31)))[30:60], [f"{ROOT}.1.4", f"{ROOT}.2.9", f"{ROOT}.3.1"]])
def test_a_whole_column_and_several_objects_are_gone_round(bad: list[str]) -> None:
    walks, packets = walked(TABLES["rows"], set(bad), status=GEN_ERR)
    assert set(TABLES["rows"]) - read(walks) == set(bad)
    assert packets < 100


def test_an_agent_that_fails_at_everything_costs_few_packets() -> None:
    for status in (GEN_ERR, NO_SUCH_NAME):
        walks, packets = walked([], {"1.3.6.1.4.1.9999.2.1.0"}, status=status)
        assert read(walks) == set()
        assert packets <= 5
        assert bool(walks.failures) == (status == GEN_ERR)


def test_many_bad_objects_end_the_walk_with_a_failure() -> None:
    names = table(*map(str, range(1, 101)))
    walks, packets = walked(names, set(names[::2]), status=GEN_ERR)
    assert isinstance(walks.failures[oid.encode(ROOT)], ErrorStatus)
    assert packets < 1200


def test_random_bad_objects_never_lead_to_a_loop() -> None:
    rng = random.Random(7)
    for _ in range(60):
        names = TABLES[rng.choice(list(TABLES))]
        bad = set(rng.sample(names, rng.randrange(1, 5)))
        walks, packets = walked(names, bad, status=GEN_ERR)
        assert read(walks) <= set(names) - bad
        assert packets < 1200
