"""Documented differences are explained, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.conformance.known_differences import (
    ScrapedModule,
    has_formatting_bugs,
    refusal,
    unexplained_differences,
)
from tests.support.conformance.pages import parse
from tests.support.exposition.reference import integer, octets

METRIC = {"name": "m", "oid": "1.2", "type": "gauge"}


def left(mine: str, other: str, *objects: bytes, **metric: Any) -> list[str]:
    scraped = ScrapedModule([{**METRIC, **metric}], {f"1.2.{row}": value for row, value in enumerate(objects)})
    return [one.kind for one in unexplained_differences(scraped, parse(mine), parse(other))]


def test_a_zero_for_a_value_that_is_not_a_number_is_explained() -> None:
    assert left('m{i="1"} 5', 'm{i="0"} 0\nm{i="1"} 5', octets("x"), integer(5)) == []
    assert left("", "m 3", octets("x"), offset=3) == []


@pytest.mark.parametrize(
    ("mine", "other", "objects"),
    [
        ('m{i="1"} 5', 'm{i="0"} 0\nm{i="1"} 5', [integer(0), integer(5)]),
        ("", 'm{i="0"} 0\nm{i="1"} 0', [octets("x"), integer(0)]),
        ("", "m 1", [octets("x")]),
        ("", "other 0", [octets("x")]),
        ("m 0", "", [octets("x")]),
    ],
)
def test_another_zero_is_not_explained(mine: str, other: str, objects: list[bytes]) -> None:
    assert left(mine, other, *objects)


def test_time_ticks_as_text_are_explained_and_other_numbers_are_not() -> None:
    assert left('m{m="12"} 1', 'm{m="%!s(uint32=12)"} 1', type="DisplayString") == []
    assert left('m{m="13"} 1', 'm{m="%!s(uint32=12)"} 1', type="DisplayString") != []


def test_series_that_differ_by_a_known_formatting_bug_are_recognised() -> None:
    assert has_formatting_bugs(parse('m{l="1"} 1\nm{l="%!s(uint32=1)"} 1'))
    assert not has_formatting_bugs(parse('m{l="2"} 1\nm{l="%!s(uint32=1)"} 1'))


def test_only_the_label_of_an_address_without_type_may_differ() -> None:
    lookups = [{"labels": ["i"], "labelname": "a", "oid": "1.4", "type": "InetAddress"}]
    assert left('m{i="1",a="x"} 1', 'm{i="1",a="y"} 1', lookups=lookups) == []
    assert left('m{i="1",a="x"} 1', 'm{i="1",a="y"} 2', lookups=lookups) != []
    assert left('m{i="1",a="x"} 1', 'm{i="2",a="x"} 1', lookups=lookups) != []


def test_a_label_that_begins_with_a_digit_may_differ_where_its_index_has_another_form() -> None:
    """0.30.1 takes the length, which is not there, from the address; the order of labels follows from their names."""
    indexes = [{"labelname": "9lives", "type": "InetAddress"}]
    scraped = ScrapedModule([{**METRIC, "indexes": indexes}], {"1.2.1.3.112.121.106": integer(16)})
    mine, other = 'm{_9lives="3.112.121.106",_ber="x"} 16', 'm{_ber="x",_lives="112.121.106.0"} 16'
    assert unexplained_differences(scraped, parse(mine), parse(other)) == []
    assert unexplained_differences(scraped, parse(mine), parse(other.replace("16", "17")))


def test_a_refusal_has_a_reason_or_none() -> None:
    assert refusal("500: ... was collected before with the same name and label values") == "duplicate series"
    assert refusal("500: something new") == ""
