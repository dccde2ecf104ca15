"""Separates deliberate differences between two pages (docs/reference/conformance.md) from unknown ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.support.conformance.generated_values import ASSOCIATED, NUMERIC, is_number, is_whole
from tests.support.conformance.newer_rules import (
    FIRST_DIGIT,
    doubtful_labels,
    family_name,
    has_wrong_dates,
    label_of_0_30,
    with_scaled_extracts,
    without_wrong_dates,
)
from tests.support.conformance.pages import Difference, ParsedPage, Series, compare

REFUSALS = {
    re.compile(r"collected before with the same name and label values"): "duplicate series",
    re.compile(r"has help .* but should have|inconsistent label|should be a"): "families that do not agree",
    re.compile(r"is not a valid (?:label|metric) name|duplicate label names"): "names that are not allowed",
    re.compile(r"is not valid UTF-8"): "indexes that are not UTF-8",
    re.compile(r"is greater than MaxOids"): "too many objects in one GET",
    re.compile(r"error reported by target .*: Error Status"): "an error-status of a GET",
    re.compile(r"BITS type was not a BISTRING on the wire"): "Bits that are not octets",
    re.compile(r"error (?:getting|walking) target .*(?:[Uu]nable to decode|unmarshal|decode)"): "malformed values",
    re.compile(r"^snmp_exporter ends$"): "values that end snmp_exporter",
}
"""Errors for which snmp_exporter answers 500, or crashes, while we serve the rest of the page."""
STRICT = frozenset({"duplicate series", "families that do not agree"})
"""Errors for which we answer 500, too, when configured to."""
_TICKS = re.compile(r"%!s\(uint32=(\d+)\)")
"""How snmp_exporter 0.28 shows TimeTicks as text."""


@dataclass(frozen=True, slots=True)
class ScrapedModule:
    """What a page was made from: metrics as in snmp.yml, and the device's objects by dotted OID."""

    metrics: Sequence[Mapping[str, Any]]
    objects: Mapping[str, bytes]
    filters: Sequence[Mapping[str, Any]] = ()

    @property
    def is_read_otherwise(self) -> bool:
        """Whether 0.30.1 reads some index or date otherwise, so that it sees other duplicates."""
        return bool(doubtful_labels(self.metrics, self.objects)) or has_wrong_dates(self.metrics, self.objects)


def refusal(body: str) -> str:
    """Why snmp_exporter refuses a scrape that we serve; "" when no documented reason applies."""
    return next((why for pattern, why in REFUSALS.items() if pattern.search(body)), "")


def has_formatting_bugs(page: ParsedPage) -> bool:
    """Whether some series of a page differ only because of formatting bugs of snmp_exporter."""
    return len(_corrected(page).samples) < len(page.samples)


def unexplained_differences(
    scraped: ScrapedModule, mine: ParsedPage, other: ParsedPage, *, is_exact: bool = False
) -> list[Difference]:
    """The differences between our page and theirs that docs/reference/conformance.md does not document.

    ``is_exact``: our page was made with the settings that restore snmp_exporter's behaviour.
    """
    if not list(compare(mine, other)):
        return []
    mine, other = _with_0_30_names(mine), with_scaled_extracts(scraped.metrics, _corrected(other))
    differences = _beyond_dates if is_exact else _beyond_zeros
    unexplained = differences(scraped, mine, other)
    if not unexplained:
        return []
    lookups = [lookup for metric in scraped.metrics for lookup in metric.get("lookups", ())]
    labels = {label_of_0_30(lookup["labelname"]) for lookup in lookups if lookup.get("type") in ASSOCIATED}
    labels |= doubtful_labels(scraped.metrics, scraped.objects)
    if labels:  # an address without a type, and an index in another form, are shown differently
        return differences(scraped, _without(mine, labels), _without(other, labels))
    return unexplained


def _corrected(page: ParsedPage) -> ParsedPage:
    """A page of snmp_exporter with its formatting bugs fixed."""
    samples = {
        (name, tuple(sorted((label.replace(":", "_"), _TICKS.sub(r"\1", text)) for label, text in labels))): value
        for (name, labels), value in page.samples.items()
    }
    return replace(page, samples=samples)


def _with_0_30_names(page: ParsedPage) -> ParsedPage:
    """A page whose names have ``_`` in place of a digit at their beginning, as in 0.30.1, and not before it."""
    samples = {
        (
            FIRST_DIGIT.sub("_", name),
            tuple(sorted((FIRST_DIGIT.sub("_", one), text) for one, text in labels)),
        ): value
        for (name, labels), value in page.samples.items()
    }
    types, helps = (
        {FIRST_DIGIT.sub("_", name): text for name, text in one.items()} for one in (page.types, page.helps)
    )
    return ParsedPage(samples, types, helps)


def _beyond_dates(scraped: ScrapedModule, mine: ParsedPage, other: ParsedPage) -> list[Difference]:
    return list(compare(mine, without_wrong_dates(scraped.metrics, scraped.objects, mine, other)))


def _beyond_zeros(scraped: ScrapedModule, mine: ParsedPage, other: ParsedPage) -> list[Difference]:
    invented = _invented(scraped, mine, other)
    remaining = {series: value for series, value in other.samples.items() if series not in invented}
    return _beyond_dates(scraped, mine, replace(other, samples=remaining))


def _without(page: ParsedPage, labels: Collection[str]) -> ParsedPage:
    """A page without some labels; a sample's value becomes a label, too, because several series may have become one."""
    samples: dict[Series, float] = {}
    for (name, pairs), value in page.samples.items():
        samples[name, (*(pair for pair in pairs if pair[0] not in labels), ("value", repr(value)))] = value
    return replace(page, samples=samples)


def _invented(scraped: ScrapedModule, mine: ParsedPage, other: ParsedPage) -> set[Series]:
    """Zeros that snmp_exporter gives for values that are not numbers: at most as many per name as such values."""
    allowed: Counter[str] = Counter()
    zeros: dict[str, set[float]] = {}
    for metric in scraped.metrics:
        if metric["type"] in NUMERIC:
            is_enum = metric["type"].startswith("Enum")
            name = family_name(f"{metric['name']}_info" if metric["type"] == "EnumAsInfo" else metric["name"])
            counts = is_whole if is_enum else is_number
            below = f"{metric['oid']}."
            rows = sum(f"{at}.".startswith(below) and not counts(value) for at, value in scraped.objects.items())
            allowed[name] += rows * (len(metric.get("enum_values", ())) + 1)
            zero = 0.0 * metric.get("scale", 1) + metric.get("offset", 0)
            zeros.setdefault(name, set()).update((0.0, 1.0) if is_enum else (zero,))
    invented: set[Series] = set()
    for name, count in allowed.items():
        extra = [
            series
            for series in other.samples.keys() - mine.samples.keys()
            if series[0] == name and other.samples[series] in zeros[name]
        ]
        if len(extra) <= count:
            invented.update(extra)
    return invented
