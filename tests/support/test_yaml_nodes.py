"""YAML for snmp.yml files: merge keys and bounds."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from promsnmp.support import yaml_nodes, yaml_text
from promsnmp.support.yaml_nodes import NodeError


def root(text: str | bytes) -> yaml.Node:
    found = yaml_text.compose(text)
    assert found is not None
    return found


def plain(text: str) -> dict[str, str]:
    """A mapping of texts as a dict."""
    return {key: yaml_nodes.text(value, key) for key, value in yaml_nodes.pairs(root(text), "it")}


def test_scalars_keep_their_written_text() -> None:
    assert plain("{a: 1.10, b: 007, c: yes, d: 'null', e: null, f: ~, g: , h: 1_000}") == {
        "a": "1.10",
        "b": "007",
        "c": "yes",
        "d": "null",
        "e": "",
        "f": "",
        "g": "",
        "h": "1_000",
    }


def test_later_keys_override_merged_ones_and_earlier_items_of_a_merge_list_win() -> None:
    text = """
- &x {a: x, b: x, c: x}
- &y {c: y, d: y}
- {<<: [*y, *x], a: own}
- {'<<': text}
- {<<: *x}
- {a: own, <<: *x, c: own}
"""
    items = yaml_nodes.items(root(text), "it")
    allowed = {"a", "b", "c", "d", "<<"}
    found = [{key: yaml_nodes.text(value, key) for key, value in yaml_nodes.pairs(one, "it", allowed)} for one in items]
    assert found[2] == {"a": "own", "c": "y", "d": "y", "b": "x"}
    assert found[3] == {"<<": "text"}
    assert found[4] == found[0]
    assert found[5] == {"a": "x", "b": "x", "c": "own"}


def test_merged_keys_add_up_but_none_may_repeat() -> None:
    assert plain("{a: own, <<: {b: x}}") == {"a": "own", "b": "x"}
    with pytest.raises(NodeError, match="'b' is repeated"):
        plain("{a: own, <<: {b: x}, b: own}")


def test_an_anchor_may_be_defined_twice() -> None:
    assert plain("{a: &x one, b: *x, c: &x two, d: *x}") == {"a": "one", "b": "one", "c": "two", "d": "two"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_may_start_with_a_byte_order_mark(encoding: str) -> None:
    found = yaml_text.compose("\u00e9: \u00fc".encode(encoding))
    assert found is not None
    assert [key for key, _ in yaml_nodes.pairs(found, "it")] == ["\u00e9"]


def test_only_mappings_can_be_merged() -> None:
    with pytest.raises(NodeError, match="mapping"):
        plain("{<<: 5}")


def test_merges_that_double_at_every_step_cost_only_their_text() -> None:
    steps = "".join(f"- &s{step} {{<<: [*s{step - 1}, *s{step - 1}], k{step}: v}}\n" for step in range(1, 60))
    last = yaml_nodes.items(root(f"- &s0 {{k0: v}}\n{steps}"), "it")[-1]
    assert len(list(yaml_nodes.pairs(last, "it", {f"k{step}" for step in range(60)}))) == 60
    last = yaml_nodes.items(root(f"- &s0 {{k0: v}}\n{steps}"), "it")[-1]
    with pytest.raises(NodeError, match="repeated"):
        list(yaml_nodes.pairs(last, "it"))


def test_a_mapping_that_merges_itself_has_its_own_keys() -> None:
    assert plain("&a {<<: *a, k: v}") == {"k": "v"}


def test_list_items_four_levels_deep_are_passed_on_and_replaced_when_complete() -> None:
    seen: list[tuple[str, str, str]] = []

    def part(section: str, key: str, node: yaml.Node) -> yaml.Node:
        seen.append((section, key, node.value))
        return yaml.ScalarNode(node.tag, node.value.upper(), node.start_mark)

    found: Any = yaml_text.compose("r: {a: {k: [x, y, z], l: [v]}, b: [w, w], c: {m: [u, u]}}\ns: 1", part)
    assert seen == [("r", "k", "x"), ("r", "k", "y"), ("r", "m", "u")]
    parts = dict(yaml_nodes.pairs(dict(yaml_nodes.pairs(found, "it"))["r"], "r"))
    assert [one.value for one in yaml_nodes.items(dict(yaml_nodes.pairs(parts["a"], "a"))["k"], "k")] == ["X", "Y", "z"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "[" * 40 + "]" * 40])
def test_nodes_nested_too_deeply_are_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml_text.compose(text)
    assert yaml_text.describe_error(caught.value)[1]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: [\n", 3, "did not find"),
        (b"a: 1\nb: \xff", 2, "UTF-8"),
        (b"\xff\xfea\0:", 1, "UTF-16"),
        ("a: 1\n\nb: \x07", 3, "character"),
        ("a: 1\nb: *none", 2, "alias"),
        ("--- a\n--- b", 2, "another document"),
    ],
)
def test_invalid_yaml_is_explained_with_its_line(text: str | bytes, line: int, reason: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        yaml_text.compose(text)
    found_line, found = yaml_text.describe_error(caught.value)
    assert found_line == line
    assert reason in found
    assert "\n" not in found


def test_a_byte_order_mark_is_skipped() -> None:
    assert plain(b"\xef\xbb\xbfa: b".decode("utf-8-sig")) == {"a": "b"}
    assert yaml_text.compose(b"\xef\xbb\xbfa: b") is not None
