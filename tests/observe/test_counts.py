"""Plain counters for hot code."""

from __future__ import annotations

import pytest

from promsnmp import errors
from promsnmp.observe.counts import OUTCOMES, Distribution, PollCounts, RequestCounts, outcome_of


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "success"),
        (errors.SnmpTimeout("no answer"), "timeout"),
        (errors.SnmpRefused("refused"), "refused"),
        (errors.AuthenticationError("wrong community"), "authentication"),
        (errors.MalformedMessage("no SNMP"), "malformed"),
        (errors.WalkLoop("does not end"), "malformed"),
        (errors.ErrorStatus("genErr", status=5), "error_status"),
        (errors.AddressError("no such name"), "error"),
        (RuntimeError("a bug"), "error"),
    ],
)
def test_every_error_is_one_of_the_outcomes(error: Exception | None, outcome: str) -> None:
    assert outcome_of(error) == outcome
    assert outcome in OUTCOMES


def test_a_value_on_a_bound_belongs_to_that_bucket() -> None:
    values = Distribution((1.0, 2.0))
    for value in (1.0, 1.5, 2.0, 9.0):
        values.observe(value)
    assert values.cumulative() == [("1.0", 1.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert (values.count, values.total) == (4, 13.5)


def test_an_ended_poll_counts_once_with_its_duration() -> None:
    polls = PollCounts()
    polls.record("timeout", seconds=3.0)
    assert polls.outcomes["timeout"] == 1
    assert sum(polls.outcomes.values()) == polls.duration.count == 1


def test_a_poll_that_starts_early_is_not_late() -> None:
    polls = PollCounts()
    polls.record_start(late=-0.5)
    assert polls.lag.total == 0.0


def test_unknown_request_methods_share_one_label() -> None:
    requests = RequestCounts()
    for method in ("GET", "MAKEUP1", "MAKEUP2"):
        requests.record(method, "/targets", 405, seconds=0.5)
    assert requests.totals == {("GET", "/targets", 405): [1.0, 0.5], ("OTHER", "/targets", 405): [2.0, 1.0]}
