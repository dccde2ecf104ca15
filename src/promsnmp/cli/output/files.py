"""Files that a command writes: the folder of one must be there, since a path with a slip in it makes no folders."""

from __future__ import annotations

from pathlib import Path

import click


def require_folder(path: Path, option: str = "-o") -> None:
    """Raises click.UsageError when the folder of ``path`` does not exist."""
    if not path.parent.is_dir():
        raise click.UsageError(f"{option} {path}: there is no folder {path.parent}; create it first")
