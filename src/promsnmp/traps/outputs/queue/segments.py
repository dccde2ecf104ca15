"""The files of a queue on disk: segments of records that are only appended to, and the number of the next record to
read. All functions block; they run in threads.

A record is four octets of length, four of CRC-32 (of the record), and the record. A segment's name is the number of its
first record. A crash can tear the last record of a segment only; the CRC shows that, and the rest of the segment is
left out.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from promsnmp.traps.outputs.queue.model import MAX_RECORD

_HEADER = struct.Struct(">II")
_SUFFIX = ".segment"
_POSITION = "position"
HEADER_SIZE = _HEADER.size


@dataclass(slots=True)
class Segment:
    """One file: its first record's number, how many records it has, and its octets."""

    path: Path
    first: int
    count: int = 0
    size: int = 0

    @property
    def end(self) -> int:
        return self.first + self.count


def segment_path(folder: Path, first: int) -> Path:
    """The file whose first record has this number."""
    return folder / f"{first:020d}{_SUFFIX}"


def framed(records: Sequence[bytes]) -> bytes:
    """Records as they stand in a segment."""
    return b"".join(part for one in records for part in (_HEADER.pack(len(one), zlib.crc32(one)), one))


def records_of(path: Path, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """The records of a segment from an offset on, each with the offset behind it; ends before what is damaged.

    A file that does not exist has none: there is no file before the first record.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        while len(header := file.read(HEADER_SIZE)) == HEADER_SIZE:
            size, checksum = _HEADER.unpack(header)
            record = file.read(size) if size <= MAX_RECORD else b""
            if len(record) != size or zlib.crc32(record) != checksum:
                return
            offset += HEADER_SIZE + size
            yield record, offset


def scan(folder: Path) -> tuple[list[Segment], int]:
    """The segments of a folder, in their order, and how many of them end with something damaged.

    The last one is cut behind its last good record, so that it can be appended to. Raises OSError.
    """
    found: list[Segment] = []
    damaged = 0
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        number = path.name.removesuffix(_SUFFIX)
        if not number.isdigit():
            continue
        segment = Segment(path, int(number))
        for _, offset in records_of(path):
            segment.count, segment.size = segment.count + 1, offset
        if path.stat().st_size > segment.size:
            damaged += 1
            os.truncate(path, segment.size)
        found.append(segment)
    return found, damaged


def read_position(folder: Path) -> int:
    """The number of the next record to read; 0 when it is not known."""
    try:
        return int((folder / _POSITION).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def write_position(folder: Path, number: int) -> None:
    """Replaces the position. After a power failure it may be an earlier one: records are then delivered again."""
    temporary = folder / f"{_POSITION}.new"
    temporary.write_text(str(number), encoding="ascii")
    temporary.replace(folder / _POSITION)


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
