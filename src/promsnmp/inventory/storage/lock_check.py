"""Tries whether the locks of a volume exclude other processes: some volumes grant every lock at once, and say nothing.

A short-lived child tries to take a lock that this process holds. That shows nothing about processes of other machines,
so the options of the mount are read, too: with some, locks stay on this machine.
"""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

CHILD_TIMEOUT = 5.0
"""Seconds that the child may take."""
ATTEMPTS = 3

_CHILD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("excluded")
else:
    print("granted")
"""
_NFS = ("nolock", "local_lock=all", "local_lock=flock")
_LOCAL_LOCKS = {
    "nfs": _NFS, "nfs4": _NFS,  # nfs(5)
    "cifs": ("nobrl",), "smb3": ("nobrl",),  # mount.cifs(8)
    "ocfs2": ("localflocks",), "gfs2": ("localflocks",), "lustre": ("localflock",),
}  # fmt: skip
"""Options of a mount, by its file system, with which locks do not reach other machines."""


@dataclass(frozen=True, slots=True)
class LockCheck:
    """Whether locks exclude other processes; None: not known. ``problem`` says why not."""

    work: bool | None = None
    problem: str = ""


def check_locks(lock: Path) -> LockCheck:
    """Tries the lock file ``lock``, which is created if it is missing. Takes CHILD_TIMEOUT at most, if the volume
    answers. Raises OSError when the file cannot be opened."""
    if option := local_locks_option(lock, Path("/proc/self/mountinfo")):
        return LockCheck(False, f"its locks do not reach other machines (mount option {option})")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        for _ in range(ATTEMPTS):
            is_ours = _take(descriptor)
            answer = _ask_child(lock)
            if answer == "excluded":
                return LockCheck(True)
            if answer == "granted" and is_ours:
                return LockCheck(False, "it grants a lock to two processes at the same time")
    except OSError as error:
        return LockCheck(False, f"it has no locks ({error.strerror})")
    finally:
        os.close(descriptor)
    return LockCheck()


def _take(descriptor: int) -> bool:
    """Whether this process got the lock; another one may have it at the moment."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ask_child(lock: Path) -> str:
    """What the child printed; empty when it failed."""
    command = [sys.executable, "-I", "-S", "-c", _CHILD, str(lock)]
    try:
        done = subprocess.run(  # noqa: S603  # this Python, and our own program
            command, capture_output=True, text=True, timeout=CHILD_TIMEOUT, check=False
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.debug("cannot start a process that tries the lock: %s", error)
        return ""
    return done.stdout.strip()


def local_locks_option(path: Path, mounts: Path) -> str:
    """The option of the mount of ``path`` that keeps its locks on this machine; empty for none, or when ``mounts`` (in
    the format of proc_pid_mountinfo(5)) cannot be read."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place = os.path.realpath(path)
    mount, file_system, options = "", "", ""
    for line in lines:
        first, _, second = line.partition(" - ")
        fields, more = first.split(), second.split()
        if len(fields) < 6 or len(more) < 3:
            continue
        point = fields[4].replace("\\040", " ")
        if os.path.commonpath((place, point)) == point and len(point) >= len(mount):
            mount, file_system, options = point, more[0], f"{fields[5]},{more[2]}"
    given = options.split(",")
    return next((option for option in _LOCAL_LOCKS.get(file_system, ()) if option in given), "")
