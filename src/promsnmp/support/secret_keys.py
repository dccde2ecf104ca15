"""Keys: whether they are random enough, who else can read their files, and how racing processes make one exactly once.

The rule for files is that of OpenSSH (``sshkey_perm_ok``): a file of this user's that others can read is refused. A
file of another user is that user's business; so the files of a Kubernetes Secret, which belong to root, are accepted.
Unlike OpenSSH, the file's group may read and write it when this process is in that group: with ``fsGroup``, the kubelet
gives all files of a volume to the group of the pod.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import string
from pathlib import Path

log = logging.getLogger(__name__)

PRIVATE = 0o600
"""Mode of the files that are made."""
MIN_BITS = 128
_BEGINNINGS = (b"0123456789abcdef", b"1234567890", b"abcdefghijklmnop")
_PLACEHOLDERS = (b"change-me", b"changeme", b"change_me", b"replace-me", b"replace_me")
_ALPHABETS = (string.digits, string.hexdigits, string.ascii_letters + string.digits + "+/-_=")
MIN_DIFFERENT = 8
"""Different characters. A random key of 32 hexadecimal digits has fewer once in 30 million times."""


def exposure(path: Path, status: os.stat_result) -> str:
    """Why the file ``path`` must not be used as a key, and what to do; empty when it may be.

    ``status`` is that of the open file (``fstat``), so that no other file can take its place. Logs a warning for a file
    of another user that every user can read, unless Kubernetes made it.
    """
    who = _who_else(status)
    if not who:
        return ""
    if status.st_uid == os.geteuid():
        return f"{who} can read or change it; run: chmod 600 {path} (or mount its volume with file_mode=0600)"
    if status.st_mode & 0o007 and not _is_of_kubernetes(path):
        log.warning("%s can read or change the key file, which belongs to user %d: %s", who, status.st_uid, path)
    return ""


def _who_else(status: os.stat_result) -> str:
    """Who has access to the file besides its owner, root, and this process's groups; empty for nobody."""
    if status.st_mode & 0o007:
        return "every user of this machine"
    if status.st_mode & 0o070 and status.st_gid not in {os.getegid(), *os.getgroups()}:
        return f"group {status.st_gid}"
    return ""


def _is_of_kubernetes(path: Path) -> bool:
    """Whether the file is in a volume that the kubelet fills (its atomic writer: ``..data`` links to ``..<time>``)."""
    return any(part.startswith("..") for part in Path(os.path.realpath(path)).parent.parts)


def make_once(path: Path, content: bytes) -> bool:
    """Creates ``path`` with ``content``, mode 0600, durably; False when it exists already. Raises OSError.

    The complete file is linked into place: atomic, and never over the file of another process. Where there are no hard
    links, another process may see the file before its content is complete.
    """
    finished = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    _write(finished, content)
    try:
        os.link(finished, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        try:
            _write(path, content)
        except FileExistsError:
            return False
    finally:
        finished.unlink(missing_ok=True)  # a process that holds the lock of the inventory removes temporary files
    _sync(path.parent)
    return True


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, PRIVATE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        log.debug("cannot sync the folder %s", directory)
    finally:
        os.close(descriptor)


def is_known(key: bytes) -> bool:
    """Whether ``key`` is a placeholder (``change-me-16byte``), a default (``0123456789ABCDEF``), or a repetition."""
    text = key.lower()
    return text.startswith(_BEGINNINGS) or any(word in text for word in _PLACEHOLDERS) or _repeats(text)


def _repeats(text: bytes) -> bool:
    """Whether ``text`` is a short piece, such as one character, over and over."""
    return text in (text + text)[1:-1]


def weakness(text: str) -> str:
    """Why ``text`` is too easy to guess for a key, and how to make a better one; empty when it has MIN_BITS bits.

    The bits are an upper limit: they are right when somebody chose each character at random, from the digits, the
    hexadecimal digits, or the letters and digits, whichever is the smallest set that has all of them.
    """
    advice = "make one: openssl rand -hex 32"
    if is_known(text.encode()) or len(set(text)) < MIN_DIFFERENT:
        return f"is a placeholder or a repetition, no random key; {advice}"
    size = next((_size(alphabet) for alphabet in _ALPHABETS if set(text) <= set(alphabet)), 95)
    if (bits := math.floor(len(text) * math.log2(size))) < MIN_BITS:
        return f"has {bits} bits at most, but needs {MIN_BITS}; {advice}"
    return ""


def _size(alphabet: str) -> int:
    return 16 if alphabet == string.hexdigits else len(alphabet)
