"""Recognises copies of a notification: retransmissions of an inform, or a trap that came twice.

A copy has the same sender, boots, request id and content. The content counts, too, because some agents send all their
traps with the same request id; and a trap of SNMPv1 has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b

from cachetools import TTLCache

from promsnmp.traps.receive.pdu import TrapPdu

WINDOW = 150.0
"""Seconds for which a notification is remembered: the time window of USM (RFC 3414 section 2.2.3)."""
MAX_REMEMBERED = 50_000
"""Notifications that are remembered: some 10 MB."""


def key_of(sender: bytes, boots: int, pdu: TrapPdu) -> bytes:
    """What all copies of a notification share; ``sender`` is an engine id, or an address in text."""
    digest = blake2b(digest_size=16)
    for part in (sender, b"%d %d %d" % (boots, pdu.request_id, pdu.is_inform), pdu.oid):
        digest.update(len(part).to_bytes(4, "big") + part)
    digest.update(pdu.content)
    return digest.digest()


class Duplicates:
    """The notifications of the last WINDOW seconds, and whether each is safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._seen: TTLCache[bytes, bool] = TTLCache(MAX_REMEMBERED, WINDOW, clock)

    def begin(self, key: bytes) -> bool | None:
        """None for a new notification, which is remembered; else whether the earlier one is safe already."""
        known = self._seen.get(key)
        if known is None:
            self._seen[key] = False
        return known

    def finish(self, key: bytes) -> None:
        """The notification is safe."""
        self._seen[key] = True

    def forget(self, key: bytes) -> None:
        """The notification was not accepted: its next copy is new."""
        self._seen.pop(key, None)
