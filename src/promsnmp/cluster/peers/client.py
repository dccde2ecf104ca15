"""Requests from this replica to others: sealed, over connections that are kept."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable

from promsnmp.cluster.peers.signing import Seals, digest_of
from promsnmp.support.http_client import Answer, Connections, Headers

PATH = "/-/peer"
"""Where replicas tell each other of themselves."""
FINDINGS = "/-/findings"
"""Where they tell the leader what their devices are."""
LARGE = 1024 * 1024
"""Bytes from which on a body is digested outside the event loop."""


class Peers:
    """Asks replicas by their address, ``host:port``; over TLS when ``tls`` gives a context for it now."""

    def __init__(self, seals: Seals, *, tls: Callable[[], ssl.SSLContext | None] = lambda: None) -> None:
        self.seals = seals
        self._tls = tls
        self._used_tls: ssl.SSLContext | None = None
        self._connections: dict[str, Connections] = {}

    async def ask(
        self,
        address: str,
        method: str,
        target: bytes,
        headers: Headers = (),
        body: bytes = b"",
        *,
        timeout: float,  # noqa: ASYNC109  # see Connections
        user: str = "",
        number: str = "",
        fresh: bool = False,
    ) -> Answer:
        """The answer of one replica; ``user`` is for whom it is asked, ``number`` the request's. The rest is as for
        ``Connections.ask``."""
        if (tls := self._tls()) is not self._used_tls:
            self.close()
            self._used_tls = tls
        connections = self._connections.get(address)
        if connections is None:
            connections = self._connections[address] = Connections(address, tls=tls)
        digest = digest_of(body) if len(body) < LARGE else await asyncio.to_thread(digest_of, body)
        sealed = (*headers, self.seals.seal(method, target, digest, user=user, number=number))
        return await connections.ask(method, target, sealed, body, timeout=timeout, fresh=fresh)

    def keep(self, addresses: Iterable[str]) -> None:
        """Closes the connections to all others."""
        for gone in self._connections.keys() - set(addresses):
            self._connections.pop(gone).close()

    def close(self) -> None:
        """Closes all connections."""
        self.keep(())
