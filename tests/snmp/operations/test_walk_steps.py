"""Walks by steps: answers that need no decision are taken at once, and the outcome is that of the long way."""

from __future__ import annotations

import random

import pytest

from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.budget import PollLimits, ReadBudget
from promsnmp.snmp.operations.walk import Subtree, WalkOperation
from tests.support.agents.function_agent import HEAD, A, Agent, Answer, B, C

GAP = (B + b"\x05", B + b"\x14")


def walks_of(*trees: Subtree, version: Version = Version.V2C, limits: PollLimits | None = None) -> WalkOperation:
    scanner = ber.Scanner([A, B, C])
    return WalkOperation(trees, scanner, version=version, limits=AgentLimits(), budget=ReadBudget(limits))


def outcome(walks: WalkOperation) -> object:
    scanner = walks._scanner
    failures = {root: str(error) for root, error in walks.failures.items()}
    return [scanner.column(at) for at in range(3)], scanner.varbind_count, walks.finished, failures


def moody(seed: int) -> Answer:
    """An agent that is mostly honest, and otherwise fails, repeats itself, goes back or leaves the subtree."""
    luck = random.Random(seed)

    def varbind(root: bytes, row: int) -> bytes:
        return ber.encode_varbind(root + bytes((row,)), ber.encode_integer(row))

    def answer(pdu: ber.Pdu, asked: list[ber.VarBind]) -> tuple[int, int, bytes] | None:
        mood = luck.random()
        root, row = asked[0].oid[: len(A)], asked[0].oid[-1] if len(asked[0].oid) > len(A) else 0
        if mood < 0.6 or pdu.type == ber.GET:
            return None
        if mood < 0.65:
            return luck.choice((1, 2, 5)), 1, b""
        if mood < 0.7:
            return 0, 0, b""
        if mood < 0.75:
            return 0, 0, ber.encode_varbind(asked[0].oid, b"\x82\x00")
        rows = [row + step for step in (1, 2, 3)] if mood < 0.9 else [row + 2, row + 1, row + 3]
        roots = [root, root, root if mood < 0.85 else C]
        return 0, 0, b"".join(varbind(one, min(number, 127)) for one, number in zip(roots, rows, strict=True))

    return answer


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_most_answers_of_an_honest_agent_are_steps(version: Version) -> None:
    agent, walks = Agent(is_v1=version is Version.V1), walks_of(Subtree(A, 4), Subtree(C, 4), version=version)
    steps = agent.run_by_steps(walks)
    assert walks.finished == {A, C}
    assert steps >= len(agent.requests) - 5


@pytest.mark.parametrize("seed", range(150))
def test_steps_and_the_long_way_have_the_same_outcome(seed: int) -> None:
    trees = [Subtree(A, 4), Subtree(B, 3, seed % 2 == 0, (GAP,) if seed % 3 else ()), Subtree(C, 50)]
    limits = PollLimits(varbinds=60) if seed % 5 == 0 else None
    version = Version.V1 if seed % 7 == 0 else Version.V2C
    runs = []
    for by_steps in (False, True):
        agent, walks = Agent(moody(seed)), walks_of(*trees, version=version, limits=limits)
        if by_steps:
            agent.run_by_steps(walks)
        else:
            agent.run(walks)
        runs.append((outcome(walks), agent.requests))
    assert runs[0] == runs[1]


def answer_of(*rows: int, request_id: int = 7, status: int = 0, head: bytes = HEAD, kind: int = ber.RESPONSE) -> bytes:
    body = b"".join(ber.encode_varbind(A + bytes((row,)), ber.encode_integer(row)) for row in rows)
    return ber.tlv(ber.SEQUENCE, head + ber.encode_pdu(kind, request_id, status, 0, body))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(answer_of(1, 2, request_id=8), id="another request-id"),
        pytest.param(answer_of(1, 2, status=5), id="an error-status"),
        pytest.param(answer_of(1, 2, kind=ber.GET_BULK), id="no response"),
        pytest.param(answer_of(1, 2, head=HEAD[:-1] + b"d"), id="another community"),
        pytest.param(answer_of(2, 1), id="no order"),
        pytest.param(answer_of(1, 9), id="up to the OID before which it must end"),
        pytest.param(answer_of(), id="no varbinds"),
        pytest.param(answer_of(1, 2)[:-1], id="cut off"),
        pytest.param(answer_of(1, 2)[:12], id="cut off in the head"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30\x00", id="an empty sequence"),
    ],
)
def test_what_needs_a_decision_is_left_alone(message: bytes) -> None:
    scanner = ber.Scanner([A])
    scanner.start(A, True)
    assert scanner.take_answer(message, HEAD, 7, A + b"\x09") is False
    assert (scanner.varbind_count, scanner.kept_octets, scanner.last_oid, scanner.column(0)) == (0, 0, A, b"")
    assert scanner.take_answer(answer_of(1, 2), HEAD, 7, A + b"\x09") is True
    assert (scanner.varbind_count, scanner.last_oid) == (2, A + b"\x02")


def test_every_prefix_of_an_answer_is_left_alone() -> None:
    scanner = ber.Scanner([A])
    scanner.start(A, True)
    message = answer_of(1, 2)
    assert not any(scanner.take_answer(message[:size], HEAD, 7, b"") for size in range(len(message)))
    assert scanner.varbind_count == 0
