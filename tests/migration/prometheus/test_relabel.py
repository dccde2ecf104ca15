"""Relabelling by the rules of Prometheus (prometheus.io, ``<relabel_config>``)."""

from __future__ import annotations

from typing import Any

import pytest

from promsnmp.migration.prometheus.relabel import Rule, relabel

LABELS = {"a": "foo", "b": "bar", "c": "baz"}


def rule(**given: Any) -> Rule:
    made = Rule(**given)
    made.check()
    return made


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"source_labels": ("a",), "target_label": "d"}, {"d": "foo"}),
        ({"source_labels": ("a", "b"), "target_label": "d"}, {"d": "foo;bar"}),
        ({"source_labels": ("a", "nosuch"), "separator": "-", "target_label": "d"}, {"d": "foo-"}),
        ({"source_labels": ("a",), "regex": "f(.*)", "target_label": "d", "replacement": "x${1}y"}, {"d": "xooy"}),
        ({"source_labels": ("a",), "regex": "f", "target_label": "d"}, {}),  # whole values
        ({"source_labels": ("a",), "regex": "f(?P<x>.*)", "target_label": "${x}", "replacement": "v"}, {"oo": "v"}),
        ({"source_labels": ("a",), "regex": "(.*)", "target_label": "not-$1", "replacement": "v"}, {}),
        ({"target_label": "d", "replacement": "fixed"}, {"d": "fixed"}),
        ({"source_labels": ("nosuch",), "target_label": "a"}, {"a": ""}),
        ({"action": "uppercase", "source_labels": ("a",), "target_label": "d"}, {"d": "FOO"}),
        ({"action": "labelmap", "regex": "([ab])", "replacement": "x_$1"}, {"x_a": "foo", "x_b": "bar"}),
        ({"action": "labeldrop", "regex": "[ab]"}, {"a": "", "b": ""}),
        ({"action": "labelkeep", "regex": "[ab]"}, {"c": ""}),
        # model/relabel/relabel_test.go of Prometheus: hashmod of baz
        ({"action": "hashmod", "source_labels": ("c",), "target_label": "d", "modulus": 1000}, {"d": "976"}),
        ({"action": "keep", "source_labels": ("a",), "regex": "fo+"}, {}),
        ({"action": "drop", "source_labels": ("a",), "regex": "o"}, {}),
        ({"action": "keepequal", "source_labels": ("a",), "target_label": "a"}, {}),
    ],
)  # fmt: skip
def test_labels_after_a_rule(given: dict[str, Any], changed: dict[str, str]) -> None:
    expected = {name: value for name, value in {**LABELS, **changed}.items() if value}
    assert relabel(LABELS, [rule(**given)]) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"action": "keep", "source_labels": ("a",), "regex": "o"},
        {"action": "drop", "source_labels": ("a",), "regex": "fo."},
        {"action": "dropequal", "source_labels": ("a",), "target_label": "a"},
        {"action": "keepequal", "source_labels": ("a",), "target_label": "b"},
    ],
)
def test_targets_that_are_dropped(given: dict[str, Any]) -> None:
    assert relabel(LABELS, [rule(**given), rule(target_label="d", replacement="never")]) is None


@pytest.mark.parametrize(
    "given",
    [{"action": "nosuch"}, {"regex": "(", "target_label": "d"}, {}, {"action": "hashmod", "target_label": "d"}],
)
def test_rules_that_prometheus_refuses(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        rule(**given)
