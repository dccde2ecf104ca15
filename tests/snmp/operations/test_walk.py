"""Walks as state machines: an agent that is a function, no socket."""

from __future__ import annotations

import pytest

from promsnmp.errors import ErrorStatus, MalformedMessage, OutOfOrder, WalkLoop
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from tests.support.agents.function_agent import A, Agent, B, C


def walks_of(
    *roots: bytes, version: Version = Version.V2C, limits: AgentLimits | None = None, **options: object
) -> WalkOperation:
    scanner = ber.Scanner([A, B, C])
    subtrees = [Subtree(root, **options) for root in roots]  # type: ignore[arg-type]  # as Subtree takes them
    return WalkOperation(subtrees, scanner, version=version, limits=limits or AgentLimits())


def count(walks: WalkOperation, at: int) -> int:
    return len(ber.values(walks._scanner.column(at), len(A))[1])


@pytest.mark.parametrize("version", [Version.V1, Version.V2C, Version.V3])
def test_subtrees_are_walked_one_after_the_other(version: Version) -> None:
    agent, walks = Agent(is_v1=version is Version.V1), walks_of(C, A, version=version)
    agent.run(walks)
    assert walks.finished == {A, C}
    assert walks.failures == {}
    assert [count(walks, at) for at in range(3)] == [30, 0, 30]
    assert set(agent.types) == {ber.GET_NEXT if version is Version.V1 else ber.GET_BULK}


def test_max_repetitions_are_those_of_the_subtree() -> None:
    agent = Agent()
    agent.run(walks_of(A, max_repetitions=7))
    assert {pdu.index for pdu, _ in agent.requests} == {7}
    assert len(agent.requests) == 5


@pytest.mark.parametrize(("asked", "sent"), [(0, 1), (-5, 1), (2**40, 2**31 - 1)])
def test_max_repetitions_are_clamped_to_the_valid_range(asked: int, sent: int) -> None:
    agent = Agent()
    agent.run(walks_of(A, max_repetitions=asked))
    assert agent.requests[0][0].index == sent


def test_too_big_halves_the_repetitions_and_is_remembered() -> None:
    agent = Agent(lambda pdu, _: (1, 0, b"") if pdu.index > 4 else None)
    limits = AgentLimits()
    walks = walks_of(A, B, limits=limits)
    agent.run(walks)
    assert [pdu.index for pdu, _ in agent.requests][:5] == [25, 12, 6, 3, 3]
    assert walks.finished == {A, B}
    assert limits.max_repetitions == 3
    again = Agent()
    again.run(walks_of(C, limits=limits))
    assert {pdu.index for pdu, _ in again.requests} == {3}
    gentle = Agent()
    gentle.run(walks_of(C, limits=limits, max_repetitions=2))
    assert {pdu.index for pdu, _ in gentle.requests} == {2}


def test_too_big_for_a_single_row_is_a_failure() -> None:
    walks = walks_of(A, B)
    agent = Agent(lambda _, asked: (1, 0, b"") if asked[0].oid.startswith(A) else None)
    agent.run(walks)
    assert str(walks.failures[A]) == "the agent answered with error-status tooBig (1) (at OID 1.3.6.1.4.1.9999.1)"
    assert walks.finished == {B}


def test_an_error_in_mid_walk_fails_only_that_subtree() -> None:
    walks = walks_of(A, B, C)
    agent = Agent(lambda _, asked: (5, 1, b"") if asked[0].oid == B + b"\x19" else None)
    agent.run(walks)
    assert isinstance(walks.failures[B], ErrorStatus)
    assert walks.failures[B].oid == "1.3.6.1.4.1.9999.2.25"
    assert walks.finished == {A, C}
    assert [count(walks, at) for at in range(3)] == [30, 29, 30]  # it goes on behind the next row


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_scalar_named_exactly_is_fetched(version: Version) -> None:
    agent, walks = Agent(is_v1=version is Version.V1), walks_of(A + b"\x07", C + b"\x1e", version=version)
    agent.run(walks)
    assert ber.values(walks._scanner.column(0), len(A)) == (b"\x00\x01\x07", [(ber.INTEGER, b"\x07")])
    assert count(walks, 2) == 1
    assert ber.GET in agent.types
    assert walks.failures == {}


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_scalar_that_is_fetched_anyway_is_not_asked_for_again(version: Version) -> None:
    agent, walks = Agent(is_v1=version is Version.V1), walks_of(C + b"\x1e", version=version, get_root=False)
    agent.run(walks)
    assert count(walks, 2) == 0
    assert ber.GET not in agent.types
    assert (walks.failures, walks.finished) == ({}, {C + b"\x1e"})


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_missing_subtree_is_not_a_failure(version: Version) -> None:
    root = oid.encode("1.3.6.1.4.1.9999.9")
    scanner = ber.Scanner([root])
    walks = WalkOperation([Subtree(root)], scanner, version=version, limits=AgentLimits())
    Agent(is_v1=version is Version.V1).run(walks)
    assert (walks.finished, walks.failures, scanner.column(0), scanner.varbind_count) == ({root}, {}, b"", 0)


@pytest.mark.parametrize("status", [1, 5, 16, 99])
def test_an_error_for_the_root_itself_is_a_failure(status: int) -> None:
    walks = walks_of(A + b"\x07")
    agent = Agent(lambda pdu, _: (status, 1, b"") if pdu.type == ber.GET else None)
    agent.run(walks)
    assert isinstance(walks.failures[A + b"\x07"], ErrorStatus)
    assert count(walks, 0) == 0


def test_an_answer_for_another_object_does_not_count_for_the_root() -> None:
    other = ber.encode_varbind(B + b"\x01", ber.encode_integer(1))
    walks = walks_of(A + b"\x07")
    Agent(lambda pdu, _: (0, 0, other) if pdu.type == ber.GET else None).run(walks)
    assert isinstance(walks.failures[A + b"\x07"], MalformedMessage)
    assert (count(walks, 0), count(walks, 1)) == (0, 0)


def test_no_such_name_in_mid_walk_is_v1_s_end() -> None:
    walks = walks_of(C, version=Version.V1)
    Agent(is_v1=True).run(walks)
    assert (walks.finished, count(walks, 2)) == ({C}, 30)


def test_walking_an_empty_tree_finds_nothing() -> None:
    walks = walks_of(b"")
    Agent(mib=Mib.of({})).run(walks)
    assert walks.finished == {b""}


def test_an_answer_without_varbinds_is_a_loop() -> None:
    walks = walks_of(A)
    Agent(lambda *_: (0, 0, b"")).run(walks)
    assert "without varbinds" in str(walks.failures[A])


def exchanged(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
    """Rows 1 to 9, 11, 10, 10 again with another value, and 12 of column A; the rest honestly."""
    last = asked[0].oid
    if last == A:
        rows = [*((row, row) for row in (*range(1, 10), 11)), (10, 1), (10, 77), (12, 12)]
        return 0, 0, b"".join(ber.encode_varbind(A + bytes((row,)), ber.encode_integer(value)) for row, value in rows)
    return None


def test_a_walk_continues_after_unordered_rows_but_is_a_failure() -> None:
    walks = walks_of(A, B)
    Agent(exchanged).run(walks)
    assert isinstance(walks.failures[A], OutOfOrder)
    assert "OID 1.3.6.1.4.1.9999.1.10 does not increase" in str(walks.failures[A])
    assert "allow_nonincreasing_oids: true" in str(walks.failures[A])
    assert walks.finished == {B}
    found = dict(zip(*rows_of(walks, 0), strict=True))
    assert list(found) == [*range(1, 10), 11, 10, *range(12, 31)]
    assert found[10] == 77


def test_a_module_may_say_that_oids_do_not_increase() -> None:
    walks = walks_of(A, B, ordered=False)
    Agent(exchanged).run(walks)
    assert (walks.failures, walks.finished) == ({}, {A, B})
    assert count(walks, 0) == 30


@pytest.mark.parametrize("after", [b"\x05", b"\x09", b"\x0b"])
def test_rows_that_repeat_a_request_end_the_walk(after: bytes) -> None:
    walks = walks_of(A)
    row = ber.encode_varbind(A + b"\x0a", ber.encode_integer(1)) + ber.encode_varbind(
        A + b"\x05", ber.encode_integer(1)
    )
    Agent(lambda _, asked: (0, 0, row) if asked[0].oid in (A, A + after) else None).run(walks, most=10)
    assert isinstance(walks.failures[A], WalkLoop)


def rows_of(walks: WalkOperation, at: int) -> tuple[list[int], list[int]]:
    """Last sub-identifiers and small values of a column."""
    index, found = ber.values(walks._scanner.column(at), len(A))
    return [one[-1] for one in ber.suffixes(index)], [content[-1] for _, content in found]


def test_an_oid_that_does_not_increase_is_named() -> None:
    rows = b"".join(ber.encode_varbind(A + bytes((row,))) for row in (5, 4))
    walks = walks_of(A, B)
    Agent(lambda _, asked: (0, 0, rows) if asked[0].oid.startswith(A) else None).run(walks)
    assert isinstance(walks.failures[A], WalkLoop)
    assert "OID 1.3.6.1.4.1.9999.1.4 does not increase" in str(walks.failures[A])
    assert walks.finished == {B}


def test_unordered_rows_are_accepted_where_allowed() -> None:
    order = [3, 1, 4, 2]

    def unordered(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes]:
        at = order.index(asked[0].oid[-1]) + 1 if asked[0].oid != A else 0
        rows = [A + bytes((row,)) for row in order[at : at + 2]] or [B + b"\x01"]
        return 0, 0, b"".join(ber.encode_varbind(name, ber.encode_integer(7)) for name in rows)

    walks = walks_of(A, ordered=False)
    Agent(unordered).run(walks)
    assert (walks.finished, count(walks, 0)) == ({A}, 4)


def test_an_unordered_walk_ends_when_the_agent_repeats_itself() -> None:
    def turning(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes]:
        following = asked[0].oid[-1] % 3 + 1 if asked[0].oid != A else 1
        return 0, 0, ber.encode_varbind(A + bytes((following,)), ber.encode_integer(7))

    walks = walks_of(A, ordered=False)
    Agent(turning).run(walks, most=10)
    assert "the agent repeats itself" in str(walks.failures[A])


def test_costs_are_kept_by_root() -> None:
    ticks = iter(range(1000))

    def meter() -> tuple[float, int, int]:
        tick = next(ticks)
        return float(tick), tick * 2, tick * 3

    walks = WalkOperation(
        [Subtree(A), Subtree(B)], ber.Scanner([A]), version=Version.V2C, limits=AgentLimits(), meter=meter
    )
    Agent().run(walks)
    assert walks.costs[A].varbinds == walks.costs[B].varbinds == 30
    assert (walks.costs[A].seconds, walks.costs[A].sent, walks.costs[A].retried) == (1.0, 2, 3)
    assert (walks.costs[A] + walks.costs[B]).varbinds == 60


def _column(number: int) -> bytes:
    return oid.encode(f"1.3.6.1.4.1.9998.{number}")


TABLE = Mib.of(
    {_column(number) + bytes((row,)): ber.encode_integer(row) for number in range(1, 6) for row in range(1, 31)}
)


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("max_repetitions", [1, 7, 30, 64, 200])
@pytest.mark.parametrize(
    ("gaps", "remaining"),
    [
        ([(2, 4)], {1, 4, 5}),
        ([(0, 3)], {3, 4, 5}),
        ([(4, 0)], {1, 2, 3}),
        ([(0, 2), (3, 4), (5, 0)], {2, 4}),
        ([(2, 3), (4, 5)], {1, 3, 5}),
    ],
)
def test_gaps_are_skipped(
    version: Version, max_repetitions: int, gaps: list[tuple[int, int]], remaining: set[int]
) -> None:
    root = oid.encode("1.3.6.1.4.1.9998")
    wanted = tuple((_column(a) if a else root, _column(b) if b else b"") for a, b in gaps)
    scanner = ber.Scanner([_column(number) for number in range(1, 6)])
    tree = Subtree(root, max_repetitions, gaps=wanted)
    walks = WalkOperation([tree], scanner, version=version, limits=AgentLimits())
    agent = Agent(mib=TABLE, is_v1=version is Version.V1)
    agent.run(walks)
    assert walks.finished == {root}
    rows = {number: len(ber.values(scanner.column(number - 1), 0)[1]) for number in range(1, 6)}
    assert all(rows[number] == 30 for number in remaining)
    if max_repetitions == 1 or version is Version.V1:
        assert all(rows[number] <= 1 for number in rows if number not in remaining)


def test_an_agent_that_answers_from_before_a_gap_ends_the_walk() -> None:
    first = ber.encode_varbind(_column(2) + b"\x01", ber.encode_integer(1))
    agent = Agent(lambda _, asked: (0, 0, first) if asked[0].oid >= _column(2) else None, mib=TABLE)
    tree = Subtree(oid.encode("1.3.6.1.4.1.9998"), 1, gaps=((_column(2), _column(4)),))
    walks = WalkOperation([tree], ber.Scanner([_column(1)]), version=Version.V2C, limits=AgentLimits())
    agent.run(walks)
    assert isinstance(walks.failures[tree.root], WalkLoop)


def test_a_walk_that_starts_after_a_gap_and_finds_nothing_ends() -> None:
    tree = Subtree(A, gaps=((A, A + b"\x7f"),))
    walks = WalkOperation([tree], ber.Scanner([A]), version=Version.V2C, limits=AgentLimits())
    agent = Agent()
    agent.run(walks)
    assert walks.finished == {A}
    assert len(agent.requests) == 1
