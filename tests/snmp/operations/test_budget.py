"""A poll takes in no more than its limits, whatever the agent returns."""

from __future__ import annotations

import pytest

from promsnmp.errors import MemoryShort, TooMuchData
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.budget import PollLimits, ReadBudget
from promsnmp.snmp.operations.get import GetOperation
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from tests.support.agents.function_agent import A, Agent, B, C

WIDE = ber.tlv(ber.OCTET_STRING, bytes(2000))
NUMBER = ber.encode_integer(1)


def endless(root: bytes, value: bytes = NUMBER) -> Agent:
    """An agent whose subtree ``root`` never ends, and is honest otherwise."""

    def misdeed(pdu: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        name = asked[0].oid
        if not name.startswith(root):
            return None
        row = oid.decode_subids(name[len(root) :])[0] if len(name) > len(root) else 0
        rows = range(row + 1, row + 1 + max(pdu.index, 1))
        return 0, 0, b"".join([ber.encode_varbind(root + oid.encode_subids((one,)), value) for one in rows])

    return Agent(misdeed)


def walk(
    agent: Agent, budget: ReadBudget, *, roots: tuple[bytes, ...] = (A, B, C)
) -> tuple[WalkOperation, ber.Scanner]:
    scanner = ber.Scanner(list(roots))
    operation = WalkOperation(
        [Subtree(root) for root in roots], scanner, version=Version.V2C, limits=AgentLimits(), budget=budget
    )
    agent.run(operation)
    return operation, scanner


def test_a_table_without_end_ends_at_the_rows_and_the_others_are_read() -> None:
    operation, scanner = walk(endless(B), ReadBudget(PollLimits(rows=200)))
    assert operation.finished == {A, C}
    assert isinstance(operation.failures[B], TooMuchData)
    assert "COLLECTION_MAX_ROWS" in operation.failures[B].message
    assert ber.row_count(scanner.column(1)) == 225
    assert ber.row_count(scanner.column(2)) == 30


@pytest.mark.parametrize(
    ("limits", "setting", "most"),
    [
        (PollLimits(varbinds=200), "COLLECTION_MAX_VARBINDS", 500_000),
        (PollLimits(octets=200_000), "COLLECTION_MAX_OCTETS", 300_000),
    ],
)
def test_at_the_other_limits_the_poll_reads_nothing_more(limits: PollLimits, setting: str, most: int) -> None:
    operation, scanner = walk(endless(B, WIDE), ReadBudget(limits))
    assert operation.finished == {A}
    for root in (B, C):
        assert setting in operation.failures[root].message
    assert scanner.varbind_count <= 225
    assert scanner.kept_octets < most
    assert scanner.column(2) == b""


def test_values_that_no_column_takes_count_as_well() -> None:
    scanner = ber.Scanner([A])
    operation = WalkOperation(
        [Subtree(B)], scanner, version=Version.V2C, limits=AgentLimits(), budget=ReadBudget(PollLimits(varbinds=100))
    )
    endless(B).run(operation)
    assert isinstance(operation.failures[B], TooMuchData)
    assert scanner.kept_octets == 0


def test_single_varbinds_count_with_the_memory_that_they_take() -> None:
    scanner = ber.Scanner([B])
    operation = WalkOperation(
        [Subtree(B)], scanner, version=Version.V1, limits=AgentLimits(), budget=ReadBudget(PollLimits(octets=10_000))
    )
    endless(B).run(operation)
    assert isinstance(operation.failures[B], TooMuchData)
    assert scanner.varbind_count < 10_000 / 48


def test_a_walk_ends_when_memory_is_short() -> None:
    looks: list[int] = []

    def is_short() -> bool:
        looks.append(1)
        return len(looks) > 3

    operation, _ = walk(endless(B, WIDE), ReadBudget(is_memory_short=is_short))
    assert isinstance(operation.failures[B], MemoryShort)
    assert isinstance(operation.failures[C], MemoryShort)


def test_gets_count_too_and_what_is_left_fails() -> None:
    names = [B + oid.encode_subids((row,)) for row in range(1, 31)]

    def wide(pdu: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes]:
        return 0, 0, b"".join([ber.encode_varbind(one.oid, WIDE) for one in asked])

    gets = GetOperation(names, limits=AgentLimits(), batch_size=5, budget=ReadBudget(PollLimits(octets=20_000)))
    Agent(wide).run(gets)
    assert len(gets.varbinds) == 10
    assert gets.failures.keys() == set(names[10:])
    assert all(isinstance(error, TooMuchData) for error in gets.failures.values())


def test_what_filters_and_gets_read_counts_for_the_walks_after_them() -> None:
    budget = ReadBudget(PollLimits(varbinds=100))
    budget.spend(90, 0)
    operation, _ = walk(Agent(), budget)
    assert isinstance(operation.failures[C], TooMuchData)


def test_without_limits_everything_is_read() -> None:
    operation, _ = walk(Agent(), ReadBudget())
    assert operation.finished == {A, B, C}


def test_a_part_of_a_poll_may_read_less_and_errors_say_what_it_is() -> None:
    budget = ReadBudget(PollLimits(varbinds=1000, rows=1000))
    budget.narrow(varbinds=500, rows=20, reason="some part")
    operation, _ = walk(endless(B, WIDE), budget)
    assert isinstance(operation.failures[B], TooMuchData)
    assert "20 rows of one column (some part)" in str(operation.failures[B])
    budget.narrow(varbinds=10, rows=20, reason="some part")
    operation, _ = walk(endless(B, WIDE), budget)
    assert "variable bindings (some part)" in str(operation.failures[B])
