"""What only the leader does, asked of another replica: it is passed on, and answered with the leader's answer.

A request that certainly had no effect (no connection, or "I am not the leader") is passed on again, to whoever leads by
then. When the leader went away with the answer, nobody can tell from the outside whether the change was made; but the
inventory file can: it has the numbers of its last writes, and once a later leader has put its term there, what is not
in the file will never be. So the answer is right in the end, or there is none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from promsnmp.cluster.election.runner import Leader, Leadership
from promsnmp.cluster.peers.client import Peers
from promsnmp.cluster.peers.signing import new_number
from promsnmp.errors import ClusterError, NotLeader, PeerError
from promsnmp.support.http_client import Answer, Headers, NotSent

log = logging.getLogger(__name__)

NOT_LEADER = b"x-promsnmp-not-leader"
"""Header of an answer that says: nothing was done, I am not the leader."""
REFUSED = b"x-promsnmp-refused"
"""Header of an answer that says: nothing was done, the request is not one of a replica that I know."""
FIND_WITHIN = 3.0
"""Seconds that a request waits for a leader to be there: an election after a graceful stop takes less."""
ANSWER_WITHIN = 75.0
"""Seconds that the leader has: a hanging volume may take half a minute, and then the write is done after all."""
FOLLOWED_EVERY = 1.0
"""Seconds between two looks whether the leader that is to answer has been followed by another."""
SETTLE_WITHIN = 45.0
"""Seconds in which the file has to tell what became of a write: a lease, and its successor's first write."""
LOOK_EVERY = 0.2
OUTCOMES = ("answered", "no leader", "settled", "unknown")


class Landed(Enum):
    """What the inventory file says of a write."""

    YES = "yes"
    NO = "no"
    """And it never will be there."""
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Sent:
    """A write that was passed on to the leader of a term."""

    number: str
    term: int
    mark: str
    """The number of the last write that was known here before: while the file has it, it has all that came after it."""


class OutcomeUnknown(ClusterError):
    """The leader went away with the answer, and the file does not tell yet whether the change was made."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A request for the leader; ``user`` is whose it is."""

    method: str
    target: bytes
    headers: Headers
    body: bytes
    user: str


class Delegation:
    """Passes requests on to the leader.

    ``leader`` is the leader as far as is known here, ``mark`` the number of the last write that is known here, and
    ``landed`` says what became of a write. ``counts`` by OUTCOMES.
    """

    def __init__(
        self,
        leadership: Leadership,
        peers: Peers,
        *,
        leader: Callable[[], Leader | None],
        mark: Callable[[], str],
        landed: Callable[[Sent], Awaitable[Landed]],
    ) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._leadership = leadership
        self._peers = peers
        self._leader = leader
        self._mark = mark
        self._landed = landed

    async def ask(self, wish: Wish) -> Answer | None:
        """The leader's answer; None when this replica has become the leader meanwhile.

        Raises NotLeader when there is none, nothing having been done, and OutcomeUnknown.
        """
        end, refusal = time.monotonic() + FIND_WITHIN, ""
        while not self._leadership.leads:
            leader = self._leader()
            if leader is not None and leader.address:
                sent = Sent(new_number(), leader.term, self._mark())
                try:
                    answer = await self._pass_on(wish, leader, sent)
                except NotSent as error:
                    log.debug("cannot pass a request on to the leader: %s", error)
                except PeerError as error:
                    if await self._settle(sent, leader, error):
                        return _DONE
                    end = time.monotonic() + FIND_WITHIN
                else:
                    refusal = answer.body.decode(errors="replace").strip() if answer.header(REFUSED) else ""
                    if not refusal and not answer.header(NOT_LEADER):
                        self.counts["answered"] += 1
                        return answer
            if time.monotonic() > end:
                self.counts["no leader"] += 1
                raise NotLeader(
                    f"there is no leader now that could do this ({self._reason(leader, refusal)}); try again"
                )
            await asyncio.sleep(LOOK_EVERY)
        return None

    async def _pass_on(self, wish: Wish, leader: Leader, sent: Sent) -> Answer:
        """The leader's answer. Raises PeerError, also when another one leads and the file tells what became of it."""
        asking = asyncio.ensure_future(self._ask(wish, leader, sent.number))
        try:
            while not asking.done():
                await asyncio.wait({asking}, timeout=FOLLOWED_EVERY)
                if not asking.done() and self._is_followed(leader) and await self._landed(sent) is not Landed.OPEN:
                    raise PeerError(f"{leader.address} did not answer before another replica led")
            return asking.result()
        finally:
            asking.cancel()

    async def _ask(self, wish: Wish, leader: Leader, number: str) -> Answer:
        return await self._peers.ask(
            leader.address,
            wish.method,
            wish.target,
            wish.headers,
            wish.body,
            timeout=ANSWER_WITHIN,
            user=wish.user,
            number=number,
            fresh=True,
        )

    def _is_followed(self, leader: Leader) -> bool:
        """Whether another one leads by now."""
        now = self._leader()
        return self._leadership.leads or (now is not None and now.term > leader.term)

    async def _settle(self, sent: Sent, leader: Leader, error: PeerError) -> bool:
        """Whether a write was done; returns as soon as that is certain. Raises OutcomeUnknown."""
        log.warning("the leader %s went away with the answer to a change: %s", leader.name, error)
        end = time.monotonic() + SETTLE_WITHIN
        while time.monotonic() < end:
            landed = await self._landed(sent)
            if landed is not Landed.OPEN:
                self.counts["settled"] += 1
                return landed is Landed.YES
            await asyncio.sleep(LOOK_EVERY)
        self.counts["unknown"] += 1
        raise OutcomeUnknown("the leader went away with the answer; look whether the change was made")

    def _reason(self, leader: Leader | None, refusal: str) -> str:
        if leader is not None and refusal:
            return f"{leader.name} leads, and refuses this replica: {refusal}"
        if leader is not None and not leader.address:
            return f"{leader.name} holds the lead, and is none of these replicas"
        if self._leadership.problem:
            return f"{self._leadership.backend} cannot be asked: {self._leadership.problem}"
        return "an election is under way" if leader is None else f"{leader.name} was it, and does not answer"


_DONE = Answer(
    200,
    [(b"content-type", b"application/json")],
    b'{"status":200,"message":"done; the leader changed before it could answer, so this is all there is to tell"}',
)
