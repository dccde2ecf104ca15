"""Remembers logouts beside the inventory file, so that a session stays logged out when all replicas restart.

Each is an empty file whose name has a hash of the session's id and the time until which it counts: made in one step,
by whichever replica, so two replicas never write one file, and the name opens no session. Replicas read the folder when
they start. Where the volume cannot be written, a logout counts as long as one of the replicas that heard of it runs.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

log = logging.getLogger(__name__)

MAX_FILES = 10_000
"""Logouts that are kept; beyond, those that would end first are dropped."""
_NAME = re.compile(r"([0-9a-f]{32})\.([0-9]{1,12})")


def logout_folder(inventory_file: Path) -> Path:
    """The folder beside the inventory file, or beside its target when that is a symbolic link."""
    real = Path(os.path.realpath(inventory_file))
    return real.with_name(f".{real.name}.logouts")


def digest(session_id: str) -> str:
    """What the name of a file has of a session."""
    return hashlib.sha256(session_id.encode(errors="replace")).hexdigest()[:32]


class Logouts:
    """The logouts in ``folder``; without one, none is kept. ``clock``: Unix time. Its methods use the disk."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def load(self) -> list[tuple[str, int]]:
        """The digests of sessions that are logged out, and until when; those whose time is over are removed."""
        now, found = self._clock(), list[tuple[str, int]]()
        for path, name, until in self._files():
            if until > now:
                found.append((name, until))
            else:
                _remove(path)
        return sorted(found, key=lambda one: one[1])[-MAX_FILES:]

    def add(self, session_id: str, until: int) -> None:
        """Keeps a logout until this time."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room()
            file = os.open(self._folder / f"{digest(session_id)}.{until}", os.O_CREAT | os.O_WRONLY, 0o600)
            os.close(file)
        except OSError as error:
            log.warning(
                "a logout cannot be kept in %s: %s; it counts while a replica that knows it runs",
                self._folder, error.strerror,
            )  # fmt: skip

    def _make_room(self) -> None:
        now, files = self._clock(), sorted(self._files(), key=lambda one: one[2])
        excess = len(files) - MAX_FILES + 1
        for at, (path, _, until) in enumerate(files):
            if until <= now or at < excess:
                _remove(path)

    def _files(self) -> Iterator[tuple[str, str, int]]:
        """Path, digest and end of each file."""
        if self._folder is None:
            return
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if match := _NAME.fullmatch(entry.name):
                        yield entry.path, match[1], int(match[2])
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("logouts cannot be read from %s: %s", self._folder, error.strerror)


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108  # a text of scandir, ten thousand times
    except OSError as error:
        log.debug("logout %s not removed: %s", path, error.strerror)
