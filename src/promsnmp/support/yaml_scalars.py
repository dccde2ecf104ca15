"""Reads numbers, flags, durations and choices from YAML scalars; every error has its line.

It distinguishes numbers and text as go-yaml does, which snmp_exporter uses for the same files: by YAML 1.1, so that
``010`` is 8, ``1_000`` a thousand, ``1e2`` a hundred, ``y`` true, and quoted scalars are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection

import yaml

from promsnmp.support.yaml_nodes import NodeError, quoted, text

_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_BASES = (16, 2, 8, 10)
_TRUE, _FALSE = (
    frozenset(form for word in words for form in (word, word.capitalize(), word.upper()))
    for words in (("y", "yes", "on", "true"), ("n", "no", "off", "false"))
)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LONGEST_SECONDS = 1e9
_LONGEST_NUMERAL = 60
"""Maximum characters of a number; anything longer is text."""
_TEXT = "tag:yaml.org,2002:str"


def is_plain(node: yaml.Node) -> bool:
    """Whether a scalar may be a number or flag: it is neither quoted nor a block, or has a tag other than text."""
    return isinstance(node, yaml.ScalarNode) and (not node.style or node.tag != _TEXT)


def numeral(written: str) -> int | float | None:
    """The number that a plain scalar is in YAML 1.1; None when it is not a number, or too large for a float."""
    digits = written.replace("_", "")
    if len(digits) < _LONGEST_NUMERAL and (match := _INTEGER.fullmatch(digits)):
        sign, *forms = match.groups()
        base, part = next((base, part) for base, part in zip(_BASES, forms, strict=True) if part is not None)
        return -int(part, base) if sign == "-" else int(part, base)
    if _FLOAT.fullmatch(digits) and math.isfinite(value := float(digits)):
        return value
    return None


def _numeral(node: yaml.Node, what: str, kind: str) -> int | float:
    written = text(node, what)
    number = numeral(written) if is_plain(node) else None
    if number is None:
        hint = "" if is_plain(node) or numeral(written) is None else ", which is text because it is quoted"
        raise NodeError(node, f"{what} must be {kind}, not {quoted(node.value)}{hint}")
    return number


def integer(node: yaml.Node, what: str) -> int:
    """A whole number of 64 bits; a fraction is cut off."""
    number = int(_numeral(node, what, "a whole number"))
    if not -(2**63) <= number < 2**63:
        raise NodeError(node, f"{what} must be a whole number of at most 64 bits, not {quoted(node.value)}")
    return number


def count(node: yaml.Node, what: str, limit: int = 2**63 - 1) -> int:
    """A whole number from 0 to ``limit``."""
    number = integer(node, what)
    if not 0 <= number <= limit:
        raise NodeError(node, f"{what} must be a whole number from 0 to {limit}, not {quoted(node.value)}")
    return number


def count32(node: yaml.Node, what: str) -> int:
    """A whole number from 0 to 2^32-1."""
    return count(node, what, 2**32 - 1)


def number(node: yaml.Node, what: str) -> float:
    """A finite number."""
    return float(_numeral(node, what, "a number"))


def flag(node: yaml.Node, what: str) -> bool:
    """True or false, in the spellings of YAML 1.1."""
    word = text(node, what)
    if not is_plain(node) or word not in _TRUE | _FALSE:
        raise NodeError(node, f"{what} must be true or false, not {quoted(node.value)}")
    return word in _TRUE


def seconds(node: yaml.Node, what: str) -> float:
    """A duration above 0, in seconds; a bare number is seconds (snmp_exporter reads it as nanoseconds)."""
    written = text(node, what)
    bare = numeral(written) if is_plain(node) else None
    try:
        value = parse_duration(written) if bare is None else float(bare)
    except ValueError as error:
        raise NodeError(node, f"{what}: {error}") from None
    if value <= 0:
        raise NodeError(node, f"{what} must be longer than 0, not {quoted(node.value)}")
    return min(value, _LONGEST_SECONDS)


def parse_duration(text: str) -> float:
    """Seconds of a Go duration such as ``5s``, ``1m30s`` or ``250ms`` (package time, ParseDuration).

    Raises ValueError, also for negative ones.
    """
    written = text.removeprefix("+")
    parts = _DURATION.findall(written)
    if not parts or "".join(parts) != written:
        raise ValueError(f"{quoted(text)} is not a duration: write a number and a unit, such as 5s or 500ms")
    total = 0.0
    for part in parts:
        unit = part.lstrip("0123456789.")
        total += float(part[: -len(unit)]) * _UNITS[unit]
    return total


def choice(node: yaml.Node, what: str, allowed: Collection[str]) -> str:
    """One of the ``allowed`` words."""
    word = text(node, what)
    if word not in allowed:
        raise NodeError(node, f"{what}: {quoted(word)} is not known; allowed: {', '.join(sorted(allowed))}")
    return word
