"""The id of an installation: random, made once, in a file beside the inventory file, which all its replicas share.

Replicas tell it each other, so that two installations that use one Redis with the same keys notice it.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from pathlib import Path

from promsnmp.support.secret_keys import make_once

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{32}")
WRITING_TAKES = 1.0
"""Seconds, at most, until a file that another replica writes at this moment has its content."""


def installation_file(path: Path) -> Path:
    """Where the id of the installation with the inventory file ``path`` is."""
    path = Path(os.path.realpath(path))
    return path.with_name(f".{path.name}.installation")


def read_installation(path: Path) -> str:
    """The id of the installation with the inventory file ``path``, which is made the first time.

    Empty when the volume has no id and cannot be written. A file with anything else in it is replaced.
    """
    file = installation_file(path)
    try:
        return _read(file) or _make(file)
    except OSError as error:
        log.debug("this installation has no id: %s: %s", error.strerror, file)
        return ""


def _read(file: Path) -> str:
    """The id in the file; empty without a file, and when it holds something else."""
    try:
        with file.open("rb") as opened:
            content = opened.read(64).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    return content if _ID.fullmatch(content) else ""


def _make(file: Path) -> str:
    """Creates the file; the first of several replicas that do so at once decides."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_once(file, secrets.token_hex(16).encode())
    end = time.monotonic() + WRITING_TAKES
    while not (made := _read(file)) and time.monotonic() < end:
        time.sleep(0.01)
    return made or _replace(file)


def _replace(file: Path) -> str:
    """A new id for a file that was left empty or was damaged."""
    temporary = file.with_name(f"{file.name}.{secrets.token_hex(8)}.new")
    temporary.write_text(secrets.token_hex(16), encoding="ascii")
    temporary.chmod(0o600)
    temporary.rename(file)
    time.sleep(WRITING_TAKES)  # another replica may do the same; the last one decides
    return _read(file)
