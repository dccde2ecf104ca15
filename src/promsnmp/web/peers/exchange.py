"""Asks the other replicas how the last polls of their devices ended, while somebody looks, and answers them.

Whoever looks causes one request to each other replica, and the answers count for as long as the board that shows them
(``fleet.py``). A replica that does not answer in time is not asked again for a while, so that it delays pages only
once; until then its devices are ``elsewhere``, with the reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.client import POLL_STATUS_PATH
from promsnmp.errors import PeerError
from promsnmp.inventory.model import Device
from promsnmp.observe.tasks import SharedTask
from promsnmp.polling.pages.poll_status import NEVER_POLLED, PollStatus
from promsnmp.web.peers.messages import MAX_MESSAGE, KnownLines, StatusEncoder, read_message
from promsnmp.web.rates import PollRates

TIMEOUT = 1.5
"""Seconds that a replica has to answer."""
RETRY = 10.0
"""Seconds for which a replica that did not answer is not asked again."""
ANSWER_LIFETIME = 2.0
"""Seconds, at least, for which an answer is sent to all who ask."""
MOST_SHARE = 0.01
"""Of a core, that making answers takes at most."""
_HEADERS = ((b"content-type", b"application/json"),)


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


@dataclass(slots=True)
class _Peer:
    """What one other replica said last."""

    lines: KnownLines = field(default_factory=dict)
    rates: PollRates = field(default_factory=PollRates)
    problem: str = ""
    failed_at: float = 0.0
    seconds: float = 0.0
    """CPU that reading it took."""


class PeerStatuses:
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
        self._cluster = cluster
        self._devices = devices
        self._statuses = statuses
        self._rates = rates
        self._polls = polls
        self._clock = clock
        self._encoder = StatusEncoder()
        self._answer: tuple[float, bytes] | None = None
        """Until when it is sent, and the message."""
        self._making = SharedTask[bytes]("poll statuses for replicas")
        self._reporting = SharedTask[PeerReport]("poll statuses of replicas")
        self._peers: dict[str, _Peer] = {}
        """By instance."""

    async def answer(self, _: bytes) -> bytes:
        """The message for another replica that asks; those who ask at the same time share the work."""
        if self._answer is not None and self._clock() < self._answer[0]:
            return self._answer[1]
        return await self._making.result(lambda: asyncio.to_thread(self._make))

    def _make(self) -> bytes:
        began, devices = time.thread_time(), self._devices()
        mine = (
            (device, status)
            for device, status in zip(devices, self._statuses(devices), strict=True)
            if status is not None and (self._polls or status is not NEVER_POLLED)
        )
        message = self._encoder.message(mine, self._rates())
        lifetime = max(ANSWER_LIFETIME, (time.thread_time() - began) / MOST_SHARE)
        self._answer = self._clock() + lifetime, message
        return message

    async def report(self) -> PeerReport:
        """What the other replicas say now; takes TIMEOUT at most. Those who ask at the same time share the work."""
        return await self._reporting.result(self._report)

    async def _report(self) -> PeerReport:
        others = self._cluster.members.others if self._cluster.has_peers else ()
        self._peers = {one.instance: self._peers.get(one.instance) or _Peer() for one in others}
        if not others:
            return NO_REPORT
        await asyncio.gather(*(self._ask(one, self._peers[one.instance]) for one in others))
        return await asyncio.to_thread(_report, [(one.name, self._peers.get(one.instance)) for one in others])

    async def _ask(self, member: Member, peer: _Peer) -> None:
        if peer.problem and self._clock() - peer.failed_at < RETRY:
            return
        try:
            answer = await self._cluster.peers.request(
                member.address,
                "POST",
                POLL_STATUS_PATH.encode(),
                _HEADERS,
                b"{}",
                timeout=TIMEOUT,
                max_body=MAX_MESSAGE,
            )
            if answer.status != 200:
                raise PeerError(f"it answers with status {answer.status}; it may be an older version")
            await asyncio.to_thread(_read, peer, answer.body)
        except PeerError as error:
            peer.lines, peer.seconds, peer.problem, peer.failed_at = {}, 0.0, str(error), self._clock()
        else:
            peer.problem = ""


def _read(peer: _Peer, body: bytes) -> None:
    """Takes the answer of a replica. Raises PeerError."""
    began = time.thread_time()
    peer.lines, peer.rates = read_message(body, peer.lines)
    peer.seconds = time.thread_time() - began


def _report(peers: Sequence[tuple[str, _Peer | None]]) -> PeerReport:
    """Of a device that two replicas say they poll, as while it moves, the later poll counts."""
    began = time.thread_time()
    answered = [peer for _, peer in peers if peer is not None and not peer.problem]
    statuses: dict[str, PollStatus] = {}
    for peer in answered:
        if not statuses:
            statuses = dict(peer.lines.values())
            continue
        for device_id, status in peer.lines.values():
            if (other := statuses.get(device_id)) is None or other.at <= status.at:
                statuses[device_id] = status
    problems = {name: peer.problem for name, peer in peers if peer is not None and peer.problem}
    seconds = sum(peer.seconds for peer in answered) + time.thread_time() - began
    return PeerReport(statuses, problems, [peer.rates for peer in answered], seconds)
