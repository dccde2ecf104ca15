"""Reading health definitions: what is right becomes a model, what is wrong names its line."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from promsnmp.errors import ModuleError
from promsnmp.modules.health.definitions import builtin_files, scan
from promsnmp.modules.health.model import Definition
from promsnmp.modules.snmp_yml.check import check_text
from promsnmp.modules.snmp_yml.reader import read_text

DEFINITION = """\
health:
  example:
    devices: [1.3.6.1.4.1.99999]
    answers: [.1.3.6.1.4.1.99999.2]
    fallback: [cpu]
    info:
      - columns: {version: {oid: 1.3.6.1.4.1.99999.1, extract: 'V(.*)'}}
        os_version: "{version}"
    tables:
      - name: exSensor
        label: "{descr}"
        columns:
          descr: 1.3.6.1.4.1.99999.2.1
          value: 1.3.6.1.4.1.99999.2.2
          state: {oid: 1.3.6.1.4.1.99999.2.3, at: "{i1}", names: {1: good}}
        readings:
          - {temperature: value / 10, valid: value < 200, limits: {high.critical: "100"}}
          - {status: {value: state, ok: [1, up], absent: [0x3]}, type: fan}
          - {memory: {free: value, limit: value * 2}, name: RAM}
          - {optical_power: value, direction: receive, interface: "{i1}"}
"""


def read(text: str) -> Definition:
    return read_text(text, source="test.yml").health["example"]


def test_a_definition_is_read() -> None:
    definition = read(DEFINITION)
    assert definition.devices == ("1.3.6.1.4.1.99999",)
    assert definition.answers == ("1.3.6.1.4.1.99999.2",)
    assert definition.fallback == {"cpu"}
    (table,) = definition.tables
    temperature, status, memory, optical = table.readings
    assert temperature.kind.key == "temperature"
    assert temperature.limits.keys() == {"high.critical"}
    assert temperature.name is not None
    assert temperature.name.text == "{descr}"
    assert status.status is not None
    assert status.status.numbers == {1: "ok", 3: "absent"}
    assert status.status.texts == {"up": "ok"}
    assert memory.values.keys() == {"free", "limit"}
    assert optical.direction == "receive"
    assert table.columns["state"].names == {1: "good"}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("    devices: [1.3.6.1.4.1.99999]\n    answers: [.1.3.6.1.4.1.99999.2]\n", "", 3),
        ("devices: [1.3.6.1.4.1.99999]", "devices: [fan]", 3),
        ("fallback: [cpu]", "fallback: [gpu]", 5),
        ("fallback:", "fallbacks:", 5),
        ("extract: 'V(.*)'", "extract: 'V(.*'", 7),
        ("os_version:", "version:", 8),
        ("name: exSensor", "name: 'a b'", 10),
        ('label: "{descr}"', 'label: "{descriptor}"', 11),
        ("descr: 1.3.6.1.4.1.99999.2.1", "descr: {}", 13),
        ("descr: 1.3.6.1.4.1.99999.2.1", "i1: 1.3.6.1.4.1.99999.2.1", 13),
        ('at: "{i1}"', 'at: "{port}"', 13),
        ("temperature: value / 10", "temperature: valu / 10", 17),
        ("temperature: value / 10", "temperature: value ^ 10", 17),
        ("temperature: value / 10", "heat: value", 17),
        ("temperature: value / 10", "temperature: value, voltage: value", 17),
        ("high.critical:", "High:", 17),
        ("ok: [1, up]", "ok: [3]", 18),
        ("value: state, ok", "ok", 18),
        (", type: fan", "", 18),
        ("memory: {free: value, limit: value * 2}", "memory: {free: value}", 19),
        ("memory: {free: value, limit: value * 2}", "memory: {limit: value}", 19),
        ("direction: receive", "direction: up", 20),
        (", direction: receive", "", 20),
    ],
)
def test_what_is_wrong_names_its_line(old: str, new: str, line: int) -> None:
    assert old in DEFINITION
    with pytest.raises(ModuleError) as caught:
        read(DEFINITION.replace(old, new))
    assert str(caught.value).startswith(f"test.yml:{line}:")


def test_a_check_reports_all_problems_of_all_definitions() -> None:
    text = DEFINITION.replace("value / 10", "valu").replace("free: value", "free: valu").replace("fallback", "fall")
    problems = check_text(text, source="t.yml").problems
    assert [one.split(":")[1] for one in problems] == ["5", "17", "19"]


def test_a_table_cannot_occur_twice() -> None:
    table = DEFINITION[DEFINITION.index("      - name: exSensor") :]
    with pytest.raises(ModuleError):
        read(DEFINITION + table)


@pytest.mark.parametrize("file", builtin_files())
def test_a_quick_look_at_a_built_in_file_finds_the_heads_of_its_definitions(file: str) -> None:
    text = resources.files("promsnmp.modules").joinpath("builtin").joinpath("health").joinpath(file).read_text("utf-8")
    read = read_text(text, source=file).health
    assert [replace(one, tables=(), info=()) for one in read.values()] == list(scan(text))
