"""Reading snmp.yml files."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.model import Filter, Index, Lookup, Metric, Module, RegexExtract
from promsnmp.modules.snmp_yml.document_reader import Document
from promsnmp.modules.snmp_yml.reader import read_octets, read_text
from tests.support.tools import require_shared

EVERYTHING = """
version: 3
modules:
  all:
    walk: [1.3.6.1.2.1.2, .1.3.6.1.2.1.31]
    get: [1.3.6.1.2.1.1.3.0]
    max_repetitions: 10
    retries: 1
    timeout: 1m500ms
    use_unconnected_udp_socket: true
    allow_nonincreasing_oids: yes
    filters:
      - {oid: 1.3.1, targets: [.1.3.2], values: [up]}
    metrics:
      - name: one
        oid: 1.3.6.1.2.1.2.2.1.8
        type: EnumAsInfo
        help: 5
        indexes:
          - {labelname: a, type: OctetString, fixed_size: 6, implied: false, enum_values: {1: x}}
          - {labelname: b}
        lookups:
          - {labels: [a, b], labelname: c, oid: 1.3.5, type: EnumAsInfo, enum_values: {1: up}}
          - {labels: [a], labelname: d, oid: 1.3.6, display_hint: '1x:'}
          - {labels: [], labelname: a}
        regex_extracts:
          Temp: [{regex: '(.*)C', value: $1}, {regex: x}]
          Status: []
        datetime_pattern: '%Y'
        enum_values: {1: up, -2: down, 0x10: no}
        offset: -273.15
        scale: 1e-3
        display_hint: 255a
"""


def module(fields: str) -> Module:
    return read_text(f"modules: {{m: {{{fields}}}}}", source="f.yml").modules["m"]


def test_every_key_of_the_language_is_read() -> None:
    metric = Metric(
        name="one",
        oid="1.3.6.1.2.1.2.2.1.8",
        type="EnumAsInfo",
        help="5",
        indexes=(Index("a", "OctetString", 6, False, ((1, "x"),)), Index("b")),
        lookups=(
            Lookup(("a", "b"), "c", "1.3.5", "EnumAsInfo", ((1, "up"),)),
            Lookup(("a",), "d", "1.3.6", "OctetString", display_hint="1x:"),
            Lookup((), "a"),
        ),
        regex_extracts=(RegexExtract("Temp", (("(.*)C", "$1"), ("x", "$1"))), RegexExtract("Status", ())),
        enum_values=((1, "up"), (-2, "down"), (16, "no")),
        datetime_pattern="%Y",
        offset=-273.15,
        scale=0.001,
        display_hint="255a",
    )
    expected = Module(
        "all",
        walk=("1.3.6.1.2.1.2", "1.3.6.1.2.1.31"),
        get=("1.3.6.1.2.1.1.3.0",),
        metrics=(metric,),
        max_repetitions=10,
        retries=1,
        timeout=60.5,
        use_unconnected_udp_socket=True,
        allow_nonincreasing_oids=True,
        filters=(Filter("1.3.1", ("1.3.2",), ("up",)),),
    )
    assert read_text(EVERYTHING, source="f.yml") == Document({"all": expected}, {})


def test_missing_keys_have_the_defaults_of_snmp_exporter() -> None:
    found = module("")
    assert (found.max_repetitions, found.retries, found.timeout) == (25, 3, 5.0)
    assert found == Module("m")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "modules:", "modules: {}\nauths: null"])
def test_a_file_may_define_nothing(text: str) -> None:
    assert read_text(text, source="f.yml") == Document()


def test_a_timeout_without_unit_is_of_seconds() -> None:
    assert module("timeout: 5").timeout == 5.0


def test_null_is_an_empty_list_or_mapping() -> None:
    assert module("walk: , metrics: null, filters: ~") == Module("m")
    assert read_text("modules:\n  m:\n", source="f.yml").modules == {"m": Module("m")}


METRIC = "name: a, oid: 1.3, type: gauge"
ONE = f"modules:\n  m:\n    metrics:\n    - {{{METRIC}, "
"""The beginning of the first metric."""


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("modules:\n  m:\n    wlak: [1.3]", 3, "unknown key 'wlak' in module 'm'; allowed: .* did you mean 'walk'"),
        ("moduls: {}", 1, "unknown key 'moduls' in the file"),
        ("- a", 1, "the file must be a mapping"),
        ("text", 1, "the file must be a mapping"),
        ("modules: [a]", 1, "'modules' must be a mapping"),
        ("modules:\n  m: {}\n  m: {}", 3, "key 'm' is repeated"),
        ("modules:\n  m:\n    walk: 1.3", 3, "'walk' of module 'm' must be a list"),
        ("modules:\n  m:\n    walk:\n    - 1.3\n    - ifTable", 5, "'ifTable' is not an OID"),
        ("modules:\n  m:\n    walk:\n    - 5.3", 4, "'5.3' is not an OID"),
        ("modules:\n  m:\n    walk: [[1.3]]", 3, "must be text"),
        ("modules:\n  m:\n    timeout: 5x", 3, "'5x' is not a duration"),
        ("modules:\n  m:\n    timeout: 0", 3, "longer than 0"),
        ("modules:\n  m:\n    timeout: 0s", 3, "longer than 0"),
        ("modules:\n  m:\n    retries: -1", 3, "from 0 to"),
        ("modules:\n  m:\n    max_repetitions: 4294967296", 3, "from 0 to"),
        ("modules:\n  m:\n    use_unconnected_udp_socket: 2", 3, "true or false"),
        ("modules:\n  m:\n    metrics:\n    - {name: a, type: gauge}", 4, "metric 'a' has no 'oid'"),
        ("modules:\n  m:\n    metrics:\n    - {oid: 1.3, type: gauge}", 4, "a metric has no 'name'"),
        ("modules:\n  m:\n    metrics:\n    - {name: a, oid: 1.3}", 4, "metric 'a' has no 'type'"),
        ("modules:\n  m:\n    metrics: [null]", 3, "a metric has no 'name'"),
        ("modules:\n  m:\n    metrics:\n    - name: a\n      oid: 1.3\n      type: Gauge", 6, "'Gauge' is not known"),
        (ONE + "name: b}", 4, "repeated in metric 'a'"),
        (ONE + "scale: nan}", 4, "must be a number"),
        (ONE + "enum_values: {up: 1}}", 4, "a key of 'enum_values' of metric 'a' must be a whole number, not 'up'"),
        (ONE + "enum_values: {1: a, 0x1: b}}", 4, "repeated"),
        (ONE + "indexes: [{type: gauge}]}", 4, "an index of metric 'a' has no 'labelname'"),
        (ONE + "indexes: [{labelname: a, type: Bits}]}", 4, "'Bits' is not known"),
        (ONE + "indexes: [{labelname: a, fixed_size: -1}]}", 4, "from 0 to"),
        (ONE + "lookups: [{labels: [a]}]}", 4, "a lookup of metric 'a' has no 'labelname'"),
        (ONE + "lookups: [{labels: [a], labelname: b}]}", 4, "has no 'oid'"),
        (ONE + "regex_extracts: {A: [{rgx: x}]}}", 4, "unknown key 'rgx' in a regex extract of metric 'a'"),
        ("modules:\n  m:\n    filters:\n    - {values: [a]}", 4, "a filter of module 'm' has no 'oid'"),
        ("version: two\nmodules:", 1, "'version' of the file must be a whole number"),
        ("modules:\n  ? [a]\n  : {}", 2, "a key of 'modules' must be text"),
        ("modules:\n  m: {", 3, "not valid YAML"),
        ("modules:\n  m: {}\n...\n---\n{}", 4, "not valid YAML"),
        (b"modules:\n  m: \xff", 2, "UTF-8"),
    ],
)  # fmt: skip
def test_mistakes_are_refused_with_their_line(text: str | bytes, line: int, reason: str) -> None:
    with pytest.raises(ModuleError, match=reason) as caught:
        read_text(text, source="f.yml")
    assert str(caught.value).startswith(f"f.yml:{line}: ")
    assert "\n" not in str(caught.value)


def test_anchors_and_merge_keys_are_read() -> None:
    text = """
modules:
  base: &base
    walk: [1.3.6]
    timeout: 1s
    metrics:
      - &metric {name: a, oid: 1.3.6.1, type: gauge, indexes: &rows [{labelname: row}]}
      - {<<: *metric, name: b, oid: 1.3.6.2}
      - {name: c, oid: 1.3.6.3, type: counter, indexes: *rows}
  more: {<<: *base, timeout: 2s}
"""
    modules = read_text(text, source="f.yml").modules
    assert [(one.name, one.oid, one.indexes) for one in modules["base"].metrics] == [
        (name, oid, (Index("row"),)) for name, oid in (("a", "1.3.6.1"), ("b", "1.3.6.2"), ("c", "1.3.6.3"))
    ]
    assert modules["more"].metrics == modules["base"].metrics
    assert (modules["base"].timeout, modules["more"].timeout) == (1.0, 2.0)


def test_equal_parts_become_one_object() -> None:
    metrics = ", ".join(f"{{{METRIC}, indexes: [{{labelname: row}}]}}" for _ in range(2))
    first, second = module(f"metrics: [{metrics}]").metrics
    assert first.indexes is second.indexes
    assert first.oid is second.oid


def test_aliases_that_expand_to_millions_of_nodes_take_no_memory() -> None:
    labels = ", ".join(["x"] * 300)
    lookups = ", ".join(["*l"] * 300)
    metrics = "".join("      - *m\n" for _ in range(300))
    text = (
        "modules:\n  m:\n    metrics:\n"
        f"      - {{{METRIC}, lookups: [&l {{labelname: a, oid: 1.3, labels: &x [{labels}]}}]}}\n"
        f"      - &m {{{METRIC}, lookups: [{lookups}]}}\n{metrics}"
    )
    tracemalloc.start()
    try:
        found = read_text(text, source="f.yml").modules["m"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.metrics) == 302
    assert found.metrics[5] is found.metrics[6]
    assert peak < 20e6


def test_a_large_file_takes_little_more_memory_than_its_text() -> None:
    one = f"      - {{{METRIC}, help: 'number %d', indexes: [{{labelname: row}}], lookups: [{{labelname: row}}]}}\n"
    text = ("modules:\n  m:\n    metrics:\n" + "".join(one % number for number in range(10_000))).encode()
    tracemalloc.start()
    try:
        found = read_text(text, source="f.yml").modules["m"]
        current, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [one.help for one in found.metrics] == [f"number {number}" for number in range(10_000)]
    assert peak - current < 4 * len(text)


def test_metrics_that_several_modules_name_are_read_as_often_as_they_are_written() -> None:
    text = f"""
modules:
  a: {{metrics: &all [&one {{{METRIC}}}, {{name: b, oid: 1.4, type: gauge}}, *one]}}
  b: {{metrics: *all}}
  c: {{metrics: [*one, *one, {{<<: *one, name: c}}]}}
"""
    modules = read_text(text, source="f.yml").modules
    assert modules["b"].metrics is modules["a"].metrics
    assert {id(one) for one in modules["c"].metrics[:2]} == {id(modules["a"].metrics[0])}
    assert modules["c"].metrics[2].name == "c"
    with pytest.raises(ModuleError, match=r"f\.yml:2: .*must be text"):
        read_text(text.replace("{metrics: *all}", "{walk: *all}").lstrip(), source="f.yml")


def test_a_list_in_a_list_of_texts_is_refused() -> None:
    with pytest.raises(ModuleError, match=r"f\.yml:3: .*must be text"):
        read_text("modules:\n  a:\n    walk: &w [1.3]\n  b:\n    walk: [*w, *w]\n", source="f.yml")
    steps = "".join(f"  m{step}: {{walk: &w{step + 1} [{', '.join([f'*w{step}'] * 9)}]}}\n" for step in range(20))
    with pytest.raises(ModuleError, match="must be text"):
        read_text(f"modules:\n  m: {{walk: &w0 [1.3]}}\n{steps}", source="f.yml")


def test_an_alias_to_its_own_parent_is_refused() -> None:
    with pytest.raises(ModuleError, match="must be text"):
        module("walk: &w [*w]")
    with pytest.raises(ModuleError, match="unknown key"):
        read_text("modules: &m {m: *m}", source="f.yml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match=r"none\.yml:1: cannot be read: no such file"):
        read_octets(tmp_path / "none.yml")
    with pytest.raises(ModuleError, match="cannot be read: is a directory"):
        read_octets(tmp_path)


def test_garbage_collection_is_enabled_afterwards() -> None:
    with pytest.raises(ModuleError):
        read_text("modules: 5", source="f.yml")
    assert gc.isenabled()


def test_the_file_that_snmp_exporter_is_released_with_loads() -> None:
    path = require_shared("snmp_exporter", "snmp.yml")
    found = read_text(read_octets(path), source=str(path))
    assert len(found.modules) > 40
    assert {"if_mib", "system"} <= found.modules.keys()
    assert {"public_v1", "public_v2"} <= found.auths.keys()
    assert sum(len(one.metrics) for one in found.modules.values()) > 4000
