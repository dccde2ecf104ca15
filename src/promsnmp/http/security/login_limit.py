"""Limits how often somebody may guess a password, or the token in the form of the login.

Whoever fails too often waits. What has been right from the same network before is right meanwhile, too: behind a proxy
many people have one address, and one of them must not lock the others out. That is bounded as well, since somebody who
guesses there would see by it which guess is right.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache, TTLCache

MAX_FAILURES = 10
"""Failed logins of one network (an IPv4 address, a /64 of IPv6) within WINDOW."""
MAX_ALL_FAILURES = 200
"""Failed logins of everybody within WINDOW."""
MAX_REFUSED = 100
"""Failed and refused logins of one network within WINDOW, from which on nothing is right there."""
WINDOW = 60.0
"""Seconds; a window begins with the first failure."""
MAX_NETWORKS = 4096
MAX_KNOWN = 4096
"""Users who are remembered with a network from which they have logged in."""


@dataclass(slots=True)
class _Count:
    """Changed in place, so that its window does not begin again."""

    number: int = 0


class LoginLimit:
    """Counts failed logins by network. ``clock``: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures: TTLCache[str, _Count] = TTLCache(MAX_NETWORKS, WINDOW, clock)
        self._all: TTLCache[str, _Count] = TTLCache(1, WINDOW, clock)
        self._known: LRUCache[tuple[str, str], bool] = LRUCache(MAX_KNOWN)

    def allows(self, client: str) -> bool:
        """Whether a client may try."""
        return _number(self._failures, _network(client)) < MAX_FAILURES and _number(self._all, "") < MAX_ALL_FAILURES

    def keeps(self, client: str, name: str) -> bool:
        """Whether the right password of a user counts from a client that may not try."""
        network = _network(client)
        return (network, name) in self._known and _number(self._failures, network) < MAX_REFUSED

    def note_success(self, client: str, name: str) -> None:
        """Remembers from where a user has logged in."""
        self._known[_network(client), name] = True

    def note_failure(self, client: str) -> None:
        """Counts a wrong password or token of a client."""
        _add(self._failures, _network(client))
        _add(self._all, "")

    def note_refusal(self, client: str) -> None:
        """Counts what a client sent that may not try."""
        _add(self._failures, _network(client))


def _number(counts: TTLCache[str, _Count], key: str) -> int:
    found = counts.get(key)
    return 0 if found is None else found.number


def _add(counts: TTLCache[str, _Count], key: str) -> None:
    found = counts.get(key)
    if found is None:
        found = counts[key] = _Count()
    found.number += 1


def _network(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client[:64]
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(mapped) if mapped.version == 4 else str(ipaddress.ip_network((int(mapped), 64), strict=False))
