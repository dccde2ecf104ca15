"""Extracts numbers from text by regular expressions: ``regex_extracts`` of snmp.yml."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from promsnmp.modules import regex
from promsnmp.modules.model import Metric, RegexExtract

_DECIMAL = re.compile(r"[+-]?(?:\d[\d_]*\.?[\d_]*|\.[\d_]*\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?", re.ASCII)
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX]_?(?:[\da-fA-F][\da-fA-F_]*\.?[\da-fA-F_]*|\.[\da-fA-F]+)[pP][+-]?\d[\d_]*", re.ASCII
)
_NAMED = re.compile(r"[+-]?inf(?:inity)?|nan", re.ASCII | re.IGNORECASE)
_STRAY = re.compile(r"(?<![\da-fA-FxX])_|_(?![\da-fA-F])")
_STRAY_IN_DECIMAL = re.compile(r"(?<!\d)_|_(?!\d)", re.ASCII)
"""Underscores that are not between two digits (or a hexadecimal prefix and a digit)."""


def extracted(metric: Metric, text: str) -> Iterator[tuple[str, float]]:
    """Suffix and number of each extract of ``metric`` that finds a number in ``text``."""
    for one in metric.regex_extracts:
        number = _first(one, text)
        if number is not None:
            yield one.suffix, number


def _first(extract: RegexExtract, text: str) -> float | None:
    """The number of the first pattern that matches and whose template gives a number."""
    for expression, template in extract.patterns:
        pattern = regex.compile_full_match(expression)
        match = pattern.search(text)
        if match is not None:
            number = parse_float(regex.expand(template, pattern, match))
            if number is not None:
                return number
    return None


def parse_float(text: str) -> float | None:
    """The number as Go's ``strconv.ParseFloat`` reads it; None when it does not, or when a float cannot hold it.

    Unlike Python's ``float`` it accepts hexadecimal floats, and neither blanks around the number nor non-ASCII digits.
    """
    if _NAMED.fullmatch(text):
        return float(text)
    if _DECIMAL.fullmatch(text) and not _STRAY_IN_DECIMAL.search(text):
        number = float(text.replace("_", ""))
        return number if math.isfinite(number) else None
    if _HEXADECIMAL.fullmatch(text) and not _STRAY.search(text):
        try:
            return float.fromhex(text.replace("_", ""))
        except OverflowError:
            return None
    return None
