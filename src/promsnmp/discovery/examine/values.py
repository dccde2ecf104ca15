"""Single values that agents answer, made safe to compare and to show."""

from __future__ import annotations

from promsnmp.snmp import ber, oid
from promsnmp.snmp.text_encodings import line_of


def text_of(varbind: ber.VarBind | None, encoding: str = "") -> str | None:
    """Text that is safe to show; ``encoding`` as for ``line_of``."""
    if varbind is None or varbind.tag != ber.OCTET_STRING:
        return None
    return line_of(varbind.value, encoding)


def number_of(varbind: ber.VarBind | None) -> int | None:
    return None if varbind is None else ber.integer_value(varbind.tag, varbind.value)


def object_id_of(varbind: ber.VarBind | None) -> str | None:
    return oid.to_text(varbind.value) if varbind is not None and varbind.tag == ber.OBJECT_IDENTIFIER else None


def engine_id_of(varbind: ber.VarBind | None) -> bytes:
    """An engine id of a valid size (RFC 3411 section 5, SnmpEngineID); else empty."""
    octets = varbind.value if varbind is not None and varbind.tag == ber.OCTET_STRING else b""
    return octets if 5 <= len(octets) <= 32 else b""
