"""The clocks of engines that send traps, so that a recorded message cannot be sent again later (RFC 3414 section 3.2).

A clock is known from polls, or from earlier messages; these are kept in a file beside the inventory, which all replicas
read and write, so that a restart forgets none. The file has the latest time that was received, and no time of this
machine: a wrong clock here refuses nobody. The first message of an engine that neither a poll nor an earlier message
has shown may be a recorded one: it counts as not authenticated.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cachetools import LRUCache

from promsnmp.snmp.v3.engine import MAX_BOOTS, EngineState

log = logging.getLogger(__name__)

MAX_ENGINES = 20_000
"""Engines whose clock is known: some 8 MB."""
MAX_FILE = 4 * 1024 * 1024
_MAX_TIME = 0x7FFFFFFF

PolledClock = Callable[[bytes], EngineState | None]
"""What polls know of the engine with an id; None when they know nothing."""
Clocks = Mapping[bytes, tuple[int, int]]
"""Boots and time by engine id."""


def clocks_file(inventory_file: Path) -> Path:
    """Where the clocks of the installation with this inventory file are kept."""
    path = Path(os.path.realpath(inventory_file))
    return path.with_name(f".{path.name}.trap-engines")


class EngineClocks:
    """``trusts_first``: whether the first message of an unknown engine counts as new. ``clock``: seconds, monotonic."""

    def __init__(
        self,
        file: Path | None = None,
        *,
        polled_clock: PolledClock = lambda _: None,
        trusts_first: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._polled_clock = polled_clock
        self._trusts_first = trusts_first
        self._clock = clock
        self._engines: LRUCache[bytes, EngineState] = LRUCache(MAX_ENGINES)
        self._exchanged: dict[bytes, tuple[int, int]] = {}
        self._failed = False

    def check(self, engine_id: bytes, boots: int, at: int) -> tuple[bool, bool]:
        """Whether an authenticated message of this time is in the time window (step 7 b), and whether that proves that
        it is new. What polls have learned counts where it is newer: they accept the clock of a device that lost its
        boots, because it answered them."""
        now, known = self._clock(), self._engines.get(engine_id)
        polled = self._polled_clock(engine_id)
        if polled is not None and polled.synchronised and (known is None or polled.updated_at > known.updated_at):
            known = EngineState(engine_id)
            known.set_clock(polled.boots, polled.time, polled.updated_at)
        is_proof = known is not None or self._trusts_first
        if known is None:
            known = EngineState(engine_id)
        self._engines[engine_id] = known
        return known.check_time_window(boots, at, now), is_proof

    def load(self) -> None:
        """Takes what the file has; does file I/O."""
        self.take(self._read())

    def changed(self) -> Clocks:
        """The clocks that ``exchange`` has to write: those that have changed since the last call of this."""
        engines = list(self._engines.items())
        now = {engine_id: (one.boots, one.time) for engine_id, one in engines if one.synchronised}
        before, self._exchanged = ({} if self._failed else self._exchanged), now
        return {engine_id: one for engine_id, one in now.items() if before.get(engine_id) != one}

    def take(self, clocks: Clocks) -> None:
        """Uses the clocks of engines that are not known yet."""
        now = self._clock()
        for engine_id, (boots, at) in clocks.items():
            if engine_id not in self._engines and len(self._engines) < MAX_ENGINES:
                self._engines[engine_id] = known = EngineState(engine_id)
                known.set_clock(boots, at, now)

    def exchange(self, changed: Clocks) -> Clocks:
        """Writes ``changed`` into the file, where other replicas have not written later times of the same boot; returns
        all that it has. For a thread."""
        if self._file is None:
            return {}
        merged = dict(self._read())
        for engine_id, one in changed.items():
            other = merged.pop(engine_id, one)
            merged[engine_id] = max(one, other) if one[0] == other[0] else one
        merged = dict(list(merged.items())[-MAX_ENGINES:])
        if changed:
            self._write(merged)
        return merged

    def _read(self) -> Clocks:
        if self._file is None:
            return {}
        try:
            with self._file.open("rb") as opened:
                document = json.loads(opened.read(MAX_FILE + 1))
            found = {bytes.fromhex(engine_id): (int(boots), int(at)) for engine_id, (boots, at) in document.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._warn(error)
            return {}
        except (ValueError, TypeError, AttributeError, RecursionError):
            log.warning("the file with the clocks of trap senders is damaged, replacing it: %s", self._file)
            return {}
        return {
            engine_id: (boots, at)
            for engine_id, (boots, at) in list(found.items())[:MAX_ENGINES]
            if 5 <= len(engine_id) <= 32 and 0 <= boots <= MAX_BOOTS and 0 <= at <= _MAX_TIME
        }

    def _write(self, clocks: Clocks) -> None:
        assert self._file is not None
        temporary = self._file.with_name(f"{self._file.name}.{secrets.token_hex(8)}.tmp")
        document = {engine_id.hex(): list(one) for engine_id, one in clocks.items()}
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(document, file, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._file)
            self._failed = False
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        if not self._failed:
            log.warning("the clocks of trap senders are not kept over restarts: %s: %s", error.strerror, self._file)
        self._failed = True
