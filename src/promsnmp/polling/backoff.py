"""How often a device that does not answer is polled: the interval doubles with each failure, up to a limit."""

from __future__ import annotations

_MAX_DOUBLINGS = 16
"""Keeps the power of two small; the limit is reached long before."""


def retry_interval(failures: int, *, interval: float, longest: float) -> float:
    """Seconds until the next poll after ``failures`` (from 1) in a row; ``longest`` is COLLECTION_BACKOFF_MAX."""
    return min(interval * (1 << min(failures, _MAX_DOUBLINGS)), longest)
