"""Definitions of notifications and objects: the language of the files in ``builtin/`` and of ``TRAP_DEFINITIONS``.

    mibs:
      IF-MIB:
        nodes: {ifMIB: 1.3.6.1.2.1.31}
        enums:
          status: {1: up, 2: down}
        objects:
          ifAdminStatus: {oid: 1.3.6.1.2.1.2.2.1.7, enum: status}
        notifications:
          linkDown: {oid: 1.3.6.1.6.3.1.1.5.3, objects: [ifIndex, ifAdminStatus]}

``hint`` is a DISPLAY-HINT (RFC 2579 section 3.1), or ``inet`` for an InetAddress (RFC 4001), whose octets tell what it
is. ``bits: true`` takes the enumeration as names of bits (RFC 2578 section 7.1.4). ``confirmations`` (see
``confirmations.py``) say what a device answers after a notification that was right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import yaml

from promsnmp.errors import ModuleError
from promsnmp.modules.display_hint import is_valid_hint
from promsnmp.modules.snmp_yml.reader import read_octets
from promsnmp.snmp import oid as oids
from promsnmp.support import yaml_text
from promsnmp.support.yaml_nodes import NodeError, entries, items, pairs, quoted, text
from promsnmp.support.yaml_scalars import flag, integer
from promsnmp.traps.names.confirmations import Confirmation, KnownObject, read_confirmation

MAX_FILE = 16 << 20
"""Octets of a file of definitions, at most."""
MAX_NAMES = 200_000
"""Names in all files, at most: each takes about 300 bytes of memory."""
INET = "inet"
"""The hint of an InetAddress."""
_BUILTIN = files("promsnmp.traps.names") / "builtin"
_OBJECT_KEYS = ("oid", "enum", "hint", "bits")
_MIB_KEYS = ("nodes", "enums", "objects", "notifications", "confirmations")


@dataclass(frozen=True, slots=True)
class ObjectName:
    """An object that notifications carry."""

    name: str
    mib: str
    hint: str = ""
    enum: Mapping[int, str] | None = None
    bits: bool = False


@dataclass(frozen=True, slots=True)
class NotificationName:
    """A notification. ``objects`` are the names of what it carries, in their order."""

    name: str
    mib: str
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unresolved:
    """A confirmation whose names are looked up when all files are read."""

    source: str
    mib: str
    notification: str
    node: yaml.Node


@dataclass(slots=True)
class Definitions:
    """Names by OID (BER content octets)."""

    notifications: dict[bytes, NotificationName] = field(default_factory=dict)
    objects: dict[bytes, ObjectName] = field(default_factory=dict)
    nodes: dict[bytes, str] = field(default_factory=dict)
    confirmations: dict[bytes, Confirmation] = field(default_factory=dict)
    """By notification."""
    unresolved: list[_Unresolved] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.notifications) + len(self.objects) + len(self.nodes)

    def notification(self, oid: bytes) -> NotificationName | None:
        """The notification of an OID.

        MIBs without a 0 before the last number (OSPF-TRAP-MIB) get one when they are sent as traps of SNMPv1
        (RFC 3584 section 3.1), so the OID without it counts, too.
        """
        known = self.notifications.get(oid)
        return known if known is not None else self.notifications.get(_without_zero(oid))

    def confirmation(self, oid: bytes) -> Confirmation | None:
        """What confirms the notification of an OID; None where nothing is known to."""
        known = self.confirmations.get(oid)
        return known if known is not None else self.confirmations.get(_without_zero(oid))

    def object(self, oid: bytes) -> tuple[ObjectName, str] | None:
        """The object that an instance belongs to, and the instance's index (dotted)."""
        objects = self.objects
        for end in range(len(oid), 0, -1):
            if oid[end - 1] < 0x80 and (known := objects.get(oid[:end])) is not None:
                return known, ".".join(map(str, oids.decode_subids(oid[end:])))
        return None

    def name(self, oid: bytes) -> str:
        """An OID as the longest known name and the numbers behind it; dotted where nothing is known."""
        if (notification := self.notifications.get(oid)) is not None:
            return notification.name
        for end in _ends(oid):
            known = self.objects.get(oid[:end])
            name = known.name if known is not None else self.nodes.get(oid[:end])
            if name:
                return ".".join([name, *map(str, oids.decode_subids(oid[end:]))])
        return oids.to_text(oid)

    def add(self, other: Definitions) -> None:
        """Adds names; those of ``other`` win."""
        self.notifications |= other.notifications
        self.objects |= other.objects
        self.nodes |= other.nodes
        self.unresolved += other.unresolved

    def resolve(self) -> None:
        """Looks up the names in confirmations. Raises ModuleError with file and line of the first unknown one."""
        known = {one.name: KnownObject(oid, one.enum or {}) for oid, one in self.objects.items()}
        notifications = {(one.mib, one.name): oid for oid, one in self.notifications.items()}
        waiting, self.unresolved = self.unresolved, []
        for one in waiting:
            try:
                oid = notifications.get((one.mib, one.notification))
                if oid is None:
                    what = f"{quoted(one.notification)} is not among the notifications of {one.mib}"
                    raise NodeError(one.node, what)
                self.confirmations[oid] = read_confirmation(one.node, one.notification, known.get)
            except NodeError as error:
                raise ModuleError(f"{one.source}:{error.line}: {error}") from None


def _without_zero(oid: bytes) -> bytes:
    """The OID without a 0 before its last number; empty without one."""
    subids = oids.decode(oid)
    return oids.encode((*subids[:-2], subids[-1])) if len(subids) > 3 and subids[-2] == 0 else b""


def _ends(oid: bytes) -> Iterable[int]:
    """Where the prefixes of an OID end, the longest first."""
    return (end for end in range(len(oid), 0, -1) if oid[end - 1] < 0x80)


def builtin() -> Definitions:
    """The definitions that PromSNMP has of its own."""
    found = Definitions()
    for path in sorted(_BUILTIN.iterdir(), key=lambda one: one.name):
        if path.name.endswith(".yml"):
            found.add(read(path.read_bytes(), source=path.name))
    found.resolve()
    return found


def load(paths: Iterable[Path]) -> Definitions:
    """The built-in definitions and those of files, where the later one counts. Raises ModuleError."""
    found = builtin()
    for path in paths:
        found.add(read(read_octets(path, MAX_FILE), source=str(path)))
        if len(found) > MAX_NAMES:
            raise ModuleError(f"{path}: more than {MAX_NAMES} names in all files of definitions; leave some out")
    found.resolve()
    return found


def read(octets: bytes, *, source: str) -> Definitions:
    """The definitions of one file; names in confirmations are not looked up yet.

    Raises ModuleError with file and line of the first error.
    """
    try:
        root = yaml_text.compose(octets)
        return Definitions() if root is None else _document(root, source)
    except yaml.YAMLError as error:
        line, reason = yaml_text.describe_error(error)
        raise ModuleError(f"{source}:{line}: not valid YAML: {reason}") from None
    except NodeError as error:
        raise ModuleError(f"{source}:{error.line}: {error}") from None


def _document(root: yaml.Node, source: str) -> Definitions:
    found = Definitions()
    for _, value in pairs(root, "the file", ("mibs",)):
        for mib, node in pairs(value, "mibs"):
            _read_mib(mib, node, found, source)
    return found


def _read_mib(mib: str, node: yaml.Node, found: Definitions, source: str) -> None:
    parts = dict(pairs(node, mib, _MIB_KEYS))
    enums: dict[str, Mapping[int, str]] = {}
    if "enums" in parts:
        enums = {name: _enum(value, name) for name, value in pairs(parts["enums"], f"enums of {mib}")}
    for name, value in pairs(parts["nodes"], f"nodes of {mib}") if "nodes" in parts else ():
        found.nodes[_oid(value, name)] = name
    for name, value in pairs(parts["objects"], f"objects of {mib}") if "objects" in parts else ():
        oid, known = _object(name, mib, value, enums)
        found.objects[oid] = known
    for name, value in pairs(parts["notifications"], f"notifications of {mib}") if "notifications" in parts else ():
        fields = dict(pairs(value, name, ("oid", "objects")))
        objects = tuple(text(one, f"an object of {name}") for one in items(fields["objects"], f"objects of {name}")
                        ) if "objects" in fields else ()  # fmt: skip
        found.notifications[_needed_oid(value, fields, name)] = NotificationName(name, mib, objects)
    for name, value in pairs(parts["confirmations"], f"confirmations of {mib}") if "confirmations" in parts else ():
        found.unresolved.append(_Unresolved(source, mib, name, value))


def _object(name: str, mib: str, node: yaml.Node, enums: Mapping[str, Mapping[int, str]]) -> tuple[bytes, ObjectName]:
    fields = dict(pairs(node, name, _OBJECT_KEYS))
    hint = text(fields["hint"], f"hint of {name}") if "hint" in fields else ""
    if hint and hint != INET and not is_valid_hint(hint):
        raise NodeError(fields["hint"], f"hint of {name}: {quoted(hint)} is no DISPLAY-HINT (RFC 2579) and not inet")
    enum = None
    if "enum" in fields:
        value = fields["enum"]
        if isinstance(value, yaml.ScalarNode):
            enum = enums.get(text(value, f"enum of {name}"))
            if enum is None:
                known = ", ".join(sorted(enums)) or "none"
                raise NodeError(
                    value, f"enum of {name}: {quoted(value.value)} is not in enums of {mib}; known: {known}"
                )
        else:
            enum = _enum(value, name)
    bits = flag(fields["bits"], f"bits of {name}") if "bits" in fields else False
    return _needed_oid(node, fields, name), ObjectName(name, mib, hint, enum, bits)


def _enum(node: yaml.Node, what: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for _, key, value in entries(node, f"the enumeration of {what}"):
        found[integer(key, f"a number of {what}")] = text(value, f"a name of {what}")
    return found


def _needed_oid(node: yaml.Node, fields: Mapping[str, yaml.Node], name: str) -> bytes:
    if "oid" not in fields:
        raise NodeError(node, f"{name} has no oid")
    return _oid(fields["oid"], name)


def _oid(node: yaml.Node, name: str) -> bytes:
    try:
        return oids.encode(text(node, f"the OID of {name}"))
    except ValueError as error:
        raise NodeError(node, f"{name}: {error}") from None
