"""Stores the lease in Kubernetes: a Lease object, in the format of client-go's leader election.

``kubectl get lease`` shows the leader's name, and other tools find what they expect: holderIdentity, acquireTime,
leaseDurationSeconds, renewTime, leaseTransitions, and an empty holderIdentity after a release. An annotation has what
client-go has no field for (process, address, fencing token). The API provides compare-and-set: it rejects a write with
an old resourceVersion. Needs only the verbs get, create and update.

A missing Lease is created without a holder by the first replica that reads it, so that every write replaces a Lease
that was seen. The ``beat`` of a record is the resourceVersion, which no Lease has twice. The API keeps the
resourceVersion of an update that changes nothing, so each of ours carries a random word. Accepted writes are never
lost: they are in etcd, and a GET without a resourceVersion is answered from there.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from promsnmp.cluster.clients.kube_api import KubeApi
from promsnmp.cluster.election.lease import (
    RECORD_FIELDS,
    InvalidRecord,
    LeaseRecord,
    LeaseState,
    read_duration,
    read_record,
    read_term,
    read_word,
    vacancy,
)
from promsnmp.errors import CoordinatorError

NAME = "promsnmp-leader"
ANNOTATION = "promsnmp.io/leader"
API = "coordination.k8s.io/v1"
MAX_INT32 = 2**31 - 1


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class KubernetesLeaseStore:
    """A LeaseStore (see backend.py) in the Lease ``name`` of ``namespace``."""

    backend = "kubernetes"

    def __init__(
        self, api: KubeApi, namespace: str, *, name: str = NAME, now: Callable[[], dt.datetime] = _now
    ) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace
        self._now = now
        self._leases = f"/apis/{API}/namespaces/{namespace}/leases"

    async def read(self) -> LeaseState:
        status, lease = await self._api.call("GET", f"{self._leases}/{self._name}")
        if status == 404:
            await self._api.call("POST", self._leases, self._vacant())  # another replica may have created it meanwhile
            status, lease = await self._api.call("GET", f"{self._leases}/{self._name}")
        if status != 200 or not isinstance(lease.get("metadata"), dict):
            raise CoordinatorError(f"unexpected reply from the Kubernetes API (status {status}, not a Lease)")
        return _state_of(lease)

    async def write(self, record: LeaseRecord, expected: LeaseState) -> bool:
        assert isinstance(expected.version, dict)
        lease = self._lease(record, expected.version)
        status, _ = await self._api.call("PUT", f"{self._leases}/{self._name}", lease)
        return status == 200

    def _vacant(self) -> dict[str, Any]:
        metadata = {"name": self._name, "namespace": self._namespace}
        return {"apiVersion": API, "kind": "Lease", "metadata": metadata, "spec": {}}

    def _lease(self, record: LeaseRecord, old: Mapping[str, Any]) -> dict[str, Any]:
        """The Lease with ``record``, replacing ``old``; keeps the keys that others added."""
        before = _part(old, "spec")
        holder = "" if record.released else record.holder
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # MicroTime
        stays = before.get("holderIdentity") == holder and _state_of(old).fencing_token == record.fencing_token
        is_first = not before.get("acquireTime")
        changes = not is_first and not record.released and before.get("holderIdentity") != holder
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": 1 if record.released else math.ceil(record.duration),
            "acquireTime": before.get("acquireTime", now) if stays else now,
            "renewTime": now,
            "leaseTransitions": min(_transitions(before) + changes, MAX_INT32),
        }
        metadata = dict(_part(old, "metadata"))
        metadata["annotations"] = {**_part(metadata, "annotations"), ANNOTATION: _note(record)}
        return {"apiVersion": API, "kind": "Lease", "metadata": metadata, "spec": {**before, **spec}}


def _state_of(lease: Mapping[str, Any]) -> LeaseState:
    try:
        return _valid_state_of(lease)
    except InvalidRecord as error:
        return LeaseState(None, lease, problem=f"{error} (Lease {_part(lease, 'metadata').get('name', NAME)})")


def _valid_state_of(lease: Mapping[str, Any]) -> LeaseState:
    """Raises InvalidRecord."""
    spec, noted = _part(lease, "spec"), _noted(lease)
    holder, beat = read_word(spec.get("holderIdentity") or ""), _part(lease, "metadata").get("resourceVersion") or ""
    if not isinstance(noted.get("term"), int) or not isinstance(noted.get("duration"), int | float):
        noted = {}
    term, released = read_term(noted.get("term", 1)), noted.get("released") is True
    if holder and (released or holder != noted.get("holder")):  # written by another program or by hand
        duration = read_duration(spec.get("leaseDurationSeconds") or 0)
        return LeaseState(LeaseRecord(holder, "", "", term, duration, beat=read_word(beat)), lease)
    if not noted:  # nobody has held it
        return LeaseState(vacancy(read_word(beat)), lease)
    record = read_record(noted, released=released, beat=read_word(beat))
    return LeaseState(record, lease, forced=not holder and not released)


def _transitions(spec: Mapping[str, Any]) -> int:
    """The number of changes of the holder so far; 0 when it is not an int32, as the API wants it."""
    found = spec.get("leaseTransitions")
    return found if isinstance(found, int) and 0 <= found <= MAX_INT32 else 0


def _note(record: LeaseRecord) -> str:
    return json.dumps(
        {name: record.fencing_token if name == "term" else getattr(record, name) for name in RECORD_FIELDS}
        | {"beat": secrets.token_hex(8)}
    )


def _noted(lease: Mapping[str, Any]) -> Mapping[str, Any]:
    """The annotation; empty when it is missing, or another program's. Raises InvalidRecord."""
    try:
        found = json.loads(_part(_part(lease, "metadata"), "annotations").get(ANNOTATION, "{}"))
    except (json.JSONDecodeError, TypeError):
        return {}
    except (ValueError, RecursionError):
        raise InvalidRecord(f"the annotation {ANNOTATION} cannot be read: too deep, or a number too long") from None
    return found if isinstance(found, dict) else {}


def _part(whole: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = (whole or {}).get(name)
    return found if isinstance(found, dict) else {}
