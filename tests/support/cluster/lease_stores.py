"""What tests of lease stores and of election runners share: records, and runners over one lease store."""

from __future__ import annotations

from promsnmp.cluster.election.backend import LeaseStore
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState
from promsnmp.cluster.election.rules import Candidate, Timing
from promsnmp.cluster.election.runner import ElectionRunner
from tests.support.cluster.claim_file import ClaimFile
from tests.support.tools import until

TIMING = Timing(duration=3.0, renew=1.0, read_interval=0.1)


def lease_record(name: str, fencing_token: int, *, duration: float = 30.0, released: bool = False) -> LeaseRecord:
    return LeaseRecord(name, f"instance of {name}", f"{name}:8080", fencing_token, duration, released)


async def write(lease_store: LeaseStore, record: LeaseRecord) -> LeaseState:
    """Writes the record, and returns what is read afterwards."""
    assert await lease_store.write(record, await lease_store.read())
    return await lease_store.read()


class RunnerGroup:
    """Election runners with one inventory file. Each has a connection of its own to the lease store."""

    def __init__(self) -> None:
        self.members: list[ElectionRunner] = []
        self.file = ClaimFile()

    def add(self, name: str, lease_store: LeaseStore, *, timing: Timing, timeout: float) -> ElectionRunner:
        """A runner that has not started."""
        me = LeaseRecord(name, f"instance {len(self.members)}", f"{name}:8080", 0, 0)
        candidate = Candidate(me, timing, claim_in_file=lambda: self.file.claim)
        runner = ElectionRunner(candidate, lease_store, self.file.write, timeout=timeout)
        self.members.append(runner)
        return runner

    @property
    def leaders(self) -> list[ElectionRunner]:
        leaders = [runner for runner in self.members if runner.leads]
        assert len(leaders) <= 1
        return leaders

    async def leader(self, *, other_than: ElectionRunner | None = None) -> ElectionRunner:
        await until(lambda: bool(self.leaders) and self.leaders[0] is not other_than)
        return self.leaders[0]

    async def stop(self) -> None:
        for runner in self.members:
            await runner.stop()
