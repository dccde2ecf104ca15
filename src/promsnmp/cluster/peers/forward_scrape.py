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
from promsnmp.cluster.peers.client import Peers
from promsnmp.errors import PeerError
from promsnmp.support.http_client import Answer, Headers, NotSent

LEFT_ALONE = 2.0
"""Seconds for which a replica that failed is not asked again."""
OUTCOMES = ("answered", "failed", "late", "skipped")
"""How asking another replica can end: an answer; no connection or a broken one; no answer in time; not tried, because
it had failed a moment ago."""


@dataclass(slots=True)
class _Standing:
    """What is known of one replica's answers; by the clock."""

    answered_at: float = float("-inf")
    alone_until: float = float("-inf")


class Forwarder:
    """Asks owners for pages; ``counts`` by OUTCOMES."""

    def __init__(self, peers: Peers, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._peers = peers
        self._clock = clock
        self._standings: dict[str, _Standing] = {}

    async def page(self, owner: Member, target: bytes, headers: Headers, *, within: float, user: str = "") -> Answer:
        """The owner's answer to a GET of ``target`` (path and query), within so many seconds. Raises PeerError."""
        standing = self._standings.setdefault(owner.instance, _Standing())
        asked_at = self._clock()
        if asked_at < standing.alone_until:
            self.counts["skipped"] += 1
            raise PeerError(f"{owner.name} did not answer a moment ago")
        try:
            answer = await self._peers.ask(owner.address, "GET", target, headers, timeout=within, user=user)
        except PeerError as error:
            self._failed(standing, asked_at, within, error)
            raise
        standing.answered_at = self._clock()
        self.counts["answered"] += 1
        return answer

    def keep(self, members: tuple[Member, ...]) -> None:
        """Forgets all replicas but these."""
        there = {one.instance for one in members}
        self._standings = {one: standing for one, standing in self._standings.items() if one in there}

    def _failed(self, standing: _Standing, asked_at: float, within: float, error: PeerError) -> None:
        is_late = not isinstance(error, NotSent) and self._clock() - asked_at >= within
        self.counts["late" if is_late else "failed"] += 1
        if not is_late or standing.answered_at < asked_at:
            standing.alone_until = self._clock() + LEFT_ALONE
