"""Files of definitions: read, built from MIBs, and their errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import parse
from promsnmp.snmp import oid
from promsnmp.traps.names.build import definitions_text
from promsnmp.traps.names.definitions import load, read

MIB = """
ACME-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises FROM SNMPv2-SMI MacAddress FROM SNMPv2-TC InetAddress FROM INET-ADDRESS-MIB;
acme OBJECT IDENTIFIER ::= { enterprises 99999 }
acmeState OBJECT-TYPE SYNTAX INTEGER { off(0), on(1) } MAX-ACCESS read-only STATUS current DESCRIPTION "x"
  ::= { acme 1 }
acmeMac OBJECT-TYPE SYNTAX MacAddress MAX-ACCESS read-only STATUS current DESCRIPTION "x" ::= { acme 2 }
acmePeer OBJECT-TYPE SYNTAX InetAddress MAX-ACCESS read-only STATUS current DESCRIPTION "x" ::= { acme 3 }
acmeFlags OBJECT-TYPE SYNTAX BITS { low(0), high(1) } MAX-ACCESS read-only STATUS current DESCRIPTION "x"
  ::= { acme 4 }
acmeFailed NOTIFICATION-TYPE OBJECTS { acmeState, acmeMac, acmeUnknown } STATUS current DESCRIPTION "x"
  ::= { acme 0 1 }
acmeOld TRAP-TYPE ENTERPRISE acme VARIABLES { acmeState, acmePeer, acmeFlags } DESCRIPTION "x" ::= 7
acmeEmpty TRAP-TYPE ENTERPRISE { acme 5 } VARIABLES { } ::= 8
acmeCold TRAP-TYPE ENTERPRISE snmp DESCRIPTION "x" ::= 0
END
"""


def test_definitions_from_a_mib() -> None:
    text, count = definitions_text(link(parse(MIB, path="acme.mib").modules))
    found = read(text.encode(), source="acme.yml")
    names = {oid.to_text(one): (known.name, known.objects) for one, known in found.notifications.items()}
    assert count == 4
    assert names == {
        "1.3.6.1.4.1.99999.0.1": ("acmeFailed", ("acmeState", "acmeMac")),
        "1.3.6.1.4.1.99999.0.7": ("acmeOld", ("acmeState", "acmePeer", "acmeFlags")),
        "1.3.6.1.4.1.99999.5.0.8": ("acmeEmpty", ()),
        "1.3.6.1.6.3.1.1.5.1": ("acmeCold", ()),
    }
    objects = {one.name: (one.enum, one.hint, one.bits) for one in found.objects.values()}
    assert objects == {
        "acmeState": ({0: "off", 1: "on"}, "", False),
        "acmeMac": (None, "1x:", False),
        "acmePeer": (None, "inet", False),
        "acmeFlags": ({0: "low", 1: "high"}, "", True),
    }


def test_a_file_wins_over_what_is_built_in(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text("mibs: {OWN-MIB: {notifications: {ourLinkDown: {oid: 1.3.6.1.6.3.1.1.5.3}}}}\n")
    known = load([path]).notification(oid.encode("1.3.6.1.6.3.1.1.5.3"))
    assert known is not None
    assert (known.mib, known.name) == ("OWN-MIB", "ourLinkDown")


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("mibs:\n  A-MIB:\n    traps: {}\n", 3, "traps"),
        ("mibs:\n  A-MIB:\n    objects:\n      a: {oid: 1.x}\n", 4, "1.x"),
        ("mibs:\n  A-MIB:\n    objects:\n      a: {hint: 1d}\n", 4, "oid"),
        ("mibs:\n  A-MIB:\n    objects:\n      a: {oid: 1.3.6, hint: zz}\n", 4, "zz"),
        ("mibs:\n  A-MIB:\n    objects:\n      a: {oid: 1.3.6, enum: status}\n", 4, "status"),
        ("mibs:\n  A-MIB: [\n", 3, "YAML"),
    ],
)
def test_errors_name_file_line_and_what(text: str, line: int, named: str) -> None:
    with pytest.raises(ModuleError) as raised:
        read(text.encode(), source="own.yml")
    assert str(raised.value).startswith(f"own.yml:{line}:")
    assert named in str(raised.value)
