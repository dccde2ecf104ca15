"""Notifications written by people: ``linkDown ifIndex.3=3 ifOperStatus.3=down``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence

from promsnmp.errors import PromSnmpError
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids
from promsnmp.traps.names.definitions import Definitions, ObjectName

_OBJECT = re.compile(r"([A-Za-z][\w-]*)((?:\.[0-9]+)*)")
_MAX_NUMBER = 20
"""Digits of a number, at most."""


class WrongSample(PromSnmpError):
    """A notification that cannot be understood; the message names the part."""


def parse_sample(words: Sequence[str], definitions: Definitions) -> tuple[bytes, tuple[ber.VarBind, ...]]:
    """OID and varbinds of a notification: its name, MIB::name or OID; ``OBJECT[.INDEX]=VALUE`` ... Raises WrongSample.

    A value may begin with its type: ``i:`` INTEGER, ``u:`` Gauge32, ``c:`` Counter32, ``C:`` Counter64, ``t:``
    TimeTicks, ``a:`` IpAddress, ``o:`` OID, ``s:`` text, ``x:`` hexadecimal digits. Without one, numbers and names of
    the object's enumeration are INTEGER, and all else is text.
    """
    if not words:
        raise WrongSample("no notification; write its name or OID, such as linkDown")
    return _trap(words[0], definitions), tuple(_varbind(word, definitions) for word in words[1:])


def _trap(word: str, definitions: Definitions) -> bytes:
    mib, _, name = word.rpartition("::")
    for oid, known in definitions.notifications.items():
        if known.name == name and (not mib or known.mib == mib):
            return oid
    return _oid(word, f"{word!r} is neither a known notification nor an OID")


def _oid(word: str, otherwise: str) -> bytes:
    try:
        return oids.encode(word)
    except ValueError:
        raise WrongSample(otherwise) from None


def _varbind(word: str, definitions: Definitions) -> ber.VarBind:
    name, equals, value = word.partition("=")
    if not equals:
        raise WrongSample(f"{word!r} is no varbind; write OBJECT.INDEX=VALUE, such as ifIndex.3=3")
    oid, known = _object(name, definitions)
    return ber.VarBind(oid, *_value(value, known, word))


def _object(word: str, definitions: Definitions) -> tuple[bytes, ObjectName | None]:
    match = _OBJECT.fullmatch(word.rpartition("::")[2])
    if match is not None:
        for oid, known in definitions.objects.items():
            if known.name == match[1]:
                subids = tuple(map(int, filter(None, match[2].split(".")))) or (0,)
                return oid + oids.encode_subids(subids), known
    oid = _oid(word, f"{word!r} is neither a known object nor an OID")
    found = definitions.object(oid)
    return oid, found[0] if found is not None else None


def _value(text: str, known: ObjectName | None, word: str) -> tuple[int, bytes]:
    """Tag and content octets of a value."""
    kind, colon, rest = text.partition(":")
    if colon and kind in _TYPES:
        try:
            return _TYPES[kind](rest)
        except (ValueError, OverflowError):
            raise WrongSample(f"{word!r}: {rest!r} is not a value of type {kind}") from None
    labels = {label: number for number, label in (known.enum or {}).items()} if known is not None else {}
    if text in labels and not (known is not None and known.bits):
        return _number(ber.INTEGER)(str(labels[text]))
    if re.fullmatch(r"-?[0-9]{1,10}", text):
        return _number(ber.INTEGER)(text)
    return ber.OCTET_STRING, text.encode()


def _number(tag: int) -> Callable[[str], tuple[int, bytes]]:
    def encoded(text: str) -> tuple[int, bytes]:
        number = int(text[: _MAX_NUMBER + 1])
        lowest, highest = _RANGES[tag]
        if not lowest <= number <= highest:
            raise ValueError(text)
        return tag, ber.encode_integer(number)[2:]

    return encoded


_RANGES = {
    ber.INTEGER: (-(2**31), 2**31 - 1),
    ber.GAUGE32: (0, 2**32 - 1),
    ber.COUNTER32: (0, 2**32 - 1),
    ber.COUNTER64: (0, 2**64 - 1),
    ber.TIME_TICKS: (0, 2**32 - 1),
}
_TYPES: dict[str, Callable[[str], tuple[int, bytes]]] = {
    "i": _number(ber.INTEGER),
    "u": _number(ber.GAUGE32),
    "c": _number(ber.COUNTER32),
    "C": _number(ber.COUNTER64),
    "t": _number(ber.TIME_TICKS),
    "a": lambda text: (ber.IP_ADDRESS, ipaddress.IPv4Address(text).packed),
    "o": lambda text: (ber.OBJECT_IDENTIFIER, oids.encode(text)),
    "s": lambda text: (ber.OCTET_STRING, text.encode()),
    "x": lambda text: (ber.OCTET_STRING, bytes.fromhex(text)),
}
