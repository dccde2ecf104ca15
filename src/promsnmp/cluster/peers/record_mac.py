"""Signs and verifies what replicas write into Redis and the Lease, so that nobody else can write it.

A record is a JSON object. Its MAC covers all keys and the purpose of the record, so no record fits elsewhere, such as
in the keys of another installation.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.errors import PeerError

MAC = "mac"


class UnknownMac(PeerError):
    """The record is not from a replica of this cluster."""


class RecordSigner:
    """Signs records for one ``purpose``, such as the name of a key in Redis."""

    def __init__(self, key: ClusterKey, purpose: str) -> None:
        self._key = key
        self._purpose = purpose

    def sign(self, record: Mapping[str, object]) -> dict[str, object]:
        """The record with its MAC."""
        return {**record, MAC: self._mac(record)}

    def verify(self, record: Mapping[str, object]) -> dict[str, object]:
        """The record without its MAC. Raises UnknownMac when it has no valid one."""
        rest = {name: value for name, value in record.items() if name != MAC}
        mac = record.get(MAC)
        if not isinstance(mac, str) or not mac:
            raise UnknownMac("it has no signature: it is of an older version of PromSNMP, or of somebody else")
        if not hmac.compare_digest(mac.encode(), self._mac(rest).encode()):
            raise UnknownMac("its signature is not from this cluster: it has another CLUSTER_KEY, or somebody wrote it")
        return rest

    def _mac(self, record: Mapping[str, object]) -> str:
        text = json.dumps([self._purpose, record], sort_keys=True).encode()
        return hmac.digest(self._key.derive("records"), text, "sha256").hex()
