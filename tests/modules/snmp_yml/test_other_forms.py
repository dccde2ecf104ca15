"""Files that are given in place of snmp.yml are refused with one message that says what to do."""

from __future__ import annotations

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.generator.config import parse_generator
from promsnmp.modules.snmp_yml.read_options import ReadOptions
from promsnmp.modules.snmp_yml.reader import read_leniently, read_text

METRIC = "[{name: a, oid: 1.3, type: gauge, help: a}]"
OTHER = {
    "before 0.23": (f"# old\nplain:\n  walk: [1.3]\n  metrics: {METRIC}\nsecond: {{walk: [1.4]}}\n", 2, "'plain'"),
    "before 0.23, with auth": ("m:\n  auth: {community: a}\n  version: 1\n  get: [1.3]\n", 1, "auths"),
    "before 0.23, auth only": ("m:\n  auth: {community: a}\n", 1, "auths"),
    "a module alone": (f"walk: [1.3]\nmetrics: {METRIC}\n", 1, "name"),
    "generator.yml": ("modules:\n  m:\n    walk: [ifTable]\n    lookups: []\n    overrides: {}\n", 4, "modules build"),
    "generator.yml, overrides": (
        "auths: {}\nmodules:\n  m: {walk: [a]}\n  n:\n    overrides: {}\n",
        5,
        "modules build",
    ),
    "a manifest": ("apiVersion: v1\nkind: ConfigMap\ndata: {snmp.yml: ''}\n", 1, "data"),
}


@pytest.mark.parametrize("name", OTHER)
@pytest.mark.parametrize("ignores", [True, False])
def test_another_form_is_one_problem_even_where_unknown_keys_are_ignored(name: str, ignores: bool) -> None:
    text, line, said = OTHER[name]
    options = ReadOptions(ignore_unknown_keys=ignores)
    (problem,) = read_leniently(text, source="f.yml", options=options).problems
    assert problem.startswith(f"f.yml:{line}: ")
    assert said in problem
    with pytest.raises(ModuleError) as refused:
        read_text(text, source="f.yml", options=options)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    "text",
    [
        f"modules: {{m: {{walk: [1.3], lookups: [], metrics: {METRIC}}}}}",  # a wrong key in snmp.yml
        f"module: {{m: {{walk: [1.3], metrics: {METRIC}}}}}",  # a typo
        "scrape_configs: []",
        "modules: [1]",
    ],
)
def test_a_mistake_in_snmp_yml_stays_what_it_is(text: str) -> None:
    problems = read_leniently(text, source="f.yml").problems
    assert problems
    assert not any("generator" in one or "0.23" in one for one in problems)


@pytest.mark.parametrize("text", ["", "modules: {}", f"modules: {{walk: {{walk: [1.3], metrics: {METRIC}}}}}"])
def test_odd_but_sound_files_load(text: str) -> None:
    assert read_leniently(text, source="f.yml").problems == ()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("modules:\n  m:\n    version: 2\n    walk: [a]\n", 3, "auths"),
        ("modules:\n  n: {walk: [a]}\n  m:\n    walk: [a]\n    auth: {community: secret}\n", 5, "auths"),
        (f"modules:\n  m:\n    walk: [1.3]\n    metrics: {METRIC}\n", 4, "snmp.yml"),
        ("modules:\n  m: {walk: [a], max_repetition: 5}\n", 2, "max_repetition"),
    ],
)
def test_what_is_given_in_place_of_generator_yml_is_named(text: str, line: int, said: str) -> None:
    with pytest.raises(ModuleError) as refused:
        parse_generator(text, source="g.yml")
    assert str(refused.value).startswith(f"g.yml:{line}: ")
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
