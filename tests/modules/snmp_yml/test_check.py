"""All mistakes in a module file, with their lines."""

from __future__ import annotations

import pytest

from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.modules.model import Module
from promsnmp.modules.snmp_yml.check import check_text, module_notes
from promsnmp.modules.snmp_yml.writer import to_yaml
from tests.support.tools import require_shared

GOOD = """\
modules:
  good:
    walk: [1.3.6.1.2.1.1]
    metrics:
      - {name: sysDescr, oid: 1.3.6.1.2.1.1.1, type: DisplayString}
"""
TWO_WRONG = f"""\
{GOOD}\
  first:
    walkz: [1.3.6.1.2.1.2]
  second:
    walk: [1.3.6.1.2.1.2]
    metrics:
      - name: ifMtu
        oid: 1.3.6.1.2.1.2.2.1.4
        type: number
auths:
  mine:
    version: 4
"""


def notes(body: str) -> list[str]:
    """The notes of one module whose keys are ``body``'s lines."""
    text = "modules:\n  one:\n" + "".join(f"    {line}\n" for line in body.splitlines())
    checked = check_text(text, source="f")
    assert checked.problems == ()
    return list(checked.notes)


def test_a_good_file_has_neither_problems_nor_notes() -> None:
    checked = check_text(GOOD, source="f")
    assert (checked.problems, checked.notes, list(checked.document.modules)) == ((), (), ["good"])


def test_every_wrong_module_and_auth_is_reported_with_its_line() -> None:
    checked = check_text(TWO_WRONG, source="f")
    lines = sorted(int(one.split(":")[1]) for one in checked.problems)
    assert lines == [7, 13, 16]
    assert any("walkz" in one for one in checked.problems)
    assert list(checked.document.modules) == ["good"]


def test_a_file_that_is_not_yaml_has_one_problem() -> None:
    assert len(check_text("modules: [", source="f").problems) == 1


def test_a_file_with_another_root_has_a_problem() -> None:
    assert len(check_text("- one\n- two\n", source="f").problems) == 1


MANY = """\
version: x
moduls: {}
modules:
  one:
    walk: [1.3, ifTable, 1.4, sysUpTime]
    timeout: never
    retries: -1
    filters:
      - {oid: 1.3, values: ['(', a, '(?=b)']}
    metrics:
      - {name: a, oid: 1.3, type: gague, indexes: [{type: gauge}, {labelname: i, type: Bits, size: 5}]}
      - {oid: 1.3.x, enum_values: {up: 1, 2: down, 2: again}, scale: '1', help: [no]}
      - name: b
        oid: 1.4
        type: DisplayString
        regex_extracts: {T: [{regex: '(a)\\1'}, {rgx: a}]}
        lookups: [{labels: [i]}, {labels: [x], labelname: y, oid: 1.5}, {labels: [y], labelname: x, oid: 1.6}]
  one: {}
auths:
  first: {version: 5, pasword: x}
  second: {version: 3, security_level: authPriv, auth_protocol: ROT13, priv_protocol: [AES]}
"""
ALL = [
    (1, "'version' of the file must be a whole number, not 'x'"),
    (2, "unknown key 'moduls' in the file"),
    (5, "'walk' of module 'one': 'ifTable' is not an OID"),
    (5, "'walk' of module 'one': 'sysUpTime' is not an OID"),
    (6, "'timeout' of module 'one': 'never' is not a duration"),
    (7, "'retries' of module 'one' must be a whole number from 0 to"),
    (9, "'values' of a filter of module 'one': '(' is not a regular expression"),
    (9, "'values' of a filter of module 'one': '(?=b)' is not a regular expression"),
    (11, "'type' of an index of metric 'a': 'Bits' is not known; allowed: "),
    (11, "'type' of metric 'a': 'gague' is not known; allowed: Bits, "),
    (11, "an index of metric 'a' has no 'labelname'"),
    (11, "unknown key 'size' in an index of metric 'a'; allowed: enum_values, "),
    (12, "'help' of a metric must be text"),
    (12, "'oid' of a metric: '1.3.x' is not an OID"),
    (12, "'scale' of a metric must be a number, not '1', which is text because it is quoted"),
    (12, "a key of 'enum_values' of a metric must be a whole number, not 'up'"),
    (12, "a metric has no 'name'"),
    (12, "a metric has no 'type'"),
    (12, "key '2' is repeated in 'enum_values' of a metric"),
    (16, "'regex' of a regex extract of metric 'b': '(a)\\\\1' is not a regular expression"),
    (16, "unknown key 'rgx' in a regex extract of metric 'b'; allowed: regex, value"),
    (17, "a lookup of metric 'b' has no 'labelname'"),
    (18, "key 'one' is repeated in 'modules'"),
    (20, "'version' of auth 'first' must be 1, 2 or 3"),
    (20, "unknown key in auth 'first'; allowed: auth_protocol, "),
    (21, "'auth_protocol' of auth 'second' must be one of MD5, "),
    (21, "'priv_protocol' of auth 'second' must be text"),
    (21, "auth 'second' has no 'password'"),
    (21, "auth 'second' has no 'priv_password'"),
    (21, "auth 'second' has no 'username'"),
]


def test_every_problem_of_a_file_is_reported_with_its_line() -> None:
    found = check_text(MANY, source="f").problems
    assert len(found) == len(ALL), "\n".join(found)
    for problem, (line, begins) in zip(found, ALL, strict=True):
        assert problem.startswith(f"f:{line}: {begins}"), problem


METRIC = "modules: {{m: {{metrics: [{{name: a, oid: 1.3, type: gauge, indexes: [{{labelname: i}}], lookups: [{}]}}]}}}}"


@pytest.mark.parametrize(
    ("lookups", "circle"),
    [
        ("{labels: [a], labelname: b, oid: 1.5}, {labels: [b], labelname: a, oid: 1.6}", "'a', 'b'"),
        ("{labels: [a], labelname: a, oid: 1.5}", "'a'"),
        ("{labels: [i, b], labelname: a}, {labels: [c], labelname: b}, {labels: [i, a], labelname: c}".replace(
            "}", ", oid: 1.5}"), "'a', 'b', 'c'"),
    ],
)  # fmt: skip
def test_circular_lookups_are_a_problem_of_their_metric(lookups: str, circle: str) -> None:
    (problem,) = check_text(METRIC.format(lookups), source="f").problems
    assert problem == f"f:1: lookups of metric 'a' are circular: {circle} need each other"


@pytest.mark.parametrize(
    "lookups",
    [
        "{labels: [i], labelname: i, oid: 1.5}",
        "{labels: [i], labelname: a, oid: 1.5}, {labels: [a], labelname: a, oid: 1.6}",
        "{labels: [i], labelname: a}, {labels: [a], labelname: b}, {labels: [b], labelname: a}".replace(
            "}", ", oid: 1.5}"
        ),
        "{labels: [b], labelname: a, oid: 1.5}, {labels: [i], labelname: b, oid: 1.6}",
    ],
)
def test_lookups_that_end_are_not_circular(lookups: str) -> None:
    assert check_text(METRIC.format(lookups), source="f").problems == ()


def test_the_other_modules_of_an_invalid_file_are_checked() -> None:
    text = TWO_WRONG.replace("walkz: [1.3.6.1.2.1.2]", "walk: [1.3.6.1.2.1.2")
    found = check_text(text, source="f")
    assert [one.split(":")[1] for one in found.problems] == ["8", "13", "16"]
    assert list(found.document.modules) == ["good"]


def test_an_invalid_file_with_anchors_has_one_problem() -> None:
    text = TWO_WRONG.replace("walkz: [1.3", "walk: &w [1.3").replace("1.2]\n  second", "1.2\n  second")
    assert len(check_text(text, source="f").problems) == 1


def test_a_metric_that_no_walk_covers_is_noted_with_its_line() -> None:
    (found,) = notes("walk: [1.3.6.1.2.1.1]\nmetrics:\n- {name: a, oid: 1.3.6.1.2.1.10, type: gauge}")
    assert found == "f:5: module 'one': metric a is never read: 1.3.6.1.2.1.10 is under no 'walk', 'get' or filter"


@pytest.mark.parametrize(
    "asked",
    ["walk: [1.3.6.1.2.1.1]", "walk: [1.3.6.1.2.1.1.5.0]", "get: [1.3.6.1.2.1.1.5.0]",
     "filters: [{oid: 1.3.6.1.2.1.2, targets: [1.3.6.1.2.1.1.5], values: [a]}]"],
)  # fmt: skip
def test_a_metric_is_covered_by_walks_above_and_below_it_gets_and_filters(asked: str) -> None:
    assert notes(f"{asked}\nmetrics:\n- {{name: a, oid: 1.3.6.1.2.1.1.5, type: gauge}}") == []


def test_lookups_that_never_find_anything_are_noted() -> None:
    body = """\
walk: [1.3.6.1.2.1.1]
metrics:
- name: a
  oid: 1.3.6.1.2.1.1.5
  type: gauge
  indexes: [{labelname: i, type: gauge}]
  lookups:
  - {labels: [i], labelname: j, oid: 1.3.6.1.2.1.31.1}
  - {labels: [k], labelname: l, oid: 1.3.6.1.2.1.1.6}
"""
    first, second = notes(body)
    assert "label 'j' stays empty: 1.3.6.1.2.1.31.1 is under no" in first
    assert "label 'l' is looked up by k, which is not a label before it" in second


def test_a_chain_of_lookups_must_be_in_order() -> None:
    metric = "name: a, oid: 1.3.6.1.1, type: gauge, indexes: [{{labelname: i}}], lookups: [{}]"
    body = f"walk: [1.3.6.1]\nmetrics:\n- {{{{{metric}}}}}"
    links = ["{labels: [i], labelname: j, oid: 1.3.6.1.2}", "{labels: [j], labelname: k, oid: 1.3.6.1.3}"]
    assert notes(body.format(", ".join(links))) == []
    assert len(notes(body.format(", ".join(reversed(links))))) == 1


def test_two_metrics_of_one_oid_are_noted() -> None:
    body = (
        "walk: [1.3.6.1]\nmetrics:\n- {name: a, oid: 1.3.6.1.1, type: gauge}\n- {name: b, oid: 1.3.6.1.1, type: gauge}"
    )
    (found,) = notes(body)
    assert "metric b has the OID of a (1.3.6.1.1)" in found


def test_a_module_that_asks_for_nothing_is_noted() -> None:
    assert [what for _, what in module_notes(Module("empty"))] == [
        "it reads nothing: it has neither 'walk' nor 'get'",
        "it has no metrics",
    ]


@pytest.mark.parametrize("module", builtin_catalogue().modules.values(), ids=lambda one: one.name)
def test_the_built_in_modules_have_no_notes_and_can_be_written_and_read_again(module: Module) -> None:
    assert list(module_notes(module)) == []
    again = check_text(to_yaml({module.name: module}, {}), source="written")
    assert again.problems == ()
    assert again.document.modules[module.name] == module


def test_hints_and_names_of_numbers_without_effect_are_noted() -> None:
    body = """\
walk: [1.3.6.1.2.1.1]
metrics:
- {name: a, oid: 1.3.6.1.2.1.1.1, type: DisplayString, display_hint: '1x:'}
- {name: b, oid: 1.3.6.1.2.1.1.2, type: OctetString, display_hint: 'nonsense'}
- name: c
  oid: 1.3.6.1.2.1.1.3
  type: gauge
  indexes: [{labelname: i, type: gauge}]
  lookups:
  - {labels: [i], labelname: l, oid: 1.3.6.1.2.1.1.4, type: gauge, enum_values: {1: up}, display_hint: d-1}
  - {labels: [i], labelname: m, oid: 1.3.6.1.2.1.1.5, type: EnumAsInfo, enum_values: {1: up}}
  - {labels: [i], labelname: n, oid: 1.3.6.1.2.1.1.6, display_hint: '1x:'}
"""
    first, second, third = notes(body)
    assert "display_hint of metric a has no effect" in first
    assert "'nonsense' of metric b is not one of RFC 2579" in second
    assert "enum_values of label 'l' have no effect" in third


@pytest.mark.parametrize("name", ["snmp.yml", "snmp-main.yml"])
def test_the_file_of_snmp_exporter_has_no_problems(name: str) -> None:
    path = require_shared("snmp_exporter", name)
    assert check_text(path.read_text(), source=str(path)).problems == ()
