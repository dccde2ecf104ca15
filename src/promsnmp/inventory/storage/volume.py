"""Checks the volume of the inventory file while the service runs: can it be written, and do its locks work?

A volume that is read-only, full, or belongs to another user shows at the start and soon afterwards, not when an
operator makes the first change. Reading and polling go on. With other replicas, one that cannot write leaves the lead
to them (``cluster/election/eligibility.py``), so there it is checked more often. A volume that hangs keeps one thread
busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.storage.atomic_file import (
    explain_os_errors,
    make_directory,
    sync_directory,
    temporary_beside,
    write_temporary,
)
from promsnmp.inventory.storage.lock import lock_file
from promsnmp.inventory.storage.lock_check import LockCheck, check_locks

log = logging.getLogger(__name__)

CHECK_INTERVAL = 30.0
"""Seconds between two checks of a volume that can be written, without other replicas; one that cannot is checked each
time."""


class VolumeCheck:
    """What is known about the volume of the inventory file ``path``."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.interval = CHECK_INTERVAL
        """Seconds between two checks of a volume that can be written."""
        self.write_error: InventoryUnavailable | None = None
        """Why the last write, or the last check, failed; None when it succeeded."""
        self.has_refused = False
        """Whether a change was refused since the volume could be written last."""
        self.locks = LockCheck()
        """Whether locks exclude other processes."""
        self._path = path
        self._clock = clock
        self._checked_at = -math.inf
        self._answered_at = clock()
        self._check_error = ""
        self._locks_checked = False

    def problem(self, silence: float) -> str:
        """Why the last check failed, or that there was no answer for ``silence`` seconds, and not to two checks; empty
        when all is well."""
        if self._clock() - self._answered_at > max(silence, 2 * self.interval):
            return "the volume of the inventory file does not answer"
        return self._check_error

    async def run(self) -> None:
        """Checks whether a write would succeed now, if that is due, and once whether locks work. Raises what nobody
        expects."""
        is_due = self._clock() - self._checked_at >= self.interval
        if not is_due and self.write_error is None:
            return
        try:
            await asyncio.to_thread(try_writing, self._path)
        except InventoryUnavailable as error:
            self._check_error = str(error)
            self.note_failure(error)
        except Exception as error:  # a replica with a mistake here is no better leader
            self._check_error = f"{type(error).__name__}: {error}"
            raise
        else:
            self._check_error = ""
            self.note_success()
            await self._check_locks()
        finally:
            self._answered_at = self._checked_at = self._clock()

    def note_failure(self, error: InventoryUnavailable, *, refused: bool = False) -> None:
        """A write failed; ``refused``: that of a change."""
        if str(error) != str(self.write_error):
            log.error("cannot write the inventory file: %s", error)
        self.write_error = error
        self.has_refused |= refused

    def note_success(self) -> None:
        """A write succeeded, or would."""
        if self.write_error is not None:
            log.info("the inventory file can be written again: %s", self._path)
        self.write_error, self.has_refused = None, False

    async def _check_locks(self) -> None:
        if self._locks_checked:
            return
        self._locks_checked = True
        with contextlib.suppress(OSError):
            self.locks = await asyncio.to_thread(check_locks, lock_file(self._path))
        if self.locks.work is False:
            log.warning(
                "the volume of the inventory file has no working locks: %s; writers take turns by a file beside it "
                "instead, and wait half a minute for one that crashed; mount the volume with locks: %s",
                self.locks.problem,
                self._path,
            )


def try_writing(path: Path) -> None:
    """Does what a write does, except for the rename. Raises InventoryUnavailable when that fails."""
    temporary = temporary_beside(Path(os.path.realpath(path)))
    with explain_os_errors(path, "written"):
        make_directory(temporary.parent)
        os.close(os.open(lock_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        try:
            write_temporary(temporary, [b"can this be written?"])
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        sync_directory(temporary.parent)
