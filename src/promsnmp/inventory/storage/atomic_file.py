"""Writes a file atomically: a crash at any moment leaves the complete old or the complete new file.

A temporary file in the same directory, fsync, rename, fsync of the directory (POSIX rename is atomic within one file
system). Writers of several processes take turns by a lock file; the next writer removes what a crashed one left.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from promsnmp.errors import InventoryUnavailable

LOCK_TIMEOUT = 10.0
"""Seconds that a writer waits for another one."""
STALE_AFTER = 600.0
"""Seconds after which a temporary file belongs to a crashed writer, even where locks do not work."""

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_NO_SYNC = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; mount it writable, or set PROM_INV_FILE to another path",
    errno.EACCES: "permission denied; give this user access to the file and its directory",
    errno.EPERM: "not permitted; give this user access to the file and its directory",
    errno.EISDIR: "it is a directory; set PROM_INV_FILE to a file",
    errno.ENOTDIR: "a part of its path is not a directory; set PROM_INV_FILE to another path",
    errno.ENAMETOOLONG: "the name is too long; set PROM_INV_FILE to a shorter one",
    errno.EFBIG: "it would exceed the limit of file sizes; raise the limit (ulimit -f)",
}


class FileStamp(NamedTuple):
    """Identifies a version of a file without reading it."""

    inode: int
    modified: int
    """Nanoseconds since 1970."""
    size: int


def stamp_of(path: Path) -> FileStamp | None:
    """The stamp of the file; None when there is no file. Raises InventoryUnavailable when it is inaccessible."""
    with explain_os_errors(path, "read"):
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file; set PROM_INV_FILE to another path")
        return FileStamp(found.st_ino, found.st_mtime_ns, found.st_size)


def read_bytes(path: Path) -> tuple[bytes, FileStamp] | None:
    """The content of the file and its stamp; None when there is no file."""
    if stamp_of(path) is None:
        return None
    with explain_os_errors(path, "read"):
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                return file.read(), FileStamp(found.st_ino, found.st_mtime_ns, found.st_size)
        except FileNotFoundError:
            return None


PRIVATE, READABLE = 0o600, 0o644
"""Modes of new files: for this user only, or readable by everybody."""


def write_bytes(path: Path, data: bytes, *, keep_mode: bool = True, mode: int = PRIVATE) -> FileStamp:
    """``write_parts`` of one part."""
    return write_parts(path, [data], keep_mode=keep_mode, mode=mode)


def write_parts(
    path: Path,
    parts: Iterable[bytes],
    *,
    keep_mode: bool = True,
    mode: int = PRIVATE,
    before_rename: Callable[[], None] = lambda: None,
) -> FileStamp:
    """Replaces (or creates) the file durably: after the return, it survives a power cut.

    A new file gets ``mode``; with ``keep_mode``, an existing file keeps mode and owner, where the system allows it.
    ``before_rename`` is called when all is written and only the rename is left; what it raises is raised here.
    Raises InventoryUnavailable; then the old file is unchanged and no temporary file remains.
    """
    path = Path(os.path.realpath(path))  # a symbolic link stays one
    with explain_os_errors(path, "written"):
        make_directory(path.parent)
        old = None
        if keep_mode:
            with contextlib.suppress(FileNotFoundError):
                old = path.stat()
        temporary = _temporary(path)
        try:
            stamp = _write_temporary(temporary, parts, old, mode)
            before_rename()
            temporary.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_directory(path.parent)
        return stamp


def try_writing(path: Path) -> None:
    """Writes a temporary file beside ``path`` and removes it. Raises InventoryUnavailable when that fails."""
    temporary = _temporary(Path(os.path.realpath(path)))
    with explain_os_errors(path, "written"):
        try:
            _write_temporary(temporary, [b"can this be written?"], None, PRIVATE)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _write_temporary(temporary: Path, parts: Iterable[bytes], old: os.stat_result | None, mode: int) -> FileStamp:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(temporary, flags, mode), "wb", buffering=0) as file:
        if old is not None:
            with contextlib.suppress(OSError):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            with contextlib.suppress(OSError):
                os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(file.fileno(), rest) :]
        os.fsync(file.fileno())
        found = os.fstat(file.fileno())
        return FileStamp(found.st_ino, found.st_mtime_ns, found.st_size)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def make_directory(directory: Path) -> None:
    """Creates the directory and its parents, for this user only."""
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Makes a rename in the directory durable; does nothing on file systems that cannot sync directories."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Holds the lock ``.<name>.lock`` beside the file, and removes what crashed writers left.

    Raises InventoryUnavailable when another process holds the lock for longer than LOCK_TIMEOUT. On file systems
    without locks, writers do not exclude each other (each write is still atomic).
    """
    path = Path(os.path.realpath(path))
    with explain_os_errors(path, "written"):
        make_directory(path.parent)
        lock = path.with_name(f".{path.name}.lock")
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with explain_os_errors(path, "written"):
            alone = _wait_for(descriptor)
        _sweep(path, older_than=0.0 if alone else STALE_AFTER)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int) -> bool:
    """True when the lock is acquired, False when the file system has no locks."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            if not isinstance(error, BlockingIOError) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return True


def _sweep(path: Path, *, older_than: float) -> None:
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f".{_escaped(path.name)}.*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime >= older_than:
                    left.unlink()


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


@contextlib.contextmanager
def explain_os_errors(path: Path, done: str) -> Iterator[None]:
    """Turns an OSError into InventoryUnavailable that says what to do."""
    try:
        yield
    except BlockingIOError:
        message = "another process is writing it; retry later"
        raise InventoryUnavailable(f"{path} cannot be {done}: {message}") from None
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise InventoryUnavailable(f"{path} cannot be {done}: {advice}") from error
