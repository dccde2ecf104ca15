"""The same modules and devices give the same samples as snmp_exporter, except for the differences listed here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.exposition.cases_filters import FILTERS
from tests.support.exposition.cases_labels import INDEXES, LOOKUPS
from tests.support.exposition.cases_oids import OIDS
from tests.support.exposition.cases_texts import TEXTS
from tests.support.exposition.cases_values import ASSOCIATED, VALUES
from tests.support.exposition.reference import Case, ReferencePage, pages_of_both

CASES = [*VALUES, *ASSOCIATED, *INDEXES, *LOOKUPS, *OIDS, *TEXTS, *FILTERS]
Pages = dict[str, tuple[ReferencePage, ReferencePage | str]]

SLIPS = {
    "%!s(uint32=12)": "12",
    "1:203:405:607:809:a0b:c0d:e00": "1:203:405:607:809:a0b:c0d:e0f",
    "::": "::1",
    "3.16.55.3": "2.999.3",
}
"""Texts that snmp_exporter 0.28 gets wrong (TimeTicks, IpAddress of 16 octets, OIDs under 2), and the correct text."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return pages_of_both(CASES, tmp_path_factory.mktemp("reference"))


def test_every_case_has_a_unique_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def mended(page: ReferencePage) -> ReferencePage:
    """snmp_exporter's page with its errors corrected."""
    samples = {
        (name, tuple((label, SLIPS.get(text, text)) for label, text in labels)): value
        for (name, labels), value in page.samples.items()
    }
    return ReferencePage(samples, page.types, page.helps)


def without(names: frozenset[str]) -> Callable[[ReferencePage], ReferencePage]:
    """Drops the samples that snmp_exporter invents."""

    def drop(page: ReferencePage) -> ReferencePage:
        samples = {key: value for key, value in page.samples.items() if key[0] not in names}
        types = {name: kind for name, kind in page.types.items() if name not in names}
        helps = {name: text for name, text in page.helps.items() if name not in names}
        return ReferencePage(samples, types, helps)

    return drop


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_samples_types_and_helps_are_those_of_snmp_exporter(case: Case, pages: Pages) -> None:
    mine, other = pages[case.name]
    assert isinstance(other, ReferencePage), other
    assert mine == without(case.missing)(mended(other))
