"""Formats a varbind: the text line of ``promsnmp walk``, and its JSON."""

from __future__ import annotations

import json

from promsnmp.snmp import ber, oid
from promsnmp.snmp.varbind_text import duration, type_and_value


def text_line(varbind: ber.VarBind) -> str:
    """A varbind as ``snmpwalk -On`` shows it without MIBs, on one line and without control characters."""
    kind, value = type_and_value(varbind)
    shown = str(value)
    if kind == "STRING":
        shown = json.dumps(value, ensure_ascii=False)
    elif kind == "Timeticks" and isinstance(value, int):
        shown = f"({value}) {duration(value)}"
    elif kind == "Hex-STRING":
        shown = bytes.fromhex(shown).hex(" ").upper()
    return f".{oid.to_text(varbind.oid)} = {kind}: {shown}".rstrip()


def json_line(varbind: ber.VarBind) -> str:
    """A varbind as a JSON object: ``oid``, ``type`` and ``value``, octets that are not text as hexadecimal digits."""
    kind, value = type_and_value(varbind)
    return json.dumps({"oid": f".{oid.to_text(varbind.oid)}", "type": kind, "value": value})
