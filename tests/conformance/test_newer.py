"""Keys that snmp_exporter 0.30.1 does not have, and intended differences: PromSNMP's samples are those of each case."""

from __future__ import annotations

import pytest

from tests.support.conformance.newer import newer_differences
from tests.support.exposition.cases_newer import NEWER, NewerCase


@pytest.fixture(scope="module")
def differences() -> dict[str, list[str]]:
    return newer_differences(NEWER)


@pytest.mark.parametrize("newer", NEWER, ids=lambda one: one.case.name)
def test_a_newer_key_gives_the_samples_that_it_means(newer: NewerCase, differences: dict[str, list[str]]) -> None:
    assert differences[newer.case.name] == []


def test_every_case_has_a_unique_name() -> None:
    assert len({newer.case.name for newer in NEWER}) == len(NEWER)
