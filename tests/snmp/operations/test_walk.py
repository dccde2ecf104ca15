"""Walks and GETs as state machines: an agent that is a function, no socket."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promsnmp.errors import ErrorStatus, MalformedMessage, OutOfOrder, WalkLoop
from promsnmp.sim.mib import Mib
from promsnmp.sim.responder import respond
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.walk import (
    AgentLimits,
    BrowseOperation,
    GetOperation,
    Subtree,
    WalkOperation,
    error_status,
)
from promsnmp.snmp.session import Operation

A, B, C = (oid.encode(f"1.3.6.1.4.1.9999.{number}") for number in (1, 2, 3))
MIB = Mib.of({root + bytes((row,)): ber.encode_integer(row) for root in (A, B, C) for row in range(1, 31)})
Answer = Callable[[ber.Pdu, list[ber.VarBind]], tuple[int, int, bytes] | None]
"""From a request to error-status, error-index and encoded varbinds; None for what an honest agent says."""


class Agent:
    """Answers a conversation until it ends; ``requests`` are what it was asked."""

    def __init__(self, misdeed: Answer = lambda *_: None, *, mib: Mib = MIB, is_v1: bool = False) -> None:
        self.requests: list[tuple[ber.Pdu, list[ber.VarBind]]] = []
        self._misdeed, self._mib, self._is_v1 = misdeed, mib, is_v1

    def hold(self, operation: Operation, *, most: int = 500) -> None:
        """Fails when more than ``most`` requests are made."""
        for number in range(most):
            sent = operation.next_pdu(number)
            if sent is None:
                return
            pdu = ber.read_pdu(sent, 0, len(sent))
            asked = ber.varbinds(sent, pdu.start, pdu.end)
            self.requests.append((pdu, asked))
            status, index, body = self._misdeed(pdu, asked) or self._honest(pdu, asked, sent)
            answer = ber.encode_pdu(ber.RESPONSE, number, status, index, body)
            operation.handle_response(answer, ber.read_pdu(answer, 0, len(answer)))
        pytest.fail("the conversation does not end")

    def _honest(self, pdu: ber.Pdu, asked: list[ber.VarBind], sent: bytes) -> tuple[int, int, bytes]:
        echo = sent[pdu.start : pdu.end]
        made = respond(self._mib, pdu, asked, echo, is_v1=self._is_v1, room=60_000, uptime=0.0)
        assert made is not None
        return made.status, made.index, made.varbinds

    @property
    def types(self) -> list[int]:
        return [pdu.type for pdu, _ in self.requests]


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
    agent.hold(walks)
    assert walks.finished == {A, C}
    assert walks.failures == {}
    assert [count(walks, at) for at in range(3)] == [30, 0, 30]
    assert set(agent.types) == {ber.GET_NEXT if version is Version.V1 else ber.GET_BULK}


def test_max_repetitions_are_those_of_the_subtree() -> None:
    agent = Agent()
    agent.hold(walks_of(A, max_repetitions=7))
    assert {pdu.index for pdu, _ in agent.requests} == {7}
    assert len(agent.requests) == 5


@pytest.mark.parametrize(("asked", "sent"), [(0, 1), (-5, 1), (2**40, 2**31 - 1)])
def test_impossible_max_repetitions_become_possible_ones(asked: int, sent: int) -> None:
    agent = Agent()
    agent.hold(walks_of(A, max_repetitions=asked))
    assert agent.requests[0][0].index == sent


def test_too_big_halves_the_repetitions_and_is_remembered() -> None:
    agent = Agent(lambda pdu, _: (1, 0, b"") if pdu.index > 4 else None)
    limits = AgentLimits()
    walks = walks_of(A, B, limits=limits)
    agent.hold(walks)
    assert [pdu.index for pdu, _ in agent.requests][:5] == [25, 12, 6, 3, 3]
    assert walks.finished == {A, B}
    assert limits.max_repetitions == 3
    again = Agent()
    again.hold(walks_of(C, limits=limits))
    assert {pdu.index for pdu, _ in again.requests} == {3}
    gentle = Agent()
    gentle.hold(walks_of(C, limits=limits, max_repetitions=2))
    assert {pdu.index for pdu, _ in gentle.requests} == {2}


def test_too_big_for_a_single_row_is_a_failure() -> None:
    walks = walks_of(A, B)
    agent = Agent(lambda _, asked: (1, 0, b"") if asked[0].oid.startswith(A) else None)
    agent.hold(walks)
    assert str(walks.failures[A]) == "the agent answered with error-status tooBig (1) (at OID 1.3.6.1.4.1.9999.1)"
    assert walks.finished == {B}


def test_an_error_in_mid_walk_costs_that_subtree_only() -> None:
    walks = walks_of(A, B, C)
    agent = Agent(lambda _, asked: (5, 1, b"") if asked[0].oid == B + b"\x19" else None)
    agent.hold(walks)
    assert isinstance(walks.failures[B], ErrorStatus)
    assert walks.failures[B].oid == "1.3.6.1.4.1.9999.2.25"
    assert walks.finished == {A, C}
    assert [count(walks, at) for at in range(3)] == [30, 25, 30]


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_scalar_named_exactly_is_fetched(version: Version) -> None:
    agent, walks = Agent(is_v1=version is Version.V1), walks_of(A + b"\x07", C + b"\x1e", version=version)
    agent.hold(walks)
    assert ber.values(walks._scanner.column(0), len(A)) == (b"\x00\x01\x07", [(ber.INTEGER, b"\x07")])
    assert count(walks, 2) == 1
    assert ber.GET in agent.types
    assert walks.failures == {}


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_scalar_that_is_fetched_anyway_is_not_asked_for_again(version: Version) -> None:
    agent, walks = Agent(is_v1=version is Version.V1), walks_of(C + b"\x1e", version=version, get_root=False)
    agent.hold(walks)
    assert count(walks, 2) == 0
    assert ber.GET not in agent.types
    assert (walks.failures, walks.finished) == ({}, {C + b"\x1e"})


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_subtree_that_is_not_there_is_no_failure_and_gives_nothing(version: Version) -> None:
    root = oid.encode("1.3.6.1.4.1.9999.9")
    scanner = ber.Scanner([root])
    walks = WalkOperation([Subtree(root)], scanner, version=version, limits=AgentLimits())
    Agent(is_v1=version is Version.V1).hold(walks)
    assert (walks.finished, walks.failures, scanner.column(0), scanner.varbind_count) == ({root}, {}, b"", 0)


@pytest.mark.parametrize("status", [1, 5, 16, 99])
def test_an_error_for_the_root_itself_is_a_failure(status: int) -> None:
    walks = walks_of(A + b"\x07")
    agent = Agent(lambda pdu, _: (status, 1, b"") if pdu.type == ber.GET else None)
    agent.hold(walks)
    assert isinstance(walks.failures[A + b"\x07"], ErrorStatus)
    assert count(walks, 0) == 0


def test_what_answers_for_another_object_is_not_taken_for_the_root() -> None:
    other = ber.encode_varbind(B + b"\x01", ber.encode_integer(1))
    walks = walks_of(A + b"\x07")
    Agent(lambda pdu, _: (0, 0, other) if pdu.type == ber.GET else None).hold(walks)
    assert isinstance(walks.failures[A + b"\x07"], MalformedMessage)
    assert (count(walks, 0), count(walks, 1)) == (0, 0)


def test_no_such_name_in_mid_walk_is_v1_s_end() -> None:
    walks = walks_of(C, version=Version.V1)
    Agent(is_v1=True).hold(walks)
    assert (walks.finished, count(walks, 2)) == ({C}, 30)


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("root", ["1", "1.3", "1.3.6.1"])
def test_the_whole_tree_can_be_walked(root: str, version: Version) -> None:
    taken: list[ber.VarBind] = []
    browse = BrowseOperation(Subtree(oid.encode(root)), taken.extend, version=version)
    Agent(is_v1=version is Version.V1).hold(browse)
    assert [one.oid for one in taken] == [MIB.oid(at) for at in range(len(MIB))]
    assert browse.failure is None


def test_the_whole_of_an_empty_tree_is_nothing() -> None:
    walks = walks_of(b"")
    Agent(mib=Mib.of({})).hold(walks)
    assert walks.finished == {b""}


def test_no_varbinds_are_a_loop() -> None:
    walks = walks_of(A)
    Agent(lambda *_: (0, 0, b"")).hold(walks)
    assert "without any varbind" in str(walks.failures[A])


def exchanged(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
    """Of A the rows 1 to 9, 11, 10, 10 again with another value, and 12; the rest honestly."""
    last = asked[0].oid
    if last == A:
        rows = [*((row, row) for row in (*range(1, 10), 11)), (10, 1), (10, 77), (12, 12)]
        return 0, 0, b"".join(ber.encode_varbind(A + bytes((row,)), ber.encode_integer(value)) for row, value in rows)
    return None


def test_rows_that_do_not_increase_are_read_on_behind_and_the_walk_is_a_failure() -> None:
    walks = walks_of(A, B)
    Agent(exchanged).hold(walks)
    assert isinstance(walks.failures[A], OutOfOrder)
    assert "OID 1.3.6.1.4.1.9999.1.10 does not increase" in str(walks.failures[A])
    assert "allow_nonincreasing_oids: true" in str(walks.failures[A])
    assert walks.finished == {B}
    found = dict(zip(*rows_of(walks, 0), strict=True))
    assert list(found) == [*range(1, 10), 11, 10, *range(12, 31)]
    assert found[10] == 77


def test_a_module_may_say_that_oids_do_not_increase() -> None:
    walks = walks_of(A, B, ordered=False)
    Agent(exchanged).hold(walks)
    assert (walks.failures, walks.finished) == ({}, {A, B})
    assert count(walks, 0) == 30


@pytest.mark.parametrize("after", [b"\x05", b"\x09", b"\x0b"])
def test_rows_that_lead_back_end_the_walk(after: bytes) -> None:
    walks = walks_of(A)
    row = ber.encode_varbind(A + b"\x0a", ber.encode_integer(1)) + ber.encode_varbind(
        A + b"\x05", ber.encode_integer(1)
    )
    Agent(lambda _, asked: (0, 0, row) if asked[0].oid in (A, A + after) else None).hold(walks, most=10)
    assert isinstance(walks.failures[A], WalkLoop)


def rows_of(walks: WalkOperation, at: int) -> tuple[list[int], list[int]]:
    """Last sub-identifiers and small values of a column."""
    index, found = ber.values(walks._scanner.column(at), len(A))
    return [one[-1] for one in ber.suffixes(index)], [content[-1] for _, content in found]


def test_an_oid_that_does_not_increase_is_named() -> None:
    rows = b"".join(ber.encode_varbind(A + bytes((row,))) for row in (5, 4))
    walks = walks_of(A, B)
    Agent(lambda _, asked: (0, 0, rows) if asked[0].oid.startswith(A) else None).hold(walks)
    assert isinstance(walks.failures[A], WalkLoop)
    assert "OID 1.3.6.1.4.1.9999.1.4 does not increase" in str(walks.failures[A])
    assert walks.finished == {B}


def test_unordered_rows_are_taken_where_that_is_allowed() -> None:
    order = [3, 1, 4, 2]

    def unordered(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes]:
        at = order.index(asked[0].oid[-1]) + 1 if asked[0].oid != A else 0
        rows = [A + bytes((row,)) for row in order[at : at + 2]] or [B + b"\x01"]
        return 0, 0, b"".join(ber.encode_varbind(name, ber.encode_integer(7)) for name in rows)

    walks = walks_of(A, ordered=False)
    Agent(unordered).hold(walks)
    assert (walks.finished, count(walks, 0)) == ({A}, 4)


def test_an_unordered_walk_ends_when_the_agent_repeats_itself() -> None:
    def turning(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes]:
        following = asked[0].oid[-1] % 3 + 1 if asked[0].oid != A else 1
        return 0, 0, ber.encode_varbind(A + bytes((following,)), ber.encode_integer(7))

    walks = walks_of(A, ordered=False)
    Agent(turning).hold(walks, most=10)
    assert "the agent repeats itself" in str(walks.failures[A])


def test_costs_are_kept_by_root() -> None:
    ticks = iter(range(1000))

    def meter() -> tuple[float, int, int]:
        tick = next(ticks)
        return float(tick), tick * 2, tick * 3

    walks = WalkOperation(
        [Subtree(A), Subtree(B)], ber.Scanner([A]), version=Version.V2C, limits=AgentLimits(), meter=meter
    )
    Agent().hold(walks)
    assert walks.costs[A].varbinds == walks.costs[B].varbinds == 30
    assert (walks.costs[A].seconds, walks.costs[A].sent, walks.costs[A].retried) == (1.0, 2, 3)
    assert (walks.costs[A] + walks.costs[B]).varbinds == 60


@pytest.mark.parametrize(
    ("status", "name"), [(5, "genErr"), (18, "inconsistentName"), (19, "unknown"), (-1, "unknown")]
)
def test_statuses_have_their_names(status: int, name: str) -> None:
    error = error_status(status, 3, A)
    assert f"error-status {name} ({status})" in str(error)
    assert (error.status, error.index) == (status, 3)


# ---------------------------------------------------------------------------------------------------------------- GETs


def names(*rows: int) -> list[bytes]:
    return [A + bytes((row,)) for row in rows]


def fetched(gets: GetOperation) -> list[int]:
    return [one.oid[-1] for one in gets.varbinds if one.tag == ber.INTEGER]


@pytest.mark.parametrize("is_v1", [True, False])
def test_objects_that_are_not_there_are_no_failure(is_v1: bool) -> None:
    gets = GetOperation(names(1, 99, 2, 100, 3), limits=AgentLimits())
    agent = Agent(is_v1=is_v1)
    agent.hold(gets)
    assert (sorted(fetched(gets)), gets.failures, gets.complete) == ([1, 2, 3], {}, True)
    assert len(agent.requests) == (3 if is_v1 else 1)


def test_only_so_many_are_asked_for_at_once() -> None:
    agent = Agent()
    agent.hold(GetOperation(names(*range(1, 31)), limits=AgentLimits(), batch_size=12))
    assert [len(asked) for _, asked in agent.requests] == [12, 12, 6]
    many = Agent()
    many.hold(GetOperation(names(*range(1, 101)), limits=AgentLimits(), batch_size=1000))
    assert [len(asked) for _, asked in many.requests] == [60, 40]


def test_too_big_asks_for_fewer_and_is_remembered() -> None:
    limits = AgentLimits()
    agent = Agent(lambda _, asked: (1, 0, b"") if len(asked) > 3 else None)
    gets = GetOperation(names(*range(1, 11)), limits=limits)
    agent.hold(gets)
    assert sorted(fetched(gets)) == list(range(1, 11))
    assert limits.max_get_oids == 2


def test_too_big_for_one_is_its_failure() -> None:
    gets = GetOperation(names(1, 2), limits=AgentLimits())
    Agent(lambda _, asked: (1, 0, b"") if asked[0].oid == A + b"\x01" else None).hold(gets)
    assert list(gets.failures) == names(1)
    assert fetched(gets) == [2]


def test_an_error_costs_the_object_that_it_points_at() -> None:
    def refusing(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        places = [at for at, one in enumerate(asked, 1) if one.oid == A + b"\x02"]
        return (5, places[0], b"") if places else None

    gets = GetOperation(names(1, 2, 3), limits=AgentLimits())
    Agent(refusing).hold(gets)
    assert list(gets.failures) == names(2)
    assert sorted(fetched(gets)) == [1, 3]


@pytest.mark.parametrize("index", [0, -1, 99])
@pytest.mark.parametrize("status", [2, 5])
def test_an_error_that_points_nowhere_costs_no_object_but_the_guilty(index: int, status: int) -> None:
    def refusing(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        return (status, index, b"") if A + b"\x04" in [one.oid for one in asked] else None

    limits = AgentLimits()
    gets = GetOperation(names(1, 2, 3, 4, 5), limits=limits)
    Agent(refusing).hold(gets)
    assert sorted(fetched(gets)) == [1, 2, 3, 5]
    assert list(gets.failures) == ([] if status == 2 else names(4))
    assert limits.max_get_oids == 0


def test_objects_that_were_not_asked_for_are_dropped_and_missing_ones_are_failures() -> None:
    body = b"".join(ber.encode_varbind(name, ber.encode_integer(1)) for name in (A + b"\x01", B + b"\x01", A + b"\x01"))
    scanner = ber.Scanner([A, B])
    gets = GetOperation(names(1, 2), scanner, limits=AgentLimits())
    Agent(lambda *_: (0, 0, body)).hold(gets)
    assert ber.suffixes(ber.values(scanner.column(0), len(A))[0]) == [b"\x01"]
    assert scanner.column(1) == b""
    assert list(gets.failures) == names(2)
    assert gets.failures[A + b"\x02"].oid == "1.3.6.1.4.1.9999.1.2"


def test_no_objects_are_no_request() -> None:
    agent, gets = Agent(), GetOperation([], limits=AgentLimits())
    agent.hold(gets)
    assert (agent.requests, gets.complete) == ([], True)


def test_the_cost_of_gets_is_kept() -> None:
    ticks = iter(range(10))
    gets = GetOperation(names(1, 2), limits=AgentLimits(), meter=lambda: (float(next(ticks)), 5, 1))
    Agent().hold(gets)
    assert (gets.cost.seconds, gets.cost.sent, gets.cost.varbinds) == (1.0, 0, 2)


def _column(number: int) -> bytes:
    return oid.encode(f"1.3.6.1.4.1.9998.{number}")


TABLE = Mib.of(
    {_column(number) + bytes((row,)): ber.encode_integer(row) for number in range(1, 6) for row in range(1, 31)}
)


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("max_repetitions", [1, 7, 30, 64, 200])
@pytest.mark.parametrize(
    ("gaps", "kept"),
    [
        ([(2, 4)], {1, 4, 5}),
        ([(0, 3)], {3, 4, 5}),
        ([(4, 0)], {1, 2, 3}),
        ([(0, 2), (3, 4), (5, 0)], {2, 4}),
        ([(2, 3), (4, 5)], {1, 3, 5}),
    ],
)
def test_gaps_are_leapt_over(
    version: Version, max_repetitions: int, gaps: list[tuple[int, int]], kept: set[int]
) -> None:
    root = oid.encode("1.3.6.1.4.1.9998")
    wanted = tuple((_column(a) if a else root, _column(b) if b else b"") for a, b in gaps)
    scanner = ber.Scanner([_column(number) for number in range(1, 6)])
    tree = Subtree(root, max_repetitions, gaps=wanted)
    walks = WalkOperation([tree], scanner, version=version, limits=AgentLimits())
    agent = Agent(mib=TABLE, is_v1=version is Version.V1)
    agent.hold(walks)
    assert walks.finished == {root}
    rows = {number: len(ber.values(scanner.column(number - 1), 0)[1]) for number in range(1, 6)}
    assert all(rows[number] == 30 for number in kept)
    if max_repetitions == 1 or version is Version.V1:
        assert all(rows[number] <= 1 for number in rows if number not in kept)


def test_an_agent_that_answers_from_before_a_leap_is_not_walked_for_ever() -> None:
    first = ber.encode_varbind(_column(2) + b"\x01", ber.encode_integer(1))
    agent = Agent(lambda _, asked: (0, 0, first) if asked[0].oid >= _column(2) else None, mib=TABLE)
    tree = Subtree(oid.encode("1.3.6.1.4.1.9998"), 1, gaps=((_column(2), _column(4)),))
    walks = WalkOperation([tree], ber.Scanner([_column(1)]), version=Version.V2C, limits=AgentLimits())
    agent.hold(walks)
    assert isinstance(walks.failures[tree.root], WalkLoop)


def test_a_walk_that_begins_behind_a_gap_and_finds_nothing_ends() -> None:
    tree = Subtree(A, gaps=((A, A + b"\x7f"),))
    walks = WalkOperation([tree], ber.Scanner([A]), version=Version.V2C, limits=AgentLimits())
    agent = Agent()
    agent.hold(walks)
    assert walks.finished == {A}
    assert len(agent.requests) == 1
