"""Writes a file atomically: a crash at any moment leaves the complete old or the complete new file.

A temporary file in the same directory, fsync, rename, fsync of the directory (POSIX rename is atomic within one file
system). The rename is the point of no return: an error before it is raised and has changed nothing; after it the file
is replaced, so no error is raised any more, and ``Written`` says what is uncertain.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from promsnmp.errors import InventoryUnavailable, OutcomeUnknown

HEAD = 64
"""Octets at the beginning of a file that tell its versions apart where stamps cannot: an encrypted file has its nonce
there."""

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
        return _stamp(found)


def opened_stamp(path: Path) -> FileStamp | None:
    """``stamp_of`` of an opened file. NFS answers a stat from its cache, but asks the server when a file is opened
    (close-to-open consistency, RFC 1813 section 4.11)."""
    with explain_os_errors(path, "read"):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        try:
            return _stamp(os.fstat(descriptor))
        finally:
            os.close(descriptor)


def read_bytes(path: Path) -> tuple[bytes, FileStamp] | None:
    """The content of the file and its stamp; None when there is no file."""
    if stamp_of(path) is None:
        return None
    with explain_os_errors(path, "read"):
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                return file.read(), _stamp(found)
        except FileNotFoundError:
            return None


def _stamp(status: os.stat_result) -> FileStamp:
    return FileStamp(status.st_ino, status.st_mtime_ns, status.st_size)


PRIVATE, READABLE = 0o600, 0o644
"""Modes of new files: for this user only, or readable by everybody."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that has been replaced."""

    stamp: FileStamp
    doubt: str = ""
    """Why the old file may be back after a power failure, or another one may have replaced this one; empty when the
    new file is on the disk."""


@dataclass(frozen=True, slots=True)
class _Version:
    """A temporary file that is complete: what its content is recognised by after the rename."""

    stamp: FileStamp
    head: bytes


def write_bytes(path: Path, data: bytes, *, keep_mode: bool = True, mode: int = PRIVATE) -> FileStamp:
    """``write_parts`` of one part. Raises InventoryUnavailable, and OutcomeUnknown for a ``Written`` with a doubt."""
    written = write_parts(path, [data], keep_mode=keep_mode, mode=mode)
    if written.doubt:
        raise OutcomeUnknown(written.doubt)
    return written.stamp


def write_parts(
    path: Path,
    parts: Iterable[bytes],
    *,
    keep_mode: bool = True,
    mode: int = PRIVATE,
    before_rename: Callable[[Path], None] = lambda _: None,
) -> Written:
    """Replaces (or creates) the file durably: after the return, it survives a power failure, unless there is a doubt.

    A new file gets ``mode``; with ``keep_mode``, an existing file keeps mode and owner, where the system allows it.
    ``before_rename`` is called with the temporary file when only the rename is left; what it raises is raised here.
    Raises InventoryUnavailable; then the old file is unchanged and no temporary file remains. Raises OutcomeUnknown
    when the rename failed in such a way that it may have happened. After the rename it raises nothing.
    """
    path = Path(os.path.realpath(path))  # a symbolic link stays one
    with explain_os_errors(path, "written"):
        make_directory(path.parent)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            version = _write_and_rename(path, parts, mode=mode, old=_status(path) if keep_mode else None,
                                        before_rename=before_rename)  # fmt: skip
        except BaseException:  # raised again
            _close(directory)
            raise
    return _confirm(path, directory, version)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _write_and_rename(
    path: Path,
    parts: Iterable[bytes],
    *,
    mode: int,
    old: os.stat_result | None,
    before_rename: Callable[[Path], None],
) -> _Version:
    temporary = temporary_beside(path)
    try:
        version = write_temporary(temporary, parts, old, mode)
        before_rename(temporary)
        _rename(temporary, path, version)
    except BaseException:  # raised again
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return version


def _rename(temporary: Path, path: Path, version: _Version) -> None:
    """Raises OSError only when the rename did not happen. On a network volume its answer may get lost, and then a
    repeated request fails because the first one succeeded."""
    try:
        temporary.rename(path)
    except OSError as error:
        has_happened = _has_happened(temporary, path, version)
        if has_happened is None:
            raise OutcomeUnknown(
                f"{path} may have been replaced: the rename failed ({_reason(error)}), and whether it happened cannot "
                "be found out; look the change up"
            ) from error
        if not has_happened:
            raise


def _has_happened(temporary: Path, path: Path, version: _Version) -> bool | None:
    """Whether a rename that failed has happened all the same; None when that cannot be found out."""
    with contextlib.suppress(OSError):
        if _is_version(path, version):
            return True
    with contextlib.suppress(OSError):
        if _is_version(temporary, version):
            return False
    return None


def _confirm(path: Path, directory: int, version: _Version) -> Written:
    """Makes the rename durable and checks that the new file stands. Closes ``directory``. Raises nothing: the file has
    been replaced."""
    stamp, doubt = version.stamp, ""
    try:
        _sync(directory)
    except Exception as error:  # noqa: BLE001  # whatever it is, the file has been replaced
        doubt = f"its folder cannot be synced ({_reason(error)}), so the old file may be back after a power failure"
    try:
        stamp = _standing(path, version)
    except Exception as error:  # noqa: BLE001  # as above
        doubt = _reason(error)
    _close(directory)
    return Written(stamp, f"{path} has been replaced, but {doubt}; look the change up" if doubt else "")


def _standing(path: Path, version: _Version) -> FileStamp:
    """The stamp under which the new file stands. Raises OSError or InventoryUnavailable when it does not stand."""
    stamp = opened_stamp(path)
    if stamp is None or not (stamp == version.stamp or _is_version(path, version)):
        raise InventoryUnavailable("another program has replaced or removed it at the same time")
    return stamp


def _is_version(path: Path, version: _Version) -> bool:
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size == version.stamp.size and file.read(HEAD) == version.head


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def write_temporary(
    temporary: Path, parts: Iterable[bytes], old: os.stat_result | None = None, mode: int = PRIVATE
) -> _Version:
    """Writes a new file and syncs it; it gets owner and mode of ``old``, if given. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(temporary, flags, mode), "r+b", buffering=0) as file:
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
        return _Version(_stamp(os.fstat(file.fileno())), os.pread(file.fileno(), HEAD, 0))


def temporary_beside(path: Path) -> Path:
    """A name for a temporary file, unique, in the same folder."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def make_directory(directory: Path) -> None:
    """Creates the directory and its parents, for this user only."""
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Makes a rename in the directory durable; does nothing on file systems that cannot sync directories."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(directory: int) -> None:
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        os.close(descriptor)


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
        if error.errno in (errno.EACCES, errno.EPERM):
            advice += _owner(Path(os.path.realpath(path)).parent)
        raise InventoryUnavailable(f"{path} cannot be {done}: {advice}") from error


def _owner(directory: Path) -> str:
    """Whose the directory is, if it is another user's: a volume of root, where Kubernetes sets no fsGroup."""
    try:
        found = directory.stat()
    except OSError:
        return ""
    if found.st_uid == os.geteuid():
        return ""
    return (
        f" ({directory} belongs to user {found.st_uid} and group {found.st_gid}, this process is user {os.geteuid()} "
        f"and group {os.getegid()}: chown it, or set fsGroup in Kubernetes)"
    )
