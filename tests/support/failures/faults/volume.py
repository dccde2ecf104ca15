"""A shared volume that can become read-only, become full, or hang: a tmpfs behind bindfs, in its own mount namespace.

bindfs is a file system in a process (FUSE). While that process is stopped, every access to the volume hangs, as with a
network volume whose server does not answer. All mounts end with the last process in the namespace.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.tools import Process, require_tool, unavailable

SIZE = "32m"
ENOUGH = 3
"""How often a full volume is still full a tenth of a second later."""
ATTEMPTS = 100
"""How often a volume is made read-only again, a tenth of a second later, while a file is being written."""
_OPTIONS = "attr_timeout=0,entry_timeout=0,negative_timeout=0"
"""Keeps the kernel from answering from its cache."""


class Volume(Process):
    """Mounted at ``path`` for commands that run under ``prefix``; this process sees the same volume at ``outside``.

    Needs root; without it, or where mounts are not allowed, the test is skipped.
    """

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0:
            unavailable("mounting a volume that fails needs root")
        self._below, self.path = folder / "below", folder / "volume"
        self._below.mkdir()
        self.path.mkdir()
        self._nsenter = require_tool("nsenter", package="util-linux")
        bindfs = require_tool("bindfs", package="bindfs")
        mounting = f'mount -t tmpfs -o size={SIZE},mode=755 promsnmp "$1" && exec "$0" -f -o {_OPTIONS} "$1" "$2"'
        unshare = [require_tool("unshare", package="util-linux"), "--mount", "--propagation", "private"]
        command: list[str | Path] = [*unshare, "sh", "-c", mounting, bindfs, self._below, self.path]
        try:
            super().__init__(command, log=folder / "volume.log", ready=self._is_mounted)
        except AssertionError as error:
            unavailable(f"cannot mount a file system here: {error}")

    @property
    def prefix(self) -> list[str]:
        return [self._nsenter, "--target", str(self.pid), "--mount"]

    @property
    def outside(self) -> Path:
        return Path(f"/proc/{self.pid}/root{self.path}")

    @contextmanager
    def read_only(self) -> Iterator[None]:
        for _ in range(ATTEMPTS):  # busy while a replica has a file open for writing
            with suppress(subprocess.CalledProcessError):
                self._run("mount", "-o", "remount,ro", str(self._below))
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the volume stays busy")
        try:
            yield
        finally:
            self._run("mount", "-o", "remount,rw", str(self._below))

    @contextmanager
    def full(self) -> Iterator[None]:
        fill = Path(f"/proc/{self.pid}/root{self._below}/other-file")
        full, size = 0, -1
        while full < ENOUGH:  # a replica may remove a file of its own, which leaves room again
            self._run("sh", "-c", f'cat /dev/zero >> "{self._below}/other-file" || true')
            full, size = (full + 1 if fill.stat().st_size == size else 0), fill.stat().st_size
            time.sleep(0.1)
        try:
            yield
        finally:
            fill.unlink()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _is_mounted(self) -> bool:
        mounts = Path(f"/proc/{self.pid}/mounts").read_text(encoding="utf-8")
        return any(line.split()[1] == str(self.path) for line in mounts.splitlines())

    def _run(self, *command: str) -> None:
        subprocess.run([*self.prefix, *command], check=True, capture_output=True, timeout=30)
