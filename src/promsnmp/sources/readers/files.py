"""Files with devices: JSON or YAML, one file or a pattern.

What is compared to see a change follows symbolic links, because Kubernetes updates a mounted ConfigMap by replacing the
link ``..data``: the files in the folder are links through it, and so become others at one moment
(kubernetes.io, Mounted ConfigMaps are updated automatically).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from promsnmp.errors import SourceError
from promsnmp.sources.model import MAX_DEVICES, MAX_OCTETS, Reading, SourceDevice, Unusable
from promsnmp.sources.readers.document import Defaults, parse_document, read_devices

MOST_FILES = 1000
_YAML = (".yml", ".yaml")

_Stamp = tuple[tuple[str, int, int, int], ...]


class FileReader:
    """The devices in the files of ``pattern``."""

    def __init__(self, pattern: str, defaults: Defaults) -> None:
        self._pattern = str(Path(pattern).expanduser())
        self._defaults = defaults
        self._stamp: _Stamp | None = None

    async def read(self) -> Reading:
        """Raises SourceError: there is no file, or one of them cannot be read."""
        return await asyncio.to_thread(self._read)

    async def has_changed(self) -> bool:
        return self._stamp is not None and await asyncio.to_thread(self._look) != self._stamp

    async def close(self) -> None:
        pass

    def _look(self) -> _Stamp:
        """What tells versions of the files apart; a file that cannot be looked at counts as empty."""
        return tuple(_stamp_of(path) for path in self._paths())

    def _paths(self) -> Sequence[str]:
        if not has_magic(self._pattern):
            return [self._pattern]
        return sorted(glob(self._pattern))  # noqa: PTH207  # the folder may be a pattern, too

    def _read(self) -> Reading:
        self._stamp = self._look()  # before the files: a change while they are read is a change
        paths = self._paths()
        if not paths:
            raise SourceError(f"no file matches {self._pattern}")
        if len(paths) > MOST_FILES:
            raise SourceError(f"more than {MOST_FILES} files match {self._pattern}")
        devices: list[SourceDevice] = []
        unusable: list[Unusable] = []
        left = MAX_OCTETS
        for path in paths:
            octets = _content(path, left)
            left -= len(octets)
            try:
                found = read_devices(parse_document(octets, is_yaml=path.endswith(_YAML)), self._defaults)
            except SourceError as error:
                raise SourceError(f"{path}: {error}") from None
            devices += found.devices
            unusable += [Unusable(one.key, f"{path}{one.reason}") for one in found.unusable]
            if len(devices) > MAX_DEVICES:
                raise SourceError(f"the source has more than {MAX_DEVICES:,} devices")
        return Reading(tuple(devices), tuple(unusable))


def _stamp_of(path: str) -> tuple[str, int, int, int]:
    try:
        status = Path(path).stat()
    except OSError:
        return path, 0, 0, 0
    return path, status.st_ino, status.st_mtime_ns, status.st_size


def _content(path: str, left: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            octets = file.read(left + 1)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from None
    if len(octets) > left:
        raise SourceError(f"{path}: the files have more than {MAX_OCTETS >> 20} MiB")
    return octets
