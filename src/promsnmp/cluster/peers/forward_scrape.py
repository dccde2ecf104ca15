"""Scrapes that reach another replica than the device's owner: the owner is asked, as long as that is worth the time.

An owner that does not answer costs each scrape its patience; so after a failure it is left alone for a moment, and the
scrapes of its devices are answered without it (which is the caller's part). One that is only slow with one device is
not taken for dead: what it answered to others meanwhile tells.
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
"""Seconds for which a replica that failed is not asked again."""
OUTCOMES = ("answered", "failed", "late", "skipped")
"""How asking another replica can end: an answer; no connection or a broken one; no answer in time; not tried, because
it had failed a moment ago."""


@dataclass(slots=True)
class _PeerState:
    """What is known of one replica's answers; by the clock."""

    answered_at: float = float("-inf")
    skipped_until: float = float("-inf")


class ScrapeForwarder:
    """Asks owners for pages; ``counts`` by OUTCOMES."""

    def __init__(self, peers: PeerClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._peers = peers
        self._clock = clock
        self._states: dict[str, _PeerState] = {}

    async def fetch(
        self, owner: Member, target: bytes, headers: HeaderPairs, *, within: float, user: str = ""
    ) -> HttpResponse:
        """The owner's answer to a GET of ``target`` (path and query), within so many seconds. Raises PeerError."""
        state = self._states.setdefault(owner.instance, _PeerState())
        asked_at = self._clock()
        if asked_at < state.skipped_until:
            self.counts["skipped"] += 1
            raise PeerError(f"{owner.name} did not answer a moment ago")
        try:
            answer = await self._peers.request(owner.address, "GET", target, headers, timeout=within, user=user)
        except PeerError as error:
            self._failed(state, asked_at, within, error)
            raise
        state.answered_at = self._clock()
        self.counts["answered"] += 1
        return answer

    def forget_all_but(self, members: tuple[Member, ...]) -> None:
        """Forgets all replicas but these."""
        there = {one.instance for one in members}
        self._states = {one: state for one, state in self._states.items() if one in there}

    def _failed(self, state: _PeerState, asked_at: float, within: float, error: PeerError) -> None:
        is_late = not isinstance(error, RequestNotSent) and self._clock() - asked_at >= within
        self.counts["late" if is_late else "failed"] += 1
        if not is_late or state.answered_at < asked_at:
            state.skipped_until = self._clock() + SKIP_SECONDS
