"""Bounds on HTTP connections: how many, how many from one address, and how long each may wait for its client.

A client that opens connections and sends nothing, or sends one octet at a time, or never reads its responses, must not
keep others out. When there is no room for a new connection, the one that has been idle for the longest time makes
room. Times are checked once a second for all connections, which costs a request nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.0
EVICTED_SHARE = 50
"""When there is no room, one in so many connections is closed at once, so that searching for them stays cheap."""
LOG_SECONDS = 60.0
"""Between two lines in the log about a limit that was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """``most`` connections, at most ``per_address`` of them from one address; times in seconds."""

    most: int = 4096
    per_address: int = 2048
    head_timeout: float = 10.0
    """For the TLS handshake, and for the head of a request once it has begun (the first: once connected)."""
    idle_timeout: float = 75.0
    """Between two requests."""
    stall_timeout: float = 30.0
    """For a client that must send its request's body, or read its response, and does not go on."""


class ClientConnection(Protocol):
    """What the table needs to know of a connection that serves HTTP."""

    def idle_since(self) -> float | None:
        """Since when (loop time) it has had no request in progress; None while it has one."""

    def has_served(self) -> bool:
        """Whether it has answered any request."""

    def end_overdue(self, now: float) -> str:
        """Ends the connection if its client took too long; returns the reason, "" if it did not."""

    def abort(self) -> None:
        """Closes it at once."""


class ConnectionEntry:
    """A place in the table, from accept to close; ``client`` is set once it speaks HTTP."""

    __slots__ = ("address", "client", "opened_at", "sock")

    def __init__(self, address: bytes, sock: socket.socket, opened_at: float) -> None:
        self.address = address
        self.sock: socket.socket | None = sock
        self.opened_at = opened_at
        self.client: ClientConnection | None = None

    def idle_since(self) -> float | None:
        return self.opened_at if self.client is None else self.client.idle_since()

    def abort(self) -> None:
        if self.client is not None:
            self.client.abort()
        elif self.sock is not None:  # in its handshake, which fails now
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class ConnectionTable:
    """All connections of the server. ``closed`` counts those that were refused or ended, by reason."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.closed = dict.fromkeys(("refused", "evicted", "head_timeout", "stalled", "request_too_large"), 0)
        self._entries: set[ConnectionEntry] = set()
        self._by_address: dict[bytes, set[ConnectionEntry]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._logged_at = float("-inf")

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> frozenset[ConnectionEntry]:
        return frozenset(self._entries)

    def admit(self, sock: socket.socket, peer: tuple[object, ...]) -> ConnectionEntry | None:
        """A place for an accepted connection; None when there is no room, and no idle connection to take it from."""
        loop = asyncio.get_running_loop()
        address = address_key(str(peer[0]))
        same = self._by_address.get(address, set())
        if (len(same) >= self.limits.per_address and not self._make_room(same)) or (
            len(self._entries) >= self.limits.most and not self._make_room(self._entries)
        ):
            self.count("refused")
            self._log_limit("refused a connection: all allowed connections are in use, %d are open")
            return None
        entry = ConnectionEntry(address, sock, loop.time())
        self._entries.add(entry)
        self._by_address.setdefault(address, set()).add(entry)
        if self._timer is None:
            self._timer = loop.call_later(CHECK_SECONDS, self._check)
        return entry

    def remove(self, entry: ConnectionEntry) -> None:
        """Gives the place back; safe to call twice."""
        self._entries.discard(entry)
        same = self._by_address.get(entry.address)
        if same is not None:
            same.discard(entry)
            if not same:
                del self._by_address[entry.address]

    def count(self, reason: str) -> None:
        """Counts a connection that was ended for ``reason``."""
        self.closed[reason] += 1

    def close(self) -> None:
        """Stops checking times."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self, entries: set[ConnectionEntry]) -> bool:
        """Closes the connections that have been idle for the longest time, those without any request first."""
        idle = [(entry, since) for entry in entries if (since := entry.idle_since()) is not None]
        idle.sort(key=lambda pair: (pair[0].client is not None and pair[0].client.has_served(), pair[1]))
        chosen = idle[: 1 + len(entries) // EVICTED_SHARE]
        for entry, _ in chosen:
            self.remove(entry)
            self.count("evicted")
            entry.abort()
        if chosen:
            self._log_limit("closed idle connections to make room: %d are open")
        return bool(chosen)

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for entry in list(self._entries):
            if entry.client is not None and (reason := entry.client.end_overdue(now)):
                self.count(reason)
        self._timer = loop.call_later(CHECK_SECONDS, self._check) if self._entries else None

    def _log_limit(self, text: str) -> None:
        """Clients must not be able to fill the log."""
        now = asyncio.get_running_loop().time()
        if now - self._logged_at >= LOG_SECONDS:
            self._logged_at = now
            hint = "(SERVER_MAX_CONNECTIONS, SERVER_MAX_CONNECTIONS_PER_ADDRESS)"
            log.warning(f"{text} %s", len(self._entries), hint)  # noqa: G004  # one of two constant texts


def address_key(host: str) -> bytes:
    """The client that an address belongs to: an IPv4 address, or the /64 of an IPv6 address, which is one network."""
    host = host.partition("%")[0]
    if ":" not in host:
        return host.encode()
    octets = socket.inet_pton(socket.AF_INET6, host)
    return octets if octets[:10] == bytes(10) else octets[:8]  # an IPv4-mapped address is one of IPv4
