"""Accepts each signed request once: a window of numbers for each sender, as in DTLS (RFC 6347 section 4.1.2.6).

Every sender numbers its requests, so what was accepted is known from a few bits, without clocks. Another process, such
as this one after a restart, accepts none of them: requests name the ``epoch`` of their recipient, which is random.
"""

from __future__ import annotations

import secrets

WINDOW = 8192
"""Numbers below the highest one that are still accepted, once: requests overtake each other."""
MAX_SENDERS = 512
"""Senders of one epoch. Each takes about 1 kB, and each is a process that has the key."""


class ReplayGuard:
    """What was accepted in this epoch."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(16)
        """Random: begins anew with the process, and when there were too many senders."""
        self._windows: dict[str, tuple[int, int]] = {}
        """By sender: the highest number, and the accepted ones as bits; bit 0 is the highest."""

    def make_room(self, sender: str) -> None:
        """Begins another epoch when there are too many senders for a new one."""
        if sender not in self._windows and len(self._windows) >= MAX_SENDERS:
            self.epoch = secrets.token_hex(16)
            self._windows.clear()

    def accept(self, sender: str, number: int) -> bool:
        """Whether the number is new; it is not from then on."""
        highest, bits = self._windows.get(sender, (number, 0))
        if number > highest:
            shift = number - highest
            bits = bits << shift & (1 << WINDOW) - 1 if shift < WINDOW else 0
            highest = number
        bit = 1 << highest - number if highest - number < WINDOW else 0
        if not bit or bits & bit:
            return False
        self._windows[sender] = highest, bits | bit
        return True
