from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import parse
from promsnmp.modules.mibs.tree import LoadedMibs, parse_oid
from tests.support.modules.mib_texts import found, problems, scalar, whole

MIBS = Path(__file__).parent / "data"
ENTERPRISE = (1, 3, 6, 1, 4, 1, 99999)
Read = Callable[..., LoadedMibs]


@pytest.fixture(scope="session")
def ours() -> LoadedMibs:
    """The tree of the MIBs beside this file."""
    parsed = [parse(path.read_text(), path=path.name) for path in sorted(MIBS.iterdir())]
    return link([one for file in parsed for one in file.modules], [one for file in parsed for one in file.problems])


@pytest.fixture
def read() -> Read:
    """Reads MIB texts, each wrapped in ``NAME DEFINITIONS ::= BEGIN ... END``."""

    def call(**texts: str) -> LoadedMibs:
        files = [parse(whole(name, body), path=f"{name}.mib") for name, body in texts.items()]
        return link([one for file in files for one in file.modules], [one for file in files for one in file.problems])

    return call


# --- what objects are


@pytest.mark.parametrize(
    ("name", "kind", "conventions", "hint", "size"),
    [
        ("tInteger", "INTEGER", (), "", 0),
        ("tTicks", "INTEGER", (), "", 0),
        ("tCounter64", "COUNTER", (), "", 0),
        ("tObjectId", "OID", (), "", 0),
        ("tAddress", "ADDRESS", (), "", 0),
        ("tText", "OCTETS", ("DisplayString",), "255a", 0),
        ("tMac", "OCTETS", ("MacAddress",), "1x:", 6),
        ("tNarrow", "OCTETS", ("AcmeName",), "32a", 0),
        ("tDerived", "OCTETS", ("AcmeDerived", "DisplayString"), "255a", 0),
        ("tFloat", "OPAQUE", ("Float",), "", 7),
        ("tGauge64", "COUNTER", ("CounterBasedGauge64",), "", 0),
    ],
)
def test_an_object_has_the_type_that_its_conventions_lead_to(
    ours: LoadedMibs, name: str, kind: str, conventions: tuple[str, ...], hint: str, size: int
) -> None:
    kind_of = found(ours.tree, name).type
    assert kind_of is not None
    assert (kind_of.kind, kind_of.conventions, kind_of.hint, kind_of.fixed_size) == (kind, conventions, hint, size)


def test_enumerations_and_bits_have_their_names_also_through_conventions(ours: LoadedMibs) -> None:
    def names(name: str) -> tuple[tuple[int, str], ...]:
        kind = found(ours.tree, name).type
        assert kind is not None
        return kind.enums

    assert names("tEnum") == ((-1, "broken"), (0, "idle"), (1, "busy"))
    assert names("tTruth") == ((1, "true"), (2, "false"))
    assert names("tBits") == ((0, "red"), (1, "green"), (7, "blue"))
    assert names("tFlags") == ((0, "first"), (1, "second"))


def test_names_that_the_smi_forbids_and_vendors_use_are_read(read: Read) -> None:
    mibs = read(
        A=scalar("a_b", "INTEGER { 10Mbps(1), no_link(2), Upper(3) }")
        + scalar("c", "INTEGER ('0A'h..'1F'h)", "enterprises 2")
    )
    kind = found(mibs.tree, "a_b").type
    assert kind is not None
    assert kind.enums == ((1, "10Mbps"), (2, "no_link"), (3, "Upper"))
    assert problems(mibs) == []


def test_columns_have_the_indexes_of_their_row(ours: LoadedMibs) -> None:
    assert [part.label for part in found(ours.tree, "ifInOctets").indexes] == ["ifIndex"]
    parts = found(ours.tree, "impliedValue").indexes
    assert [(part.label, part.implied) for part in parts] == [("imNumber", False), ("imName", True)]


def test_rows_that_augment_others_have_their_indexes(ours: LoadedMibs) -> None:
    assert [part.label for part in found(ours.tree, "ifHCInOctets").indexes] == ["ifIndex"]
    assert found(ours.tree, "extraValue").indexes == found(ours.tree, "impliedValue").indexes


def test_smiv1_is_read(ours: LoadedMibs) -> None:
    tree = ours.tree
    assert found(tree, "oldAddress").type is not None
    assert found(tree, "oldBytes").oid == (*ENTERPRISE, 3, 4, 1, 2)
    assert found(tree, "oldBytes").access == "read-only"
    assert found(tree, "old_height").oid == (*ENTERPRISE, 3, 4, 1, 4)  # underscores are forbidden, but common
    (slot,) = found(tree, "slotState").indexes
    assert (slot.label, slot.oid, slot.type.kind) == ("slotEntry", (), "INTEGER")


def test_nodes_are_found_by_name_module_and_oid(ours: LoadedMibs) -> None:
    tree = ours.tree
    node = found(tree, "ifHCInOctets")
    assert found(tree, "IF-MIB::ifHCInOctets") == found(tree, "1.3.6.1.2.1.31.1.1.1.6") == node
    assert found(tree, ".1.3.6.1.2.1.31.1.1.1.6") == node
    assert tree.find("ACME-TYPES-MIB::ifHCInOctets") is None
    assert tree.find("1.3.6.1.2.1.31.1.1.1.66") is None
    assert tree.nearest((*node.oid, 3)) == node
    assert [one.name for one in tree.under(parse_oid("1.3.6.1.2.1.31.1.1.1"))][:2] == ["ifXEntry", "ifName"]


def test_a_name_shared_by_two_objects_means_the_standard_one(read: Read) -> None:
    mibs = read(A=scalar("same", under="enterprises 7"), B=scalar("same", under="mib-2 7"))
    assert found(mibs.tree, "same").module == "B"
    assert found(mibs.tree, "A::same").oid == (1, 3, 6, 1, 4, 1, 7)
    assert [node.module for node in mibs.tree.named("same")] == ["B", "A"]


def test_oids_may_be_written_with_names_and_numbers(read: Read) -> None:
    mibs = read(A="a OBJECT IDENTIFIER ::= { iso org(3) dod(6) 1 }\nb OBJECT IDENTIFIER ::= { 1 3 6 9 }\n"
                  "c OBJECT IDENTIFIER ::= { iso org dod 5 }\nd OBJECT IDENTIFIER ::= { c 1 2 }")  # fmt: skip
    assert [found(mibs.tree, f"A::{name}").oid for name in "bcd"] == [(1, 3, 6, 9), (1, 3, 6, 5), (1, 3, 6, 5, 1, 2)]
    assert problems(mibs) == []


def test_a_name_refers_to_the_module_that_imports_it(read: Read) -> None:
    mibs = read(
        A='Kind ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX INTEGER { a(1) }',
        B='Kind ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX INTEGER { b(1) }',
        C="IMPORTS Kind FROM B;\n" + scalar("kind", "Kind"),
    )
    kind = found(mibs.tree, "kind").type
    assert kind is not None
    assert kind.enums == ((1, "b"),)


def test_forgotten_imports_are_found_in_other_modules(read: Read) -> None:
    mibs = read(
        A='Kind ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "" SYNTAX INTEGER { a(1) }\n'
        "top OBJECT IDENTIFIER ::= { enterprises 5 }",
        B=scalar("one", "Kind", "top 1"),
    )
    assert found(mibs.tree, "one").oid == (1, 3, 6, 1, 4, 1, 5, 1)
    assert problems(mibs) == []


def test_a_vendors_node_does_not_take_the_place_of_a_well_known_one(read: Read) -> None:
    mibs = read(
        A="system OBJECT IDENTIFIER ::= { enterprises 5 1 }",
        B="IMPORTS system FROM RFC1213-MIB;\n" + scalar("one", under="system 99"),
    )
    assert found(mibs.tree, "one").oid == (1, 3, 6, 1, 2, 1, 1, 99)


def test_the_newer_definition_of_an_object_counts(read: Read) -> None:
    old = "IMPORTS OBJECT-TYPE FROM RFC-1212;\n" + scalar("same", "INTEGER", "mib-2 7").replace("MAX-ACCESS", "ACCESS")
    new = "IMPORTS OBJECT-TYPE FROM SNMPv2-SMI;\n" + scalar("same", "DisplayString", "mib-2 7")
    assert found(read(A=old, B=new).tree, "1.3.6.1.2.1.7").module == "B"


# --- what is wrong with them


def test_problems_say_file_line_and_what_is_left_out_and_stop_nothing_else(ours: LoadedMibs) -> None:
    said = [text for text in problems(ours) if text.startswith("ACME-BROKEN-MIB.txt:")]
    text = (MIBS / "ACME-BROKEN-MIB.txt").read_text()
    at = {name: text.count("\n", 0, re.search(rf"^{name} ", text, re.MULTILINE).start()) + 1 for name in  # type: ignore[union-attr]
          ("badSyntax", "goodThird", "badQuote", "badType", "lostNode", "badEntry")}  # fmt: skip
    assert said == [
        (
            "ACME-BROKEN-MIB.txt:7: imports SecretKind, secretRoot from ACME-SECRET-MIB, which is in no folder: "
            "add its file"
        ),
        (
            f"ACME-BROKEN-MIB.txt:{at['badSyntax'] + 1}: badSyntax: SYNTAX: expected a type, not '{{'; "
            "this clause is left out"
        ),
        f"ACME-BROKEN-MIB.txt:{at['goodThird']}: expected ::= {{ parent number }}, not 'goodThird'; badEnd is left out",
        f"ACME-BROKEN-MIB.txt:{at['badQuote'] + 4}: badQuote: a quotation mark is missing",
        f"ACME-BROKEN-MIB.txt:{at['badType']}: badType: type SecretKind is not defined",
        f"ACME-BROKEN-MIB.txt:{at['lostNode']}: secretRoot is not defined; 2 names under it left out",
        f"ACME-BROKEN-MIB.txt:{at['badEntry']}: badEntry: index secretIndex is not defined",
    ]
    assert all(ours.tree.find(name) for name in ("goodFirst", "goodSecond", "goodThird", "goodFourth", "badQuote"))
    assert found(ours.tree, "badSyntax").broken.startswith("SYNTAX: expected a type")
    assert ours.tree.find("badEnd") is None
    assert found(ours.tree, "badValue").broken == "index secretIndex is not defined"


def test_a_file_cut_off_at_any_place_keeps_the_declarations_before_it() -> None:
    text = whole("A", scalar("one") + scalar("two", under="enterprises 2"))
    for size in range(text.index("two") + 4, len(text) - 6, 9):
        cut = parse(text[:size], path="a")
        assert "one" in [one.name for module in cut.modules for one in module.definitions], text[:size]


def test_the_first_of_two_objects_with_one_oid_counts_and_the_other_is_noted(read: Read) -> None:
    mibs = read(A=scalar("one") + scalar("two"))
    assert problems(mibs) == ["A.mib:8: two has the OID of one (A.mib:2) and is left out"]
    node = mibs.tree.at((1, 3, 6, 1, 4, 1, 1))
    assert node is not None
    assert node.name == "one"


def test_a_module_may_give_one_name_to_several_objects(read: Read) -> None:
    mibs = read(A=scalar("same") + scalar("same", "DisplayString", "enterprises 2") + scalar("other", under="same 5"))
    assert [node.oid[-1] for node in mibs.tree.named("same")] == [1, 2]
    assert found(mibs.tree, "other").oid == (1, 3, 6, 1, 4, 1, 2, 5)
    assert problems(mibs) == []


def test_names_that_only_stand_within_an_oid_are_known(read: Read) -> None:
    mibs = read(
        A="a OBJECT IDENTIFIER ::= { org box(7) part(8) 9 }\n" + scalar("one", under="part 1"),
        B=scalar("two", under="box 2"),
    )
    assert found(mibs.tree, "one").oid == (1, 3, 7, 8, 1)
    assert found(mibs.tree, "two").oid == (1, 3, 7, 2)
    assert found(mibs.tree, "box").oid == (1, 3, 7)
    assert problems(mibs) == []


def test_an_oid_of_more_than_128_numbers_is_left_out(read: Read) -> None:
    chain = "".join(f"a{n + 1} OBJECT IDENTIFIER ::= {{ a{n} 1 }}\n" for n in range(300))
    mibs = read(A="a0 OBJECT IDENTIFIER ::= { iso 1 }\n" + chain)
    assert len(found(mibs.tree, "a126").oid) == 128
    assert mibs.tree.find("a127") is None
    assert problems(mibs) == ["A.mib:129: a127 has an OID of more than 128 numbers; 174 names under it left out"]


def test_enumerations_of_conventions_may_be_narrowed(read: Read) -> None:
    mibs = read(A="Kind ::= Gauge32 { a(1), b(2) }\n" + scalar("one", "Kind") + scalar("two", "Kind { c(3) }", "iso 2"))
    assert [found(mibs.tree, name).type.enums for name in ("one", "two")] == [((1, "a"), (2, "b")), ((3, "c"),)]  # type: ignore[union-attr]


def test_two_modules_may_define_one_object(read: Read) -> None:
    assert problems(read(A=scalar("one"), B=scalar("one"))) == []


def test_circular_names_do_not_loop_for_ever(read: Read) -> None:
    mibs = read(
        A="a OBJECT IDENTIFIER ::= { b 1 }\nb OBJECT IDENTIFIER ::= { a 1 }\nKind ::= Other\nOther ::= Kind\n"
        + scalar("one", "Kind")
    )
    assert mibs.tree.find("a") is None
    assert "not defined" in found(mibs.tree, "one").broken


def test_rows_that_augment_each_other_do_not_loop_for_ever(read: Read) -> None:
    row = (
        "{0} OBJECT-TYPE\n SYNTAX E MAX-ACCESS not-accessible STATUS current\n"
        ' DESCRIPTION "" AUGMENTS {{ {1} }}\n ::= {{ enterprises {2} }}\n'
    )
    mibs = read(A="E ::= SEQUENCE { x INTEGER }\n" + row.format("r", "s", 1) + row.format("s", "r", 2))
    assert "not defined" in found(mibs.tree, "r").broken
