"""Passes utilisation histograms from one process to another, as JSON values.

Times are sent as ages, because every process has a monotonic clock of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from promsnmp.exposition.utilization.histogram import Utilization, UtilizationSeries
from promsnmp.exposition.utilization.packed import CLASSIC, write_counts

MAX_NATIVE_BUCKETS = 20_000
"""No percentage between the smallest and the largest float needs more."""


@dataclass(frozen=True, slots=True)
class SeriesTransfer:
    """Histograms of one device; ``uptime`` is sysUpTime as read last (1/100 s), if known, and its age in seconds."""

    series: Sequence[UtilizationSeries]
    present: Sequence[bool]
    """Whether each was in the last poll."""
    uptime: tuple[int, float] | None


def document(transfer: SeriesTransfer, *, now: float) -> dict[str, object]:
    """The histograms as JSON values; ``now`` in seconds, monotonic."""
    rows = [_row(one, there, now) for one, there in zip(transfer.series, transfer.present, strict=True)]
    return {"series": rows, "uptime": transfer.uptime}


def _row(one: UtilizationSeries, is_present: bool, now: float) -> list[object]:
    return [
        one.labels.decode("utf-8", "surrogateescape"),
        one.counts(),
        one.total,
        now - one.at,
        one.bits,
        one.received,
        one.sent,
        one.lowest,
        one.bucket_numbers(),
        one.zero,
        is_present,
    ]


def read_document(found: object, *, now: float) -> SeriesTransfer:
    """The histograms in JSON values. Raises ValueError, TypeError, KeyError or OverflowError when they are invalid."""
    if not isinstance(found, dict) or not isinstance(found["series"], list):
        raise TypeError
    rows = [_read_row(row, now) for row in found["series"]]
    uptime = None if found["uptime"] is None else (int(found["uptime"][0]), float(found["uptime"][1]))
    return SeriesTransfer([one for one, _ in rows], [there for _, there in rows], uptime)


def _read_row(row: Iterable[object], now: float) -> tuple[UtilizationSeries, bool]:
    labels, counts, total, age, bits, received, sent, lowest, buckets, zero, is_present = row
    if not (isinstance(labels, str) and isinstance(counts, list) and len(counts) == CLASSIC):
        raise ValueError
    if not (isinstance(buckets, list) and len(buckets) <= MAX_NATIVE_BUCKETS and isinstance(total, float | int)):
        raise ValueError
    if not isinstance(age, float | int) or not isinstance(lowest, int) or not -MAX_NATIVE_BUCKETS <= lowest <= 0xFFFF:
        raise ValueError
    if bits not in (0, 32, 64) or "\n" in labels:
        raise ValueError
    series = UtilizationSeries(
        labels.encode("utf-8", "surrogateescape"),
        write_counts([_whole(count, 1 << 32) for count in (*counts, zero, *buckets)]),
        float(total),
        at=now - max(age, 0.0),
        bits=_whole(bits),
        received=_whole(received),
        sent=_whole(sent),
        lowest=lowest,
    )
    return series, bool(is_present)


def _whole(number: object, end: int = 1 << 64) -> int:
    if not isinstance(number, int) or not 0 <= number < end:
        raise ValueError
    return number


def transfers(utilization: Utilization, *, most: int, now: float) -> Iterable[SeriesTransfer]:
    """All histograms of a device, at most ``most`` in one transfer."""
    series, present = utilization.all_series(), len(utilization.current_series())
    uptime = utilization.uptime(now)
    for first in range(0, len(series), most):
        part = series[first : first + most]
        yield SeriesTransfer(part, [at < present for at in range(first, first + len(part))], uptime)
