"""No election: a single replica that always leads; without claims and without a backend."""

from __future__ import annotations

from promsnmp.cluster.election.runner import Leader, Listener
from promsnmp.support.claim import Claim


class AlwaysLeader:
    """The Leadership (see runner.py) of a single replica, which never steps down."""

    backend = "none"
    transitions = 0
    backend_problem = problem = ""
    leads = True
    since_renewal = 0.0

    def __init__(self, name: str, address: str) -> None:
        self.leader: Leader | None = Leader(name, address, 0)

    def claim(self) -> Claim | None:
        return None

    def subscribe(self, listener: Listener) -> None:
        """Nothing ever changes."""

    def start(self) -> None:
        """Does nothing."""

    async def step_down(self, reason: str) -> None:
        """Does nothing: there is no other replica."""

    async def leave(self) -> None:
        """Does nothing."""

    async def stop(self) -> None:
        """Does nothing."""
