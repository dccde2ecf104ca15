"""Plans without label columns: which walks remain, and when the columns are read after all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from promsnmp.exposition.partial_plan import ColumnSize, make_partial_plan, merged_plan, plan_for_columns
from promsnmp.exposition.plan import Plan, make_plan
from promsnmp.snmp import oid
from promsnmp.snmp.operations.walk import Subtree
from tests.support.exposition.polls import ROW, module

LARGE, SMALL = ColumnSize(100, 3000), ColumnSize(3, 90)


def plan(numbers: Sequence[str], labels: Sequence[str], **fields: Any) -> Plan:
    """Metrics of numbers whose labels come from other columns."""
    lookups = [
        {"labels": ["row"], "labelname": f"l{at}", "oid": name, "type": "DisplayString"}
        for at, name in enumerate(labels)
    ]
    metrics = [{"oid": name, "indexes": [ROW], "lookups": lookups} for name in numbers]
    return make_plan([module(metrics=metrics, **fields)])


def sizes(of: Plan, size: ColumnSize) -> dict[int, ColumnSize]:
    return dict.fromkeys(of.label_columns, size)


def names(of: Plan, columns: frozenset[int]) -> set[str]:
    return {oid.to_text(of.columns[at]) for at in columns}


def shown(trees: Sequence[Subtree]) -> dict[str, list[tuple[str, str]]]:
    return {oid.to_text(one.root): [(oid.to_text(a), oid.to_text(b)) for a, b in one.gaps] for one in trees}


def test_label_columns_are_those_that_no_metric_uses() -> None:
    made = plan(["1.3.1.1", "1.3.1.2"], ["1.3.1.2", "1.3.1.3"])
    assert names(made, frozenset(made.label_columns)) == {"1.3.1.3"}
    typed = make_plan(
        [module(metrics=[{"oid": "1.3.5", "type": "InetAddress", "lookups": [], "indexes": [ROW]}])],
    )
    assert typed.label_columns == {}  # 1.3.4 is the type column


def test_columns_in_the_middle_are_skipped_and_those_at_either_end_not_walked() -> None:
    made = plan(["1.3.1.2", "1.3.1.5"], ["1.3.1.1", "1.3.1.3", "1.3.1.4", "1.3.1.6"], walk=["1.3.1"])
    found = make_partial_plan(made, sizes(made, LARGE))
    assert shown(found.plan.subtrees) == {
        "1.3.1": [("1.3.1", "1.3.1.2"), ("1.3.1.3", "1.3.1.5"), ("1.3.1.6", "")],
    }
    assert found.omitted == set(made.label_columns)
    assert found.packets == 4 * 4.0 - 2 * 0.5
    assert found.plan.modules[0].roots == made.modules[0].roots


def test_a_column_is_not_skipped_when_that_saves_no_packet() -> None:
    made = plan(["1.3.1.2", "1.3.1.5"], ["1.3.1.1", "1.3.1.3"], walk=["1.3.1"])
    found = make_partial_plan(made, sizes(made, SMALL))
    assert shown(found.plan.subtrees) == {"1.3.1": [("1.3.1", "1.3.1.2")]}
    assert names(made, found.omitted) == {"1.3.1.1"}
    one_by_one = make_partial_plan(made, sizes(made, SMALL), batch_size=1)
    assert names(made, one_by_one.omitted) == {"1.3.1.1", "1.3.1.3"}


def test_a_walk_of_label_columns_only_is_omitted() -> None:
    made = plan(["1.3.1"], ["1.3.2", "1.3.3"], walk=["1.3.1", "1.3.2", "1.3.3.1", "1.3.3.2"])
    found = make_partial_plan(made, sizes(made, SMALL))
    assert shown(found.plan.subtrees) == {"1.3.1": []}
    assert [oid.to_text(root) for root in found.plan.modules[0].roots] == ["1.3.1"]
    assert found.omitted == set(made.label_columns)
    assert found.packets == 3


def test_a_column_that_is_not_cached_is_read() -> None:
    made = plan(["1.3.1"], ["1.3.2", "1.3.3"], walk=["1.3.1", "1.3.2", "1.3.3"])
    assert make_partial_plan(made, {}).plan == made
    one = {at: LARGE for at in made.label_columns if oid.to_text(made.columns[at]) == "1.3.3"}
    assert shown(make_partial_plan(made, one).plan.subtrees) == {"1.3.1": [], "1.3.2": []}


def test_nothing_is_skipped_where_oids_need_not_increase() -> None:
    made = plan(["1.3.1.2"], ["1.3.1.1", "1.3.2"], walk=["1.3.1", "1.3.2"], allow_nonincreasing_oids=True)
    found = make_partial_plan(made, sizes(made, LARGE))
    assert shown(found.plan.subtrees) == {"1.3.1": []}
    assert names(made, found.omitted) == {"1.3.2"}


def test_labels_that_are_read_by_get_stay() -> None:
    made = plan(["1.3.1"], ["1.3.2"], walk=["1.3.1"], get=["1.3.2.1", "1.3.2.2"])
    found = make_partial_plan(made, sizes(made, LARGE))
    assert found.omitted == frozenset()
    assert found.plan.gets == made.gets


@pytest.mark.parametrize("walk", [["1.3"], ["1"], ["1.3.1", "1.3.2"]])
def test_omitted_columns_can_be_read_after_all(walk: list[str]) -> None:
    made = plan(["1.3.1.1"], ["1.3.1.2", "1.3.2.5"], walk=walk)
    found = make_partial_plan(made, sizes(made, LARGE))
    rest = plan_for_columns(made, found.omitted)
    assert set(shown(rest.subtrees)) == {"1.3.1.2", "1.3.2.5"} if len(walk) == 1 else {"1.3.1.2", "1.3.2"}
    assert rest.gets == ()
    both = merged_plan(found.plan, rest)
    assert set(both.modules[0].roots) == {tree.root for tree in both.subtrees}


def test_an_omitted_walk_below_a_column_is_read_by_its_own_root() -> None:
    made = plan(["1.3.1"], ["1.3.3"], walk=["1.3.1", "1.3.3.1", "1.3.3.2"])
    found = make_partial_plan(made, sizes(made, LARGE))
    assert set(shown(plan_for_columns(made, found.omitted).subtrees)) == {"1.3.3.1", "1.3.3.2"}
