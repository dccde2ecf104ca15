"""Finds replicas by DNS: the addresses of a headless Service (Kubernetes), or of any name with all replicas.

DNS gives only addresses. Each replica asks them who is there (gossip.py), so an address that DNS drops too late or too
early does no harm.
"""

from __future__ import annotations

import asyncio
import socket

from promsnmp.errors import CoordinatorError
from promsnmp.observe.tasks import shielded

LOOKUP_TIMEOUT = 3.0
"""Seconds for one lookup; the resolver of the C library may take much longer."""


class ServiceDns:
    """Addresses of ``name``, each with ``port``; keeps the last ones while the lookup fails."""

    name = "dns"

    def __init__(self, name: str, port: int) -> None:
        host, colon, own_port = name.rpartition(":")
        is_port = bool(colon) and own_port.isdigit() and ":" not in host.strip("[]")
        self._host, self._port = (host, int(own_port)) if is_port else (name, port)
        self.addresses: tuple[str, ...] = ()
        self._pending: asyncio.Future[tuple[str, ...]] | None = None

    async def refresh(self) -> None:
        """Looks up the name. Raises CoordinatorError, also for a name without addresses."""
        loop = asyncio.get_running_loop()
        if self._pending is not None and not self._pending.done():
            raise CoordinatorError(
                f"DNS lookup of {self._host} timed out"
            )  # occupies one thread of the pool, not one per round
        self._pending = lookup = loop.run_in_executor(None, _look_up, self._host, self._port)
        lookup.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may end after our timeout
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT):
                self.addresses = await shielded(lookup)
        except TimeoutError:
            raise CoordinatorError(f"DNS lookup of {self._host} timed out") from None
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CoordinatorError(f"{self._host} does not resolve: {reason}") from None


def _look_up(host: str, port: int) -> tuple[str, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    hosts = sorted({str(sockaddr[0]) for *_, sockaddr in found})
    return tuple(f"[{one}]:{port}" if ":" in one else f"{one}:{port}" for one in hosts)
