"""No election: a single replica that always leads; without fencing tokens and without a backend."""

from __future__ import annotations

from promsnmp.cluster.election.runner import Leader, Listener


class AlwaysLeader:
    """The Leadership (see runner.py) of a single replica, which never steps down."""

    backend = "none"
    transitions = 0
    problem = ""
    leads = True
    since_renewal = 0.0

    def __init__(self, name: str, address: str) -> None:
        self.leader: Leader | None = Leader(name, address, 0)

    def fencing_token(self) -> int | None:
        return None

    def subscribe(self, listener: Listener) -> None:
        """Nothing ever changes."""

    def start(self) -> None:
        """Does nothing."""

    async def step_down(self, reason: str) -> None:
        """Does nothing: there is no other replica."""

    async def stop(self) -> None:
        """Does nothing."""
