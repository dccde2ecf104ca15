"""JSON lines: to the log, and to a file with rotation."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from promsnmp.traps.outputs.event import Event, line_of
from promsnmp.traps.outputs.worker import DeliveryFailed

LOGGER = "promsnmp.traps.received"
NEVER = 3600.0
"""Seconds between two times at which there is nothing to repeat."""
log = logging.getLogger(LOGGER)


class LogOutput:
    """Each notification is one line of the log, level ``info``."""

    name = kind = "log"
    batch = 50

    def wants(self, event: Event) -> bool:
        return True

    async def send(self, events: Sequence[Event]) -> int:
        for event in events:
            log.info("%s", line_of(event))
        await asyncio.sleep(0)
        return 0

    async def idle(self) -> float:
        return NEVER

    async def close(self) -> None:
        """There is nothing to close."""


class FileOutput:
    """Appends to ``path``. A file of ``max_octets`` becomes ``path.1``, that one ``path.2``, and so on to ``keep``."""

    name = kind = "file"
    batch = 500

    def __init__(self, path: Path, *, max_octets: int, keep: int) -> None:
        self._path, self._max_octets, self._keep = path, max_octets, keep

    def wants(self, event: Event) -> bool:
        return True

    async def send(self, events: Sequence[Event]) -> int:
        lines = [f"{line_of(event)}\n".encode("utf-8", "replace") for event in events]
        try:
            await asyncio.to_thread(self._append, lines)
        except OSError as error:
            raise DeliveryFailed(f"{self._path} cannot be written: {error.strerror}") from None
        return 0

    async def idle(self) -> float:
        return NEVER

    async def close(self) -> None:
        """The file is open only while it is written."""

    def _append(self, lines: Sequence[bytes]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for part in self._parts(lines):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o640)
            try:
                size, left = os.fstat(descriptor).st_size, memoryview(part)
                try:
                    while left:
                        left = left[os.write(descriptor, left) :]
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, size)  # the lines are written again, and none twice
                    raise
            finally:
                os.close(descriptor)

    def _parts(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """What goes into the file now, after rotating it if it would become too large."""
        size = self._path.stat().st_size if self._path.exists() else 0
        whole = b"".join(lines)
        if size and size + len(whole) > self._max_octets:
            self._rotate()
        return [whole]

    def _rotate(self) -> None:
        if self._keep < 1:
            self._path.unlink(missing_ok=True)
            return
        for number in range(self._keep, 0, -1):
            source = self._path if number == 1 else self._numbered(number - 1)
            if source.exists():
                source.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
