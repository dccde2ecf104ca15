"""What a target was found out to be, kept from poll to poll, and when it has to be found out anew.

Asking a device what it is costs a few packets, so it is done at the first poll, then seldom, and whenever the device
shows that it is another one now: its sysDescr or sysObjectID changed, or it started again. Neither a device that
changes its description all the time nor one that never answers is asked at every poll. A table that is not there once
may be slow to come; its module goes when it is missing twice. No input or output here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from promsnmp.inventory.modules import FALLBACK
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.snmp import ber

REDETECT_SECONDS = 6 * 3600.0
"""Seconds after which a device that shows no change is asked again."""
RECHECK_SECONDS = 600.0
"""The same when it had just started, as some tables come late; and the least time between two askings."""
JUST_STARTED_TICKS = 15 * 60 * 100
"""Hundredths of a second of sysUpTime."""
RETRY_SECONDS = 60.0
"""Seconds until it is asked again when it did not answer all questions; doubles up to ``REDETECT_SECONDS``."""


@dataclass(slots=True)
class DetectionSchedule:
    """Times are seconds of one monotonic clock."""

    identity: DeviceIdentity | None = None
    """What came out last; None: it was not asked, or the inventory's word is newer."""
    _stored: tuple[str, ...] = ()
    _missing_modules: tuple[str, ...] = ()
    """Modules that the device called for before, but not when it was asked last."""
    _due: float = 0.0
    _asked_at: float = float("-inf")
    _failures: int = 0
    _system_hashes: tuple[int, ...] = (0, 0)
    """Hashes of what it said of itself: 0 for nothing, as that of no octets."""
    _up_time: int = 0

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that suit the device; empty while nobody knows."""
        if self.identity is None:
            return self._stored
        names = (*self.identity.match.names, *self._missing_modules)
        return tuple(dict.fromkeys((*FALLBACK, *names))) if self.identity.problem else names

    @property
    def detected_modules(self) -> tuple[str, ...]:
        """Those that this found out itself; empty when it has not."""
        return self.modules if self.identity is not None else ()

    def set_stored_modules(self, stored: Sequence[str], key: str, now: float) -> None:
        """Takes the modules that the inventory has for the device ``key``: whenever they change, somebody found them
        out later than this did."""
        if tuple(stored) == self._stored:
            return
        self._stored = tuple(stored)
        if stored and self.detected_modules != self._stored:
            self.identity, self._missing_modules = None, ()
            self._due = now + REDETECT_SECONDS * (zlib.crc32(key.encode()) % 1000 + 1) / 1000  # not all devices at once

    def is_due(self, now: float) -> bool:
        """Whether the device is to be asked what it is."""
        return now >= self._due

    def record_identity(self, identity: DeviceIdentity, now: float) -> bool:
        """Keeps what came out; whether that is settled.

        Where not everything was answered, what was known before is better, if it was whole. A module that is no longer
        called for stays until the device has been asked once more, unless it is another device altogether.
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
        """Modules known so far that ``identity`` does not call for, if it is that of the same device."""
        if self.identity is not None and (
            self.identity.problem or self.identity.sys_object_id != identity.sys_object_id
        ):
            return ()
        return tuple(name for name in self.modules if name not in identity.match.names)

    def record_failure(self, now: float) -> None:
        """Notes that the device did not tell."""
        self._asked_at = now
        self._due = now + min(RETRY_SECONDS * 2**self._failures, REDETECT_SECONDS)
        self._failures = min(self._failures + 1, 16)

    def observe_system_group(self, system_columns: tuple[bytes, bytes], up_time: bytes) -> None:
        """Looks at columns that a poll brought, empty where it did not: sysDescr and sysObjectID, and sysUpTime."""
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
