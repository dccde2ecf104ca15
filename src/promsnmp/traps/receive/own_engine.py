"""PromSNMP's own engine for informs: id, boots and time, the same on all replicas, kept in a file beside the inventory.

Senders of informs use the receiver's engine (RFC 3414 section 1.5.1), and a Service may send each inform of a device to
another replica. So all replicas have one engine, whose time is what has passed since a moment that the file names: it
goes on over restarts, and the boots increase only when the time would go back (RFC 3414 section 2.2.2), because this
machine's clock did. The clocks of the replicas must agree within the time window of 150 seconds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from promsnmp.snmp.v3.engine import MAX_BOOTS, TIME_WINDOW
from promsnmp.support.secret_keys import make_once

log = logging.getLogger(__name__)

ENGINE_ID_PREFIX = bytes.fromhex("8000000005")
"""RFC 3411 section 5, SnmpEngineID: no enterprise, then octets that the administrator chooses (format 5)."""
REFRESH_SECONDS = 60.0
"""Seconds between two looks at the file."""


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """What the file holds. Times are Unix seconds."""

    engine_id: bytes
    boots: int
    started_at: float
    """When the engine's time was 0."""
    seen_at: float
    """A time at which it was in use: a clock that is before it has gone back."""

    def encode(self) -> bytes:
        document = {
            "engineId": self.engine_id.hex(),
            "boots": self.boots,
            "startedAt": self.started_at,
            "seenAt": self.seen_at,
        }
        return json.dumps(document).encode()


def engine_file(inventory_file: Path) -> Path:
    """Where the engine of the installation with this inventory file is kept."""
    path = Path(os.path.realpath(inventory_file))
    return path.with_name(f".{path.name}.snmp-engine")


class OwnEngine:
    """The engine in ``file``; ``engine_id`` replaces its id. ``wall`` returns Unix seconds.

    Without a file, or where it cannot be written, the engine lasts as long as the process.
    """

    def __init__(self, file: Path | None, *, engine_id: bytes = b"", wall: Callable[[], float] = time.time) -> None:
        self._file = file
        self._given_id = engine_id
        self._wall = wall
        self._record = self._first_record()
        self._latest = 0

    @property
    def engine_id(self) -> bytes:
        """snmpEngineID."""
        return self._record.engine_id

    @property
    def boots(self) -> int:
        """snmpEngineBoots."""
        return self._record.boots

    @property
    def time(self) -> int:
        """snmpEngineTime, seconds; never goes back."""
        self._latest = max(self._latest, int(self._wall() - self._record.started_at))
        return self._latest

    def load(self) -> None:
        """Reads the file, or makes it; does file I/O. Raises nothing: the log says what fails."""
        if self._file is None:
            return
        try:
            found = self._read(self._file)
            if found is None:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                make_once(self._file, self._record.encode())
                found = self._read(self._file) or self._record
            self._use(self._current(found))
        except OSError as error:
            log.warning("the SNMP engine of this installation is not kept: %s: %s", error.strerror, self._file)

    def refresh(self) -> None:
        """Takes over what another replica wrote, and notes that the engine is in use."""
        self.load()

    def _first_record(self) -> EngineRecord:
        now = self._wall()
        return EngineRecord(self._given_id or ENGINE_ID_PREFIX + secrets.token_bytes(12), 1, now, now)

    def _use(self, record: EngineRecord) -> None:
        if (record.boots, record.engine_id) != (self._record.boots, self._record.engine_id):
            self._latest = 0
        self._record = record

    def _current(self, found: EngineRecord) -> EngineRecord:
        """The record for now, written when it differs from the one in the file."""
        now, record = self._wall(), found
        if self._given_id and self._given_id != record.engine_id:
            record = EngineRecord(self._given_id, 1, now, now)
        elif now < record.seen_at - TIME_WINDOW or now - record.started_at >= MAX_BOOTS:
            log.warning("the clock went back, so the SNMP engine counts a boot: informs may be delayed")
            record = replace(record, boots=min(record.boots + 1, MAX_BOOTS), started_at=now, seen_at=now)
        elif now - record.seen_at >= REFRESH_SECONDS:
            record = replace(record, seen_at=now)
        if record is not found:
            self._write(record)
        return record

    def _write(self, record: EngineRecord) -> None:
        assert self._file is not None
        temporary = self._file.with_name(f"{self._file.name}.{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(record.encode())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise

    @staticmethod
    def _read(file: Path) -> EngineRecord | None:
        """The record in the file; None without a file. One that is damaged is replaced by a new engine."""
        try:
            with file.open("rb") as opened:
                content = opened.read(4096)
        except FileNotFoundError:
            return None
        try:
            document = json.loads(content)
            engine_id = bytes.fromhex(document["engineId"])
            boots, started, seen = int(document["boots"]), float(document["startedAt"]), float(document["seenAt"])
            if not (5 <= len(engine_id) <= 32 and 1 <= boots <= MAX_BOOTS and 0 <= started <= seen < 2**40):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            log.warning("the SNMP engine file is damaged, replacing it: %s", file)
            file.unlink(missing_ok=True)
            return None
        return EngineRecord(engine_id, boots, started, seen)
