"""Text for people: numbers with units, and strings of devices made harmless.

Templates escape markup. What is left are characters that change how the rest of a page reads, or that nobody can see:
control characters, those that turn the direction of writing (Unicode Standard Annex #9), and those that no XML may have
(XML 1.0 section 2.2). They are shown as codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

MOST_CHARACTERS = 4_000
"""Of one text on a page."""
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_PREFIXES = ("", "k", "M", "G", "T", "P")
_SPANS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def visible(text: str, most: int = MOST_CHARACTERS) -> str:
    """``text`` with hidden characters as codes, and at most ``most`` characters of it."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return _HIDDEN.sub(_code, cut)


def _code(match: re.Match[str]) -> str:
    return f"\\u{{{ord(match[0]):x}}}"


def seconds(number: float) -> str:
    """A duration: ``12 ms``, ``1.5 s``, ``3 min``, ``2.1 d``."""
    if number < 0.001:
        return "0 ms" if number <= 0 else "<1 ms"
    if number < 1:
        return f"{number * 1000:.0f} ms"
    for span, unit in _SPANS:
        if number >= span:
            return f"{_short(number / span)} {unit}"
    return f"{_short(number)} s"


def scaled(number: float, unit: str, step: float = 1000.0) -> str:
    """``number`` with a prefix: ``1.2 Gbit/s``; with ``step`` 1024 the prefixes are binary: ``1.2 GiB``."""
    at = 0
    while abs(number) >= step and at < len(_PREFIXES) - 1:
        number /= step
        at += 1
    prefix = _PREFIXES[at].upper() + "i" if step == 1024.0 and at else _PREFIXES[at]
    return f"{_short(number)} {prefix}{unit}"


def percent(ratio: float) -> str:
    """A ratio as a percentage: ``61 %``, ``0.4 %``."""
    number = ratio * 100
    return f"{number:.1f} %" if 0 < abs(number) < 10 else f"{number:.0f} %"


def count(number: float) -> str:
    """A whole number with a space for each thousand."""
    return f"{number:,.0f}".replace(",", "\u202f")


def counted(number: float, one: str, many: str = "") -> str:
    """How many there are of something: ``1 device``, ``0 devices``; ``many`` where it does not end with an s."""
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"


def number(value: float) -> str:
    """A reading: at most three digits behind the point."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.6g}"


def short_number(value: float) -> str:
    """A rate: two digits of a small one, no fraction of a large one."""
    return f"{value:.2g}" if abs(value) < 10 else count(value)


def detail(value: object) -> str:
    """A detail of the service's health, as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {detail(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(detail, value))
    return str(value)


def timestamp(unix: float) -> str:
    """An instant as ISO 8601, UTC; empty for 0."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if unix else ""


def ago(unix: float, now: float) -> str:
    """How long ago an instant was: ``12 s ago``; ``never`` for 0."""
    if not unix:
        return "never"
    past = now - unix
    return f"{seconds(past) if past >= 1 else '0 s'} ago" if past >= 0 else f"in {seconds(-past)}"


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) < 10 and value != int(value) else f"{value:.0f}"
