"""Counts what became of received datagrams, and logs drops in bounded number. For the event loop's thread."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

log = logging.getLogger(__name__)

LOG_INTERVAL = 60.0
"""Seconds between two log lines about drops for one reason."""


class Dropped(StrEnum):
    """Why a datagram was dropped: values of the label ``reason``."""

    KERNEL = "kernel_buffer_full"
    SENDER_RATE = "sender_rate_limit"
    RATE = "rate_limit"
    QUEUE = "queue_full"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported_pdu"
    TOO_MANY_VARBINDS = "too_many_varbinds"
    COMMUNITY = "unknown_community"
    USER = "unknown_user"
    LEVEL = "unsupported_security_level"
    ENGINE = "unknown_engine"
    DIGEST = "wrong_digest"
    DECRYPTION = "decryption_error"
    TIME_WINDOW = "not_in_time_window"
    SENDER = "unknown_sender"
    DUPLICATE = "duplicate"
    SINK = "not_stored"


EXPECTED = frozenset({Dropped.DUPLICATE, Dropped.ENGINE})
"""Part of ordinary operation, so not logged: retransmissions, and engine discovery of senders of informs."""

_HINTS = {
    Dropped.KERNEL: "the process was too busy to read them; raise net.core.rmem_max or lower TRAP_RATE",
    Dropped.SENDER_RATE: "it sends more than TRAP_SENDER_RATE",
    Dropped.RATE: "all senders together send more than TRAP_RATE",
    Dropped.QUEUE: "more than TRAP_QUEUE_BYTES wait",
    Dropped.COMMUNITY: "its community is that of no device or seed; set it in the inventory or in TRAP_COMMUNITIES",
    Dropped.USER: "its user is that of no device or seed; set it in the inventory",
    Dropped.LEVEL: "the user has another security level in the inventory",
    Dropped.DIGEST: "check the auth protocol and passphrase of its user",
    Dropped.DECRYPTION: "check the priv protocol and passphrase of its user",
    Dropped.TIME_WINDOW: "the message is old, replayed, or the device lost its engine boots",
    Dropped.SENDER: "no device of the inventory has this address; add it, or see TRAP_PROXIES and TRAP_UNKNOWN_SENDERS",
}


class TrapCounts:
    """How many datagrams came, and what became of them: ``received`` is the sum of ``dropped``, ``accepted``,
    ``waiting`` ones, and messages that are answered without being a notification, which count as dropped."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.received = 0
        self.accepted = 0
        self.acknowledged = 0
        self.dropped: Counter[Dropped] = Counter(dict.fromkeys(Dropped, 0))
        self._clock = clock
        self._logged_at: dict[Dropped, float] = {}
        self._unlogged: Counter[Dropped] = Counter()

    def drop(self, reason: Dropped, sender: str = "", number: int = 1) -> None:
        """Counts a dropped datagram; a line of the log a minute at most tells the reason and one sender."""
        self.dropped[reason] += number
        if reason in EXPECTED:
            return
        now = self._clock()
        if now - self._logged_at.get(reason, -LOG_INTERVAL) < LOG_INTERVAL:
            self._unlogged[reason] += number
            return
        self._logged_at[reason] = now
        more, self._unlogged[reason] = self._unlogged[reason], 0
        log.warning(
            "trap dropped (%s)%s%s%s",
            reason,
            f" from {sender}" if sender else "",
            f": {_HINTS[reason]}" if reason in _HINTS else "",
            f"; {more} more since the last such line" if more else "",
        )
