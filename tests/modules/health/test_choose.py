"""Which definitions suit a device."""

from __future__ import annotations

from promsnmp.modules.health.choose import candidates, choose
from promsnmp.modules.health.model import Definition

VENDOR = Definition("vendor", devices=("1.3.6.1.4.1.9",))
PRODUCT = Definition("product", devices=("1.3.6.1.4.1.9.1",), answers=("1.3.6.1.4.1.9.5",))
GENERIC = Definition("generic", answers=("1.3.6.1.2.1.99",))
FALLBACK = Definition("a_fallback", answers=("1.3.6.1.2.1.25",), fallback=frozenset({"cpu"}))
EVERY = [FALLBACK, GENERIC, VENDOR, PRODUCT]


def names(found: list[Definition]) -> list[str]:
    return [one.name for one in found]


def test_candidates_are_those_of_the_device_and_those_for_any_device() -> None:
    assert names(candidates(EVERY, "1.3.6.1.4.1.9.1.5")) == ["a_fallback", "generic", "vendor", "product"]
    assert names(candidates(EVERY, "1.3.6.1.4.1.99")) == ["a_fallback", "generic"]
    assert names(candidates(EVERY, "")) == ["a_fallback", "generic"]


def test_the_best_definition_comes_first() -> None:
    answering = {"1.3.6.1.2.1.99", "1.3.6.1.4.1.9.5", "1.3.6.1.2.1.25"}
    assert names(choose(EVERY, "1.3.6.1.4.1.9.1.5", answering)) == ["product", "vendor", "generic", "a_fallback"]


def test_a_definition_needs_an_answer_where_it_names_some() -> None:
    assert names(choose(EVERY, "1.3.6.1.4.1.9.1.5", ())) == ["vendor"]
