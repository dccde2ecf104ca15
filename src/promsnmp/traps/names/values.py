"""Values of varbinds as text for people: enumerations, bits, DISPLAY-HINT, addresses, OIDs by name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from promsnmp.modules.display_hint import integer_by_hint, octets_by_hint
from promsnmp.snmp import ber
from promsnmp.snmp.varbind_text import duration, type_and_value
from promsnmp.traps.names.definitions import INET, Definitions, ObjectName

MAX_TEXT = 4096
"""Characters of one value, at most."""
_CONTROL = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), " ")


def one_line(text: str, most: int = MAX_TEXT) -> str:
    """Text without control characters, with dots where it was cut."""
    text = text if len(text) <= most else f"{text[: most - 3]}..."
    return text.translate(_CONTROL).strip()


def raw_value(varbind: ber.VarBind) -> int | str:
    """The value as sent, without any MIB."""
    _, value = type_and_value(varbind)
    return value if isinstance(value, int) else value[:MAX_TEXT]


def value_text(known: ObjectName | None, varbind: ber.VarBind, definitions: Definitions) -> str:
    """The value of a varbind for people, in one line of at most MAX_TEXT characters."""
    tag, content = varbind.tag, varbind.value
    number = ber.integer_value(tag, content)
    if number is not None:
        return _number_text(known, tag, number)
    if tag == ber.OCTET_STRING:
        return one_line(_octets_text(known, content))
    if tag == ber.OBJECT_IDENTIFIER and content and content[-1] < 0x80:
        return one_line(definitions.name(content))
    return one_line(str(type_and_value(varbind)[1]))


def _number_text(known: ObjectName | None, tag: int, number: int) -> str:
    if known is not None and known.enum is not None:
        return known.enum.get(number) or str(number)
    if known is not None and known.hint and (shown := integer_by_hint(known.hint, number)) is not None:
        return shown
    return duration(number) if tag == ber.TIME_TICKS else str(number)


def _octets_text(known: ObjectName | None, octets: bytes) -> str:
    if known is not None and known.bits:
        return ",".join(_bit_names(known.enum or {}, octets))
    if known is not None and known.hint == INET:
        return _inet_text(octets)
    if known is not None and known.hint and (shown := octets_by_hint(known.hint, octets)) is not None:
        return shown.decode("utf-8", "replace")
    return plain_text(octets)


def plain_text(octets: bytes) -> str:
    """Octets as UTF-8 text without NULs at their end, where they are text, else as hexadecimal digits with colons."""
    body = octets.rstrip(b"\0")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return octets[:MAX_TEXT].hex(":").upper()
    if all(character.isprintable() or character in "\r\n\t" for character in text):
        return text
    return octets[:MAX_TEXT].hex(":").upper()


def _bit_names(names: Mapping[int, str], octets: bytes) -> list[str]:
    """The names of the bits that are set; bit 0 is the first of the first octet (RFC 2578 section 7.1.4)."""
    numbers = (at * 8 + bit for at, octet in enumerate(octets[:MAX_TEXT]) for bit in range(8) if octet & 0x80 >> bit)
    return [names.get(number) or str(number) for number in numbers]


def _inet_text(octets: bytes) -> str:
    """An InetAddress by its length: IPv4, IPv6, either with a zone (RFC 4001), or a DNS name."""
    if len(octets) in (4, 16):
        return str(ipaddress.ip_address(octets))
    if len(octets) in (8, 20):
        return f"{ipaddress.ip_address(octets[:-4])}%{int.from_bytes(octets[-4:], 'big')}"
    return plain_text(octets)
