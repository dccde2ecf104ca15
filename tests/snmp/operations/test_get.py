"""GETs as state machines: an agent that is a function, no socket."""

from __future__ import annotations

import pytest

from promsnmp.snmp import ber
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.get import GetOperation
from tests.support.agents.function_agent import A, Agent, B


def names(*rows: int) -> list[bytes]:
    return [A + bytes((row,)) for row in rows]


def fetched(gets: GetOperation) -> list[int]:
    return [one.oid[-1] for one in gets.varbinds if one.tag == ber.INTEGER]


@pytest.mark.parametrize("is_v1", [True, False])
def test_missing_objects_are_not_a_failure(is_v1: bool) -> None:
    gets = GetOperation(names(1, 99, 2, 100, 3), limits=AgentLimits())
    agent = Agent(is_v1=is_v1)
    agent.run(gets)
    assert (sorted(fetched(gets)), gets.failures, gets.complete) == ([1, 2, 3], {}, True)
    assert len(agent.requests) == (3 if is_v1 else 1)


def test_a_get_asks_for_a_bounded_number_of_objects() -> None:
    agent = Agent()
    agent.run(GetOperation(names(*range(1, 31)), limits=AgentLimits(), batch_size=12))
    assert [len(asked) for _, asked in agent.requests] == [12, 12, 6]
    many = Agent()
    many.run(GetOperation(names(*range(1, 101)), limits=AgentLimits(), batch_size=1000))
    assert [len(asked) for _, asked in many.requests] == [60, 40]


def test_too_big_asks_for_fewer_and_is_remembered() -> None:
    limits = AgentLimits()
    agent = Agent(lambda _, asked: (1, 0, b"") if len(asked) > 3 else None)
    gets = GetOperation(names(*range(1, 11)), limits=limits)
    agent.run(gets)
    assert sorted(fetched(gets)) == list(range(1, 11))
    assert limits.max_get_oids == 2


def test_too_big_for_one_object_is_a_failure() -> None:
    gets = GetOperation(names(1, 2), limits=AgentLimits())
    Agent(lambda _, asked: (1, 0, b"") if asked[0].oid == A + b"\x01" else None).run(gets)
    assert list(gets.failures) == names(1)
    assert fetched(gets) == [2]


def test_an_error_fails_the_object_that_it_points_at() -> None:
    def refusing(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        places = [at for at, one in enumerate(asked, 1) if one.oid == A + b"\x02"]
        return (5, places[0], b"") if places else None

    gets = GetOperation(names(1, 2, 3), limits=AgentLimits())
    Agent(refusing).run(gets)
    assert list(gets.failures) == names(2)
    assert sorted(fetched(gets)) == [1, 3]


@pytest.mark.parametrize("index", [0, -1, 99])
@pytest.mark.parametrize("status", [2, 5])
def test_an_error_without_an_index_fails_only_its_object(index: int, status: int) -> None:
    def refusing(_: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        return (status, index, b"") if A + b"\x04" in [one.oid for one in asked] else None

    limits = AgentLimits()
    gets = GetOperation(names(1, 2, 3, 4, 5), limits=limits)
    Agent(refusing).run(gets)
    assert sorted(fetched(gets)) == [1, 2, 3, 5]
    assert list(gets.failures) == ([] if status == 2 else names(4))
    assert limits.max_get_oids == 0


def test_objects_that_were_not_asked_for_are_dropped_and_missing_ones_are_failures() -> None:
    body = b"".join(ber.encode_varbind(name, ber.encode_integer(1)) for name in (A + b"\x01", B + b"\x01", A + b"\x01"))
    scanner = ber.Scanner([A, B])
    gets = GetOperation(names(1, 2), scanner, limits=AgentLimits())
    Agent(lambda *_: (0, 0, body)).run(gets)
    assert ber.suffixes(ber.values(scanner.column(0), len(A))[0]) == [b"\x01"]
    assert scanner.column(1) == b""
    assert list(gets.failures) == names(2)
    assert gets.failures[A + b"\x02"].oid == "1.3.6.1.4.1.9999.1.2"


def test_an_empty_get_sends_no_request() -> None:
    agent, gets = Agent(), GetOperation([], limits=AgentLimits())
    agent.run(gets)
    assert (agent.requests, gets.complete) == ([], True)


def test_the_cost_of_gets_is_kept() -> None:
    ticks = iter(range(10))
    gets = GetOperation(names(1, 2), limits=AgentLimits(), meter=lambda: (float(next(ticks)), 5, 1))
    Agent().run(gets)
    assert (gets.cost.seconds, gets.cost.sent, gets.cost.varbinds) == (1.0, 0, 2)
