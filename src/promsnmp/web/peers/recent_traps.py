"""The traps that all replicas have received last: asks the others, as long as somebody looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.peers.client import RECENT_TRAPS_PATH
from promsnmp.observe.tasks import SharedTask
from promsnmp.traps.follow_up.recent import MAX_MESSAGE, RecentTrap, RecentTraps, read_message
from promsnmp.web.peers.asking import PeersAsker

TIMEOUT = 1.5
"""Seconds that a replica has to answer."""
LIFETIME = 1.0
"""Seconds for which an answer counts, for all who look."""


@dataclass(frozen=True, slots=True)
class TrapReport:
    """The last traps of all replicas, the newest first; and why a replica does not answer, by its name."""

    traps: Sequence[RecentTrap] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


class TrapExchange:
    """``recent`` are those of this replica; ``clock``: seconds, monotonic."""

    def __init__(self, cluster: Cluster, recent: RecentTraps, clock: Callable[[], float] = time.monotonic) -> None:
        self._recent, self._clock = recent, clock
        self._asker: PeersAsker[list[RecentTrap]] = PeersAsker(
            cluster,
            RECENT_TRAPS_PATH,
            read=lambda body, _: read_message(body),
            timeout=TIMEOUT,
            max_answer=MAX_MESSAGE,
            clock=clock,
        )
        self._making = SharedTask[TrapReport]("traps of all replicas")
        self._made: tuple[float, TrapReport] | None = None

    async def report(self) -> TrapReport:
        """The last traps; those who ask at the same time share the work."""
        if self._made is not None and self._clock() - self._made[0] < LIFETIME:
            return self._made[1]
        return await self._making.result(self._make)

    async def _make(self) -> TrapReport:
        answers = await self._asker.ask()
        traps = [*self._recent, *(one for known in answers.known.values() for one in known)]
        traps.sort(key=lambda one: one.at, reverse=True)
        report = TrapReport(traps, answers.problems)
        self._made = self._clock(), report
        return report
