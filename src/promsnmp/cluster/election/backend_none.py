"""No election: PromSNMP runs once, and is its own leader. Nothing is asked of anybody, and there are no terms."""

from __future__ import annotations

from promsnmp.cluster.election.runner import Leader, Listener


class AlwaysLeader:
    """A Leadership (see runner.py) of one replica. It cannot be given up, since nobody else could take it."""

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
        """There is nothing to start."""

    async def step_down(self, reason: str) -> None:
        """There is nobody else."""

    async def stop(self) -> None:
        """There is nothing to stop."""
