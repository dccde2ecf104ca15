"""When two pages of one device say the same."""

from __future__ import annotations

import pytest

from promsnmp.migration.verify.compare import compare
from promsnmp.migration.verify.pages import Page, parse_page, shown
from promsnmp.migration.verify.report import groups_of, html_of


def pages(kind: str, *values: str, name: str = "m") -> list[Page]:
    return [parse_page(f'# TYPE {name} {kind}\n{name}{{i="1"}} {value}\nrow{{i="1"}} 1\n') for value in values]


@pytest.mark.parametrize(
    ("kind", "old", "new", "is_same"),
    [
        ("counter", ("100", "200"), ("90", "190"), True),  # read a little earlier
        ("counter", ("100", "200"), ("100", "100"), True),  # one page for both scrapes
        ("counter", ("100", "200"), ("100", "900"), True),  # a burst that the other saw later
        ("counter", ("100", "100"), ("101", "101"), False),  # it stands still, elsewhere
        ("counter", ("1000", "1100"), ("10", "11"), False),  # a part of the rate
        ("counter", ("1000", "20"), ("1000", "10"), True),  # the device restarted
        ("gauge", ("5", "5"), ("5", "5"), True),
        ("gauge", ("1", "1"), ("2", "2"), False),
        ("gauge", ("100", "104"), ("98", "107"), True),
        ("gauge", ("NaN", "NaN"), ("NaN", "NaN"), True),
        ("gauge", ("NaN", "NaN"), ("0", "0"), False),
    ],
)
def test_values(kind: str, old: tuple[str, str], new: tuple[str, str], is_same: bool) -> None:
    rounds = list(zip(pages(kind, *old), pages(kind, *new), strict=True))
    assert compare("device", rounds, tolerance=0.05).is_same is is_same


def test_labels_must_be_equal_and_types_too() -> None:
    old, new = parse_page('# TYPE a counter\na{i="1"} 1\n'), parse_page('# TYPE a gauge\na{i="2"} 1\n')
    found = compare("device", [(old, new)] * 2, tolerance=0)
    assert sorted(one.kind for one in found.unexpected) == ["only new", "only old", "type"]


def test_documented_differences_have_a_reason_and_others_do_not() -> None:
    old = parse_page('x{i="1"} 0\nx{i="9"} 0\ny{i="1"} 5\nsnmp_scrape_pdus_returned 3\n')
    new = parse_page('y{i="1"} 5\npromsnmp_module_up{module="a"} 1\n')
    found = compare("device", [(old, new)] * 2, tolerance=0)
    assert [shown(one.series) for one in found.unexpected] == ['x{i="9"}']  # its row is missing, so no zero
    assert (found.compared, len(found.differences)) == (1, 2)
    first, *_ = groups_of([found])
    assert (first.metric, first.reason, first.count) == ("x", "", 1)
    page = html_of([found], facts=[("old", "<b>")])
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_series_that_come_or_go_meanwhile_are_no_differences() -> None:
    both, one = parse_page("a 1\nb 1\n"), parse_page("a 1\n")
    assert compare("device", [(one, both), (both, one)], tolerance=0).is_same


@pytest.mark.parametrize("text", ["<html>", "a{", "a b"])
def test_an_answer_that_is_no_page(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_page(text)


def test_escapes_in_labels() -> None:
    (series,) = parse_page('a{i="x\\"\\\\\\n,y=\\"2"} 1\n').samples
    assert series == ("a", (("i", 'x"\\\n,y="2'),))
