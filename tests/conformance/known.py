"""The differences that are there on purpose and that the recordings show; docs/conformance.md tells of all."""

from __future__ import annotations

import re

REFUSALS = {
    re.compile(r"collected before with the same name and label values"): "duplicate series",
    re.compile(r"has help .* but should have|inconsistent label|should be a"): "families that do not agree",
    re.compile(r"is not a valid (?:label|metric) name|duplicate label names"): "names that are not allowed",
    re.compile(r"is not valid UTF-8"): "indexes that are no UTF-8",
    re.compile(r"is greater than MaxOids"): "too many objects in one GET",
    re.compile(r"error reported by target .*: Error Status"): "an error-status of a GET",
    re.compile(r"BITS type was not a BISTRING on the wire"): "Bits that are no octets",
    re.compile(r"error (?:getting|walking) target .*(?:[Uu]nable to decode|unmarshal|decode)"): "malformed values",
}
"""What snmp_exporter answers 500 for, where we serve the rest of the page."""


def refusal(body: str) -> str:
    """Why snmp_exporter refuses a scrape that we serve; "" where we do not know."""
    return next((why for pattern, why in REFUSALS.items() if pattern.search(body)), "")
