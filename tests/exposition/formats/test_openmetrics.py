"""OpenMetrics: the differences from text format."""

from __future__ import annotations

from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import openmetrics
from promsnmp.exposition.utilization.histogram import BOUNDS, HELP, NAME, InterfaceCounters, Utilization


def page_of(*families: tuple[str, str]) -> str:
    page = Exposition()
    for name, kind in families:
        page.add(name, kind, "-", [({}, 1.0)])
    made = page.render(as_openmetrics=True)
    assert b"".join(openmetrics.from_text(page.render())) == made
    assert b"".join(openmetrics.to_text(made)) == page.render()
    return made.decode()


def test_a_counter_without_total_is_unknown_and_keeps_its_name() -> None:
    assert page_of(("ifInOctets", "counter")) == "# TYPE ifInOctets unknown\n# HELP ifInOctets -\nifInOctets 1\n# EOF\n"


def test_a_counter_with_total_is_a_counter_of_the_family_without() -> None:
    assert page_of(("x_total", "counter")) == "# TYPE x counter\n# HELP x -\nx_total 1\n# EOF\n"


def test_a_counter_whose_family_name_is_taken_is_unknown() -> None:
    made = page_of(("x_total", "counter"), ("x", "gauge"))
    assert "# TYPE x_total unknown\n" in made
    assert "# TYPE x gauge\n" in made


def test_help_is_escaped_quotes_too() -> None:
    assert openmetrics.header("m", "gauge", 'a \\n "b"\n') == b'# TYPE m gauge\n# HELP m a \\\\n \\"b\\"\\n'


def test_an_empty_page_has_its_end() -> None:
    assert Exposition().render(as_openmetrics=True) == b"".join(openmetrics.from_text(b"")) == b"# EOF\n"


def test_bounds_are_floats_in_openmetrics_and_whole_in_text() -> None:
    one = Utilization()
    one.observe([InterfaceCounters(b'{sale="1"} ', 1e9, 0, 0, 64)], at=0, ticks=None)
    page = Exposition()
    page.own_family(NAME, "histogram", HELP).extend(one.samples())
    plain, exact = page.render(), page.render(as_openmetrics=True)
    for bound in BOUNDS:
        assert f',le="{bound}"}} 0\n'.encode() in plain
        assert f',le="{bound}.0"}} 0\n'.encode() in exact
    assert plain.count(b'le="+Inf"') == exact.count(b'le="+Inf"') == 1
    assert exact.count(b'sale="1"') == len(BOUNDS) + 3
    assert b"".join(openmetrics.from_text(plain)) == exact
    assert b"".join(openmetrics.to_text(exact)) == plain


def test_help_that_looks_like_a_header_does_not_mislead() -> None:
    page = Exposition()
    page.add("a", "gauge", "# HELP b\n# HELP c \\ \\n \0", [({"x": "\n# HELP d e\n"}, 1.0)])
    assert b"".join(openmetrics.from_text(page.render())) == page.render(as_openmetrics=True)
    assert b"".join(openmetrics.to_text(page.render(as_openmetrics=True))) == page.render()
