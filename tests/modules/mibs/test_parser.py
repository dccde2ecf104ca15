"""Reading MIB files as vendors write them: no slip costs more than what it is in, and nothing is left out silently."""

from __future__ import annotations

import random

import pytest

from promsnmp.modules.generator.builder import build
from promsnmp.modules.generator.config import ModuleConfig
from promsnmp.modules.mibs import parser, scanner
from promsnmp.modules.mibs.definitions import MAX_PROBLEMS, ParsedFile
from promsnmp.modules.mibs.linker import link
from promsnmp.modules.mibs.parser import parse
from promsnmp.modules.model import Metric
from tests.support.modules.mib_slips import MIB, SLIPS, drawn, slipped


def whole(body: str) -> str:
    return f"T-MIB DEFINITIONS ::= BEGIN\n{body}\nEND\n"


def scalar(name: str, syntax: str = "Integer32", number: int = 1) -> str:
    return (
        f'{name} OBJECT-TYPE\n SYNTAX {syntax}\n MAX-ACCESS read-only\n STATUS current\n DESCRIPTION "x"\n'
        f" ::= {{ enterprises {number} }}\n"
    )


def names(parsed: ParsedFile) -> list[str]:
    return [definition.name for module in parsed.modules for definition in module.definitions]


def problems(parsed: ParsedFile) -> list[str]:
    return [str(problem) for problem in parsed.problems]


def metrics(text: str) -> tuple[Metric, ...]:
    parsed = parse(text, path="slip.mib")
    return build(ModuleConfig("m", ("slipRoot",)), link(parsed.modules).tree).module.metrics


@pytest.fixture(scope="module")
def right() -> tuple[Metric, ...]:
    """The metrics of the MIB without slips."""
    assert parse(MIB, path="slip.mib").problems == ()
    return metrics(MIB)


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_changes_no_metric(slip: str, right: tuple[Metric, ...]) -> None:
    text = slipped([slip])
    assert text != MIB
    assert metrics(text) == right
    assert not any(problem.lost for problem in parse(text, path="slip.mib").problems)


def test_several_slips_change_no_metric(right: tuple[Metric, ...]) -> None:
    for seed in range(100):
        numbers = random.Random(seed)
        slips = drawn(numbers, numbers.randint(2, 12))
        assert metrics(slipped(slips)) == right, slips


# --- what cannot be read costs itself only


@pytest.mark.parametrize(
    ("clause", "instead", "left"),
    [
        ("SYNTAX Integer32", "SYNTAX (", "SYNTAX: expected a type"),
        ("SYNTAX Integer32", "SYNTAX", "SYNTAX: expected a type"),
        ('DESCRIPTION "x"', "DESCRIPTION x y z", "DESCRIPTION: expected text"),
        ("STATUS current", "STATUS ( )", "STATUS: expected a status"),
        ("MAX-ACCESS read-only", "MAX-ACCESS 5 apples", "MAX-ACCESS: expected an access"),
    ],
)
def test_an_unreadable_clause_is_reported_and_its_object_stays(clause: str, instead: str, left: str) -> None:
    parsed = parse(whole(scalar("one").replace(clause, instead) + scalar("two", number=2)), path="t")
    assert names(parsed) == ["one", "two"]
    (problem,) = parsed.problems
    assert f"one: {left}" in problem.text
    assert problem.lost == clause.startswith("SYNTAX")


def test_the_children_of_an_unreadable_object_stay() -> None:
    text = whole(
        'Top MODULE-IDENTITY ORGANIZATION nobody REVISION "x" ::= { enterprises 7 }\n'
        "table OBJECT-TYPE SYNTAX ( MAX-ACCESS not-accessible ::= { Top 1 }\n"
        "entry OBJECT-TYPE SYNTAX Entry MAX-ACCESS not-accessible INDEX 5 ::= { table 1 }\n"
        "column OBJECT-TYPE SYNTAX Integer32 MAX-ACCESS read-only ::= { entry 1 }\n"
    )
    parsed = parse(text, path="t")
    tree = link(parsed.modules).tree
    column = tree.find("column")
    assert column is not None
    assert column.oid == (1, 3, 6, 1, 4, 1, 7, 1, 1, 1)
    assert column.broken == "INDEX: expected {, not '5'"


@pytest.mark.parametrize("missing", ["::= { enterprises 1 }", "{ enterprises 1 }"])
def test_a_declaration_without_an_oid_is_lost_and_the_next_one_is_read(missing: str) -> None:
    parsed = parse(whole(scalar("one").replace(missing, "") + scalar("two", number=2)), path="t")
    assert names(parsed) == ["two"]
    assert [problem.lost for problem in parsed.problems] == [True]
    assert "one is left out" in parsed.problems[0].text


def test_two_texts_without_their_second_mark_cost_nothing_else() -> None:
    texts = (scalar(name, number=number).replace('"x"', '"not closed') for number, name in enumerate("abc", 1))
    parsed = parse(whole("".join(texts) + scalar("d", number=4)), path="t")
    assert names(parsed) == ["a", "b", "c", "d"]
    assert len(parsed.problems) == 3


def test_a_name_is_left_out_where_its_number_cannot_be_read() -> None:
    parsed = parse(whole(scalar("one", "INTEGER { up, down(2), other(x), last(4) }")), path="t")
    (definition,) = parsed.modules[0].definitions
    assert definition.syntax is not None
    assert definition.syntax.enums == ((2, "down"), (4, "last"))
    assert [text.partition(": expected")[0] for text in problems(parsed)] == ["t:3: one"] * 2


def test_words_of_the_smi_and_odd_signs_may_be_names_of_numbers() -> None:
    written = 'INTEGER { INDEX(1), current(2), END(3), 10Mbps(4), 100(5), a_b(6), v1.2(7), c--d(8), "e"(9), f-(10) }'
    (definition,) = parse(whole(scalar("one", written)), path="t").modules[0].definitions
    assert definition.syntax is not None
    assert [label for _, label in definition.syntax.enums] == [
        "INDEX", "current", "END", "10Mbps", "100", "a_b", "v1.2", "c--d", "e", "f-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a MIB"),
        ("The MIBs of A: see DEFINITIONS there.\n", "is not a MIB"),
        ("T-MIB DEFINITIONS ::= BEGIN\n", "ends without END"),
        ("T-MIB DEFINITIONS ::=\nIMPORTS a FROM B;\nEND", "BEGIN of T-MIB is missing"),
        (whole("some notes here"), "text that is no declaration is left out: 'some notes'"),
        (whole('"some notes"'), "text that is no declaration is left out"),
        (whole("IMPORTS a FROM B\n" + scalar("one")), "the ; behind IMPORTS is missing"),
        (whole("IMPORTS a FROM FROM B;"), "the name of a module is missing"),
        (whole("") + scalar("one"), "one stands behind END; it is read, too"),
        (whole(scalar("one", number=4294967296)), "expected a number from 0 to 4294967295"),
        (whole("one OBJECT IDENTIFIER ::= { iso " + "1 " * 200 + "}"), "at most 128 numbers"),
        (whole(f"{'n' * 300} OBJECT IDENTIFIER ::= {{ iso 1 }}"), "at most 255 characters"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(text: str, said: str) -> None:
    parsed = parse(text, path="t")
    assert any(said in problem.text for problem in parsed.problems), problems(parsed)
    assert all(problem.path == "t" and problem.line <= text.count("\n") + 1 for problem in parsed.problems)


def test_a_file_may_have_several_modules() -> None:
    second = MIB.replace("SLIP-MIB", "OTHER-MIB").replace("99998", "99997")
    parsed = parse(MIB.replace("END\n", "") + second + "Nothing\n" + whole(scalar("one")), path="t")
    assert [module.name for module in parsed.modules] == ["SLIP-MIB", "OTHER-MIB", "T-MIB"]
    assert problems(parsed) == ["t:107: SLIP-MIB ends without END"]


def test_smiv1_is_read_with_its_traps() -> None:
    text = whole(
        "oldTable OBJECT-TYPE SYNTAX SEQUENCE OF OldEntry ACCESS not-accessible STATUS mandatory"
        " ::= { enterprises 1 }\noldEntry OBJECT-TYPE SYNTAX OldEntry ACCESS not-accessible STATUS mandatory"
        " INDEX { INTEGER (1..5), OCTET STRING }"
        " ::= { oldTable 1 }\noldTrap TRAP-TYPE ENTERPRISE { enterprises 1 } VARIABLES { oldName } ::= 5\n"
        "oldName OBJECT-TYPE SYNTAX DisplayString (SIZE (0..5)) ACCESS read-only STATUS mandatory ::= { oldEntry 1 }\n"
    )
    parsed = parse(text, path="t")
    assert problems(parsed) == []
    assert names(parsed) == ["oldTable", "oldEntry", "oldName"]
    assert parsed.modules[0].definitions[1].indexes == (("INTEGER", False), ("OCTET STRING", False))


@pytest.mark.parametrize("written", ["one, IMPLIED two", "IMPLIED one, two", "IMPLIED one IMPLIED two"])
def test_implied_counts_for_the_last_index_wherever_it_stands(written: str) -> None:
    row = f"row OBJECT-TYPE SYNTAX Row MAX-ACCESS not-accessible INDEX {{ {written} }} ::= {{ table 1 }}\n"
    (definition,) = parse(whole(row), path="t").modules[0].definitions
    assert definition.indexes == (("one", False), ("two", True))


# --- nothing that a file contains takes long, or much memory


HOSTILE = {
    "nesting": "(" * 3000,
    "braces": "a { " * 3000,
    "marks": '"' * 3001,
    "texts": 'a OBJECT-TYPE DESCRIPTION "x" y ' * 300,
    "open texts": 'a OBJECT-TYPE DESCRIPTION "\n' * 300,
    "comments": "-- a -- " * 3000,
    "blocks": "/* " * 3000,
    "names": "a OBJECT-TYPE\n" * 1000,
    "enumeration": "a OBJECT-TYPE SYNTAX INTEGER {" + "a " * 3000,
    "imports": "IMPORTS " + "a FROM " * 3000,
    "oid": "a OBJECT IDENTIFIER ::= {" + "a(1) " * 3000,
    "digits": "a OBJECT IDENTIFIER ::= { iso " + "1" * 5000 + " }",
    "chain": "".join(f"a{n} OBJECT IDENTIFIER ::= {{ a{n + 1} 1 }}\n" for n in range(3000)),
    "types": "".join(f"T{n} ::= T{n + 1}\n" for n in range(3000)) + scalar("one", "T0"),
    "circle": "a OBJECT IDENTIFIER ::= { b 1 }\nb OBJECT IDENTIFIER ::= { a 1 }\n",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_in_steps_that_grow_with_its_size(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "MAX_TOKENS", 10 * len(body) + 1000)
    parsed = parse(f"T-MIB DEFINITIONS ::= BEGIN\n{body}", path="t")
    linked = link(parsed.modules, parsed.problems)
    assert 0 < len(linked.problems) <= 2 * MAX_PROBLEMS + 2
    assert not any("tokens" in problem.text for problem in linked.problems)
    assert max(len(str(problem)) for problem in linked.problems) < 400


def test_a_file_of_too_many_tokens_is_read_up_to_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "MAX_TOKENS", 500)
    parsed = parse(whole(scalar("one") + "( " * 1000), path="t")
    assert names(parsed) == ["one"]
    assert parsed.problems[-1].lost
    assert "more than 500 tokens" in parsed.problems[-1].text


def test_a_file_of_too_many_declarations_is_read_up_to_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_DECLARATIONS", 2)
    parsed = parse(whole("".join(scalar(name) for name in ("one", "two", "three"))), path="t")
    assert names(parsed) == ["one", "two"]
    assert parsed.problems[-1].lost


def test_any_cut_and_any_changed_sign_is_survived() -> None:
    numbers = random.Random(5)
    for _ in range(200):
        at = numbers.randrange(len(MIB))
        parse(MIB[:at], path="t")
        parsed = parse(MIB[:at] + numbers.choice("\"-{}();:='\x00,.A ") + MIB[at + numbers.randint(0, 2) :], path="t")
        link(parsed.modules, parsed.problems)
