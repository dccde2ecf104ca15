"""Histograms in byte arrays: counts of every size, the same in the compiled and the plain form."""

from __future__ import annotations

import random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.exposition.utilization import histogram, packed
from promsnmp.exposition.utilization.histogram import (
    InterfaceCounters,
    PackedSeries,
    Utilization,
    UtilizationSeries,
)
from promsnmp.exposition.utilization.transfer import document, read_document, transfers
from tests.support.tools import import_uncompiled

NUMBERS = st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**40)), min_size=packed.CLASSIC + 1, max_size=40)


@given(NUMBERS)
def test_counts_read_back_as_they_were_written(numbers: list[int]) -> None:
    assert packed.read_counts(packed.write_counts(numbers)) == numbers


@given(st.lists(NUMBERS, max_size=5))
def test_packed_histograms_read_back_as_they_were(numbers: list[list[int]]) -> None:
    found = [
        UtilizationSeries(b'{i="%d"} ' % at, packed.write_counts(counts), at * 1.5, 7.5, 64, 1, 2, -9, (0.5, 8.0))
        for at, counts in enumerate(numbers)
    ]
    assert list(PackedSeries.of(found)) == found


def test_lines_have_cumulative_counts_whatever_the_labels() -> None:
    counts = packed.write_counts([0, 2, 0, 2**40, *[0] * 7])
    for labels, first in ((b" ", b"{"), (b'{i="a"} ', b'{i="a",')):
        (piece,) = PackedSeries.of([UtilizationSeries(labels, counts, 2.5)]).samples()
        found = piece.split(b"\n")[1:]
        assert found[2] == b"interface_utilization_bucket" + first + b'le="10"} 2'
        assert found[9:] == [
            b"interface_utilization_bucket" + first + b'le="+Inf"} 1099511627778',
            b"interface_utilization_sum" + labels + b"2.5",
            b"interface_utilization_count" + labels + b"1099511627778",
        ]


def test_the_compiled_and_the_plain_form_observe_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(module: ModuleType) -> tuple[list[bytes], list[UtilizationSeries]]:
        monkeypatch.setattr(histogram, "packed", module)
        chance, one, counters = random.Random(4), Utilization(), [[0, 0, 64] for _ in range(9)]
        for poll in range(60):
            for each in counters:
                each[2] = chance.choice((64, 64, 64, 32))
                for side in (0, 1):
                    step = chance.choice((0, 1, 10**6, 10**9, 10**16, -1000))
                    each[side] = (each[side] + step) % (1 << each[2])
            rows = [
                InterfaceCounters(b'{i="%d"} ' % at, chance.choice((0.0, 1e6, 1e9, 1e11)), *each)
                for at, each in enumerate(counters)
            ]
            one.observe(rows, at=chance.choice((30.0, 29.0)) * poll, ticks=None)
        return one.samples(), list(one.current_series())

    assert play(packed) == play(import_uncompiled("promsnmp.exposition.utilization.packed"))


def test_a_count_may_take_more_octets_from_one_poll_to_the_next() -> None:
    one = Utilization()
    for poll in range(300):
        one.observe([InterfaceCounters(b" ", 1e9, poll * 10**9, 0, 64)], at=30.0 * poll, ticks=None)
    (series,) = one.current_series()
    assert sum(series.counts()) == 299
    assert sum(series.native_counts().values()) == 299


def test_counters_that_cannot_be_octets_are_not_observed() -> None:
    one = Utilization()
    for poll, received in enumerate((0, -5, 1 << 64, 10, 20)):
        one.observe([InterfaceCounters(b" ", 1e9, received, 0, 64)], at=30.0 * poll, ticks=None)
    assert sum(one.current_series()[0].counts()) == 1


def test_an_interface_gets_its_series_when_its_speed_is_known() -> None:
    one = Utilization()
    for poll, speed in enumerate((0.0, 0.0, 1e9, 1e9)):
        rows = [InterfaceCounters(b'{i="a"} ', 1e9, poll, 0, 64), InterfaceCounters(b'{i="b"} ', speed, poll, 0, 64)]
        one.observe(rows, at=30.0 * poll, ticks=None)
    assert [(series.labels, sum(series.counts())) for series in one.all_series()] == [
        (b'{i="a"} ', 3),
        (b'{i="b"} ', 1),
    ]


def test_replicas_of_version_0_5_0_understand_histograms_and_are_understood() -> None:
    row = ['{i="a"} ', [0, 2, 0, 1, 0, 0, 0, 0, 0, 300], 61.5, 10.0, 64, 5, 6, -3, [2, 0, 1], 300, True]
    sent = {"series": [row, ['{i="b"} ', *row[1:-1], False]], "uptime": (4711, 10.0)}
    read, one = read_document(sent, now=100.0), Utilization()
    one.take_over(read.series, read.present, read.uptime, 100.0)
    (made,) = transfers(one, most=10, now=100.0)
    assert document(made, now=100.0) == sent
