"""The first rows of columns, from all kinds of agents, in few packets."""

from __future__ import annotations

import pytest

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.first_rows import VARBINDS_PER_REQUEST, FirstRowsOperation
from tests.support.agents.behaviours import BEHAVIOURS
from tests.support.agents.hostile import HostileAgent
from tests.support.agents.operation import exchange

FIRST, SECOND, MISSING = (oid.encode(f"1.3.6.1.2.1.2.2.1.{column}") for column in (1, 6, 99))
CELLS = [(column, row) for column in (1, 6) for row in range(1, 61)]
MIB = Mib.of({f"1.3.6.1.2.1.2.2.1.{column}.{row}": ber.encode_integer(column * 1000 + row) for column, row in CELLS})


def indexes(head: FirstRowsOperation, column: bytes) -> list[int]:
    return [oid.decode_subids(index)[0] for index in head.rows[column]]


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_long_table_takes_no_more_packets_than_allowed(version: Version) -> None:
    head = FirstRowsOperation([FIRST, SECOND], version=version, packets=3)
    assert exchange(head, SimulatedAgent(MIB).answer, version=version) == 3
    rows = 3 if version is Version.V1 else 3 * VARBINDS_PER_REQUEST // 2
    assert indexes(head, FIRST) == indexes(head, SECOND) == list(range(1, rows + 1))


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_a_table_is_read_to_its_end_and_a_missing_one_has_no_rows(version: Version) -> None:
    head = FirstRowsOperation([FIRST, MISSING], version=version, packets=100)
    exchange(head, SimulatedAgent(MIB).answer, version=version)
    assert indexes(head, FIRST) == list(range(1, 61))
    assert head.rows[MISSING] == {}


def test_an_agent_with_small_messages_is_asked_for_less_at_once() -> None:
    head = FirstRowsOperation([FIRST, SECOND], version=Version.V2C, packets=100)
    exchange(head, SimulatedAgent(MIB, max_message=200).answer)
    assert indexes(head, FIRST) == list(range(1, 61))


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=str)
@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_every_hostile_behaviour_ends(behaviour: object, version: Version) -> None:
    hostile = HostileAgent(behaviour)  # type: ignore[arg-type]  # a behaviour

    def first(message: bytes) -> bytes | None:
        return next((reply.datagram for reply in hostile.replies(message)), None)

    head = FirstRowsOperation([FIRST, SECOND], version=version, packets=10)
    try:
        assert exchange(head, first, version=version) <= 10
    except ber.Malformed:
        return  # the session drops such an answer
