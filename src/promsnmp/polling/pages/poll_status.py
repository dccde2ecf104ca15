"""How the last poll of a device ended: what lists of devices show of it."""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.polling.health.summary import NO_SUMMARY, HealthSummary


@dataclass(frozen=True, slots=True)
class PollStatus:
    """How the last poll of a device ended: ``up``, ``partial`` (read in part), ``down``; ``unknown``: no poll yet."""

    state: str
    at: float = 0.0
    """When that poll ended, Unix time; 0: there was none."""
    problem: str = ""
    """What was wrong with it."""
    seconds: float = 0.0
    """How long it took."""
    samples: int = 0
    """Samples on its page."""
    health: HealthSummary = NO_SUMMARY
    outcome: str = ""
    """One of ``observe.counts.OUTCOMES``: why a device is down, for programs."""


NEVER_POLLED = PollStatus("unknown")
