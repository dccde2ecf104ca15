"""Compares what notifications said with what the device answers, by the confirmations of the definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import VarBind
from promsnmp.traps.names.confirmations import SYS_UP_TIME, Confirmation

IF_INDEX, IF_ADMIN_STATUS, IF_OPER_STATUS = (oid.encode(f"1.3.6.1.2.1.2.2.1.{column}") for column in (1, 7, 8))
UP, DOWN = 1, 2
"""Values of ifOperStatus."""
MAX_OBJECTS = 64
"""Objects of one device that are compared after one poll."""
MAX_ROW = 128
"""Octets of a row, at most (RFC 2578 section 3.5: an OID has at most 128 numbers)."""
SCALAR = b"\0"


class Finding(StrEnum):
    """What the device answered after a trap: values of the label ``result``."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    SUPERSEDED = "superseded"
    """A later trap was about the same object."""
    UNKNOWN = "unknown"
    """The device did not answer, or not for this row."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a trap said of one object; with the trap's id, and the replica that received it."""

    confirmation: Confirmation
    row: bytes = b""
    """Empty where the trap does not say which."""
    sent: int | None = None
    """The object's value in the trap."""
    id: str = ""
    receiver: str = ""

    @property
    def name(self) -> bytes:
        """The OID that is asked for (content octets)."""
        return self.confirmation.object + self.row


def if_index(varbinds: Iterable[VarBind]) -> bytes:
    """The interface of a link trap, as the suffix of its row: the value of ifIndex, or else the row of a status."""
    return row_of(varbinds, IF_OPER_STATUS, IF_INDEX)


def row_of(varbinds: Iterable[VarBind], column: bytes, index: bytes = b"") -> bytes:
    """The row of ``column`` that varbinds are about: the value of the object ``index``, or else the row of the column's
    own varbind, or else of another column of its table. Empty where they do not say."""
    own = other = b""
    table = table_of(column)
    for one in varbinds:
        if index and one.oid.startswith(index):
            number = ber.integer_value(one.tag, one.value)
            if number is not None and 0 < number <= 0x7FFFFFFF:
                return oid.encode_subids((number,))
        elif one.oid.startswith(column):
            own = own or one.oid[len(column) :]
        elif not other and table and one.oid.startswith(table):
            other = _after_column(one.oid, len(table))
    row = own or other
    if index and len(oid.decode_subids(row)) != 1:
        return b""
    return row if row != SCALAR and len(row) <= MAX_ROW else b""


def table_of(column: bytes) -> bytes:
    """The OID of a column's entry: without its last number."""
    end = len(column) - 1
    while end > 0 and column[end - 1] & 0x80:
        end -= 1
    return column[:end]


def _after_column(name: bytes, start: int) -> bytes:
    """What follows the number at ``start``."""
    while start < len(name) and name[start] & 0x80:
        start += 1
    return name[start + 1 :]


def said_by(confirmation: Confirmation, varbinds: Iterable[VarBind], *, trap_id: str = "", receiver: str = "") -> Said:
    """What a trap with these varbinds said."""
    varbinds = tuple(varbinds)
    row = SCALAR if confirmation.is_scalar else row_of(varbinds, confirmation.object, confirmation.row)
    name = confirmation.object + row
    values = (ber.integer_value(one.tag, one.value) for one in varbinds if one.oid == name)
    return Said(confirmation, row, next(values, None), trap_id, receiver)


class ObjectStates:
    """What the traps of one device said that is not compared yet: the last of them counts for each object."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: dict[bytes, Said] = {}
        """By OID."""

    def __iter__(self) -> Iterator[Said]:
        return iter(list(self._said.values()))

    def add(self, said: Said) -> tuple[Said, Finding] | None:
        """Notes what a trap said; returns a finding when there is one already, and of which trap."""
        if not said.row:
            return said, Finding.UNKNOWN
        earlier = self._said.pop(said.name, None)
        if earlier is None and len(self._said) >= MAX_OBJECTS:
            return said, Finding.UNKNOWN
        self._said[said.name] = said
        return None if earlier is None else (earlier, Finding.SUPERSEDED)

    def remove(self, said: Said) -> bool:
        """Whether it still waited; it does not from now on."""
        if self._said.get(said.name) is not said:
            return False
        del self._said[said.name]
        return True

    def take(self) -> list[Said]:
        """What they said; from now on it counts as compared."""
        said, self._said = self._said, {}
        return list(said.values())


def names_of(said: Iterable[Said]) -> list[bytes]:
    """The objects to ask for."""
    said = tuple(said)
    names = dict.fromkeys(one.name for one in said)
    if any(one.confirmation.needs_uptime for one in said):
        names[SYS_UP_TIME] = None
    return list(names)


def finding_of(said: Said, answers: Mapping[bytes, VarBind]) -> Finding:
    """What the device answers about an object; ``answers`` by OID."""
    value = _integer(answers.get(said.name))
    if value is None:
        return Finding.UNKNOWN
    agrees = said.confirmation.agrees(value, sent=said.sent, uptime=_integer(answers.get(SYS_UP_TIME)))
    if agrees is None:
        return Finding.UNKNOWN
    return Finding.CONFIRMED if agrees else Finding.NOT_CONFIRMED


def _integer(answer: VarBind | None) -> int | None:
    return None if answer is None else ber.integer_value(answer.tag, answer.value)
