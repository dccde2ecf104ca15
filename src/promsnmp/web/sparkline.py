"""Lines of the last hour of an interface, for an SVG that the server makes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from promsnmp.polling.history.rate_history import RATES, SLOTS

WIDTH, HEIGHT = SLOTS - 1, 14
"""A minute is as wide as one unit."""


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The paths of the rates received and sent, and the highest rates (bits per second)."""

    received: str
    sent: str
    most_received: float
    most_sent: float


def sparkline(received: bytes, sent: bytes) -> Sparkline | None:
    """The lines of two series of codes (``rate_history``), the oldest first, in one scale; None without any rate."""
    first, second = ([RATES[code] for code in codes] for codes in (received, sent))
    known = [[rate for rate in side if rate is not None] for side in (first, second)]
    if not known[0] or not known[1]:
        return None
    most_received, most_sent = max(known[0]), max(known[1])
    scale = max(most_received, most_sent, 1.0)
    return Sparkline(_path(_heights(first, scale)), _path(_heights(second, scale)), most_received, most_sent)


def _heights(rates: Iterable[float | None], scale: float) -> Iterable[float | None]:
    return [None if rate is None else round(HEIGHT * (1 - rate / scale), 1) for rate in rates]


def _path(heights: Iterable[float | None]) -> str:
    """One line for each span of known minutes; a single minute is a short line. Points between equal ones are left
    out."""
    parts: list[str] = []
    spans: list[list[tuple[int, float]]] = [[]]
    for at, height in enumerate(heights):
        if height is None:
            spans.append([])
        else:
            spans[-1].append((at, height))
    for span in spans:
        if len(span) == 1:
            parts.append(f"M{max(span[0][0] - 0.5, 0):g} {span[0][1]:g}h1")
            continue
        for place, (at, height) in enumerate(span):
            is_inner = 0 < place < len(span) - 1
            if not (is_inner and span[place - 1][1] == height == span[place + 1][1]):
                parts.append(f"{'L' if place else 'M'}{at} {height:g}")
    return "".join(parts)
