"""``regex_extracts``: further metrics, cut out of a text by regular expressions."""

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
"""Underscores that do not stand between two digits (or a hexadecimal prefix and a digit)."""


def extracted(metric: Metric, text: str) -> Iterator[tuple[str, float]]:
    """Suffix and number of each extract of ``metric`` that finds one in ``text``."""
    for one in metric.regex_extracts:
        number = _first(one, text)
        if number is not None:
            yield one.suffix, number


def _first(extract: RegexExtract, text: str) -> float | None:
    """The number of the first entry that matches and gives one."""
    for expression, template in extract.patterns:
        pattern = regex.compile_full_match(expression)
        match = pattern.search(text)
        if match is not None:
            number = parse_float(regex.expand(template, pattern, match))
            if number is not None:
                return number
    return None


def parse_float(text: str) -> float | None:
    """The number that Go's ``strconv.ParseFloat`` reads, None where it reads none or one that no float can hold.

    That is Python's ``float`` with hexadecimal floats, without blanks around it and without digits that are not ASCII.
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
