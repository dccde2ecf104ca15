"""File descriptors: as many as the system allows, and a share of them for each use.

A service that runs out of them can neither poll nor write. Connections of clients are the only use that strangers can
increase, so they get what the others leave.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass

MAX_DESCRIPTORS = 65_536
"""More are never needed, and some systems have a limit of a thousand million, which some programs take for a size."""
RESERVED = 192
"""For files, logs, threads, other replicas, Redis and discovery."""
MIN_CONNECTIONS, MIN_POLLS = 64, 16


@dataclass(frozen=True, slots=True)
class DescriptorShares:
    """How many connections of clients, and how many polls on behalf of scrapes, may be open at the same time."""

    connections: int
    scrape_polls: int


def raise_limit(most: int = MAX_DESCRIPTORS) -> int:
    """Raises the soft limit of file descriptors to the hard one, at most ``most``; returns the limit that holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return most if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


def share(descriptors: int, *, polls: int, connections: int, scrape_polls: int) -> DescriptorShares:
    """The shares of ``descriptors``, when ``polls`` devices are polled at the same time in the background.

    ``connections`` and ``scrape_polls`` are wanted; where there is not enough for all, connections get half of what is
    left besides the background polls, and polls for scrapes the rest.
    """
    left = descriptors - RESERVED - polls
    if connections + scrape_polls <= left:
        return DescriptorShares(connections, scrape_polls)
    allowed = max(min(connections, left // 2), MIN_CONNECTIONS)
    return DescriptorShares(allowed, max(min(scrape_polls, left - allowed), MIN_POLLS))
