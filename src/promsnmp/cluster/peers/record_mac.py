"""Signs and verifies what replicas write into Redis and the Lease, so that nobody else can write it.

A record is a JSON object. Its MAC covers all keys and the purpose of the record, so no record fits elsewhere, such as
in the keys of another installation.

A record without a valid MAC may still say of which installation it is: usually two installations, each with a key of
its own, use one Redis by mistake, and the operator needs to know which. Somebody else may have written that, too, so it
is shown only when it looks like an id, and nothing depends on it.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping

from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.errors import PeerError

MAC = "mac"
SEPARATE = "give each its own REDIS_KEY_PREFIX, or its own namespace"
"""What to do about two installations that use the same Redis or Lease."""
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class UnknownMac(PeerError):
    """The record is not from a replica of this cluster."""


class RecordSigner:
    """Signs records for one ``purpose``, such as the name of a key in Redis. ``installation`` is this replica's id."""

    def __init__(self, key: ClusterKey, purpose: str, *, installation: str = "") -> None:
        self._key = key
        self._purpose = purpose
        self._installation = installation

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
            reason = "its signature is not from this cluster: it has another CLUSTER_KEY, or somebody wrote it"
            raise UnknownMac(reason + self._other_installation(record))
        return rest

    def _other_installation(self, record: Mapping[str, object]) -> str:
        other = unproven_installation(record.get("installation"))
        if not other or not self._installation or other == self._installation:
            return ""
        return f"; it names another installation, {other}: {SEPARATE}"

    def _mac(self, record: Mapping[str, object]) -> str:
        text = json.dumps([self._purpose, record], sort_keys=True).encode()
        return hmac.digest(self._key.derive("records"), text, "sha256").hex()


def unproven_installation(value: object) -> str:
    """The installation that a record without a valid MAC names; empty when it is no id. It may be anybody's text."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""
