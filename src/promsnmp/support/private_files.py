"""Files with a key in them: who else can read them, and how racing processes make one exactly once.

The rule is that of OpenSSH (``sshkey_perm_ok``): a file of this user's that others can read is refused. A file of
another user is that user's business; so the files of a Kubernetes Secret, which belong to root, are accepted. Unlike
OpenSSH, the file's group may read and write it when this process is in that group: with ``fsGroup``, the kubelet gives
all files of a volume to the group of the pod.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

log = logging.getLogger(__name__)

PRIVATE = 0o600


def exposure(path: Path, found: os.stat_result) -> str:
    """Why the file ``path`` must not be used as a key, and what to do; empty when it may be.

    ``found`` is its status (``fstat`` of the open file, so that no other file can take its place). Logs a warning for a
    file of another user that every user can read, unless Kubernetes made it.
    """
    who = _who_else(found)
    if not who:
        return ""
    if found.st_uid == os.geteuid():
        return f"{who} can read or change it; run: chmod 600 {path} (or mount its volume with file_mode=0600)"
    if found.st_mode & 0o007 and not _is_of_kubernetes(path):
        log.warning("%s can read or change the key file, which belongs to user %d: %s", who, found.st_uid, path)
    return ""


def _who_else(found: os.stat_result) -> str:
    """Who has access to the file besides its owner, root, and this process's groups; empty for nobody."""
    if found.st_mode & 0o007:
        return "every user of this machine"
    if found.st_mode & 0o070 and found.st_gid not in {os.getegid(), *os.getgroups()}:
        return f"group {found.st_gid}"
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
