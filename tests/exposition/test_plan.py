"""Plans: what several modules together read from a device."""

from __future__ import annotations

from promsnmp.exposition.plan import Plan, make_plan
from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.snmp import oid
from tests.support.exposition.polls import ROW, Device, integer, module, octets

NAME = {"labels": ["row"], "labelname": "name", "oid": "1.3.2", "type": "DisplayString"}


def roots(plan: Plan) -> list[str]:
    return [oid.to_text(tree.root) for tree in plan.subtrees]


def test_a_walk_inside_another_walk_is_omitted() -> None:
    plan = make_plan([module("a", walk=["1.3.1.2", "1.3.5"]), module("b", walk=["1.3.1", "1.3.5", "1.3.10"])])
    assert roots(plan) == ["1.3.5", "1.3.1", "1.3.10"]
    assert [oid.to_text(root) for root in plan.modules[0].roots] == ["1.3.5", "1.3.1"]


def test_a_shared_walk_uses_the_smallest_repetitions() -> None:
    fast = module("fast", walk=["1.3.1"], max_repetitions=50)
    slow = module("slow", walk=["1.3.1"], max_repetitions=10, allow_nonincreasing_oids=True)
    for order in ([fast, slow], [slow, fast]):
        (tree,) = make_plan(order).subtrees
        assert (tree.max_repetitions, tree.ordered) == (10, False)


def test_oids_need_not_increase_in_a_walk_that_holds_one_where_they_need_not() -> None:
    outer = module("outer", walk=["1.3.1", "1.3.2"], max_repetitions=50)
    inner = module("inner", walk=["1.3.1.5.1"], max_repetitions=10, allow_nonincreasing_oids=True)
    for order in ([outer, inner], [inner, outer]):
        trees = {oid.to_text(tree.root): tree for tree in make_plan(order).subtrees}
        assert (trees["1.3.1"].max_repetitions, trees["1.3.1"].ordered) == (50, False)
        assert (trees["1.3.2"].max_repetitions, trees["1.3.2"].ordered) == (50, True)


def test_walking_everything_is_one_walk() -> None:
    assert [tree.root for tree in make_plan([module(walk=["1", "1.3.6"])]).subtrees] == [b""]


def test_objects_under_a_walk_are_not_read_again_by_get() -> None:
    plan = make_plan([module("a", walk=["1.3.1"], get=["1.3.1.5", "1.3.7.0"]), module("b", walk=[], get=["1.3.7.0"])])
    assert [oid.to_text(one) for one in plan.gets] == ["1.3.7.0"]
    assert [oid.to_text(one) for one in plan.modules[0].gets] == ["1.3.1.5", "1.3.7.0"]
    assert plan.modules[1].gets == plan.gets


def test_the_smallest_repetitions_of_the_modules_limit_a_get() -> None:
    assert make_plan([module("a", max_repetitions=30), module("b", max_repetitions=7)]).batch_size == 7
    assert make_plan([module("a", max_repetitions=0)]).batch_size == 25
    assert make_plan([]).batch_size == 25


def test_a_value_under_several_metrics_belongs_to_the_shallowest() -> None:
    metrics = [
        {"oid": "1.3.1.2", "name": "inner", "indexes": [ROW]},
        {"oid": "1.3.1", "name": "outer", "indexes": [ROW]},
    ]
    for order in (metrics, metrics[::-1]):
        found = Device(module(metrics=order)).samples({"1.3.1.2.9": integer(1), "1.3.1.3": integer(2)})
        assert found == ['outer{row="2"} 1', 'outer{row="3"} 2']


def test_a_deeper_metric_of_another_module_keeps_its_values() -> None:
    outer = module("outer", metrics=[{"oid": "1.3.1", "name": "outer", "indexes": [ROW]}])
    inner = module("inner", metrics=[{"oid": "1.3.1.2", "name": "inner", "indexes": [ROW]}])
    found = Device(outer, inner).samples({"1.3.1.1": integer(5), "1.3.1.2.9": integer(1), "1.3.1.3": integer(2)})
    assert found == ['outer{row="1"} 5', 'outer{row="2"} 1', 'outer{row="3"} 2', 'inner{row="9"} 1']


def test_of_two_metrics_with_one_oid_the_last_counts() -> None:
    metrics = [{"oid": "1.3.1", "name": "first"}, {"oid": "1.3.1", "name": "second"}]
    assert Device(module(metrics=metrics)).samples({"1.3.1.0": integer(1)}) == ["second 1"]


def test_a_metric_with_a_leading_dot_matches_nothing() -> None:
    assert make_plan([module(metrics=[{"oid": ".1.3.1"}])]).modules[0].metrics == ()


def test_a_metric_outside_of_walks_and_gets_has_no_samples() -> None:
    one = module(walk=["1.3.1"], get=["1.3.5.7"], metrics=[{"oid": "1.3.1"}, {"oid": "1.3.2"}, {"oid": "1.3.5"}])
    assert [plan.metric.name for plan in make_plan([one]).modules[0].metrics] == ["m0", "m2"]


def test_a_look_up_in_a_column_inside_that_of_another_metric_finds_its_rows() -> None:
    metrics = [
        {"oid": "1.3.1", "indexes": [ROW], "lookups": [{**NAME, "oid": "1.3.2.4"}]},
        {"oid": "1.3.2", "type": "DisplayString", "indexes": [{"labelname": "c", "type": "gauge"}, ROW]},
    ]
    found = Device(module(metrics=metrics)).samples(
        {"1.3.1.7": integer(1), "1.3.2.4.7": octets("a"), "1.3.2.5.7": octets("b")}
    )
    assert found[0] == 'm0{name="a",row="7"} 1'
    assert len(found) == 3


def test_an_object_read_by_get_is_not_walked_too() -> None:
    plan = make_plan([module(walk=["1.3.1.0", "1.3.2"], get=["1.3.1.0", "1.3.2.5"])])
    assert plan.gets == (oid.encode("1.3.1.0"),)
    assert [(oid.to_text(one.root), one.get_root) for one in plan.subtrees] == [("1.3.1.0", False), ("1.3.2", True)]


def test_a_module_with_0_repetitions_uses_snmp_exporters_default() -> None:
    (tree,) = make_plan([module(walk=["1.3.1"], max_repetitions=0)]).subtrees
    assert tree.max_repetitions == 50


def test_a_module_named_twice_gives_its_samples_once() -> None:
    one = module(metrics=[{"oid": "1.3.1", "indexes": [ROW]}])
    renderer = Device(one, one).renderer({"1.3.1.1": integer(1)})
    assert renderer.exposition.render().count(b'm0{row="1"} 1') == 1
    assert renderer.exposition.dropped == {}


def test_metrics_with_the_same_labels_share_a_table() -> None:
    metrics = [
        {"oid": "1.3.1", "indexes": [ROW], "lookups": [NAME]},
        {"oid": "1.3.3", "indexes": [ROW], "lookups": [NAME]},
        {"oid": "1.3.4", "indexes": [ROW]},
    ]
    tables = [plan.table for plan in make_plan([module(metrics=metrics)]).modules[0].metrics]
    assert tables[0] == tables[1] != tables[2]


def test_no_column_of_a_plan_is_inside_another() -> None:
    plan = make_plan(list(builtin_catalogue().modules.values()))
    assert not any(a != b and a.startswith(b) for a in plan.columns for b in plan.columns)
    for name, column in plan.by_oid.items():
        assert oid.encode(name) == column.oid
        assert column.oid.startswith(plan.columns[column.at])
        assert column.part == (column.oid != plan.columns[column.at])
