"""Errors and discards per second, from columns as agents send them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promsnmp.polling.history.error_rates import (
    IF_IN_DISCARDS,
    IF_IN_ERRORS,
    IF_OUT_DISCARDS,
    IF_OUT_ERRORS,
    ErrorRates,
)
from promsnmp.snmp import oid
from promsnmp.support.steps import run_steps

NAMES = (IF_IN_ERRORS, IF_OUT_ERRORS, IF_IN_DISCARDS, IF_OUT_DISCARDS)


def note(rates: ErrorRates, at: float, errors: Mapping[int, int], discards: Mapping[int, int] | None = None) -> int:
    """Notes a poll with errors received and discards sent, by ifIndex; returns how many columns were read."""
    rows = {name: dict.fromkeys(errors, 0) for name in NAMES}
    rows |= {IF_IN_ERRORS: dict(errors), IF_OUT_DISCARDS: dict(discards or dict.fromkeys(errors, 0))}
    read: list[str] = []

    def integers(name: str) -> dict[bytes, int]:
        read.append(name)
        return {oid.encode_subids((index,)): count for index, count in rows[name].items()}

    renderer = SimpleNamespace(
        plan=SimpleNamespace(by_oid={name: name for name in NAMES}),
        octets=lambda name: repr(rows[name]).encode() if rows[name] else b"",
        suffixes=lambda name: [oid.encode_subids((index,)) for index in rows[name]],
        integers=integers,
    )
    run_steps(rates.note(cast("Any", renderer), at))
    return len(read)


def test_rates_are_those_between_the_last_two_polls() -> None:
    rates = ErrorRates()
    note(rates, 100.0, {1: 5, 2: 0, 300: 7}, {1: 1, 2: 0, 300: 9})
    assert rates.by_index() is None
    note(rates, 110.0, {1: 25, 2: 0, 300: 7}, {1: 1, 2: 30, 300: 9})
    assert rates.by_index() == {"1": (2.0, 0.0), "2": (0.0, 3.0)}
    note(rates, 120.0, {1: 25, 2: 0, 300: 7}, {1: 1, 2: 30, 300: 9})
    assert rates.by_index() == {}


def test_counters_that_do_not_change_are_not_read_again() -> None:
    rates = ErrorRates()
    assert note(rates, 100.0, {1: 5}) == len(NAMES)
    assert note(rates, 110.0, {1: 5}) == 0


def test_a_reset_gives_no_rate_and_other_rows_give_none_at_all() -> None:
    rates = ErrorRates()
    note(rates, 100.0, {1: 500, 2: 1})
    note(rates, 110.0, {1: 3, 2: 2})
    assert rates.by_index() == {"1": (None, 0.0), "2": (pytest.approx(0.1), 0.0)}
    note(rates, 120.0, {1: 3, 2: 2, 3: 10_000})
    assert rates.by_index() is None


def test_a_poll_without_the_columns_changes_nothing() -> None:
    rates = ErrorRates()
    note(rates, 100.0, {1: 0})
    note(rates, 110.0, {})
    note(rates, 120.0, {1: 40})
    assert rates.by_index() == {"1": (2.0, 0.0)}
