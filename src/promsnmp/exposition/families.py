"""Builds a page: metric families with their samples, without duplicates, and counts of what was left out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from promsnmp.exposition.formats import openmetrics, text
from promsnmp.exposition.labels import label_text
from promsnmp.snmp import ber

BLOCK_PIECES, BLOCK_OCTETS = 6_000, 512 * 1024
"""How many pieces of samples, and about how many octets, are joined at a time."""


@dataclass(slots=True)
class Family:
    """A metric family of a page: the fields of its header and the pieces of its samples."""

    name: str
    kind: str
    help: str
    parts: list[bytes] = field(default_factory=list)
    shared: bool = False
    """Whether several metrics contribute to it, so that duplicates are possible."""

    @property
    def samples(self) -> int:
        """How many samples it has."""
        return sum(block.count(b"\n") for block in blocks(self.parts))


@dataclass(slots=True)
class Exposition:
    """A page that is not rendered yet."""

    families: dict[str, Family] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    """Values and rows that were left out, by reason."""
    conflicts: set[str] = field(default_factory=set)
    """Families that metrics define with different types or help texts."""

    def family(self, name: str, kind: str, help_text: str) -> list[bytes]:
        """The pieces of a family, to append to; the first call for a name decides its type and help."""
        family = self.families.get(name)
        if family is None:
            family = self.families[name] = Family(name, kind, help_text)
        else:
            family.shared = True
            if family.kind != kind or family.help != help_text:
                self.conflicts.add(name)
        return family.parts

    def own_family(self, name: str, kind: str, help_text: str) -> list[bytes]:
        """Like ``family``, for PromSNMP's own families: drops samples that a module has under the same name."""
        self.reserve((name,))
        return self.family(name, kind, help_text)

    def reserve(self, names: Iterable[str]) -> None:
        """Drops samples that modules have under names that only PromSNMP's own families may have."""
        for name in names:
            if name in self.families:
                self.drop("reserved_name", self.families.pop(name).samples)

    def add(self, name: str, kind: str, help_text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """Adds one of PromSNMP's own families; samples are labels and number."""
        self.add_labelled(name, kind, help_text, [(label_text(labels), number) for labels, number in samples])

    def add_labelled(self, name: str, kind: str, help_text: str, samples: Iterable[tuple[bytes, float]]) -> None:
        """Like ``add``; samples are label text and number."""
        parts, prefix = self.own_family(name, kind, help_text), text.sample_prefix(name)
        for labels, number in samples:
            parts += (prefix, labels, ber.float_text(number))

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts values that are left out."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def render(self, *, as_openmetrics: bool = False) -> bytes:
        """The page in text format 0.0.4 or in OpenMetrics 1.0."""
        names = {one.name for one in self.families.values() if one.parts}
        pieces = self.pieces(names, as_openmetrics=as_openmetrics)
        return b"".join((*pieces, openmetrics.END) if as_openmetrics else pieces)

    def pieces(self, names: Container[str], *, as_openmetrics: bool) -> list[bytes]:
        """All families as text, in pieces, without the end; ``names`` are those of all families of the page."""
        pieces: list[bytes] = []
        for family in self.families.values():
            if not family.parts:
                continue
            if as_openmetrics:
                head, parts = openmetrics_pieces(family, names)
                pieces.append(head)
                pieces += parts
            else:
                pieces.append(text.header(family.name, family.kind, family.help))
                pieces += family.parts
            pieces.append(b"\n")
        return pieces

    def deduplicate(self) -> None:
        """Drops and counts duplicate series, which only families of several metrics can have."""
        for family in self.families.values():
            if family.shared:
                self._deduplicate(family)
                family.shared = False

    def _deduplicate(self, family: Family) -> None:
        seen: set[bytes] = set()
        unique: list[bytes] = []
        for block in blocks(family.parts):
            for line in block.split(b"\n")[1:]:
                series = line.rpartition(b" ")[0]
                if series in seen:
                    self.drop("duplicate")
                else:
                    seen.add(series)
                    unique += (b"\n", line)
        family.parts = unique


def openmetrics_pieces(family: Family, names: Container[str]) -> tuple[bytes, list[bytes]]:
    """The header of a family in OpenMetrics, without the newline at its end, and the pieces of its samples."""
    kind = openmetrics.openmetrics_type(family.name, family.kind, names)
    return openmetrics.header(family.name, kind, family.help), openmetrics.sample_parts(kind, family.parts)


def blocks(parts: Sequence[bytes]) -> Iterator[bytes]:
    """Pieces of samples joined to blocks of whole samples; each sample begins with a newline."""
    start, count = 0, len(parts)
    while start < count:
        stop = min(start + BLOCK_PIECES, count)
        octets = sum(map(len, parts[start:stop]))
        if octets > BLOCK_OCTETS:
            stop = start + max(1, (stop - start) * BLOCK_OCTETS // octets)
        while stop < count and not parts[stop].startswith(b"\n"):
            stop += 1
        yield b"".join(parts[start:stop])
        start = stop
