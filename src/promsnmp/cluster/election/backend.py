"""What an election backend implements: it stores the lease and compares before it writes.

``backend_redis.py`` and ``backend_kubernetes.py`` are lease stores; ``backend_none.py`` needs none, because its replica
is alone. A new backend is one more, opened in
``cluster/factory.py`` and allowed by ELECTION_BACKEND in ``settings/replicas.py``. What the rules require of a lease
store is at the head of ``rules.py``.
"""

from __future__ import annotations

from typing import Protocol

from promsnmp.cluster.election.lease import LeaseRecord, LeaseState


class LeaseStore(Protocol):
    """Stores the lease. Both methods raise CoordinatorError when the backend does not answer.

    A write that raised may have been made, or may be made later. Each write creates a record that never existed before
    (``LeaseRecord.beat``).
    """

    @property
    def backend(self) -> str:
        """``redis`` or ``kubernetes``."""

    async def read(self) -> LeaseState: ...

    async def write(self, record: LeaseRecord, expected: LeaseState) -> bool:
        """Writes ``record`` if the stored lease is still ``expected``; returns whether it was written.

        It is not when another replica wrote to the store or emptied it, or when another server has taken over.
        """
