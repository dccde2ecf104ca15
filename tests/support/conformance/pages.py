"""Compares two pages and classifies each difference."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OWN = re.compile(r"(snmp_scrape_|promsnmp_)")
"""Families that describe the scrape, not the device."""

_HEADER = re.compile(r"# (TYPE|HELP) (\S+)(?: (.*))?")
_LINE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)="((?:[^"\\]|\\.)*)"')

Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """A page without its order: numbers by series, and TYPE and HELP by family."""

    samples: Mapping[Series, float]
    types: Mapping[str, str]
    helps: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its kind, and the series or family with both values."""

    kind: str
    what: str


def parse(text: str) -> ParsedPage:
    """A page in text format 0.0.4, or the samples of one in OpenMetrics."""
    samples: dict[Series, float] = {}
    types: dict[str, str] = {}
    helps: dict[str, str] = {}
    for line in text.split("\n"):
        if match := _HEADER.fullmatch(line):
            if not OWN.match(match[2]):
                (types if match[1] == "TYPE" else helps)[match[2]] = match[3] or ""
        elif (match := _LINE.fullmatch(line)) and not OWN.match(match[1]):
            samples[match[1], tuple(sorted(_LABEL.findall(match[2] or "")))] = float(match[3])
    return ParsedPage(samples, types, helps)


def compare(mine: ParsedPage, other: ParsedPage) -> Iterator[Difference]:
    """All differences of samples, and of the headers of families that both have."""
    for series in sorted(other.samples.keys() - mine.samples.keys()):
        yield Difference("only snmp_exporter", f"{_shown(series)} {other.samples[series]}")
    for series in sorted(mine.samples.keys() - other.samples.keys()):
        yield Difference("only PromSNMP", f"{_shown(series)} {mine.samples[series]}")
    for series in sorted(mine.samples.keys() & other.samples.keys()):
        ours, theirs = mine.samples[series], other.samples[series]
        if ours != theirs and not (math.isnan(ours) and math.isnan(theirs)):
            yield Difference("another value", f"{_shown(series)} {ours} and not {theirs}")
    for word, ours_by, theirs_by in (("TYPE", mine.types, other.types), ("HELP", mine.helps, other.helps)):
        for name in sorted(ours_by.keys() & theirs_by.keys()):
            if ours_by[name] != theirs_by[name]:
                yield Difference(f"another {word}", f"{name}: {ours_by[name]!r} and not {theirs_by[name]!r}")


def _shown(series: Series) -> str:
    name, labels = series
    return f"{name}{{{','.join(f'{label}={text!r}' for label, text in labels)}}}"
