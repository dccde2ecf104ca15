"""Fencing: only the current leader writes the inventory, so that replicas do not undo each other's work.

The leader's claim, its term and its process, is checked before a change is made, and again right before the file is
replaced: a leader that was suspended in between, or whose disk was, no longer leads. A write that another replica
forwarded has a request ID, and the file keeps the last ones, so that this replica can find out whether the write was
made when the leader did not answer.
"""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.support.claim import Claim

GetClaim = Callable[[], Claim | None]
"""The claim of this leader; None without elections. Raises NotLeader. Called in threads."""

MAX_REQUEST_IDS = 1024
"""IDs of forwarded writes that the file keeps: enough for some seconds at the highest rate of a leader."""


def no_claim() -> Claim | None:
    """For a store without elections."""
    return None
