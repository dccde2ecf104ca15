"""How the last polls of all devices ended: asks the other replicas for those of theirs, and answers them.

Whoever looks causes one request to each other replica, and the answers count for as long as the table that shows them
(``device_table``). An answer has only what has changed since the one before. The devices of a replica that does not
answer are ``elsewhere``, with the reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.peers.client import POLL_STATUS_PATH
from promsnmp.inventory.model import Device
from promsnmp.observe.tasks import SharedTask
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.web.peers.asking import PeerAnswers, PeersAsker
from promsnmp.web.peers.status_messages import (
    MAX_MESSAGE,
    PeerStatuses,
    StatusChanges,
    read_question,
    read_statuses,
    write_question,
)
from promsnmp.web.rates import PollRates

TIMEOUT = 1.5
"""Seconds that a replica has to answer."""
ANSWER_LIFETIME = 2.0
"""Seconds, at least, for which the polls of this replica are looked at once for all who ask."""
MOST_SHARE = 0.01
"""Of a core, that making answers takes at most."""


@dataclass(frozen=True, slots=True)
class PeerReport:
    """What other replicas say."""

    statuses: Mapping[str, PollStatus] = field(default_factory=dict)
    """By device id, of the devices that they poll."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Why a replica does not answer, by its name."""
    rates: Sequence[PollRates] = ()
    """Of each replica that has answered."""
    seconds: float = 0.0
    """CPU that it took to read the answers."""


NO_REPORT = PeerReport()


class StatusExchange:
    """The exchange of one replica. ``statuses``: how the last polls of all devices ended, in order, as
    ``PollingSubsystem.poll_statuses``; ``polls``: whether devices are polled in the background; ``clock``: seconds,
    monotonic."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        devices: Callable[[], tuple[Device, ...]],
        statuses: Callable[[tuple[Device, ...]], Sequence[PollStatus | None]],
        rates: Callable[[], PollRates],
        polls: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._devices = devices
        self._statuses = statuses
        self._rates = rates
        self._polls = polls
        self._clock = clock
        self._cluster = cluster
        self._changes = StatusChanges()
        self._answers: dict[tuple[str, int], bytes] = {}
        """By what those who ask have read."""
        self._answers_until = 0.0
        self._turn = asyncio.Lock()
        self._reporting = SharedTask[PeerReport]("poll statuses of replicas")
        self._asker: PeersAsker[PeerStatuses] = PeersAsker(
            cluster,
            POLL_STATUS_PATH,
            question=write_question,
            read=read_statuses,
            timeout=TIMEOUT,
            max_answer=MAX_MESSAGE,
            clock=clock,
        )

    async def answer(self, question: bytes) -> bytes:
        """The message for another replica that asks. Raises ValueError for an invalid question."""
        known = read_question(question)
        async with self._turn:
            if self._clock() >= self._answers_until:
                await asyncio.to_thread(self._look)
            if known not in self._answers:
                self._answers[known] = await asyncio.to_thread(self._changes.message, *known, self._rates())
            return self._answers[known]

    def _look(self) -> None:
        """Looks at the polls of this replica."""
        began, devices = time.thread_time(), self._devices()
        self._answers.clear()
        self._changes.update(
            (device, status)
            for device, status in zip(devices, self._statuses(devices), strict=True)
            if status is not None and (self._polls or status is not NEVER_POLLED)
        )
        self._answers_until = self._clock() + max(ANSWER_LIFETIME, (time.thread_time() - began) / MOST_SHARE)

    async def report(self) -> PeerReport:
        """What the other replicas say now; takes TIMEOUT at most. Those who ask at the same time share the work."""
        return await self._reporting.result(self._report)

    async def _report(self) -> PeerReport:
        if not self._cluster.has_peers:
            return NO_REPORT
        answers = await self._asker.ask()
        return await asyncio.to_thread(_report, answers)


def _report(answers: PeerAnswers[PeerStatuses]) -> PeerReport:
    """Of a device that two replicas say they poll, as while it moves, the later poll counts."""
    began, statuses = time.thread_time(), dict[str, PollStatus]()
    for peer in answers.known.values():
        twice = statuses.keys() & peer.statuses.keys()
        later = {key: max(statuses[key], peer.statuses[key], key=lambda one: one.at) for key in twice}
        statuses = {**statuses, **peer.statuses, **later}
    seconds = sum(peer.seconds for peer in answers.known.values()) + time.thread_time() - began
    return PeerReport(statuses, answers.problems, [peer.rates for peer in answers.known.values()], seconds)
