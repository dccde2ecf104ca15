"""Sends requests to other replicas over persistent connections, after they have proven that they are replicas.

No request leaves before the process at the address has answered a challenge (``challenge.py``). The request is signed
for that process only, and its answer counts only with a valid MAC. So who makes this replica believe an address, by
Redis, DNS or the network, gets challenges and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from promsnmp.cluster.peers.challenge import CHALLENGE_PATH, MAX_CHALLENGE, Challenge, ProvenPeer
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.signing import InvalidSignature, RequestSigner, body_digest
from promsnmp.errors import PeerError
from promsnmp.observe.tasks import shielded
from promsnmp.support.http_client import (
    MAX_BODY,
    CertificateNotTrusted,
    ConnectionRefused,
    HeaderPairs,
    HttpClient,
    HttpResponse,
    RequestNotSent,
)

STATUS_PATH = "/-/peer"
"""Where replicas exchange their status."""
READ_LEASE_PATH = "/-/read-lease"
"""Where replicas exchange read leases and their revocations."""
HANDOVER_PATH = "/-/handover"
"""Where a replica takes over pages and histograms of devices that it owns from now on."""
POLL_STATUS_PATH = "/-/poll-status"
"""Where a replica says how the last polls of its devices ended."""
NEIGHBOURS_PATH = "/-/neighbours"
"""Where a replica says which neighbours its devices have."""
SESSIONS_PATH = "/-/sessions"
"""Where a replica says whether a session of somebody who had logged in has ended."""
TRAPS_PATH = "/-/traps"
"""Where a replica hears of traps of its devices that another one has received."""
RECENT_TRAPS_PATH = "/-/recent-traps"
"""Where a replica says which traps it has received last."""
DETECTED_MODULES_PATH = "/-/findings"
"""Where replicas send detected modules to the leader."""
REFUSED = b"x-promsnmp-refused"
"""Header of an answer that refuses the signature of a request: why."""
REFUSED_RECIPIENT, REFUSED_COPY, REFUSED_SIGNATURE = b"recipient", b"copy", b"signature"
LARGE = 1024 * 1024
"""Bytes; larger bodies are hashed outside the event loop."""
CHALLENGE_TIMEOUT = 1.0
"""Seconds that a process has to answer a challenge."""
_SAFE_METHODS = ("GET", "HEAD")
_JSON = ((b"content-type", b"application/json"),)


async def digest_of(body: bytes) -> bytes:
    """``body_digest``, outside the event loop for a large body."""
    return body_digest(body) if len(body) < LARGE else await asyncio.to_thread(body_digest, body)


class PeerNotProven(RequestNotSent):
    """The process at an address cannot prove that it is a replica, so it got no request."""


class PeerRefused(PeerError):
    """A replica refuses a request of this one, although each has proven itself to the other."""


@dataclass(frozen=True, slots=True)
class _Request:
    """A request before it is signed."""

    method: str
    target: bytes
    headers: HeaderPairs
    body: bytes
    digest: bytes
    user: str
    request_id: str


class PeerClient:
    """Sends requests to replicas by address, ``host:port``, on behalf of the process ``instance``; over TLS when
    ``tls`` returns a context."""

    def __init__(
        self,
        key: ClusterKey,
        name: str,
        instance: str,
        *,
        tls: Callable[[], ssl.SSLContext | None] = lambda: None,
    ) -> None:
        self._key = key
        self._instance = instance
        self._signer = RequestSigner(key, name, instance)
        self._tls = tls
        self._used_tls: ssl.SSLContext | None = None
        self._connections: dict[str, HttpClient] = {}
        self._proven: dict[str, ProvenPeer] = {}
        """By address."""
        self._challenges: dict[str, asyncio.Task[ProvenPeer]] = {}
        """Challenges that are not answered yet, by address."""

    async def request(
        self,
        address: str,
        method: str,
        target: bytes,
        headers: HeaderPairs = (),
        body: bytes = b"",
        *,
        timeout: float,  # noqa: ASYNC109  # see HttpClient
        user: str = "",
        request_id: str = "",
        fresh: bool = False,
        elsewhere: bool = False,
        max_body: int = MAX_BODY,
    ) -> HttpResponse:
        """The answer of one replica to a request on behalf of ``user``, with the headers that its MAC covers.

        ``timeout``, ``fresh`` and ``max_body`` are those of ``HttpClient.request``; with ``fresh`` the replica proves
        itself anew.
        ``elsewhere``: it may be a replica that announces another address than this one, such as one found by DNS.
        Raises PeerError; RequestNotSent and PeerNotProven when nothing was sent.
        """
        deadline = time.monotonic() + timeout
        digest = await digest_of(body)
        request = _Request(method, target, headers, body, digest, user, request_id)
        if fresh:
            self._proven.pop(address, None)
        retries = 0 if fresh else 1
        while True:
            peer = await self._prove(address, deadline)
            if peer.address != address and not elsewhere:
                raise PeerNotProven(f"the replica at {address} is {peer.name}, whose address is {peer.address}")
            answer = await self._exchange(address, peer, request, deadline, fresh=fresh, max_body=max_body)
            refusal = answer.header(REFUSED)
            if not refusal:
                return answer
            self._proven.pop(address, None)
            if not retries or (refusal == REFUSED_COPY and method not in _SAFE_METHODS):
                raise PeerRefused(
                    f"{address} refused the request: {answer.body[:200].decode(errors='replace').strip()}"
                )
            retries -= 1

    def close_all_but(self, addresses: Iterable[str]) -> None:
        """Closes the connections to all other addresses, and forgets who was there."""
        for gone in (self._connections.keys() | self._proven.keys()) - set(addresses):
            self._proven.pop(gone, None)
            if (connections := self._connections.pop(gone, None)) is not None:
                connections.close()

    def close(self) -> None:
        """Closes all connections."""
        self.close_all_but(())
        for task in self._challenges.values():
            task.cancel()

    async def _exchange(
        self, address: str, peer: ProvenPeer, request: _Request, deadline: float, *, fresh: bool, max_body: int
    ) -> HttpResponse:
        """The answer with the headers that its MAC covers. Raises PeerError, also without a valid MAC."""
        header, mac = self._signer.sign(
            peer, request.method, request.target, request.headers, request.digest,
            user=request.user, request_id=request.request_id,
        )  # fmt: skip
        answer = await self._connection(address).request(
            request.method,
            request.target,
            (*request.headers, header),
            request.body,
            timeout=max(deadline - time.monotonic(), 0.001),
            fresh=fresh,
            max_body=max_body,
        )
        digest = await digest_of(answer.body)
        try:
            return replace(answer, headers=self._signer.verify_answer(mac, answer.status, answer.headers, digest))
        except InvalidSignature as error:
            self._proven.pop(address, None)
            raise PeerError(f"{address} (status {answer.status}): {error}") from None

    async def _prove(self, address: str, deadline: float) -> ProvenPeer:
        """Who is at the address. Raises PeerError, PeerNotProven when it does not prove anything."""
        if (peer := self._proven.get(address)) is not None:
            return peer
        challenge = self._challenges.get(address)
        if challenge is None:
            challenge = self._challenges[address] = asyncio.create_task(self._challenge(address))
            challenge.add_done_callback(partial(self._on_answered, address))
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.001)):
                return await shielded(challenge)
        except TimeoutError:
            raise RequestNotSent(f"{address} did not answer a challenge in time") from None

    def _on_answered(self, address: str, challenge: asyncio.Task[ProvenPeer]) -> None:
        self._challenges.pop(address, None)
        if not challenge.cancelled() and challenge.exception() is None:
            self._proven[address] = challenge.result()

    async def _challenge(self, address: str) -> ProvenPeer:
        """Asks the process at the address who it is. Raises RequestNotSent; PeerNotProven for a wrong answer."""
        challenge = Challenge.make(self._instance)
        try:
            answer = await self._connection(address).request(
                "POST",
                CHALLENGE_PATH.encode(),
                _JSON,
                challenge.json(),
                timeout=CHALLENGE_TIMEOUT,
                max_body=MAX_CHALLENGE,
            )
        except ConnectionRefused:
            raise
        except CertificateNotTrusted as error:
            text = (
                f"the certificate of {address} is not trusted ({error}); it must be that of this replica, or have its"
            )
            raise PeerNotProven(f"{text} name and be of a CA in CLUSTER_CA_FILE or WEB_CONFIG_FILE") from None
        except PeerError as error:
            raise RequestNotSent(f"no answer to a challenge: {error}") from None
        try:
            if answer.status != 200:
                raise PeerError(f"it answers with status {answer.status}: another program, or an older PromSNMP")
            return challenge.check(self._key, answer.body)
        except PeerError as error:
            raise PeerNotProven(f"no proof that a replica of this cluster is at {address}: {error}") from None

    def _connection(self, address: str) -> HttpClient:
        if (tls := self._tls()) is not self._used_tls:
            for connections in self._connections.values():
                connections.close()
            self._connections.clear()
            self._used_tls = tls
        client = self._connections.get(address)
        if client is None:
            client = self._connections[address] = HttpClient(address, tls=tls)
        return client
