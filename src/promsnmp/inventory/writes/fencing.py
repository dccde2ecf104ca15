"""Who may write the inventory, and which writes are in it: what keeps several replicas from undoing each other's work.

The fence is asked before a change is made, and again right before the file is put in its place: a leader that slept, or
whose disk did, in between is not the leader any more. A write that another replica passed on carries a number, and the
file keeps the last ones, so that whoever passed it on can tell whether it was done when the leader went away with the
answer.
"""

from __future__ import annotations

from collections.abc import Callable

GetFencingToken = Callable[[], int | None]
"""The number of the leader's term, None where there are no terms. Raises NotLeader. Called in threads."""

MAX_REQUEST_IDS = 1024
"""Numbers of writes that the file keeps: some seconds of as many writes as one leader can make."""


def no_fencing_token() -> int | None:
    """For a store that nobody else writes: there are no terms."""
    return None
