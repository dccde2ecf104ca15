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
    sides = [[RATES[code] for code in codes] for codes in (received, sent)]
    highest = [max((rate for rate in side if rate is not None), default=None) for side in sides]
    if highest[0] is None or highest[1] is None:
        return None
    scale = max(*highest, 1.0)
    paths = [_path([None if rate is None else round(HEIGHT * (1 - rate / scale), 1) for rate in side]) for side in sides]
    return Sparkline(paths[0], paths[1], highest[0], highest[1])


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
