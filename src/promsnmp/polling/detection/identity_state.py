"""Decides when a device is asked who it is, from what polls read anyway, and keeps the last result. Pure: no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.exposition.plan import Plan
from promsnmp.inventory.model import Device, SeenIdentity
from promsnmp.polling.detection.seen_identities import with_identity
from promsnmp.snmp import ber

RECHECK_SECONDS = 3600.0
"""Seconds between two checks when nothing indicates another device: two members of a pair that started together show
nothing when an address moves from one to the other."""
UNSEEN_SECONDS = 600.0
"""The same when polls do not read sysUpTime."""
MIN_SECONDS = 5.0
"""Seconds between two checks at least: an address may change its device with each request."""
RETRY_SECONDS = 60.0
"""Seconds until the next attempt after a check without an answer; doubles up to ``RECHECK_SECONDS``."""
JUMP_SECONDS, JUMP_SHARE = 10.0, 0.02
"""How far sysUpTime may be from what is expected, and the share of the time between two polls that is added."""
MAX_SCALAR = 4096
"""Octets of the column of an object that has one instance; a longer one is not of that object."""
_TICKS_WRAP = 1 << 32
_SYS_OBJECT_ID, _SYS_UP_TIME = "1.3.6.1.2.1.1.2", "1.3.6.1.2.1.1.3"


def scalar(plan: Plan, scanner: ber.Scanner, name: str) -> bytes:
    """The column of an object that has one instance, encoded; empty when the poll did not read it as a whole."""
    column = plan.by_oid.get(name)
    if column is None or column.part:
        return b""
    octets = scanner.column(column.at)
    return octets if len(octets) <= MAX_SCALAR else b""


@dataclass(frozen=True, slots=True)
class PollSigns:
    """What a poll shows of the identity of a device; empty or None: not read."""

    ticks: int | None = None
    """sysUpTime in hundredths of a second."""
    object_id: bytes = b""
    """The column of sysObjectID."""
    engine_id: bytes = b""

    @classmethod
    def of(cls, plan: Plan, scanner: ber.Scanner, engine_id: bytes) -> PollSigns:
        ticks, object_id = (scalar(plan, scanner, name) for name in (_SYS_UP_TIME, _SYS_OBJECT_ID))
        rows = ber.varbinds(ticks, 0, len(ticks)) if ticks else []
        return cls(ber.integer_value(rows[0].tag, rows[0].value) if rows else None, object_id, engine_id)


@dataclass(slots=True)
class IdentityState:
    """When the device of a target is checked, and the last result. Times are seconds of one monotonic clock."""

    differences: tuple[str, ...] = ()
    """What differs from the inventory; empty: it is the same device, as far as known."""
    reached_at: float | None = None
    """When a poll last surely reached the known device."""
    _first: SeenIdentity | None = None
    """Result of the first check, until the inventory has it: another device may take the address before that."""
    _known: object = None
    """What the inventory knew at the last poll."""
    _signs: PollSigns = PollSigns()
    _ticks_at: float = 0.0
    _due: float = 0.0
    _checked_at: float = float("-inf")
    _failures: int = 0

    def observe(self, signs: PollSigns, known: object, now: float) -> None:
        """Notes what a poll shows, and what the inventory knows of the device."""
        before, is_new = self._signs, known != self._known
        self._known = known
        is_other = self._jumped(signs.ticks, now) or any(
            old and new and old != new
            for old, new in ((before.object_id, signs.object_id), (before.engine_id, signs.engine_id))
        )
        if is_new:
            self._first = None
        if is_other or is_new:
            self._due = min(self._due, self._checked_at + MIN_SECONDS)
        elif signs.ticks is None:
            self._due = min(self._due, self._checked_at + UNSEEN_SECONDS)
        if signs.ticks is not None:
            if self.reached_at is not None and before.ticks is not None and not (is_other or self.differences):
                self.reached_at = now
            self._ticks_at = now
        self._signs = PollSigns(
            before.ticks if signs.ticks is None else signs.ticks,
            signs.object_id or before.object_id,
            signs.engine_id or before.engine_id,
        )

    def _jumped(self, ticks: int | None, now: float) -> bool:
        """Whether sysUpTime is not that of the last poll plus the time since then: a restart, or another agent."""
        if ticks is None or self._signs.ticks is None:
            return False
        elapsed = now - self._ticks_at
        apart = (ticks - self._signs.ticks - round(elapsed * 100)) % _TICKS_WRAP
        return min(apart, _TICKS_WRAP - apart) / 100 > JUMP_SECONDS + elapsed * JUMP_SHARE

    def is_due(self, now: float) -> bool:
        """Whether it is time for a check."""
        return now >= self._due

    def known_device(self, device: Device) -> Device:
        """``device`` with what its first check found, if the inventory does not have it yet."""
        return device if self._first is None else with_identity(device, self._first)

    def record(self, seen: SeenIdentity, now: float) -> None:
        """Keeps the result of a check."""
        self.differences = seen.differences
        if not seen.differences:
            self._first = self._first or seen
            self.reached_at = now
        self._checked_at, self._due, self._failures = now, now + RECHECK_SECONDS, 0

    def record_failure(self, now: float) -> None:
        """Notes that the device did not answer a check."""
        self._checked_at = now
        self._due = now + min(RETRY_SECONDS * 2**self._failures, RECHECK_SECONDS)
        self._failures = min(self._failures + 1, 16)
