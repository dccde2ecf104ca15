"""Requests from this replica to others: sealed, over connections that are kept."""

from __future__ import annotations

from collections.abc import Iterable

from promsnmp.cluster.connections import Answer, Connections, Headers
from promsnmp.cluster.seals import Seals

PATH = "/-/peer"
"""Where replicas tell each other of themselves."""


class Peers:
    """Asks replicas by their address, ``host:port``."""

    def __init__(self, seals: Seals) -> None:
        self.seals = seals
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
        fresh: bool = False,
    ) -> Answer:
        """The answer of one replica; ``user`` is for whom it is asked, the rest as for ``Connections.ask``."""
        connections = self._connections.get(address)
        if connections is None:
            connections = self._connections[address] = Connections(address)
        sealed = (*headers, self.seals.seal(method, target, body, user=user))
        return await connections.ask(method, target, sealed, body, timeout=timeout, fresh=fresh)

    def keep(self, addresses: Iterable[str]) -> None:
        """Closes the connections to all others."""
        for gone in self._connections.keys() - set(addresses):
            self._connections.pop(gone).close()

    def close(self) -> None:
        """Closes all connections."""
        self.keep(())
