"""Converts a page of text format 0.0.4 to protobuf: one MetricFamily for each family, in the order of the page.

Only protobuf carries native histograms and start timestamps to every Prometheus that knows them. The labels of a row
are the same in all families of a table, so each is encoded once for a page; a sample then takes what is encoded,
eight octets of value, and, if it is a counter, the start.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from promsnmp.exposition.formats import protobuf
from promsnmp.exposition.formats.openmetrics import blocks, head_of
from promsnmp.exposition.formats.protobuf import FamilyType
from promsnmp.exposition.formats.start_times import StartTimes
from promsnmp.exposition.utilization import histogram
from promsnmp.exposition.utilization.histogram import UtilizationSeries

_KINDS = {"counter": FamilyType.COUNTER, "gauge": FamilyType.GAUGE}
_OWN = ("promsnmp_", "snmp_trap_")
"""Families of counters that do not begin with the device."""
_LINES = 128 * 1024
"""Octets of samples that are converted at a time."""
_pack = struct.Struct("<d").pack
_Known = dict[tuple[FamilyType, int], dict[bytes, bytes]]
"""By type and by the octets of the start: what comes before a value, by label text."""


def from_text(
    page: bytes, starts: StartTimes | None = None, series: Iterable[UtilizationSeries] | None = None
) -> Iterator[bytes]:
    """The protobuf form of a page, in parts.

    ``starts`` are those of its counters, ``series`` the histograms of its interfaces with their native buckets; without
    them the page has the classic ones of the text.
    """
    known: _Known = {}
    for start, stop in blocks(page, b"# HELP "):
        help_line, type_line, first = head_of(page[start:stop])
        name, _, help_text = help_line.partition(" ")
        kind = type_line.rpartition(" ")[2]
        if kind == "histogram":
            if series is not None and name == histogram.NAME:
                yield protobuf.utilization_family(series)
            else:
                histograms = _histograms(page[start + first : stop], len(name))
                yield protobuf.family(name, FamilyType.HISTOGRAM, protobuf.unescaped(help_text), histograms)
            continue
        family = _KINDS.get(kind, FamilyType.UNTYPED)
        has_start = family is FamilyType.COUNTER and not name.startswith(_OWN)
        writer = _Samples(family, len(name), known, starts if has_start else None)
        metrics = [writer.of(part.split(b"\n")) for part in _parts(page, start + first, stop)]
        yield protobuf.family_of(name, family, protobuf.unescaped(help_text), metrics)


def _parts(page: bytes, start: int, stop: int) -> Iterator[bytes]:
    """Whole lines of a page, some at a time."""
    while start < stop:
        end = page.find(b"\n", min(start + _LINES, stop), stop)
        end = stop if end < 0 else end
        yield page[start:end]
        start = end + 1


class _Samples:
    """Writes the samples of one family as the fields ``metric`` of its message."""

    def __init__(self, kind: FamilyType, name_length: int, known: _Known, starts: StartTimes | None) -> None:
        self._kind = kind
        self._skip = name_length
        self._rows = {} if starts is None else starts.rows
        self._start = b"" if starts is None else protobuf.start_timestamp(kind, starts.device)
        self._prefixes = known.setdefault((kind, len(self._start)), {})

    def of(self, lines: Sequence[bytes]) -> bytes:
        """The fields of some lines of the page."""
        pieces: list[bytes] = []
        skip, prefixes, rows, start = self._skip, self._prefixes, self._rows, self._start
        for line in lines:
            at = line.rfind(b" ") + 1  # label texts end with the blank
            labels = line[skip:at]
            if labels in rows:
                own = protobuf.start_timestamp(self._kind, rows[labels])
                pieces += (protobuf.metric_prefix(self._kind, labels, len(own)), _pack(float(line[at:])), own)
                continue
            prefix = prefixes.get(labels)
            if prefix is None:
                prefix = prefixes[labels] = protobuf.metric_prefix(self._kind, labels, len(start))
            pieces += (prefix, _pack(float(line[at:])), start)
        return b"".join(pieces)


def _histograms(samples: bytes, name_length: int) -> Iterator[bytes]:
    """The classic histograms of a family, from their lines."""
    buckets: dict[bytes, list[tuple[float, int]]] = {}
    totals: Mapping[str, dict[bytes, float]] = {"_sum": {}, "_count": {}}
    for line in samples.split(b"\n"):
        series, _, number = line.rpartition(b" ")
        brace = series.find(b"{")
        suffix, labels = (series[name_length:brace], series[brace:]) if brace >= 0 else (series[name_length:], b"")
        if suffix == b"_bucket":
            rest, _, bound = labels.rpartition(b'le="')
            key = rest.removesuffix(b",") + b"}" if rest != b"{" else b""
            buckets.setdefault(key, []).append((float(bound[:-2]), int(number)))
        else:
            totals[suffix.decode()][labels] = float(number)
    for key, bounds in buckets.items():
        yield protobuf.histogram(
            protobuf.labels_of(key),
            count=int(totals["_count"].get(key, 0)),
            total=totals["_sum"].get(key, 0.0),
            buckets=bounds,
        )
