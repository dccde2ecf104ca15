"""Regular expressions with Go's semantics."""

from __future__ import annotations

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.regex import compile_full_match, compile_regex, expand
from promsnmp.modules.snmp_yml.reader import read_text

EXTRACT = "modules:\n  m:\n    metrics:\n    - {name: a, oid: 1.3, type: gauge, regex_extracts: {X: [{\n"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$1", "x"),
        ("${1}0", "x0"),
        ("$10", ""),
        ("$1x", ""),
        ("$name", "x"),
        ("${name}!", "x!"),
        ("$names", ""),
        ("$0", "xz"),
        ("$01", ""),
        ("$2", ""),
        ("$3", ""),
        ("$99999999999999", ""),
        ("$$1", "$1"),
        ("$", "$"),
        ("${1", "${1"),
        ("${}", "${}"),
        ("$-$1", "$-x"),
        ("a$é", "a"),
    ],
)
def test_templates_are_expanded_as_in_go(template: str, expected: str) -> None:
    pattern = compile_full_match("(?P<name>x)(y)?z")
    match = pattern.search("xz")
    assert match is not None
    assert expand(template, pattern, match) == expected


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)", r"(a)\1", "(", "a{1001}", "[z-a]", "*", "\udcff"])
def test_expressions_unknown_to_re2_are_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compile_regex(pattern)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (EXTRACT + "value: 1,\nregex: '(?=a)'}]}}", 6),
        (
            "modules:\n  m:\n    filters:\n    - {oid: 1.3, targets: [1.4], values: [ok,\n'(']}",
            5,
        ),
    ],
)
def test_a_bad_expression_fails_the_load_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ModuleError, match="is not a regular expression of RE2: ") as caught:
        read_text(text, source="f.yml")
    assert str(caught.value).startswith(f"f.yml:{line}: ")
