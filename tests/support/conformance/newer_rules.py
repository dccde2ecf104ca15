"""Turns a page of snmp_exporter 0.30.1 into what its main branch and our intended differences make of it.

docs/reference/conformance.md lists them: scaled extracts, dates out of range, indexes in another form, filters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from promsnmp.exposition import values
from promsnmp.exposition.deviations.row_index import decode_row
from promsnmp.exposition.formats.text import metric_name
from promsnmp.exposition.indexes import decode_index
from promsnmp.exposition.labels import label_name
from promsnmp.modules.model import Index
from promsnmp.snmp import ber
from tests.support.conformance.pages import ParsedPage

Metric = Mapping[str, Any]
FIRST_DIGIT = re.compile(r"^_\d")
"""The beginning of our name for one that begins with a digit in the module."""
_EXTRACTED = "(regex extracted)"
_PORT_OF_TEXT = (1, 2, 5, 7)
"""Subtypes of an LldpPortId that are text, whose first character 0.30.1 takes for the length."""


def family_name(name: str) -> str:
    """The name of a family on a page of 0.30.1, which has ``_`` in place of a digit at the beginning."""
    return FIRST_DIGIT.sub("_", metric_name(name))


def label_of_0_30(name: str) -> str:
    """The name of a label on a page of 0.30.1, as ``family_name``."""
    return FIRST_DIGIT.sub("_", label_name(name))


def with_scaled_extracts(metrics: Sequence[Metric], page: ParsedPage) -> ParsedPage:
    """A page whose extracts are scaled, as the main branch does."""
    samples = dict(page.samples)
    for metric in metrics:
        scale, offset = metric.get("scale") or 1.0, metric.get("offset", 0.0)
        names = {family_name(f"{metric['name']}{suffix}") for suffix in metric.get("regex_extracts", ())}
        for series, value in page.samples.items() if (scale, offset) != (1.0, 0.0) else ():
            if series[0] in names and page.helps.get(series[0], "").endswith(_EXTRACTED):
                samples[series] = value * scale + offset
    return replace(page, samples=samples)


def without_wrong_dates(
    metrics: Sequence[Metric], objects: Mapping[str, bytes], mine: ParsedPage, other: ParsedPage
) -> ParsedPage:
    """A page without dates out of range: at most as many per name as there are such values."""
    samples = dict(other.samples)
    for metric in metrics:
        if metric["type"] == "DateAndTime":
            wrong = sum(_is_wrong_date(objects[name]) for name, _ in _rows(metric, objects))
            extra = [one for one in samples if one[0] == family_name(metric["name"]) and one not in mine.samples]
            if len(extra) <= wrong:
                samples = {series: value for series, value in samples.items() if series not in extra}
    return replace(other, samples=samples)


def has_wrong_dates(metrics: Sequence[Metric], objects: Mapping[str, bytes]) -> bool:
    """Whether a DateAndTime metric has a value that is not a date."""
    dates = [metric for metric in metrics if metric["type"] == "DateAndTime"]
    return any(_is_wrong_date(objects[name]) for metric in dates for name, _ in _rows(metric, objects))


def _is_wrong_date(value: bytes) -> bool:
    tag, start, end = ber.read_any(value, 0, len(value))
    return tag == ber.OCTET_STRING and values.date_and_time(value[start:end]) is None


def doubtful_labels(metrics: Sequence[Metric], objects: Mapping[str, bytes]) -> set[str]:
    """The labels of metrics that have a row whose index we read otherwise."""
    labels: set[str] = set()
    for metric in metrics:
        indexes = [_index(one) for one in metric.get("indexes", ())]
        if indexes and any(_is_read_otherwise(indexes, row) for _, row in _rows(metric, objects)):
            labels.update(label_of_0_30(one["labelname"]) for one in (*metric["indexes"], *metric.get("lookups", ())))
    return labels


def _rows(metric: Metric, objects: Mapping[str, bytes]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The OIDs under a metric's, its own included, and the sub-identifiers of their rows."""
    below = f"{metric['oid']}."
    for name in objects:
        if f"{name}.".startswith(below):
            yield name, tuple(map(int, filter(None, name[len(below) :].split("."))))


def _index(one: Mapping[str, Any]) -> Index:
    enum = tuple(one.get("enum_values", {}).items())
    return Index(one["labelname"], one["type"], one.get("fixed_size", 0), bool(one.get("implied")), enum)


def _is_read_otherwise(indexes: Sequence[Index], row: tuple[int, ...]) -> bool:
    texts, rest = [], row
    for index in indexes:
        if index.type == "LldpPortId" and rest[:1] and rest[0] in _PORT_OF_TEXT:
            return True
        enum = dict(index.enum_values)
        text, _, rest = decode_index(rest, index.type, fixed_size=index.fixed_size, implied=index.implied, enum=enum)
        texts.append(text)
    found = decode_row(indexes, row)
    return found.excess != 0 or bool(rest) or list(found.texts) != texts


def filters_differ(filters: Sequence[Mapping[str, Any]], objects: Mapping[str, bytes]) -> bool:
    """Whether filters choose other rows than those of 0.30.1: several on one target, or rows of several numbers."""
    targets = [target for one in filters for target in one.get("targets", ())]
    if any(one != other and f"{other}".startswith(one) for one in targets for other in targets):
        return True
    composite = any(
        len(name[len(one["oid"]) + 1 :].split(".")) > 1
        for one in filters
        for name in objects
        if name.startswith(f"{one['oid']}.")
    )
    return len(set(targets)) < len(targets) or composite
