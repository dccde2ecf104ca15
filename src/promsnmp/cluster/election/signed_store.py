"""A lease store whose records have the signature of a replica, around one that stores what it is given.

A record without a valid signature is not believed. It counts as held by somebody who is not a replica of this cluster:
it makes nobody a leader, ends no leadership, and candidates wait until it has not changed for a lease, since it may be
of a replica of an older version that leads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from promsnmp.cluster.election.backend import LeaseStore
from promsnmp.cluster.election.lease import LeaseRecord, LeaseState
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.record_mac import RecordSigner, UnknownMac, unproven_installation

MAX_DURATION = 300.0
"""Seconds of a lease that is not believed, at most."""
_UNSIGNED = ("beat", "store", "mac")
"""What the store sets, and the signature."""


class SignedLeaseStore:
    """``store`` with signed records of this ``installation``. ``on_problem`` gets at each read why the record is not
    believed (empty: it is)."""

    def __init__(
        self, store: LeaseStore, key: ClusterKey, *, installation: str = "", on_problem: Callable[[str], object]
    ) -> None:
        self.backend = store.backend
        self._store = store
        self._signer = RecordSigner(key, "the lease of the leader", installation=installation)
        self._on_problem = on_problem
        self._highest_token = 0
        """Of the records with a valid signature."""

    async def read(self) -> LeaseState:
        state = await self._store.read()
        record = state.record
        if record is None or not record.holder:  # nobody's
            self._on_problem("")
            return state
        if not record.instance:  # only a name, written by hand or by another program
            self._on_problem("")
            token = min(record.fencing_token, self._highest_token)
            return replace(state, record=replace(record, address="", fencing_token=token))
        try:
            self._signer.verify({**_signed(record), "mac": record.mac})
        except UnknownMac as error:
            self._on_problem(f"the record of {record.holder[:100]} is not believed: {error}")
            return replace(state, record=_stranger(record), forced=False)
        self._on_problem("")
        self._highest_token = max(self._highest_token, record.fencing_token)
        return state

    async def write(self, record: LeaseRecord, expected: LeaseState) -> bool:
        signed = self._signer.sign(_signed(record))
        return await self._store.write(replace(record, mac=str(signed["mac"])), expected)


def _signed(record: LeaseRecord) -> dict[str, object]:
    return {name: value for name, value in asdict(record).items() if name not in _UNSIGNED}


def _stranger(record: LeaseRecord) -> LeaseRecord:
    """Who has written the record, without what only a replica can say. The installation is for messages."""
    duration, installation = min(record.duration, MAX_DURATION), unproven_installation(record.installation)
    return LeaseRecord(
        record.holder, "", "", 0, duration, beat=record.beat, store=record.store, installation=installation
    )
