"""Asks all other replicas for what they know, while somebody looks at a page.

A replica that does not answer in time is not asked again for a while, so that it delays pages only once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from promsnmp.cluster.cluster import Cluster
from promsnmp.cluster.members.members import Member
from promsnmp.errors import PeerError

log = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds for which a replica that did not answer is not asked again."""
_HEADERS = ((b"content-type", b"application/json"),)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PeerAnswers(Generic[T]):
    """What other replicas know, and why one does not answer; both by name."""

    known: Mapping[str, T] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Peer(Generic[T]):
    """What one replica said last."""

    answer: T | None = None
    problem: str = ""
    failed_at: float = 0.0


class PeersAsker(Generic[T]):
    """Asks one question, ``path``. ``question``: the body, by what the replica answered before; ``read``: what an
    answer says, with the answer before; it is called in a thread, and raises PeerError or ValueError. ``clock``:
    seconds, monotonic."""

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        *,
        question: Callable[[T | None], bytes] = lambda _: b"{}",
        read: Callable[[bytes, T | None], T],
        timeout: float,
        max_answer: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._path = path.encode()
        self._question = question
        self._read = read
        self._timeout = timeout
        self._max_answer = max_answer
        self._clock = clock
        self._peers: dict[str, _Peer[T]] = {}
        """By instance."""

    async def ask(self) -> PeerAnswers[T]:
        """What the others say now. Calls must not overlap."""
        others = self._cluster.members.others if self._cluster.has_peers else ()
        self._peers = {one.instance: self._peers.get(one.instance) or _Peer() for one in others}
        peers = [(one, self._peers[one.instance]) for one in others]
        await asyncio.gather(*(self._ask(member, peer) for member, peer in peers))
        return PeerAnswers(
            {member.name: peer.answer for member, peer in peers if peer.answer is not None},
            {member.name: peer.problem for member, peer in peers if peer.problem},
        )

    async def _ask(self, member: Member, peer: _Peer[T]) -> None:
        if peer.problem and self._clock() - peer.failed_at < RETRY:
            return
        try:
            answer = await self._cluster.peers.request(
                member.address,
                "POST",
                self._path,
                _HEADERS,
                self._question(peer.answer),
                timeout=self._timeout,
                max_body=self._max_answer,
            )
            if answer.status != 200:
                raise PeerError(f"it answers with status {answer.status}; it may be an older version")
            peer.answer = await asyncio.to_thread(self._read, answer.body, peer.answer)
        except (PeerError, ValueError) as error:
            if not peer.problem:
                log.info("replica %s does not answer %s: %s", member.name, self._path.decode(), error)
            peer.answer, peer.problem, peer.failed_at = None, str(error), self._clock()
        else:
            peer.problem = ""
