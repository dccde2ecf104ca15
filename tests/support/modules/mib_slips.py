"""A MIB of our own, and slips that authors make in theirs: none of them changes what the objects are."""

# ruff: noqa: E501  # a slip is read best on one line
from __future__ import annotations

import random
from collections.abc import Sequence

MIB = """SLIP-MIB DEFINITIONS ::= BEGIN
IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, Integer32, Gauge32, Counter32, TimeTicks, enterprises FROM SNMPv2-SMI
    DisplayString, MacAddress, TEXTUAL-CONVENTION FROM SNMPv2-TC;

slipRoot MODULE-IDENTITY
    LAST-UPDATED "202001010000Z"
    ORGANIZATION "The test"
    CONTACT-INFO "Nobody"
    DESCRIPTION "Made for the test."
    REVISION "202001010000Z"
    DESCRIPTION "The first."
    ::= { enterprises 99998 }

-- what the objects are made of
SlipKind ::= TEXTUAL-CONVENTION
    STATUS current
    DESCRIPTION "A kind."
    SYNTAX INTEGER { none(0), some(1), all(2) }

slipState OBJECT-TYPE
    SYNTAX INTEGER { up(1), down(2), TESTING(3) }
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its state. And more."
    ::= { slipRoot 1 }

slipLoad OBJECT-TYPE
    SYNTAX Gauge32 (0..100)
    UNITS "percent"
    MAX-ACCESS read-write
    STATUS current
    DESCRIPTION "Its load."
    REFERENCE "RFC 1"
    DEFVAL { 5 }
    ::= { slipRoot 2 }

slipTables OBJECT IDENTIFIER ::= { slipRoot 3 }

slipTable OBJECT-TYPE
    SYNTAX SEQUENCE OF SlipEntry
    MAX-ACCESS not-accessible
    STATUS current
    DESCRIPTION "Some rows."
    ::= { slipTables 1 }

slipEntry OBJECT-TYPE
    SYNTAX SlipEntry
    MAX-ACCESS not-accessible
    STATUS current
    DESCRIPTION "A row."
    INDEX { slipNumber, slipName }
    ::= { slipTable 1 }

SlipEntry ::= SEQUENCE {
    slipNumber Integer32, slipName DisplayString, slipValue Counter32, slipMac MacAddress, slipKind SlipKind
}

slipNumber OBJECT-TYPE
    SYNTAX Integer32 (1..10)
    MAX-ACCESS not-accessible
    STATUS current
    DESCRIPTION "Its number."
    ::= { slipEntry 1 }

slipName OBJECT-TYPE
    SYNTAX DisplayString (SIZE (0..32))
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its name."
    ::= { slipEntry 2 }

slipValue OBJECT-TYPE
    SYNTAX Counter32
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its value. Counted."
    ::= { slipEntry 3 }

slipMac OBJECT-TYPE
    SYNTAX MacAddress
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its address."
    ::= { slipEntry 4 }

slipKind OBJECT-TYPE
    SYNTAX SlipKind
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its kind."
    ::= { slipEntry 5 }

slipBits OBJECT-TYPE
    SYNTAX BITS { red(0), green(1) }
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its lights."
    ::= { slipRoot 4 }

slipTime OBJECT-TYPE
    SYNTAX TimeTicks
    MAX-ACCESS read-only
    STATUS current
    DESCRIPTION "Its age."
    ::= { slipRoot 5 }
END
"""
_STATES = "INTEGER { up(1), down(2), TESTING(3) }"
_LAST = "::= { slipRoot 5 }\nEND\n"
_REMARK = "-- what the objects are made of"
_LOAD = 'DESCRIPTION "Its load."'
_OID = "::= { slipRoot 2 }"

SLIPS: dict[str, tuple[str, str]] = {
    # enumerations and bits
    **{f"names of {kind}": (_STATES, _STATES.replace("INTEGER", kind)) for kind in ("Integer32", "Unsigned32", "Gauge32")},
    "spare comma of names": (_STATES, "INTEGER { , up(1),, down(2), TESTING(3), }"),
    "no commas of names": (_STATES, "INTEGER { up(1) down(2) TESTING(3) }"),
    "semicolons of names": (_STATES, "INTEGER { up(1); down(2); TESTING(3) }"),
    "numbers as hex": (_STATES, "INTEGER { up('1'H), down('0010'B), TESTING(3) }"),
    "names without }": (_STATES, "INTEGER { up(1), down(2), TESTING(3)"),
    "names without )": (_STATES, "INTEGER { up(1, down(2), TESTING(3) }"),
    "names behind a range": (_STATES, "INTEGER (1..3) { up(1), down(2), TESTING(3) }"),
    "tabs between names": (_STATES, "INTEGER\t{\tup\t(\t1\t)\t,\tdown(2),TESTING(3)}"),
    "comments between names": (_STATES, "INTEGER { up(1), -- it is\n down(2), -- it is not\n TESTING(3) -- maybe\n }"),
    "closed comments between names": (_STATES, "INTEGER { up(1), -- first -- down(2), --x-- TESTING(3) }"),
    "comments with a dash": (_STATES, "INTEGER { up(1), -- it is -- or so\n down(2), TESTING(3) }"),
    "block comments": (_STATES, "INTEGER { up(1), /* it /* is */ */ down(2), TESTING(3) }"),
    "spare comma of bits": ("{ red(0), green(1) }", "{ red(0) green(1), }"),
    "spare comma of a convention": ("some(1), all(2) }", "some(1),, all(2), }"),
    # lists
    "spare comma of INDEX": ("{ slipNumber, slipName }", "{ slipNumber,, slipName, }"),
    "no comma of INDEX": ("{ slipNumber, slipName }", "{ slipNumber slipName }"),
    "comment in INDEX": ("{ slipNumber, slipName }", "{ slipNumber, slipName -- both }"),
    "spare comma of SEQUENCE": ("slipKind SlipKind\n}", "slipKind SlipKind,\n}"),
    "no } of SEQUENCE": ("slipKind SlipKind\n}", "slipKind SlipKind\n"),
    "lower-case row": ("SEQUENCE OF SlipEntry", "SEQUENCE OF slipEntry"),
    "no OF": ("SEQUENCE OF SlipEntry", "SEQUENCE SlipEntry"),
    "spare comma of OBJECTS": (_REMARK, 'slipGroup OBJECT-GROUP OBJECTS { slipState,, slipLoad, } STATUS current DESCRIPTION "" ::= { slipRoot 99 }'),
    "notification": (_REMARK, 'slipEvent NOTIFICATION-TYPE OBJECTS { slipState } STATUS current DESCRIPTION "Seen." ::= { slipRoot 98 }'),
    "trap": (_REMARK, "slipTrap TRAP-TYPE ENTERPRISE slipRoot VARIABLES { slipState, } ::= 5"),
    # comments and headers
    "comment before DEFINITIONS": ("SLIP-MIB DEFINITIONS", "SLIP-MIB\n\n-- a name\n\nDEFINITIONS"),
    "comments in the header": ("DEFINITIONS ::= BEGIN", "DEFINITIONS -- a\n ::= -- b\n BEGIN -- c"),
    "an OID in the header": ("SLIP-MIB DEFINITIONS", "SLIP-MIB { iso org(3) 5 } DEFINITIONS"),
    "tags in the header": ("DEFINITIONS ::=", "DEFINITIONS IMPLICIT TAGS ::="),
    "text before the header": ("SLIP-MIB DEFINITIONS", 'Here is "our MIB:\n\nSLIP-MIB DEFINITIONS'),
    **{f"{number} dashes": (_REMARK, "-" * number) for number in (2, 3, 4, 5, 9, 70)},
    **{f"{number} dashes and text": (_REMARK, "-" * number + " text") for number in (3, 4, 5, 8)},
    **{f"text and {number} dashes": (_REMARK, "-- text " + "-" * number) for number in (3, 4, 5, 7)},
    "a comment and more": (_REMARK, "-- one -- two"),
    "a quotation mark in a comment": (_REMARK, '-- don"t'),
    "form feed": (_REMARK, "\x0c"),
    "stray signs": (_REMARK, "} ; ,"),
    "stray text": (_REMARK, "some notes here"),
    "stray quoted text": (_REMARK, '"some notes"'),
    "a macro": (_REMARK, 'X-TYPE MACRO ::= BEGIN TYPE NOTATION ::= "X" value(x INTEGER) END'),
    "a choice": (_REMARK, "SlipChoice ::= CHOICE { a INTEGER, b OCTET STRING }"),
    "a constant": (_REMARK, "slipMost INTEGER ::= 5"),
    "^Z": (_LAST, _LAST[:-4] + "END\n\x1a"),
    "NULs": (_LAST, _LAST[:-4] + "END\n\x00\x00"),
    "no END": (_LAST, _LAST[:-4] + ""),
    "END twice": (_LAST, _LAST[:-4] + "END\nEND\n"),
    "text behind END": (_LAST, _LAST[:-4] + 'END\nThat is "all.\n'),
    # imports
    "IMPORTS without ;": ("FROM SNMPv2-TC;", "FROM SNMPv2-TC"),
    "spare comma of IMPORTS": ("enterprises FROM", "enterprises, FROM"),
    "no comma of IMPORTS": ("MODULE-IDENTITY, OBJECT-TYPE", "MODULE-IDENTITY OBJECT-TYPE"),
    "an import of itself": ("FROM SNMPv2-TC;", "FROM SNMPv2-TC SlipKind FROM SLIP-MIB;"),
    "an unknown import": ("FROM SNMPv2-TC;", "FROM SNMPv2-TC nothing FROM NOWHERE-MIB;"),
    "IMPORTS twice": ("FROM SNMPv2-TC;", "FROM SNMPv2-TC;\nIMPORTS OBJECT-GROUP FROM SNMPv2-CONF;"),
    "EXPORTS": ("IMPORTS\n", "EXPORTS slipState;\nIMPORTS\n"),
    # MODULE-IDENTITY
    "no DESCRIPTION of the module": ('    DESCRIPTION "Made for the test."\n', ""),
    "no ORGANIZATION": ('    ORGANIZATION "The test"\n', ""),
    "REVISION without DESCRIPTION": ('    DESCRIPTION "The first."\n', ""),
    "REVISION that is no date": ('REVISION "202001010000Z"', "REVISION the first"),
    "LAST-UPDATED last": ('    LAST-UPDATED "202001010000Z"\n    ORGANIZATION "The test"\n', '    ORGANIZATION "The test"\n    LAST-UPDATED "2020"\n'),
    "keywords in text": ('"The first."', '"Added:\n    slipGroup OBJECT-GROUP added.\n    slipX OBJECT-TYPE\n added ::= so"'),
    # clauses
    "STATUS of SMIv1": ("read-write\n    STATUS current", "read-write\n    STATUS mandatory"),
    "unknown STATUS": ("read-write\n    STATUS current", "read-write\n    STATUS fine"),
    "no STATUS": ("read-write\n    STATUS current\n", "read-write\n"),
    "ACCESS": ("MAX-ACCESS read-write", "ACCESS read-write"),
    "unknown ACCESS": ("MAX-ACCESS read-write", "MAX-ACCESS readwrite"),
    "UNITS behind ACCESS": ('    UNITS "percent"\n    MAX-ACCESS read-write\n', '    MAX-ACCESS read-write\n    UNITS "percent"\n'),
    "REFERENCE first": (_LOAD + '\n    REFERENCE "RFC 1"', 'REFERENCE "RFC 1"\n    ' + _LOAD),
    "an unknown clause": ("DEFVAL { 5 }", "DEFAULT { 5 }"),
    **{f"DEFVAL {value}": ("DEFVAL { 5 }", f"DEFVAL {value}") for value in (
        "{ }", "{ up }", "{ { } }", "{ { red, green } }", '{ "a } b" }', "{ ''H }", "{ '01'B }", "{ -1 }", "{ 0.0.0.0 }",
        "{ {0 0} }", "{ 12:34 }", "5", "{ }}",
    )},
    **{f"range {text}": ("(0..100)", text) for text in (
        "", "(0..MAX)", "( 0 .. 100 )", "(0...100)", "(0|5..7)", "('00'H..'7F'h)", "(0..100", "0..100", "( )", "((0..100))",
        "(0..foo)", "(1,2)",
    )},
    "text with keywords": ('"Its value. Counted."', '"Its value. See:\n    SYNTAX Integer32\n    MAX-ACCESS read-only\n  x OBJECT IDENTIFIER ::= { a 1 }\nEND"'),
    "text with dashes": ('"Its value. Counted."', '"Its value. -- or -- not"'),
    "text that ends with a backslash": ('"RFC 1"', '"C:\\rfc\\"'),
    "escaped marks in text": ('"RFC 1"', '"the \\"first\\" RFC"'),
    "doubled marks in text": ('"RFC 1"', '"the ""first"" RFC"'),
    "marks in text": ('"RFC 1"', '"the "first" RFC"'),
    "curly marks": ('"RFC 1"', "“RFC 1”"),
    "a mark is missing at the end": ('"RFC 1"', '"RFC 1'),
    "a mark is missing at the start": ('"RFC 1"', 'RFC 1"'),
    "no marks": ('"RFC 1"', "RFC one"),
    "other marks": ('"RFC 1"', "'RFC 1'"),
    # OIDs
    "a comma in the OID": (_OID, "::= { slipRoot, 2 }"),
    "no space in the OID": (_OID, "::={slipRoot 2}"),
    "the whole OID": (_OID, "::= { iso org(3) dod(6) internet(1) private(4) enterprises(1) slipRoot(99998) 2 }"),
    "numbers only": (_OID, "::= { 1 3 6 1 4 1 99998 2 }"),
    "a named number": (_OID, "::= { slipRoot load(2) }"),
    "OID without }": (_OID, "::= { slipRoot 2"),
    "OID without {": (_OID, "::= slipRoot 2 }"),
    "OID and ;": (_OID, "::= { slipRoot 2 };"),
    ":=": (_OID, ":= { slipRoot 2 }"),
    "no macro": ("slipTables OBJECT IDENTIFIER ::=", "slipTables ::="),
    "another macro": ("slipTables OBJECT IDENTIFIER ::=", 'slipTables OBJECT-IDENTITY STATUS current DESCRIPTION "" ::='),
    "a misspelt macro": ("slipTables OBJECT IDENTIFIER ::=", "slipTables OBJECT IDENTIFER ::="),
    "a lower-case macro": ("slipLoad OBJECT-TYPE", "slipLoad object-type"),
    # conventions
    "convention without STATUS": ('    STATUS current\n    DESCRIPTION "A kind."', '    DESCRIPTION "A kind."'),
    "convention in another order": ('    STATUS current\n    DESCRIPTION "A kind."', '    DESCRIPTION "A kind."\n    STATUS current'),
    "type assignment": ('TEXTUAL-CONVENTION\n    STATUS current\n    DESCRIPTION "A kind."\n    SYNTAX INTEGER', "INTEGER"),
    "MODULE.Type": ("SYNTAX MacAddress", "SYNTAX SNMPv2-TC.MacAddress"),
    # whole files
    "\\t": ("    ", "\t"),
    "\\r\\n": ("\n", "\r\n"),
}  # fmt: skip
WHOLE_FILE = ("\\t", "\\r\\n")
"""Slips that are made at every place."""


def slipped(names: Sequence[str]) -> str:
    """The MIB with these slips, as far as others have left the text for them."""
    text = MIB
    for name in sorted(names, key=WHOLE_FILE.__contains__):
        right, wrong = SLIPS[name]
        text = text.replace(right, wrong, -1 if name in WHOLE_FILE else 1)
    return text


def drawn(random_numbers: random.Random, count: int) -> list[str]:
    """Some slips that do not depend on each other: of those at one place, one."""
    names, places = list[str](), set[str]()
    for name in random_numbers.sample(sorted(SLIPS), len(SLIPS)):
        if SLIPS[name][0] not in places and len(names) < count:
            names.append(name)
            places.add(SLIPS[name][0])
    return names
