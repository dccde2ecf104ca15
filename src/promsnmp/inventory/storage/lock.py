"""Lets the writers of one file take turns, across processes and replicas, whether the file system has locks or not.

Two things exclude other writers. ``flock`` (flock(2)) on ``.<name>.lock`` ends with its process, however that ends. But
on some volumes it does nothing, or reaches only processes of the same machine (NFS with ``nolock``, some CSI drivers),
and that does not show. So each writer also creates ``.<name>.writer`` exclusively (open(2), O_EXCL: atomic on NFS since
version 3) and removes it afterwards. What a crashed writer left is removed at once where flock works, else when it is
old.

A writer that sleeps for that long has lost its turn. It looks right before the rename (``WriteTurn.check``), and the
inventory's term and revision are compared there, too.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.storage.atomic_file import explain_os_errors, make_directory, temporary_beside
from promsnmp.inventory.storage.lock_check import check_locks

log = logging.getLogger(__name__)

LOCK_TIMEOUT = 10.0
"""Seconds that a writer waits for another one."""
ABANDONED_AFTER = 30.0
"""Seconds after which the turn of a silent writer ends, where flock does not say that it crashed."""
PAUSE = 0.01
"""Seconds between two attempts."""

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


@dataclass(frozen=True, slots=True)
class WriteTurn:
    """The right to write a file until the end of ``write_lock``; ``path`` is the file that only its holder has."""

    path: Path
    holder: bytes

    @property
    def is_held(self) -> bool:
        """Whether no other writer has ended this turn. Raises OSError."""
        return _holder(self.path) == self.holder

    def check(self) -> None:
        """Raises InventoryUnavailable when another writer has ended this turn, because it took too long."""
        with explain_os_errors(self.path, "read"):
            if not self.is_held:
                raise InventoryUnavailable(
                    "not written: the write took so long that another process took its turn; try again"
                )


def lock_file(path: Path) -> Path:
    """The file whose flock the writers of ``path`` hold."""
    real = Path(os.path.realpath(path))
    return real.with_name(f".{real.name}.lock")


@contextlib.contextmanager
def write_lock(path: Path) -> Iterator[WriteTurn]:
    """Waits for the turn to write the file, and removes what crashed writers left.

    Raises InventoryUnavailable when another process has the turn for longer than LOCK_TIMEOUT. The end of the turn
    raises nothing: the file may have been replaced.
    """
    path = Path(os.path.realpath(path))
    lock, writer = lock_file(path), path.with_name(f".{path.name}.writer")
    with explain_os_errors(path, "written"):
        make_directory(path.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with explain_os_errors(path, "written"):
            deadline = time.monotonic() + LOCK_TIMEOUT
            has_flock = _wait_for_flock(descriptor, deadline)
            turn = _take_turn(path, lock if has_flock else None, writer, deadline)
        try:
            _sweep(path)
            yield turn
        finally:
            _end(turn)
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _wait_for_flock(descriptor: int, deadline: float) -> bool:
    """True when the lock is acquired, False when the file system has no locks. Raises BlockingIOError."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            if not isinstance(error, BlockingIOError) or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return True


def _take_turn(path: Path, lock: Path | None, writer: Path, deadline: float) -> WriteTurn:
    """Creates ``writer``; ``lock`` is the file whose flock is held. Raises BlockingIOError."""
    holder = secrets.token_hex(16).encode()
    while True:
        try:
            descriptor = os.open(writer, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except FileExistsError:
            if not _remove_abandoned(path, lock, writer):
                if time.monotonic() > deadline:
                    raise BlockingIOError(errno.EAGAIN, "another process is writing") from None
                time.sleep(PAUSE)
            continue
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.write(holder)
        return WriteTurn(writer, holder)


def _remove_abandoned(path: Path, lock: Path | None, writer: Path) -> bool:
    """Ends the turn of a writer that crashed, or sleeps; returns whether it is worth trying again at once."""
    holder = _holder(writer)
    if holder is None:
        return True
    has_crashed = lock is not None and check_locks(lock).work is True
    if not has_crashed and _age(path, writer) < ABANDONED_AFTER:
        return False
    aside = temporary_beside(path)
    with contextlib.suppress(FileNotFoundError):
        writer.rename(aside)
        if _holder(aside) != holder:  # another writer removed it first, and a new turn began: give it back
            with contextlib.suppress(OSError):
                os.link(aside, writer)
        else:
            log.warning("ended the turn of a writer of the inventory file that crashed or sleeps: %s", path)
        aside.unlink()
    return True


def _age(path: Path, writer: Path) -> float:
    """Seconds since ``writer`` was made, by the clock of the volume: a new file there tells its time."""
    probe = temporary_beside(path)
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        return probe.stat().st_mtime - writer.stat().st_mtime
    except FileNotFoundError:  # gone in the meantime
        return 0.0
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def _holder(writer: Path) -> bytes | None:
    try:
        return writer.read_bytes()
    except FileNotFoundError:
        return None


def _end(turn: WriteTurn) -> None:
    try:
        if turn.is_held:
            turn.path.unlink()
    except OSError as error:
        log.warning("cannot remove %s, other writers wait for it: %s", turn.path, error.strerror)


def _sweep(path: Path) -> None:
    """Removes the temporary files of crashed writers; nobody else writes during a turn."""
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f".{_escaped(path.name)}.*.tmp"):
            with contextlib.suppress(OSError):
                left.unlink()


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
