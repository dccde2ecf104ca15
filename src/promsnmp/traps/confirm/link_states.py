"""Compares what linkDown and linkUp said with what the device answers: ``ifOperStatus`` of the interface (RFC 2863)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.naming import LINK_DOWN, LINK_UP

IF_INDEX, IF_ADMIN_STATUS, IF_OPER_STATUS = (oid.encode(f"1.3.6.1.2.1.2.2.1.{column}") for column in (1, 7, 8))
UP, DOWN, NOT_PRESENT = 1, 2, 6
"""Values of ifOperStatus."""
MAX_INTERFACES = 64
"""Interfaces of one device whose state is checked after one poll."""


class Finding(StrEnum):
    """What the poll after a trap found: values of the label ``result``."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    SUPERSEDED = "superseded"
    """A later trap was about the same interface."""
    UNKNOWN = "unknown"
    """The device did not answer, or not for this interface."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a link trap said: whether the link is up; with the trap's id, and the replica that received it."""

    is_up: bool
    id: str = ""
    receiver: str = ""


def if_index(varbinds: Iterable[VarBind]) -> bytes:
    """The interface of a link trap, as the suffix of its row: the value of ifIndex, or else the row of a status."""
    found = b""
    for one in varbinds:
        if one.oid.startswith(IF_INDEX):
            number = ber.integer_value(one.tag, one.value)
            if number is not None and 0 < number <= 0x7FFFFFFF:
                return oid.encode_subids((number,))
        elif not found and one.oid.startswith((IF_ADMIN_STATUS, IF_OPER_STATUS)):
            suffix = one.oid[len(IF_OPER_STATUS) :]
            found = suffix if len(oid.decode_subids(suffix)) == 1 else b""
    return found


class LinkStates:
    """What the traps of one device said since its last poll: the last of them counts for each interface."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: dict[bytes, Said] = {}
        """By row."""

    def add(
        self, notification: bytes, varbinds: Iterable[VarBind], *, trap_id: str = "", receiver: str = ""
    ) -> tuple[Said, Finding] | None:
        """Notes a trap; returns a finding when there is one already, and of which trap."""
        if notification not in (LINK_DOWN, LINK_UP):
            return None
        said = Said(notification == LINK_UP, trap_id, receiver)
        if not (row := if_index(varbinds)):
            return said, Finding.UNKNOWN
        earlier = self._said.pop(row, None)
        if earlier is None and len(self._said) >= MAX_INTERFACES:
            return said, Finding.UNKNOWN
        self._said[row] = said
        return None if earlier is None else (earlier, Finding.SUPERSEDED)

    def take(self) -> dict[bytes, Said]:
        """What they said; from now on it counts as compared."""
        said, self._said = self._said, {}
        return said


def findings(said: Mapping[bytes, Said], answers: Mapping[bytes, VarBind]) -> list[tuple[Said, Finding]]:
    """What the device answers about the interfaces ``said``; ``answers`` by the whole OID of ifOperStatus."""
    return [(one, _finding(one.is_up, answers.get(IF_OPER_STATUS + row))) for row, one in said.items()]


def _finding(is_up: bool, answer: VarBind | None) -> Finding:
    """linkDown: it is about to enter the down state; linkUp: it has left that (RFC 2863 section 3.1.9)."""
    status = None if answer is None else ber.integer_value(answer.tag, answer.value)
    if status is None:
        return Finding.UNKNOWN
    agrees = status not in (DOWN, NOT_PRESENT) if is_up else status != UP
    return Finding.CONFIRMED if agrees else Finding.NOT_CONFIRMED
