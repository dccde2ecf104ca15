"""Limits how often somebody may guess a password, or the token in the form of the login.

Whoever fails too often waits. What has been right before is right meanwhile, too: behind a proxy many people have one
address, and one of them must not lock the others out.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from cachetools import TTLCache

MAX_FAILURES = 10
"""Failed logins of one network (an IPv4 address, a /64 of IPv6) within WINDOW."""
MAX_ALL_FAILURES = 200
"""Failed logins of everybody within WINDOW."""
WINDOW = 60.0
"""Seconds."""
MAX_NETWORKS = 4096


class LoginLimit:
    """Counts failed logins by network. ``clock``: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures: TTLCache[str, int] = TTLCache(MAX_NETWORKS, WINDOW, clock)
        self._all: TTLCache[str, int] = TTLCache(1, WINDOW, clock)

    def allows(self, client: str) -> bool:
        """Whether a client may try."""
        return self._failures.get(_network(client), 0) < MAX_FAILURES and self._all.get("", 0) < MAX_ALL_FAILURES

    def note_failure(self, client: str) -> None:
        """Counts a wrong password or token of a client."""
        network = _network(client)
        self._failures[network] = self._failures.get(network, 0) + 1
        self._all[""] = self._all.get("", 0) + 1


def _network(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client[:64]
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(mapped) if mapped.version == 4 else str(ipaddress.ip_network((int(mapped), 64), strict=False))
