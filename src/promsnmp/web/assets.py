"""The files that pages load: style sheet, scripts, icon."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
"""By suffix; other files are not served."""


@cache
def assets() -> Mapping[str, tuple[str, bytes]]:
    """The files of ``static`` that pages load."""
    found = {}
    for file in resources.files("promsnmp.web").joinpath("static").iterdir():
        media_type = MEDIA_TYPES.get(f".{file.name.rpartition('.')[2]}")
        if media_type is not None:
            found[file.name] = media_type, file.read_bytes()
    return found
