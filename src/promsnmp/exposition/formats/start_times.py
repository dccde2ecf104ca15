"""When the counters of a page began: with it, Prometheus has the right rate from the first sample on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StartTimes:
    """In Unix seconds."""

    device: float
    """Of all counters of the device, except ``rows``."""
    rows: Mapping[bytes, float] = field(default_factory=dict)
    """Of rows that began later, by their label text (as in a sample); 0: not known."""
