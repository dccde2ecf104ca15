"""The label texts of many rows as one compressed block: those of a table have nearly everything in common."""

from __future__ import annotations

from collections.abc import Sequence

from promsnmp.support.compression import pack, unpack


class LabelBlock:
    """Label texts that are seldom needed, in order. No label text has a newline."""

    __slots__ = ("_digest", "_packed", "count")

    def __init__(self, labels: Sequence[bytes]) -> None:
        joined = b"\n".join(labels)
        self.count = len(labels)
        self._digest = hash(joined)
        self._packed = pack(joined)

    def is_of(self, labels: Sequence[bytes]) -> bool:
        """Whether it has these texts: by a hash of 64 bits, which strangers cannot guess."""
        return len(labels) == self.count and hash(b"\n".join(labels)) == self._digest

    def is_same(self, other: LabelBlock) -> bool:
        """Whether it has the same texts as another one."""
        return self is other or (self.count == other.count and self._digest == other._digest)

    def labels(self) -> list[bytes]:
        """The texts."""
        return unpack(self._packed).split(b"\n") if self.count else []

    @property
    def octets(self) -> int:
        """Bytes of memory, about."""
        return len(self._packed) + 100


NO_LABELS = LabelBlock(())
