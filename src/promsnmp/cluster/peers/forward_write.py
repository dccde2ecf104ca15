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
from promsnmp.cluster.peers.client import PeerClient
from promsnmp.cluster.peers.signing import new_request_id
from promsnmp.errors import ClusterError, NotLeader, PeerError
from promsnmp.support.http_client import HeaderPairs, HttpResponse, RequestNotSent

log = logging.getLogger(__name__)

NOT_LEADER = b"x-promsnmp-not-leader"
"""Header of an answer that says: nothing was done, I am not the leader."""
PEER_REFUSED = b"x-promsnmp-refused"
"""Header of an answer that says: nothing was done, the request is not one of a replica that I know."""
FIND_LEADER_TIMEOUT = 3.0
"""Seconds that a request waits for a leader to be there: an election after a graceful stop takes less."""
LEADER_TIMEOUT = 75.0
"""Seconds that the leader has: a hanging volume may take half a minute, and then the write is done after all."""
SUPERSEDED_CHECK_INTERVAL = 1.0
"""Seconds between two looks whether the leader that is to answer has been followed by another."""
SETTLE_TIMEOUT = 45.0
"""Seconds in which the file has to tell what became of a write: a lease, and its successor's first write."""
RETRY_INTERVAL = 0.2
OUTCOMES = ("answered", "no leader", "settled", "unknown")


class CommitStatus(Enum):
    """What the inventory file says of a write."""

    COMMITTED = "yes"
    NOT_COMMITTED = "no"
    """And it never will be there."""
    PENDING = "open"


@dataclass(frozen=True, slots=True)
class ForwardedWrite:
    """A write that was passed on to the leader of a term."""

    request_id: str
    fencing_token: int
    last_known_write: str
    """The number of the last write that was known here before: while the file has it, it has all that came after it."""


class OutcomeUnknown(ClusterError):
    """The leader went away with the answer, and the file does not tell yet whether the change was made."""


@dataclass(frozen=True, slots=True)
class ForwardedRequest:
    """A request for the leader; ``user`` is whose it is."""

    method: str
    target: bytes
    headers: HeaderPairs
    body: bytes
    user: str


class WriteForwarder:
    """Passes requests on to the leader.

    ``leader`` is the leader as far as is known here, ``last_known_write`` the number of the last write that is known
    here, and ``commit_status`` says what became of a write. ``counts`` by OUTCOMES.
    """

    def __init__(
        self,
        leadership: Leadership,
        peers: PeerClient,
        *,
        leader: Callable[[], Leader | None],
        last_known_write: Callable[[], str],
        commit_status: Callable[[ForwardedWrite], Awaitable[CommitStatus]],
    ) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._leadership = leadership
        self._peers = peers
        self._leader = leader
        self._last_known_write = last_known_write
        self._commit_status = commit_status

    async def forward(self, request: ForwardedRequest) -> HttpResponse | None:
        """The leader's answer; None when this replica has become the leader meanwhile.

        Raises NotLeader when there is none, nothing having been done, and OutcomeUnknown.
        """
        end, refusal = time.monotonic() + FIND_LEADER_TIMEOUT, ""
        while not self._leadership.leads:
            leader = self._leader()
            if leader is not None and leader.address:
                sent = ForwardedWrite(new_request_id(), leader.fencing_token, self._last_known_write())
                try:
                    answer = await self._pass_on(request, leader, sent)
                except RequestNotSent as error:
                    log.debug("cannot pass a request on to the leader: %s", error)
                except PeerError as error:
                    if await self._settle(sent, leader, error):
                        return _DONE
                    end = time.monotonic() + FIND_LEADER_TIMEOUT
                else:
                    refusal = answer.body.decode(errors="replace").strip() if answer.header(PEER_REFUSED) else ""
                    if not refusal and not answer.header(NOT_LEADER):
                        self.counts["answered"] += 1
                        return answer
            if time.monotonic() > end:
                self.counts["no leader"] += 1
                raise NotLeader(
                    f"there is no leader now that could do this ({self._reason(leader, refusal)}); try again"
                )
            await asyncio.sleep(RETRY_INTERVAL)
        return None

    async def _pass_on(self, request: ForwardedRequest, leader: Leader, sent: ForwardedWrite) -> HttpResponse:
        """The leader's answer. Raises PeerError, also when another one leads and the file tells what became of it."""
        exchange = asyncio.ensure_future(self._ask(request, leader, sent.request_id))
        try:
            while not exchange.done():
                await asyncio.wait({exchange}, timeout=SUPERSEDED_CHECK_INTERVAL)
                if (
                    not exchange.done()
                    and self._is_superseded(leader)
                    and await self._commit_status(sent) is not CommitStatus.PENDING
                ):
                    raise PeerError(f"{leader.address} did not answer before another replica led")
            return exchange.result()
        finally:
            exchange.cancel()

    async def _ask(self, request: ForwardedRequest, leader: Leader, request_id: str) -> HttpResponse:
        return await self._peers.request(
            leader.address,
            request.method,
            request.target,
            request.headers,
            request.body,
            timeout=LEADER_TIMEOUT,
            user=request.user,
            request_id=request_id,
            fresh=True,
        )

    def _is_superseded(self, leader: Leader) -> bool:
        """Whether another one leads by now."""
        now = self._leader()
        return self._leadership.leads or (now is not None and now.fencing_token > leader.fencing_token)

    async def _settle(self, sent: ForwardedWrite, leader: Leader, error: PeerError) -> bool:
        """Whether a write was done; returns as soon as that is certain. Raises OutcomeUnknown."""
        log.warning("the leader %s went away with the answer to a change: %s", leader.name, error)
        end = time.monotonic() + SETTLE_TIMEOUT
        while time.monotonic() < end:
            commit_status = await self._commit_status(sent)
            if commit_status is not CommitStatus.PENDING:
                self.counts["settled"] += 1
                return commit_status is CommitStatus.COMMITTED
            await asyncio.sleep(RETRY_INTERVAL)
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


_DONE = HttpResponse(
    200,
    [(b"content-type", b"application/json")],
    b'{"status":200,"message":"done; the leader changed before it could answer, so this is all there is to tell"}',
)
