"""Numbers, flags, durations, OIDs and expressions as go-yaml reads them, and the errors for invalid ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.modules.snmp_yml import scalars
from promsnmp.support import yaml_nodes, yaml_scalars, yaml_text
from promsnmp.support.yaml_nodes import NodeError
from promsnmp.support.yaml_scalars import parse_duration


def root(text: str) -> yaml.Node:
    found = yaml_text.compose(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5s", 5),
        ("500ms", 0.5),
        ("1m30s", 90),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("2us", 2e-6),
        ("3µs", 3e-6),
        ("7ns", 7e-9),
        ("1h1m1s1ms", 3661.001),
    ],
)
def test_durations_are_written_as_in_go(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "5sec", "1d", "-5s", "5s ", "1m-5s", "٣s", "1e3s"])
def test_a_wrong_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit"):
        parse_duration(text)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_raises_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (yaml_scalars.integer, "x"),
        (yaml_scalars.integer, "1e99"),
        (yaml_scalars.integer, "'5'"),
        (yaml_scalars.integer, "0x"),
        (yaml_scalars.integer, "9223372036854775808"),
        (yaml_scalars.integer, ""),
        (yaml_scalars.integer, "[1]"),
        (yaml_scalars.integer, "9" * 5000),
        (yaml_scalars.count, "-1"),
        (yaml_scalars.count32, "4294967296"),
        (yaml_scalars.number, "x"),
        (yaml_scalars.number, "nan"),
        (yaml_scalars.number, ".inf"),
        (yaml_scalars.number, "'1.5'"),
        (yaml_scalars.number, "1e999"),
        (yaml_scalars.flag, "maybe"),
        (yaml_scalars.flag, "1"),
        (yaml_scalars.flag, "tRUE"),
        (yaml_scalars.flag, "'true'"),
        (scalars.object_id, "ifTable"),
        (scalars.object_id, "1..3"),
        (scalars.object_id, "5.1"),
        (scalars.object_id, "1.3.4294967296"),
        (scalars.object_id, "1." * 5000 + "1"),
        (yaml_scalars.seconds, "'5'"),
        (yaml_scalars.seconds, "0"),
        (yaml_scalars.seconds, "-5"),
        (yaml_scalars.seconds, "0s"),
        (yaml_scalars.seconds, "-5s"),
        (scalars.regex, "(?=a)"),
        (scalars.regex, "(a)\\1"),
        (scalars.regex, "a\\C"),
        (partial(yaml_scalars.choice, allowed=("a", "b")), "x"),
        (yaml_nodes.text, "{a: b}"),
    ],
)
def test_a_value_of_the_wrong_type_is_a_short_problem_with_its_line(read: Callable[[Any, str], Any], text: str) -> None:
    with pytest.raises(NodeError) as caught:
        read(yaml_nodes.items(root(f"- fine\n- {text}"), "it")[1], "the thing")
    assert caught.value.line == 2
    assert str(caught.value).startswith("the thing")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (yaml_scalars.integer, "-0x10", -16),
        (yaml_scalars.integer, "010", 8),
        (yaml_scalars.integer, "0o17", 15),
        (yaml_scalars.integer, "+0b11", 3),
        (yaml_scalars.integer, "1_000", 1000),
        (yaml_scalars.integer, "08", 8),
        (yaml_scalars.integer, "2.7", 2),
        (yaml_scalars.integer, "-2.7", -2),
        (yaml_scalars.integer, "1e2", 100),
        (yaml_scalars.integer, "!!int '7'", 7),
        (yaml_scalars.count, "25", 25),
        (yaml_scalars.number, "-1e-3", -0.001),
        (yaml_scalars.number, ".5", 0.5),
        (yaml_scalars.number, "0x10", 16.0),
        (yaml_scalars.flag, "Yes", True),
        (yaml_scalars.flag, "off", False),
        (yaml_scalars.flag, "Y", True),
        (yaml_scalars.flag, "n", False),
        (scalars.object_id, ".1.3.6", ".1.3.6"),
        (yaml_scalars.seconds, "20s", 20.0),
        (yaml_scalars.seconds, "+20s", 20.0),
        (yaml_scalars.seconds, "5", 5.0),
        (yaml_scalars.seconds, "1.5", 1.5),
        (yaml_scalars.seconds, "999999h", 1e9),
        (scalars.regex, "\\\\C", "\\\\C"),
        (scalars.regex, "\\Q\\C\\E", "\\Q\\C\\E"),
        (yaml_nodes.text, "null", ""),
    ],
)
def test_a_value_of_the_right_type_is_read(read: Callable[[Any, str], Any], text: str, value: object) -> None:
    assert read(root(text), "it") == value
