from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.mibs import files
from promsnmp.modules.mibs.definitions import ParsedFile, from_json, to_json
from promsnmp.modules.mibs.files import load_mibs
from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import SmiParser
from promsnmp.modules.mibs.tree import LoadedMibs, MibNode, MibTree, parse_oid

pytest.importorskip("pysmi", reason="pysmi is not installed (the extra 'mibs')")

MIBS = Path(__file__).parent / "data"
ENTERPRISE = (1, 3, 6, 1, 4, 1, 99999)
Read = Callable[..., LoadedMibs]


@pytest.fixture(scope="session")
def parser() -> SmiParser:
    return SmiParser()


@pytest.fixture(scope="session")
def ours(parser: SmiParser) -> LoadedMibs:
    """The tree of the MIBs beside this file."""
    parsed = [parser.parse(path.read_text(), path=path.name) for path in sorted(MIBS.iterdir())]
    return link([one for file in parsed for one in file.modules], [one for file in parsed for one in file.problems])


@pytest.fixture
def read(parser: SmiParser) -> Read:
    """Reads MIB texts, each wrapped in ``NAME DEFINITIONS ::= BEGIN ... END``."""

    def call(**texts: str) -> LoadedMibs:
        files = [parser.parse(whole(name, body), path=f"{name}.mib") for name, body in texts.items()]
        return link([one for file in files for one in file.modules], [one for file in files for one in file.problems])

    return call


def whole(name: str, body: str) -> str:
    return f"{name} DEFINITIONS ::= BEGIN\n{body}\nEND\n"


def scalar(name: str, syntax: str = "Integer32", under: str = "enterprises 1") -> str:
    return (
        f'{name} OBJECT-TYPE\n SYNTAX {syntax}\n MAX-ACCESS read-only\n STATUS current\n DESCRIPTION "x"\n'
        f" ::= {{ {under} }}\n"
    )


def found(tree: MibTree, name: str) -> MibNode:
    node = tree.find(name)
    assert node is not None, name
    return node


def problems(mibs: LoadedMibs) -> list[str]:
    return [str(problem) for problem in mibs.problems]


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
        "ACME-BROKEN-MIB.txt:7: imports SecretKind, secretRoot from ACME-SECRET-MIB, which is in no folder",
        f"ACME-BROKEN-MIB.txt:{at['badSyntax'] + 1}: syntax error at '}}'; badSyntax is left out",
        f"ACME-BROKEN-MIB.txt:{at['goodThird']}: syntax error at 'goodThird'; badEnd is left out",
        f"ACME-BROKEN-MIB.txt:{at['badQuote']}: a quotation mark is missing; badQuote is left out",
        f"ACME-BROKEN-MIB.txt:{at['badType']}: badType: type SecretKind is not defined",
        f"ACME-BROKEN-MIB.txt:{at['lostNode']}: secretRoot is not defined; 2 names under it left out",
        f"ACME-BROKEN-MIB.txt:{at['badEntry']}: badEntry: index secretIndex is not defined",
    ]
    assert all(ours.tree.find(name) for name in ("goodFirst", "goodSecond", "goodThird", "goodFourth"))
    assert ours.tree.find("badSyntax") is None
    assert found(ours.tree, "badValue").broken == "index secretIndex is not defined"


def test_imports_that_cannot_be_read_are_left_out(read: Read) -> None:
    mibs = read(A="IMPORTS OBJECT-TYPE FROM FROM\n SNMPv2-SMI;\n" + scalar("one"))
    assert found(mibs.tree, "one").type is not None
    assert len(mibs.problems) == 1
    assert "in IMPORTS" in problems(mibs)[0]


def test_a_truncated_file_is_read_up_to_its_end(parser: SmiParser) -> None:
    text = whole("A", scalar("one") + scalar("two", under="enterprises 2"))
    without = parser.parse(text.removesuffix("END\n"), path="a")
    assert [str(one).partition(": ")[2] for one in without.problems] == ["the file ends without END"]
    assert [one.name for one in without.modules[0].definitions] == ["one", "two"]
    cut = parser.parse(text[: text.index("STATUS", text.index("two"))], path="a")
    assert [one.name for one in cut.modules[0].definitions] == ["one"]
    assert [str(one) for one in cut.problems] == [
        "a:10: the file ends without END",
        "a:11: syntax error at 'END'; two is left out",
    ]


def test_a_file_cut_off_at_any_place_keeps_the_declarations_before_it(parser: SmiParser) -> None:
    text = whole("A", scalar("one") + scalar("two", under="enterprises 2"))
    for size in range(text.index("two") + 4, len(text) - 6, 9):
        cut = parser.parse(text[:size], path="a")
        assert "one" in [one.name for module in cut.modules for one in module.definitions], text[:size]


def test_text_between_declarations_does_not_lose_any(read: Read) -> None:
    mibs = read(A=scalar("one") + "some notes here\n" + scalar("two", under="enterprises 2"))
    assert [found(mibs.tree, name).name for name in ("one", "two")] == ["one", "two"]
    assert problems(mibs) == ["A.mib:8: syntax error at 'notes'; the text after one is left out"]


def test_the_first_of_two_objects_with_one_oid_counts_and_the_other_is_noted(read: Read) -> None:
    mibs = read(A=scalar("one") + scalar("two"))
    assert problems(mibs) == ["A.mib:8: two has the OID of one (A.mib:2) and is left out"]
    node = mibs.tree.at((1, 3, 6, 1, 4, 1, 1))
    assert node is not None
    assert node.name == "one"


def test_two_modules_may_define_one_object(read: Read) -> None:
    assert problems(read(A=scalar("one"), B=scalar("one"))) == []


@pytest.mark.parametrize(
    "text",
    ["", "END", "A DEFINITIONS ::=", "A DEFINITIONS ::= BEGIN ) END", '"', "A DEFINITIONS ::= BEGIN a ::= b ::= END",
     "A DEFINITIONS ::= BEGIN\nx OBJECT-TYPE", "IMPORTS", "\x00\x01", "A DEFINITIONS ::= BEGIN\n" + "(" * 5000],
)  # fmt: skip
def test_random_text_is_a_problem_and_not_a_crash(parser: SmiParser, text: str) -> None:
    parsed = parser.parse(text, path="nonsense")
    assert not text or parsed.problems or not parsed.modules or not parsed.modules[0].definitions
    assert all(problem.path == "nonsense" and problem.text for problem in parsed.problems)


def test_a_file_with_too_many_errors_is_left_out(parser: SmiParser) -> None:
    body = "".join(f"x{number} OBJECT-TYPE\n SYNTAX (\n" for number in range(300))
    parsed = parser.parse(whole("A", body), path="a")
    assert len(parsed.problems) <= 102


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


# --- folders and the cache


def test_folders_are_searched_with_the_folders_in_them(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "one").write_text(whole("A", scalar("one")))
    (tmp_path / "README").write_text("no MIB")
    (tmp_path / ".hidden").write_text(whole("B", scalar("two")))
    (tmp_path / "latin.mib").write_bytes(whole("C", scalar("three").replace('"x"', '"\xb0C"')).encode("latin-1"))
    mibs = load_mibs([tmp_path], cache=tmp_path / "cache")
    assert mibs.tree.find("one")
    assert mibs.tree.find("two") is None
    assert found(mibs.tree, "three").description == "\xb0C"
    assert problems(mibs) == []


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_are_read_as_other_systems_write_them(tmp_path: Path, encoding: str, end: str) -> None:
    text = whole("A", scalar("one").replace('"x"', '"x"' if encoding == "ascii" else '"Gr\xf6\xdfe"'))
    (tmp_path / "a.my").write_bytes(text.replace("\n", end).encode(encoding))
    mibs = load_mibs([tmp_path])
    assert problems(mibs) == []
    assert found(mibs.tree, "one").description == ("x" if encoding == "ascii" else "Gr\xf6\xdfe")


def test_files_without_a_mib_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.mib").write_text(whole("A", scalar("one")))
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "empty").touch()
    (tmp_path / "README").write_text("the MIBs of A\n")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "again").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert problems(load_mibs([tmp_path])) == []


def test_the_first_of_two_files_with_one_module_counts(tmp_path: Path) -> None:
    for folder, number in (("first", 1), ("second", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_text(whole("A", scalar("one", under=f"enterprises {number}")))
    mibs = load_mibs([tmp_path / "first", tmp_path / "second"], cache=tmp_path / "cache")
    assert found(mibs.tree, "one").oid[-1] == 1
    assert problems(mibs) == [f"{tmp_path}/second/a: A is left out: it is also in {tmp_path}/first/a"]


def test_parsed_files_come_from_the_cache_until_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, cache = tmp_path / "mibs" / "a", tmp_path / "cache"
    file.parent.mkdir()
    file.write_text(whole("A", scalar("one") + "bad OBJECT-TYPE\n SYNTAX\n ::= { enterprises 2 }\n"))
    first = load_mibs([file.parent], cache=cache)
    parsed: list[str] = []
    original = SmiParser.parse

    def parse(self: SmiParser, text: str, *, path: str) -> ParsedFile:
        parsed.append(path)
        return original(self, text, path=path)

    monkeypatch.setattr(SmiParser, "parse", parse)
    again = load_mibs([file.parent], cache=cache)
    assert parsed == []
    assert problems(again) == problems(first) != []
    assert found(again.tree, "one") == found(first.tree, "one")

    for entry in cache.iterdir():
        entry.write_text('{"modules": 5}')
    assert load_mibs([file.parent], cache=cache).tree.find("one")
    file.write_text(whole("A", scalar("other")))
    assert load_mibs([file.parent], cache=cache).tree.find("other")
    assert parsed == [str(file), str(file)]


def test_a_cache_that_others_can_write_to_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    monkeypatch.setattr(files, "default_cache", lambda: theirs)
    (tmp_path / "a").write_text(whole("A", scalar("one")))
    assert load_mibs([tmp_path / "a"]).tree.find("one")
    assert list(theirs.iterdir()) == []


def test_parsed_files_come_unchanged_from_the_cache(parser: SmiParser) -> None:
    for path in MIBS.iterdir():
        parsed = parser.parse(path.read_text(), path="x")
        assert from_json(to_json(parsed), path="x") == parsed


def test_progress_counts_the_files(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    load_mibs([MIBS], cache=tmp_path, progress=lambda done, files: seen.append((done, files)))
    assert seen == [(done, 5) for done in range(6)]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"nowhere: no such folder of MIB files"):
        load_mibs([tmp_path / "nowhere"])


def test_without_pysmi_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ModuleError, match=r"pip install 'promsnmp\[mibs\]'"):
        load_mibs([tmp_path])


def test_net_snmps_mibs_load_without_standard_mib_files(tmp_path: Path) -> None:
    folder = Path("/usr/share/snmp/mibs")
    if not (folder / "UCD-SNMP-MIB.txt").exists():
        pytest.skip("net-snmp's MIBs are not installed (on Debian: apt-get install libsnmp-base)")
    mibs = load_mibs([folder / "UCD-SNMP-MIB.txt"], cache=tmp_path)
    assert problems(mibs) == []
    assert found(mibs.tree, "laLoadInt").oid == (1, 3, 6, 1, 4, 1, 2021, 10, 1, 5)
