"""A varbind as a type and a value that people can read, without any MIB."""

from __future__ import annotations

from promsnmp.snmp import ber, oid

TYPES = {
    ber.INTEGER: "INTEGER",
    ber.OCTET_STRING: "STRING",
    ber.NULL: "NULL",
    ber.OBJECT_IDENTIFIER: "OID",
    ber.IP_ADDRESS: "IpAddress",
    ber.COUNTER32: "Counter32",
    ber.GAUGE32: "Gauge32",
    ber.TIME_TICKS: "Timeticks",
    ber.OPAQUE: "Opaque",
    ber.NSAP_ADDRESS: "NsapAddress",
    ber.COUNTER64: "Counter64",
    ber.UINTEGER32: "UInteger32",
    ber.NO_SUCH_OBJECT: "noSuchObject",
    ber.NO_SUCH_INSTANCE: "noSuchInstance",
    ber.END_OF_MIB_VIEW: "endOfMibView",
}


def type_and_value(varbind: ber.VarBind) -> tuple[str, str | int]:
    """The type's name and the value; a value that its type does not allow is "malformed" and its hexadecimal digits."""
    tag, content = varbind.tag, varbind.value
    kind = TYPES.get(tag, f"0x{tag:02X}")
    if tag == ber.OCTET_STRING:
        return _string(content)
    if (number := ber.integer_value(tag, content)) is not None:
        return kind, number
    if tag == ber.OBJECT_IDENTIFIER and content and content[-1] < 0x80:
        return kind, f".{oid.to_text(content)}"
    if tag == ber.IP_ADDRESS and len(content) == 4:
        return kind, ".".join(map(str, content))
    if tag == ber.OPAQUE and (real := ber.opaque_float(content)) is not None:
        return "Opaque Float" if len(content) == 7 else "Opaque Double", ber.float_text(real).decode()
    digits = content.hex().upper()
    is_free = tag not in TYPES or tag in (ber.OPAQUE, ber.NSAP_ADDRESS)
    return kind, digits if is_free or (tag == ber.NULL and not content) else f"malformed {digits}".rstrip()


def _string(content: bytes) -> tuple[str, str]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "Hex-STRING", content.hex().upper()
    if all(character.isprintable() or character in "\r\n\t" for character in text):
        return "STRING", text
    return "Hex-STRING", content.hex().upper()


def duration(ticks: int) -> str:
    """Hundredths of a second as days and a time of day."""
    seconds, hundredths = divmod(ticks, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days} day{'s' if days > 1 else ''}, " if days else ""
    return f"{day}{hours}:{minutes:02}:{seconds:02}.{hundredths:02}"
