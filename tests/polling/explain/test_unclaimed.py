"""Unused objects grouped by column, without a MIB."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from promsnmp.modules.catalogue import Catalogue
from promsnmp.polling.explain.unclaimed import group_by_column, known_columns
from promsnmp.snmp import ber, oid
from tests.support.exposition.polls import module

GROUP = "1.3.6.1.4.1.4711.5"


def gathered(names: Iterable[str], **known: str) -> dict[str, int]:
    """Column -> objects."""
    columns = {oid.encode(column): [("m", name)] for name, column in known.items()}
    varbinds = [ber.VarBind(oid.encode(name), ber.INTEGER, b"\1") for name in names]
    return {one.oid: one.count for one in group_by_column(varbinds, columns)}


@pytest.mark.parametrize("group", ["1.3.6.1.2.1.4", GROUP, f"{GROUP}.1", f"{GROUP}.1.1.1"])
def test_each_scalar_is_its_own_column(group: str) -> None:
    assert gathered(f"{group}.{number}.0" for number in (1, 2, 30)) == {f"{group}.{number}": 1 for number in (1, 2, 30)}


@pytest.mark.parametrize("table", ["1.3.6.1.2.1.2.2", f"{GROUP}.1", f"{GROUP}.1.1.1", f"{GROUP}.3.1.1.1"])
@pytest.mark.parametrize("index", ["{}", "{}.0", "1.{}", "1.1.{}.1", "{}.1.1.1"])
def test_columns_of_a_table_are_recognised_by_shared_indexes(table: str, index: str) -> None:
    names = [f"{table}.1.{column}.{index.format(row)}" for column in (1, 2, 5) for row in range(1, 5)]
    assert gathered(names) == {f"{table}.1.{column}": 4 for column in (1, 2, 5)}


def test_a_table_of_one_column_is_found_though_its_indexes_end_in_zero() -> None:
    names = [f"{GROUP}.7.1.3.{row}.0" for row in range(2, 9)]
    assert gathered(names) == {f"{GROUP}.7.1.3": 7}


def test_a_column_known_to_a_module_is_used() -> None:
    names = [f"{GROUP}.2.9.{row}.0" for row in range(3)]
    assert gathered(names, known=f"{GROUP}.2.9") == {f"{GROUP}.2.9": 3}


@pytest.mark.parametrize("name", ["1.3", "0.0", "2.5", "1.3.6", "1.3." + ".".join(["1"] * 120), "2.999.1.0"])
def test_odd_oids_have_a_column_too(name: str) -> None:
    assert sum(gathered([name]).values()) == 1


def test_known_columns_have_metrics_and_labels() -> None:
    lookup = {"labels": ["row"], "labelname": "name", "oid": "1.3.6.1.9.2", "type": "DisplayString"}
    index = {"labelname": "row", "type": "gauge"}
    metrics = [{"name": "a", "oid": "1.3.6.1.9.1", "indexes": [index], "lookups": [lookup]}, {"oid": ".1.3.6.1.9.3"}]
    known = known_columns(Catalogue({"m": module(metrics=metrics)}, {}))
    assert dict(known) == {oid.encode("1.3.6.1.9.1"): [("m", "a")], oid.encode("1.3.6.1.9.2"): [("m", "label name")]}
