"""How often a device that does not answer is polled: the interval doubles with each failure, up to a limit."""

from __future__ import annotations

_MAX_DOUBLINGS = 16
"""Keeps the power of two small; the limit is reached long before."""


_LONGEST = 86_400.0
"""A day: the default limit never makes it longer, unless the interval is."""


def longest_interval(interval: float, setting: float | None) -> float:
    """The limit, in seconds, for a device with this interval: COLLECTION_BACKOFF_MAX (``setting``), or else ten
    intervals, at most a day; never less than the interval."""
    longest = min(10 * interval, _LONGEST) if setting is None else setting
    return max(longest, interval)


def retry_interval(failures: int, *, interval: float, longest: float) -> float:
    """Seconds until the next poll after ``failures`` (from 1) in a row; ``longest`` as from ``longest_interval``."""
    return min(interval * (1 << min(failures, _MAX_DOUBLINGS)), longest)
