"""Names with values in them."""

from __future__ import annotations

import pytest

from promsnmp.modules.health.expression import Value
from promsnmp.modules.health.template import parse_template

ROW: dict[str, Value] = {"name": b" Fan\0junk", "empty": b"", "number": 4}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{name}", "Fan"),
        ("{name} {index}", "Fan 1.2.3"),
        ("{empty|name}", "Fan"),
        ("{empty}", ""),
        ("Fan {empty}", ""),
        ("Slot {i1} {i2-}", "Slot 1 2.3"),
        ("{missing|number}", "4"),
        ("{i9}", ""),
    ],
)
def test_a_template_is_filled_with_the_values_of_a_row(text: str, filled: str) -> None:
    assert parse_template(text).fill(ROW, (1, 2, 3)) == filled


@pytest.mark.parametrize(
    ("text", "subids"),
    [
        ("0", (0,)),
        ("{i1}", (1,)),
        ("{i2}.7", (2, 7)),
        ("{number}", (4,)),
        ("{name}", None),
        ("{missing}", None),
        ("{i2-}", (2, 3)),
    ],
)
def test_a_template_is_an_index(text: str, subids: tuple[int, ...] | None) -> None:
    assert parse_template(text).subids(ROW, (1, 2, 3)) == subids


@pytest.mark.parametrize("text", ["{", "}", "{}", "{a b}", "{i0}", "{a|}", "{i1x}-{", "x" * 201])
def test_a_template_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_template(text)


def test_the_names_of_a_template_are_its_columns() -> None:
    assert parse_template("{a|b} {index} {i2-} {c}").names == {"a", "b", "c"}
