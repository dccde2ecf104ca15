"""Options that take a time: units, plain numbers, and what is refused."""

from __future__ import annotations

import click
import pytest

from promsnmp.cli.options.duration import Duration


@pytest.mark.parametrize(
    ("text", "plain_unit", "seconds"),
    [
        ("2", "s", 2.0), ("0.5", "s", 0.5), ("500ms", "s", 0.5), ("2s", "s", 2.0), ("1m30s", "s", 90.0),
        ("1500", "ms", 1.5), ("1500ms", "ms", 1.5), ("2s", "ms", 2.0), ("1h", "ms", 3600.0),
    ],
)  # fmt: skip
def test_a_time_has_a_unit_or_that_of_plain_numbers(text: str, plain_unit: str, seconds: float) -> None:
    assert Duration(plain_unit=plain_unit).convert(text, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "0 is not between 1ms and 3600s; a number without a unit is in seconds"),
        ("-1", "not between"),
        ("nan", "not between"),
        ("inf", "not between"),
        ("2h", "not between"),
        ("5x", "write a number and a unit, such as 5s or 500ms"),
        ("", "not a duration"),
    ],
)
def test_other_times_are_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        Duration().convert(text, None, None)
