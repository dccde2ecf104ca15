"""The state of one agent's authoritative engine: its id and its clock (RFC 3414 section 2.3).

The caller keeps one per target from poll to poll, so that engine discovery happens once and not at every poll. All
users of a target share it. It holds no secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from promsnmp.snmp.security import MAX_DATAGRAM

TIME_WINDOW = 150  # seconds, RFC 3414 section 2.2.3
MAX_BOOTS = 0x7FFFFFFF
"""A counter at this maximum stays there, and the engine is outside every time window (RFC 3414 section 2.2.2)."""
MSG_ID_BITS = 31
_MAX_TIME = 0x7FFFFFFF
_SALT_MASK = (1 << 64) - 1


@dataclass(slots=True)
class EngineState:
    """A remote engine, unknown at first. ``updated_at`` is the local clock (seconds) at which its time was ``time``."""

    engine_id: bytes = b""
    boots: int = 0
    time: int = 0
    """snmpEngineTime, seconds since the engine booted: the latest that was received."""
    updated_at: float = 0.0
    synchronised: bool = False
    """Whether ``boots`` and ``time`` come from an authenticated message."""
    answered: bool = False
    """Whether it has answered a request since its engine id is known."""
    max_message: int = MAX_DATAGRAM
    """Octets of the largest message that it takes (msgMaxSize, RFC 3412 section 6.3)."""
    msg_id_bits: int = MSG_ID_BITS
    """Bits of the msgIDs that it returns unchanged; some agents cut them."""
    salt: int = field(default_factory=lambda: secrets.randbits(64), repr=False)
    """Counts encrypted messages from a random start (RFC 3414 section 8.1.1.1, RFC 3826 section 3.1.2.1)."""

    @property
    def is_proven(self) -> bool:
        """Whether it has shown that it knows the user's key, or (a user without one) has answered a request."""
        return self.synchronised or self.answered

    def set_engine_id(self, engine_id: bytes) -> None:
        """Uses another engine id and forgets the clock, which belonged to the engine before."""
        self.engine_id = engine_id
        self.boots = self.time = 0
        self.updated_at = 0.0
        self.synchronised = self.answered = False
        self.max_message, self.msg_id_bits = MAX_DATAGRAM, MSG_ID_BITS

    def set_clock(self, boots: int, time: int, now: float) -> None:
        """Sets the engine's clock as of ``now``."""
        self.boots, self.time, self.updated_at = boots, time, now
        self.synchronised = True

    def time_at(self, now: float) -> int:
        """The engine's time at ``now``; 0 when it is unknown (RFC 3414 section 4)."""
        if not self.synchronised:
            return 0
        return min(self.time + max(int(now - self.updated_at), 0), _MAX_TIME)

    def check_time_window(self, boots: int, time: int, now: float) -> bool:
        """Whether an authenticated message of this time is new enough; a newer one sets the clock.

        RFC 3414 section 3.2 step 7 b, for the side that is not authoritative.
        """
        if not self.synchronised or boots > self.boots or (boots == self.boots and time > self.time):
            self.set_clock(boots, time, now)
        if boots >= MAX_BOOTS or boots < self.boots:
            return False
        return time >= self.time_at(now) - TIME_WINDOW

    def lines(self) -> Iterator[str]:
        """What was learned about how it answers, for people."""
        if self.msg_id_bits < MSG_ID_BITS:
            yield f"msgIDs are cut: those sent have {self.msg_id_bits} bits now"

    def next_salt(self) -> int:
        """A 64-bit number that no earlier message to this engine used as its salt."""
        self.salt = self.salt + 1 & _SALT_MASK
        return self.salt
