"""Builds a page: metric families with their samples, without duplicates, and counts of what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from promsnmp.exposition.formats import openmetrics, text
from promsnmp.exposition.labels import label_text
from promsnmp.snmp import ber


@dataclass(slots=True)
class Family:
    """A metric family of a page: the fields of its header and the pieces of its samples."""

    name: str
    kind: str
    help: str
    parts: list[bytes] = field(default_factory=list)
    shared: bool = False
    """Whether several metrics contribute to it, so that duplicates are possible."""


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
        if name in self.families:
            self.drop("reserved_name", _lines(self.families.pop(name).parts))
        return self.family(name, kind, help_text)

    def add(self, name: str, kind: str, help_text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """Adds one of PromSNMP's own families; samples are labels and number."""
        parts = self.own_family(name, kind, help_text)
        for labels, number in samples:
            parts += (text.sample_prefix(name), label_text(labels), ber.float_text(number))

    def drop(self, reason: str, count: int = 1) -> None:
        """Counts values that are left out."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def render(self, *, as_openmetrics: bool = False) -> bytes:
        """The page in text format 0.0.4 or in OpenMetrics 1.0."""
        families = [one for one in self.families.values() if one.parts]
        pieces: list[bytes] = []
        if as_openmetrics:
            names = {one.name for one in families}
            for one in families:
                kind = openmetrics.openmetrics_type(one.name, one.kind, names)
                pieces.append(openmetrics.header(one.name, kind, one.help))
                pieces += openmetrics.sample_parts(kind, one.parts)
                pieces.append(b"\n")
            pieces.append(openmetrics.END)
        else:
            for one in families:
                pieces.append(text.header(one.name, one.kind, one.help))
                pieces += one.parts
                pieces.append(b"\n")
        return b"".join(pieces)

    def deduplicate(self) -> None:
        """Drops and counts duplicate series, which only families of several metrics can have."""
        for family in self.families.values():
            if family.shared:
                self._deduplicate(family)
                family.shared = False

    def _deduplicate(self, family: Family) -> None:
        seen: set[bytes] = set()
        unique: list[bytes] = []
        for line in b"".join(family.parts).split(b"\n")[1:]:
            series = line.rpartition(b" ")[0]
            if series in seen:
                self.drop("duplicate")
            else:
                seen.add(series)
                unique += (b"\n", line)
        family.parts = unique


def _lines(parts: list[bytes]) -> int:
    return b"".join(parts).count(b"\n")
