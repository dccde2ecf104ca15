"""Single values that agents answer, made safe to compare and to show."""

from __future__ import annotations

from promsnmp.snmp import ber, oid

LONGEST_TEXT = 255
"""Characters of a DisplayString (RFC 2579)."""


def text_of(varbind: ber.VarBind | None) -> str | None:
    """Text that is safe to show: one line, no control characters, at most LONGEST_TEXT characters."""
    if varbind is None or varbind.tag != ber.OCTET_STRING:
        return None
    text = " ".join(varbind.value.decode(errors="replace").split())
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST_TEXT]


def number_of(varbind: ber.VarBind | None) -> int | None:
    return None if varbind is None else ber.integer_value(varbind.tag, varbind.value)


def object_id_of(varbind: ber.VarBind | None) -> str | None:
    return oid.to_text(varbind.value) if varbind is not None and varbind.tag == ber.OBJECT_IDENTIFIER else None


def engine_id_of(varbind: ber.VarBind | None) -> bytes:
    """An engine id of a valid size (RFC 3411 section 5, SnmpEngineID); else empty."""
    octets = varbind.value if varbind is not None and varbind.tag == ber.OCTET_STRING else b""
    return octets if 5 <= len(octets) <= 32 else b""
