"""Sends signed requests to other replicas, over persistent connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable

from promsnmp.cluster.peers.signing import RequestSigner, body_digest
from promsnmp.support.http_client import HeaderPairs, HttpClient, HttpResponse

STATUS_PATH = "/-/peer"
"""Where replicas exchange their status."""
DETECTED_MODULES_PATH = "/-/findings"
"""Where replicas send detected modules to the leader."""
LARGE = 1024 * 1024
"""Bytes; larger bodies are hashed outside the event loop."""


class PeerClient:
    """Sends requests to replicas by address, ``host:port``; over TLS when ``tls`` returns a context."""

    def __init__(self, signer: RequestSigner, *, tls: Callable[[], ssl.SSLContext | None] = lambda: None) -> None:
        self.signer = signer
        self._tls = tls
        self._used_tls: ssl.SSLContext | None = None
        self._connections: dict[str, HttpClient] = {}

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
    ) -> HttpResponse:
        """The answer of one replica to a request on behalf of ``user``. The rest is as in ``HttpClient.request``."""
        if (tls := self._tls()) is not self._used_tls:
            self.close()
            self._used_tls = tls
        connections = self._connections.get(address)
        if connections is None:
            connections = self._connections[address] = HttpClient(address, tls=tls)
        digest = body_digest(body) if len(body) < LARGE else await asyncio.to_thread(body_digest, body)
        signed = (*headers, self.signer.sign(method, target, digest, user=user, request_id=request_id))
        return await connections.request(method, target, signed, body, timeout=timeout, fresh=fresh)

    def close_all_but(self, addresses: Iterable[str]) -> None:
        """Closes the connections to all other addresses."""
        for gone in self._connections.keys() - set(addresses):
            self._connections.pop(gone).close()

    def close(self) -> None:
        """Closes all connections."""
        self.close_all_but(())
