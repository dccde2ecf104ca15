"""Reads durations and sizes with a unit: ``30s`` as 30000 milliseconds, ``64MiB`` as 67108864 bytes.

A plain number keeps its meaning: milliseconds, or bytes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BYTES = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4} | {
    f"{letter}i{end}": 1024**power for power, letter in enumerate("KMGT", 1) for end in ("", "B")
}
_PART = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z]+)\s*", re.ASCII)
_PLAIN = re.compile(r"[-+0-9_.\s]*", re.ASCII)
LONGEST = 60
"""Characters of a value with units, at most."""


def milliseconds(value: object) -> object:
    """Milliseconds of ``30s``, ``1m30s``, ``500ms``; anything without a unit as it is. Raises ValueError."""
    return _number(value, _MILLISECONDS, "a duration such as 500ms, 30s, 1m30s or 30000 (milliseconds)")


def octets(value: object) -> object:
    """Bytes of ``64MiB``, ``64Mi``, ``100MB``; anything without a unit as it is. Raises ValueError."""
    return _number(value, _BYTES, "a size such as 64MiB, 1GiB, 100MB or 67108864 (bytes)")


def _number(value: object, units: dict[str, int], form: str) -> object:
    if not isinstance(value, str) or _PLAIN.fullmatch(value):
        return value
    text, total, seen = value.strip(), Decimal(0), 0
    while len(text) <= LONGEST and (match := _PART.match(text, seen)) and match[2] in units:
        total += Decimal(match[1]) * units[match[2]]
        seen = match.end()
    if not seen or seen < len(text) or total != int(total):
        raise ValueError(f"is not {form}; units: {', '.join(units)}")
    return int(total)


Milliseconds = Annotated[int, BeforeValidator(milliseconds)]
"""The type of a setting that is a duration."""
Bytes = Annotated[int, BeforeValidator(octets)]
"""The type of a setting that is a size."""
