"""Reads the secrets of sources at each reading, so that a token that was renewed counts without a restart."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from promsnmp.errors import SourceError
from promsnmp.support.secret_keys import exposure

MAX_SECRET = 8192
"""Bytes of a secret, at most."""


def read_secret(file: Path | None, variable: str) -> str:
    """The secret in a file or in an environment variable, without blanks at its ends; empty without either.

    It blocks. Raises SourceError, which names the file or the variable only.
    """
    if file is not None:
        return _checked(_of_file(file), str(file))
    return _checked(os.environ.get(variable, "").strip(), f"environment variable {variable}") if variable else ""


def _of_file(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            status = os.fstat(opened.fileno())
            problem = exposure(path, status) if stat.S_ISREG(status.st_mode) else ""
            octets = opened.read(MAX_SECRET + 1)
        text = octets.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: {getattr(error, 'strerror', None) or 'is not text'}") from None
    if problem:
        raise SourceError(f"{path} is refused: {problem}")
    if len(octets) > MAX_SECRET:
        raise SourceError(f"{path} has more than {MAX_SECRET} bytes; it holds one secret")
    return text


def _checked(text: str, where: str) -> str:
    if not text:
        raise SourceError(f"{where} is empty")
    if not text.isprintable() or not text.isascii():
        raise SourceError(f"{where} has characters that are not printable ASCII")
    return text
