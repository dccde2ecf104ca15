"""Forwards requests that only the leader serves, and finds out the outcome when the leader does not answer.

A request that certainly had no effect (no connection, or "not the leader") is sent again, to the leader of that time.
When the connection to the leader breaks during a write, the inventory file shows whether the write was made: it has the
IDs of the last forwarded writes, and once a later leader has written its term, a write that is missing will never be
there. So the client gets the right answer, or the error that the outcome is unknown. Any other answer of the leader is
relayed as it is, also its own "outcome unknown" (504): its file has the write, but may lose it.
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
from promsnmp.cluster.peers.client import PeerClient, PeerNotProven
from promsnmp.cluster.peers.signing import new_request_id
from promsnmp.errors import NotLeader, OutcomeUnknown, PeerError
from promsnmp.support.http_client import HeaderPairs, HttpResponse, RequestNotSent

log = logging.getLogger(__name__)

NOT_LEADER = b"x-promsnmp-not-leader"
"""Header of an answer: nothing was done, this replica is not the leader."""
FIND_LEADER_TIMEOUT = 3.0
"""Seconds for which a request waits for a leader; an election after a graceful stop takes less."""
LEADER_TIMEOUT = 75.0
"""Seconds to wait for the leader: a volume may hang for half a minute before the write succeeds."""
SUPERSEDED_CHECK_INTERVAL = 1.0
"""Seconds between two checks whether another replica leads while the leader has not answered."""
SETTLE_TIMEOUT = 45.0
"""Seconds to wait until the file shows the outcome of a write: a lease, and the next leader's first write."""
RETRY_INTERVAL = 0.2
CATCH_UP_TIMEOUT = 2.0
"""Seconds, at most, for which the answer to a write waits until this replica has read the file."""
OUTCOMES = ("answered", "no leader", "settled", "unknown")


class CommitStatus(Enum):
    """Whether the inventory file contains a write."""

    COMMITTED = "yes"
    NOT_COMMITTED = "no"
    """It never will."""
    PENDING = "open"


@dataclass(frozen=True, slots=True)
class ForwardedWrite:
    """A write that was forwarded to the leader of a term."""

    request_id: str
    fencing_token: int
    last_known_write: str
    """ID of the last forwarded write known here before: while the file has it, it has all later IDs too."""


@dataclass(frozen=True, slots=True)
class ForwardedRequest:
    """A request to the leader on behalf of ``user``."""

    method: str
    target: bytes
    headers: HeaderPairs
    body: bytes
    user: str


class WriteForwarder:
    """Forwards requests to the leader.

    ``leader`` returns the leader as far as it is known here, ``last_known_write`` the ID of the last forwarded write
    that is known here, ``commit_status`` the outcome of a write, and ``reload`` reads the inventory file again.
    ``counts`` has a counter per outcome.

    A replica that relays the answer to a write has read the file before, so that whoever wrote through it also reads
    the change there.
    """

    def __init__(
        self,
        leadership: Leadership,
        peers: PeerClient,
        *,
        leader: Callable[[], Leader | None],
        last_known_write: Callable[[], str],
        commit_status: Callable[[ForwardedWrite], Awaitable[CommitStatus]],
        reload: Callable[[], Awaitable[object]],
    ) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._leadership = leadership
        self._peers = peers
        self._leader = leader
        self._last_known_write = last_known_write
        self._commit_status = commit_status
        self._reload = reload

    async def forward(self, request: ForwardedRequest) -> HttpResponse | None:
        """The leader's answer; None when this replica has become the leader in the meantime.

        Raises NotLeader when there is no leader (nothing was done), and OutcomeUnknown.
        """
        end, refusal = time.monotonic() + FIND_LEADER_TIMEOUT, ""
        while not self._leadership.leads:
            leader = self._leader()
            if leader is not None and leader.address:
                sent = ForwardedWrite(new_request_id(), leader.fencing_token, self._last_known_write())
                try:
                    answer = await self._pass_on(request, leader, sent)
                except RequestNotSent as error:
                    refusal = str(error) if isinstance(error, PeerNotProven) else ""
                    log.debug("cannot forward a request to the leader: %s", error)
                except PeerError as error:
                    if await self._settle(sent, leader, error):
                        return _DONE
                    end = time.monotonic() + FIND_LEADER_TIMEOUT
                else:
                    refusal = ""
                    if not answer.header(NOT_LEADER):
                        self.counts["answered"] += 1
                        if request.method not in _READING:
                            await self._catch_up()
                        return answer
            if time.monotonic() > end:
                self.counts["no leader"] += 1
                raise NotLeader(self._reason(leader, refusal))
            await asyncio.sleep(RETRY_INTERVAL)
        return None

    async def _pass_on(self, request: ForwardedRequest, leader: Leader, sent: ForwardedWrite) -> HttpResponse:
        """The leader's answer. Raises PeerError, also when another replica leads and the file shows the outcome."""
        exchange = asyncio.ensure_future(self._ask(request, leader, sent.request_id))
        try:
            while not exchange.done():
                await asyncio.wait({exchange}, timeout=SUPERSEDED_CHECK_INTERVAL)
                if (
                    not exchange.done()
                    and self._is_superseded(leader)
                    and await self._commit_status(sent) is not CommitStatus.PENDING
                ):
                    raise PeerError(f"{leader.address} did not answer before another replica became the leader")
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

    async def _catch_up(self) -> None:
        """Reads the file that the leader has written; a volume that hangs does not hold up the answer for long."""
        reload = asyncio.ensure_future(self._reload())
        _, pending = await asyncio.wait({reload}, timeout=CATCH_UP_TIMEOUT)
        if pending:
            log.warning("the leader answered a write, but the inventory file cannot be read yet; reading it later")

    def _is_superseded(self, leader: Leader) -> bool:
        """Whether another replica leads now."""
        now = self._leader()
        return self._leadership.leads or (now is not None and now.fencing_token > leader.fencing_token)

    async def _settle(self, sent: ForwardedWrite, leader: Leader, error: PeerError) -> bool:
        """Whether a write was made; returns as soon as that is certain. Raises OutcomeUnknown."""
        log.warning("lost the connection to leader %s during a write: %s", leader.name, error)
        end = time.monotonic() + SETTLE_TIMEOUT
        while time.monotonic() < end:
            commit_status = await self._commit_status(sent)
            if commit_status is not CommitStatus.PENDING:
                self.counts["settled"] += 1
                return commit_status is CommitStatus.COMMITTED
            await asyncio.sleep(RETRY_INTERVAL)
        self.counts["unknown"] += 1
        raise OutcomeUnknown(
            f"lost the connection to leader {leader.name} during a write; outcome unknown, verify before retrying"
        )

    def _reason(self, leader: Leader | None, refusal: str) -> str:
        if leader is not None and refusal:
            return f"leader {leader.name} is not trusted: {refusal}"
        if self._leadership.problem and not self._leadership.backend_problem:
            return self._leadership.problem
        if leader is not None and not leader.address:
            return f"{leader.name} holds the lease, but is not a replica of this cluster"
        if self._leadership.backend_problem:
            return f"no answer from {self._leadership.backend}: {self._leadership.backend_problem}"
        return "an election is in progress" if leader is None else f"the last leader {leader.name} does not answer"


_READING = ("GET", "HEAD")
_DONE = HttpResponse(
    200,
    [(b"content-type", b"application/json")],
    b'{"status":200,"message":"done; the leader changed before it answered, so there are no details"}',
)
