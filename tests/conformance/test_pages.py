"""The comparison finds every kind of difference."""

from __future__ import annotations

import pytest

from tests.support.conformance.pages import compare, parse

PAGE = """# HELP a Something.
# TYPE a gauge
a{x="1",y="two \\"words\\""} 5
a{x="2",y=""} NaN
# HELP b_total More.
# TYPE b_total counter
b_total 1e+06
# HELP snmp_scrape_pdus_returned Own.
# TYPE snmp_scrape_pdus_returned gauge
snmp_scrape_pdus_returned{module="m"} 7
"""


def kinds(other: str) -> list[str]:
    return [one.kind for one in compare(parse(PAGE), parse(other))]


def test_pages_are_compared_without_order_and_scrape_statistics() -> None:
    lines = PAGE.replace("1e+06", "1000000").replace("} 7", "} 8").splitlines()
    assert kinds("\n".join([*lines[:2], lines[3], lines[2].replace("5", "5.0"), *lines[4:]])) == []
    assert len(parse(PAGE).samples) == 3


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("} 5", "} 6", ["another value"]),
        ("NaN", "0", ["another value"]),
        ('x="1"', 'x="9"', ["only snmp_exporter", "only PromSNMP"]),
        ('y="two', 'z="two', ["only snmp_exporter", "only PromSNMP"]),
        ("b_total 1e+06\n", "", ["only PromSNMP"]),
        ("b_total 1e+06\n", "b_total 1e+06\nc 1\n", ["only snmp_exporter"]),
        ("TYPE a gauge", "TYPE a counter", ["another TYPE"]),
        ("HELP a Something", "HELP a Anything", ["another HELP"]),
    ],
)
def test_every_kind_of_difference_is_found(old: str, new: str, kind: list[str]) -> None:
    assert kinds(PAGE.replace(old, new)) == kind
