"""From columns and definitions to samples."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from promsnmp.exposition.health.columns import Index, table_columns
from promsnmp.exposition.health.evaluate import Health, HealthMemory, evaluate
from promsnmp.exposition.health.rows import plan_definition
from promsnmp.modules.health.expression import Value
from promsnmp.modules.health.model import Definition
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.support.steps import run_steps

E = "1.3.6.1.4.1.99999"
Columns = Mapping[str, Mapping[Index, Value]]


def definition(tables: str, *, head: str = "", name: str = "d") -> Definition:
    text = f"health:\n  {name}:\n    devices: [1]\n{head}    tables:\n{tables}"
    return read_text(text, source="test").health[name]


def table(columns: str, *readings: str, name: str = "t", more: str = "") -> str:
    lines = "".join(f"          - {one}\n" for one in readings)
    return f"      - name: {name}\n        columns: {{{columns}}}\n{more}        readings:\n{lines}"


def health(columns: Columns, *definitions: Definition) -> Health:
    return run_steps(
        evaluate([plan_definition(one) for one in definitions], lambda oid: columns.get(oid, {}), {"vendor": "Known"})
    )


def values(found: Health) -> dict[tuple[str, ...], float]:
    return {
        (one.family, *(f"{name}={text}" for name, text in sorted(one.labels.items()))): one.value
        for one in found.samples
    }


def test_a_row_becomes_a_sample_with_id_and_name() -> None:
    one = definition(table(f"v: {E}.1, n: {E}.2", '{temperature: v / 10, name: "{n}"}'))
    found = health({f"{E}.1": {(1,): 215, (2,): 220}, f"{E}.2": {(1,): b"CPU"}}, one)
    assert values(found) == {
        ("hw_temperature_celsius", "hw_id=t.1", "hw_name=CPU"): 21.5,
        ("hw_temperature_celsius", "hw_id=t.2", "hw_name=t.2"): 22.0,
    }


def test_values_have_no_digits_that_only_arithmetic_makes() -> None:
    one = definition(table(f"v: {E}.1", "{temperature: v * 0.1}"))
    assert [sample.value for sample in health({f"{E}.1": {(0,): 232}}, one).samples] == [23.2]


@pytest.mark.parametrize(
    ("reading", "value", "count"),
    [
        ("{temperature: v, valid: value < 100}", 100, 0),
        ("{temperature: v, where: v != 255}", 255, 0),
        ("{temperature: v}", b"n/a", 0),
        ("{temperature: v}", -300, 0),
        ("{temperature: 1000 / v}", 0, 0),
        ("{cpu: v / 100}", 101, 0),
        ("{cpu: v / 100}", 100.4, 1),
        ("{fan_speed: v}", -1, 0),
        ("{status: {value: v, absent: [6], ok: [1]}, type: fan}", 6, 0),
        ("{memory: {used: v, limit: '5'}}", 7, 0),
        ("{memory: {used: v, limit: '0'}}", 7, 0),
    ],
)
def test_what_is_no_reading_gives_no_sample(reading: str, value: Value, count: int) -> None:
    assert len(health({f"{E}.1": {(1,): value}}, definition(table(f"v: {E}.1", reading))).samples) == count


def test_a_ratio_above_one_by_rounding_is_one() -> None:
    found = health({f"{E}.1": {(0,): 100.4}}, definition(table(f"v: {E}.1", "{cpu: v / 100}")))
    assert [one.value for one in found.samples] == [1.0]


def test_a_status_is_a_state_set() -> None:
    one = definition(table(f"v: {E}.1", "{status: {value: v, ok: [1, normal], failed: [2]}, type: fan}"))
    found = health({f"{E}.1": {(1,): 1, (2,): b"Normal ", (3,): 9}}, one)
    present = [(dict(one.labels)["hw_id"], dict(one.labels)["hw_state"]) for one in found.samples if one.value]
    assert present == [("t.1", "ok"), ("t.2", "ok"), ("t.3", "unknown")]
    assert len(found.samples) == 3 * 4
    assert {one.labels["hw_type"] for one in found.samples} == {"fan"}


def test_memory_has_what_can_be_computed() -> None:
    columns = f"a: {E}.1, b: {E}.2"
    rows: Columns = {f"{E}.1": {(0,): 30}, f"{E}.2": {(0,): 120}}
    for parts in ("used: a, limit: b", "free: b - a, limit: b", "used: a, free: b - a"):
        found = values(health(rows, definition(table(columns, f"{{memory: {{{parts}}}, name: RAM}}"))))
        assert found == {
            ("system_memory_usage_bytes", "pool=RAM", "state=used"): 30,
            ("system_memory_limit_bytes", "pool=RAM"): 120,
            ("system_memory_utilization_ratio", "pool=RAM"): 0.25,
        }
    ratio = values(health(rows, definition(table(columns, "{memory: {ratio: a / 100}}"))))
    assert ratio == {("system_memory_utilization_ratio",): 0.3}


def test_rows_with_the_same_name_keep_their_index() -> None:
    one = definition(table(f"v: {E}.1, n: {E}.2", '{cpu: v / 100, name: "{n}"}'))
    found = health({f"{E}.1": {(1,): 5, (2,): 6}, f"{E}.2": {(1,): b"CPU", (2,): b"CPU"}}, one)
    assert [one.labels["cpu"] for one in found.samples] == ["CPU (1)", "CPU (2)"]


def test_limits_are_those_of_the_reading() -> None:
    one = definition(table(f"v: {E}.1, h: {E}.2", "{temperature: v, limits: {high.critical: h / 10}}"))
    found = values(health({f"{E}.1": {(1,): 30}, f"{E}.2": {(1,): 700}}, one))
    assert found[("hw_temperature_limit_celsius", "hw_id=t.1", "hw_name=t.1", "limit_type=high.critical")] == 70


def test_a_column_of_another_table_is_looked_up() -> None:
    columns = f"v: {E}.1, p: {E}.2, n: {{oid: {E}.3, at: '{{p}}'}}, s: {{oid: {E}.4, at: '0'}}"
    one = definition(table(columns, '{temperature: v * s, name: "{n}"}'))
    found = health({f"{E}.1": {(4, 1): 3}, f"{E}.2": {(4, 1): 8}, f"{E}.3": {(8,): b"Slot"}, f"{E}.4": {(0,): 2}}, one)
    assert values(found) == {("hw_temperature_celsius", "hw_id=t.4.1", "hw_name=Slot"): 6}


def test_a_fallback_counts_only_without_another_source() -> None:
    better = definition(table(f"v: {E}.1", "{cpu: v / 100}"), name="better")
    other = definition(
        table(f"v: {E}.2", "{cpu: v / 100}", "{temperature: v}", name="g"), head="    fallback: [cpu]\n", name="generic"
    )
    rows: Columns = {f"{E}.1": {(0,): 10}, f"{E}.2": {(0,): 20}}
    assert [one.definition for one in health(rows, better, other).samples] == ["better", "generic"]
    assert [one.kind.key for one in health({f"{E}.2": {(0,): 20}}, better, other).samples] == ["cpu", "temperature"]


def test_the_same_object_is_not_the_same_reading_twice() -> None:
    first = definition(table(f"v: {E}.1", "{temperature: v}", name="a"), name="first")
    second = definition(table(f"v: {E}.1", "{temperature: v}", "{voltage: v}", name="b"), name="second")
    found = health({f"{E}.1": {(1,): 20}}, first, second)
    assert [(one.definition, one.kind.key) for one in found.samples] == [
        ("first", "temperature"),
        ("second", "voltage"),
    ]


def test_a_reading_of_a_port_has_its_interface() -> None:
    one = definition(table(f"v: {E}.1", "{optical_power: v, direction: transmit, interface: '{index}'}"))
    rows: Columns = {f"{E}.1": {(3,): -2}, "1.3.6.1.2.1.31.1.1.1.1": {(3,): b"ge-0/0/3"}}
    (sample,) = health(rows, one).samples
    assert (sample.labels["ifIndex"], sample.labels["ifName"]) == ("3", "ge-0/0/3")
    assert sample.labels["direction"] == "transmit"


def test_an_entity_belongs_to_the_port_that_contains_it() -> None:
    one = definition(table(f"v: {E}.1", "{temperature: v, interface: entity}"))
    rows: Columns = {
        f"{E}.1": {(50,): 40, (60,): 41},
        "1.3.6.1.2.1.47.1.1.1.1.4": {(50,): 20, (20,): 10, (60,): 61, (61,): 60},
        "1.3.6.1.2.1.47.1.3.2.1.2": {(10, 0): "1.3.6.1.2.1.2.2.1.1.7"},
        "1.3.6.1.2.1.2.2.1.2": {(7,): b"Ethernet7"},
    }
    first, second = health(rows, one).samples
    assert (first.labels["ifIndex"], first.labels["ifName"]) == ("7", "Ethernet7")
    assert "ifIndex" not in second.labels  # its entities contain each other


def test_information_is_the_first_text_that_a_definition_has() -> None:
    head = (
        f"    info:\n      - columns: {{c: {E}.1, s: {E}.2}}\n        where: c == 3\n"
        "        serial_number: '{s}'\n        vendor: Example\n"
    )
    one = definition(table(f"v: {E}.9", "{cpu: v}"), head=head)
    rows: Columns = {f"{E}.1": {(1,): 5, (2,): 3, (3,): 3}, f"{E}.2": {(1,): b"no", (2,): b"", (3,): b"S1"}}
    assert health(rows, one).info == {"vendor": "Example", "serial_number": "S1"}
    assert health({}, one).info == {"vendor": "Known"}


def test_columns_are_values_or_labels() -> None:
    (one,) = definition(
        table(f"v: {E}.1, n: {E}.2, h: {E}.3", '{temperature: v, name: "{n}", limits: {high.critical: h}}')
    ).tables
    needed = table_columns(one)
    assert needed.values == {f"{E}.1"}
    assert needed.labels == {f"{E}.2", f"{E}.3"}


def test_of_several_fallbacks_the_first_counts_and_none_where_another_definition_has_the_kind() -> None:
    head = "    fallback: [cpu]\n"
    first = definition(table(f"v: {E}.1", "{cpu: v / 100}", name="first"), head=head, name="first")
    second = definition(table(f"v: {E}.2", "{cpu: v / 100}", name="second"), head=head, name="second")
    own = definition(table(f"v: {E}.3", "{cpu: v / 100}", name="own"), name="own")
    columns: Columns = {f"{E}.{n}": {(1,): 10 * n} for n in (1, 2, 3)}
    assert [one.value for one in health(columns, first, second).samples] == [0.1]
    assert [one.value for one in health(columns, second).samples] == [0.2]
    assert [one.value for one in health(columns, first, second, own).samples] == [0.3]


def test_processors_and_memory_of_the_same_name_are_told_apart_in_all_families_alike() -> None:
    reading = '{memory: {used: u, limit: l}, name: "{n}"}'
    columns = f"u: {E}.1, l: {E}.2, n: {E}.3"
    others = f"u: {E}.4, l: {E}.2, n: {E}.3"
    one, other = definition(table(columns, reading)), definition(table(others, reading, name="o"), name="other")
    data: Columns = {
        f"{E}.1": {(1,): 5, (2,): 6},
        f"{E}.2": {(1,): 10},  # row 2 has no limit, so its name stands in one family only
        f"{E}.3": {(1,): b"RAM", (2,): b"RAM"},
        f"{E}.4": {(1,): 7},
    }
    found = values(health(data, one, other))
    pools = {(family, label): number for (family, label, *_), number in found.items() if "usage" in family}
    assert pools == {
        ("system_memory_usage_bytes", "pool=RAM (t 1)"): 5,
        ("system_memory_usage_bytes", "pool=RAM (2)"): 6,
        ("system_memory_usage_bytes", "pool=RAM (o 1)"): 7,
    }
    limits = [label for family, label, *_ in found if "limit" in family]
    assert limits == ["pool=RAM (t 1)", "pool=RAM (o 1)"]


def test_components_of_two_definitions_with_tables_of_one_name_have_ids_of_their_own() -> None:
    one = definition(table(f"v: {E}.1", "{temperature: v}"))
    other = definition(table(f"v: {E}.2", "{temperature: v}", "{voltage: v}"), name="other")
    found = health({f"{E}.1": {(1,): 5}, f"{E}.2": {(1,): 6}}, one, other)
    ids = {(one.kind.key, one.labels["hw_id"]): one.value for one in found.samples}
    assert ids == {("temperature", "t.1"): 5, ("temperature", "t.1.other"): 6, ("voltage", "t.1"): 6}


@pytest.mark.parametrize("before", [None, 7])
def test_only_rows_that_have_changed_are_computed_again(before: int | None) -> None:
    one = plan_definition(definition(table(f"v: {E}.1, n: {E}.2", '{temperature: v, name: "{n}"}')))
    memory = HealthMemory()
    names: Mapping[Index, Value] = {(1,): b"a", (2,): b"b"}
    first: Mapping[Index, Value] = {(1,): 5, **({} if before is None else {(2,): before})}
    columns: dict[str, Mapping[Index, Value]] = {f"{E}.1": first, f"{E}.2": names}
    old = run_steps(evaluate([one], lambda oid: columns[oid], {}, memory))
    columns[f"{E}.1"] = {(1,): 5, (2,): 8}
    new = run_steps(evaluate([one], lambda oid: columns[oid], {}, memory))
    assert {each.labels["hw_name"]: each.value for each in new.samples} == {"a": 5, "b": 8}
    assert old.samples[0] is new.samples[0]
