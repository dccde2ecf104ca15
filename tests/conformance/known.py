"""The differences that are there on purpose and that the recordings show; docs/conformance.md tells of all."""

from __future__ import annotations

import re

REFUSALS = {
    re.compile(r"collected before with the same name and label values"): "duplicate series",
    re.compile(r"has help .* but should have|inconsistent label"): "families that do not agree",
}
"""What snmp_exporter answers 500 for, where we serve the rest of the page."""


def refusal(body: str) -> str:
    """Why snmp_exporter refuses a scrape that we serve; "" where we do not know."""
    return next((why for pattern, why in REFUSALS.items() if pattern.search(body)), "")
