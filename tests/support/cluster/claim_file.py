"""An inventory file in memory, as far as elections need it: the claim of the leader."""

from __future__ import annotations

from collections.abc import Callable

from promsnmp.cluster.election.rules import WantedClaim
from promsnmp.errors import InventoryUnavailable
from promsnmp.support.claim import Claim


class ClaimFile:
    """One file for all election runners that are given its ``write``; ``fails`` is why it cannot be written."""

    def __init__(self) -> None:
        self.claim = Claim()
        self.fails = ""
        self.attempts = 0

    async def write(self, wanted: WantedClaim, check: Callable[[], None]) -> Claim:
        self.attempts += 1
        if self.fails:
            raise InventoryUnavailable(self.fails)
        check()
        if not self.claim.is_later_than(wanted.after):
            self.claim = wanted.claim
        return self.claim
