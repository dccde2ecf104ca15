"""What a device answers after a notification that was right: which object, of which row, has which value.

    mibs:
      IF-MIB:
        confirmations:
          linkDown: {object: ifOperStatus, row: ifIndex, not: [up]}

Objects and notifications are those of all files of definitions. The row is the value of the varbind ``row``; without
one, that of the object's own varbind, or of another object of the same table; ``scalar: true`` means there is one only.
One of these says what confirms: ``is`` or ``not`` (names of the enumeration, or numbers), ``as_sent`` (the value of the
object in the notification), ``within`` (the object is a time of sysUpTime, or sysUpTime itself: not longer ago).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import yaml

from promsnmp.snmp import oid as oids
from promsnmp.support.yaml_nodes import NodeError, items, pairs, quoted, text
from promsnmp.support.yaml_scalars import flag, integer, is_plain, seconds

SYS_UP_TIME = oids.encode("1.3.6.1.2.1.1.3.0")
_TESTS = ("is", "not", "as_sent", "within")
_KEYS = ("object", "row", "scalar", *_TESTS)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Says whether the value of an object agrees with a notification. Exactly one of the tests is set."""

    object: bytes
    """Its OID (content octets), without a row."""
    name: str
    row: bytes = b""
    """OID of the object whose value is the row; empty: the row is that of a varbind."""
    is_scalar: bool = False
    states: frozenset[int] | None = None
    is_negated: bool = False
    """Whether ``states`` are those that do not agree."""
    as_sent: bool = False
    within: float = 0.0
    """Seconds; 0: the object is no time."""

    @property
    def needs_uptime(self) -> bool:
        """Whether sysUpTime says how long ago the object's time is."""
        return bool(self.within) and not self.is_uptime

    @property
    def is_uptime(self) -> bool:
        """Whether the object is sysUpTime."""
        return self.object + b"\0" == SYS_UP_TIME

    def agrees(self, value: int, *, sent: int | None, uptime: int | None) -> bool | None:
        """Whether the ``value`` that the device returned agrees; None when that cannot be said. ``uptime`` is the
        device's in hundredths of a second."""
        if self.states is not None:
            return (value in self.states) != self.is_negated
        if self.as_sent:
            return None if sent is None else value == sent
        if self.is_uptime:
            return value <= self.within * 100
        return None if uptime is None else 0 <= uptime - value <= self.within * 100


@dataclass(frozen=True, slots=True)
class KnownObject:
    """What is needed of an object."""

    oid: bytes
    enum: Mapping[int, str]


FindObject = Callable[[str], KnownObject | None]


def read_confirmation(node: yaml.Node, what: str, find: FindObject) -> Confirmation:
    """The confirmation of the notification ``what``. Raises NodeError."""
    fields = dict(pairs(node, what, _KEYS))
    if "object" not in fields:
        raise NodeError(node, f"the confirmation of {what} has no object")
    tests = [name for name in _TESTS if name in fields]
    if len(tests) != 1:
        raise NodeError(node, f"the confirmation of {what} needs one of {', '.join(_TESTS)}")
    name, known = _known(fields["object"], find)
    row = _known(fields["row"], find)[1].oid if "row" in fields else b""
    is_scalar = flag(fields["scalar"], f"scalar of {what}") if "scalar" in fields else False
    if row and is_scalar:
        raise NodeError(node, f"the confirmation of {what} has both row and scalar; leave one out")
    test, value = tests[0], fields[tests[0]]
    if test in ("is", "not"):
        states = frozenset(_state(one, known, name) for one in items(value, f"{test} of {what}"))
        return Confirmation(known.oid, name, row, is_scalar, states, test == "not")
    if test == "as_sent":
        if not flag(value, f"as_sent of {what}"):
            raise NodeError(value, f"as_sent of {what} can only be true")
        return Confirmation(known.oid, name, row, is_scalar, as_sent=True)
    return Confirmation(known.oid, name, row, is_scalar, within=seconds(value, f"within of {what}"))


def _known(node: yaml.Node, find: FindObject) -> tuple[str, KnownObject]:
    name = text(node, "the name of an object")
    known = find(name)
    if known is None:
        raise NodeError(node, f"{quoted(name)} is not among the objects of the definitions")
    return name, known


def _state(node: yaml.Node, known: KnownObject, name: str) -> int:
    written = text(node, f"a state of {name}")
    number = next((number for number, state in known.enum.items() if state == written), None)
    if number is not None:
        return number
    if is_plain(node) and written.isdigit():
        return integer(node, f"a state of {name}")
    raise NodeError(node, f"{quoted(written)} is not a state of {name}")
