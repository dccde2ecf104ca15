"""Long lists in pages."""

from __future__ import annotations

import pytest

from promsnmp.web.pages.paging import page_number, page_of


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("", 1), ("0", 1), ("-2", 1), ("x", 1), ("\u0663", 1), ("99999999", 99_999_999), ("9" * 99, 1)],
)
def test_anything_but_a_number_is_the_first_page(text: str, number: int) -> None:
    assert page_number(text) == number


def test_the_page_beyond_the_last_one_is_the_last_one() -> None:
    rows = list(range(5))
    assert page_of(rows, 1, 2) == ([0, 1], 1, 3)
    assert page_of(rows, 3, 2) == page_of(rows, 9, 2) == ([4], 3, 3)
    assert page_of([], 7, 2) == ([], 1, 1)
