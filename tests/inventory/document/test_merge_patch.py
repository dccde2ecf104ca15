from __future__ import annotations

from typing import Any

import pytest

from promsnmp.inventory.document.merge_patch import merge, merge_device

RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
"""RFC 7396 appendix A, every test case."""


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396)
def test_merge_gives_what_the_rfc_gives(target: object, patch: object, result: object) -> None:
    assert merge(target, patch) == result


ONE: dict[str, Any] = {"id": "1", "endpoint": {"address": "192.0.2.1", "port": 161}, "timeout": 1}
TWO: dict[str, Any] = {"id": "2", "endpoint": {"address": "192.0.2.2", "port": 1161}, "timeout": 2}
THREE: dict[str, Any] = {"endpoint": {"address": "192.0.2.3"}}
DEVICE = {"sysName": "x", "agents": [ONE, TWO], "primaryAgent": TWO}


@pytest.mark.parametrize(
    ("patch", "agents", "primary"),
    [({"sysName": "y"}, [ONE, TWO], TWO),
     ({"agents": [ONE]}, [ONE], None),
     ({"agents": [THREE, {**TWO, "timeout": 9}]}, [THREE, {**TWO, "timeout": 9}], {**TWO, "timeout": 9}),
     ({"agents": [{"endpoint": TWO["endpoint"]}]}, [{"endpoint": TWO["endpoint"]}], {"endpoint": TWO["endpoint"]}),
     ({"agents": None}, [], None), ({"agents": []}, [], None),
     ({"primaryAgent": {"timeout": 7}}, [ONE, {**TWO, "timeout": 7}], {**TWO, "timeout": 7}),
     ({"primaryAgent": {"id": "1"}}, [ONE, TWO], ONE),
     ({"primaryAgent": {"endpoint": {"address": "192.0.2.1"}, "timeout": 5}}, [{**ONE, "timeout": 5}, TWO],
      {**ONE, "timeout": 5}),
     ({"primaryAgent": {"id": "3", **THREE}}, [ONE, TWO], {"id": "3", **THREE}),
     ({"agents": [ONE], "primaryAgent": {"id": "1"}}, [ONE], ONE),
     ({"agents": [], "primaryAgent": THREE}, [], THREE),
     ({"primaryAgent": None}, [ONE, TWO], None)],
)  # fmt: skip
def test_the_primary_agent_of_a_patched_device(patch: dict[str, Any], agents: list[Any], primary: object) -> None:
    merged = merge_device(DEVICE, patch)
    assert (merged["agents"], merged.get("primaryAgent")) == (agents, primary)
    assert DEVICE == {"sysName": "x", "agents": [ONE, TWO], "primaryAgent": TWO}


@pytest.mark.parametrize("agents", ["x", 7, {"a": 1}, [None, 3]])
def test_invalid_agents_in_a_patch_are_left_to_the_reader(agents: object) -> None:
    assert merge_device(DEVICE, {"agents": agents})["agents"] == agents
