"""Decides when the modules of a device are detected again, and keeps the last result. Pure: no I/O.

Detection costs a few packets, so it runs at the first poll, then seldom, and whenever the device seems to be another
one: its sysDescr or sysObjectID has changed, or it has restarted. A device that keeps changing its description, or
never answers, is still not asked at every poll. A table that is missing once may only be slow to appear; its module is
dropped when it is missing twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from promsnmp.inventory.modules import FALLBACK
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.snmp import ber

REDETECT_SECONDS = 6 * 3600.0
"""Seconds until detection runs again when the device shows no change."""
RECHECK_SECONDS = 600.0
"""The same when the device had just started, as some tables appear late; and the minimum between two detections."""
JUST_STARTED_TICKS = 15 * 60 * 100
"""Hundredths of a second of sysUpTime."""
RETRY_SECONDS = 60.0
"""Seconds until the next attempt after an incomplete detection; doubles up to ``REDETECT_SECONDS``."""


@dataclass(slots=True)
class DetectionSchedule:
    """The detection of one target. Times are seconds of one monotonic clock."""

    identity: DeviceIdentity | None = None
    """The last result; None before the first detection, and when the inventory has a newer result."""
    _stored: tuple[str, ...] = ()
    _missing_modules: tuple[str, ...] = ()
    """Modules that were detected before, but not the last time."""
    _due: float = 0.0
    _asked_at: float = float("-inf")
    _failures: int = 0
    _system_hashes: tuple[int, ...] = (0, 0)
    """Hashes of sysDescr and sysObjectID; 0, which is also the hash of no octets: not read yet."""
    _up_time: int = 0

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that suit the device; empty while they are unknown."""
        if self.identity is None:
            return self._stored
        names = (*self.identity.match.names, *self._missing_modules)
        return tuple(dict.fromkeys((*FALLBACK, *names))) if self.identity.problem else names

    @property
    def detected_modules(self) -> tuple[str, ...]:
        """The modules detected here; empty when the stored ones are in use."""
        return self.modules if self.identity is not None else ()

    def set_stored_modules(self, stored: Sequence[str], key: str, now: float) -> None:
        """Takes the modules that the inventory has for the device ``key``: when these have changed, they are newer than
        the result here."""
        if tuple(stored) == self._stored:
            return
        self._stored = tuple(stored)
        if stored and self.detected_modules != self._stored:
            self.identity, self._missing_modules = None, ()
            self._due = (
                now + REDETECT_SECONDS * (zlib.crc32(key.encode()) % 1000 + 1) / 1000
            )  # spread, so that not all devices are due at once

    def is_due(self, now: float) -> bool:
        """Whether it is time for detection."""
        return now >= self._due

    def request(self) -> None:
        """Has the next poll detect the modules again, since somebody wants to know."""
        self._due = float("-inf")
        self._failures = 0

    def record_identity(self, identity: DeviceIdentity, now: float) -> bool:
        """Keeps a result, and returns whether it is settled.

        An incomplete result does not replace a complete one. A module that is no longer detected stays until the next
        detection confirms it, unless this is a different device.
        """
        self._asked_at = now
        if identity.problem:
            if not self.modules or (self.identity is not None and self.identity.problem):
                self.identity = identity
            self.record_failure(now)
            return False
        self._missing_modules = () if self._missing_modules else self._disappeared_modules(identity)
        self.identity = identity
        self._failures = 0
        just_started = identity.sys_up_time is not None and identity.sys_up_time < JUST_STARTED_TICKS
        self._due = now + (RECHECK_SECONDS if just_started or self._missing_modules else REDETECT_SECONDS)
        return not self._missing_modules

    def _disappeared_modules(self, identity: DeviceIdentity) -> tuple[str, ...]:
        """Modules known so far that ``identity`` lacks, if it is of the same device."""
        if self.identity is not None and (
            self.identity.problem or self.identity.sys_object_id != identity.sys_object_id
        ):
            return ()
        return tuple(name for name in self.modules if name not in identity.match.names)

    def record_failure(self, now: float) -> None:
        """Notes that detection failed or was incomplete."""
        self._asked_at = now
        self._due = now + min(RETRY_SECONDS * 2**self._failures, REDETECT_SECONDS)
        self._failures = min(self._failures + 1, 16)

    def observe_system_group(self, system_columns: tuple[bytes, bytes], up_time: bytes) -> None:
        """Looks for changes in columns that a poll read (empty: not read): sysDescr and sysObjectID, and sysUpTime."""
        ticks = _ticks(up_time)
        pairs = list(zip(self._system_hashes, map(hash, system_columns), strict=True))
        changed = any(before and after and before != after for before, after in pairs)
        if changed or (ticks is not None and ticks < self._up_time):
            self._due = min(self._due, self._asked_at + RECHECK_SECONDS)
        self._system_hashes = tuple(after or before for before, after in pairs)
        self._up_time = self._up_time if ticks is None else ticks


def _ticks(column: bytes) -> int | None:
    """The number in a column of one row."""
    rows = ber.varbinds(column, 0, len(column)) if column else []
    return ber.integer_value(rows[0].tag, rows[0].value) if rows else None
