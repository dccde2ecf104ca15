"""Forwards scrapes to the replica that owns the device, and skips an owner that has just failed.

An owner that does not answer delays each scrape; so after a failure it is skipped for a moment, and one that gossip
cannot reach either is skipped until it can: the caller answers the scrapes of its devices without it. An owner that is
only slow with one device does not count as failed, when it has answered other scrapes meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from promsnmp.cluster.members.members import Member
from promsnmp.cluster.peers.client import PeerClient
from promsnmp.errors import PeerError
from promsnmp.support.http_client import HeaderPairs, HttpResponse, RequestNotSent

SKIP_SECONDS = 2.0
"""Seconds for which a failed replica is skipped."""
OUTCOMES = ("answered", "failed", "late", "skipped")
"""Outcomes of a forwarded scrape: an answer; no connection, or a broken one; no answer in time; not sent, because the
replica has just failed, or is unreachable."""


@dataclass(slots=True)
class _PeerState:
    """When a replica last answered, and until when it is skipped; by the clock."""

    answered_at: float = float("-inf")
    skipped_until: float = float("-inf")


class ScrapeForwarder:
    """Fetches pages from owners; ``counts`` has a counter per outcome. ``is_unreachable`` returns whether a replica is
    known to be unreachable, by its address."""

    def __init__(
        self,
        peers: PeerClient,
        *,
        is_unreachable: Callable[[str], bool] = lambda address: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._peers = peers
        self._is_unreachable = is_unreachable
        self._clock = clock
        self._states: dict[str, _PeerState] = {}

    async def fetch(
        self, owner: Member, target: bytes, headers: HeaderPairs, *, within: float, user: str = ""
    ) -> HttpResponse:
        """The owner's answer to a GET of ``target`` (path and query) ``within`` seconds. Raises PeerError."""
        state = self._states.setdefault(owner.instance, _PeerState())
        asked_at = self._clock()
        if asked_at < state.skipped_until or self._is_unreachable(owner.address):
            self.counts["skipped"] += 1
            raise PeerError(f"{owner.name} did not answer a moment ago, skipping it")
        try:
            answer = await self._peers.request(owner.address, "GET", target, headers, timeout=within, user=user)
        except PeerError as error:
            self._failed(state, asked_at, within, error)
            raise
        state.answered_at = self._clock()
        self.counts["answered"] += 1
        return answer

    def forget_all_but(self, members: tuple[Member, ...]) -> None:
        """Forgets all replicas except these."""
        there = {one.instance for one in members}
        self._states = {one: state for one, state in self._states.items() if one in there}

    def _failed(self, state: _PeerState, asked_at: float, within: float, error: PeerError) -> None:
        is_late = not isinstance(error, RequestNotSent) and self._clock() - asked_at >= within
        self.counts["late" if is_late else "failed"] += 1
        if not is_late or state.answered_at < asked_at:
            state.skipped_until = self._clock() + SKIP_SECONDS
