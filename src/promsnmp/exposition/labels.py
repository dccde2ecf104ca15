"""Makes the labels of a row from its index and from look-ups in other columns, and writes them as text.

The rules are those of snmp_exporter for ``indexes`` and ``lookups`` in snmp.yml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from promsnmp.exposition import values
from promsnmp.exposition.deviations.row_index import RowIndex, decode_row
from promsnmp.exposition.indexes import SubIds
from promsnmp.modules.model import Index, Lookup
from promsnmp.modules.types import MetricType
from promsnmp.snmp import ber, oid

_NO_ROW = oid.MAX_SUBID + 1
"""Replaces a number that cannot be a sub-identifier in a chain of look-ups: no row has this one."""

ColumnRows = Mapping[bytes, tuple[int, bytes]]
"""A column for look-ups: OID suffix -> (tag, content octets)."""


def escape(text: str) -> str:
    """A label value escaped for text format 0.0.4: backslash, newline and quote."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def label_name(name: str) -> str:
    """``name`` with every character that is not allowed in a label name replaced by ``_``."""
    out = "".join(one if one.isascii() and (one.isalnum() or one == "_") else "_" for one in name)
    return f"_{out}" if out[:1].isdigit() else out


def label_text(labels: Mapping[str, str]) -> bytes:
    """Labels as text between the name and the value of a sample, sorted by name, including the blank after them."""
    if not labels:
        return b" "
    pairs = ",".join(f'{name}="{escape(labels[name])}"' for name in sorted(labels))
    return f"{{{pairs}}} ".encode()


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """How rows get their labels; metrics with equal specs share the work."""

    indexes: tuple[Index, ...]
    lookups: tuple[Lookup, ...]
    encoding: str = ""
    """The encoding of the device's texts, one of ``snmp.text_encodings.ENCODINGS``; empty: UTF-8."""

    def columns(self) -> Iterator[str]:
        """The OIDs of the columns that labels are made from."""
        for lookup in self.lookups:
            if lookup.oid and lookup.labels:
                yield lookup.oid
                if type_column := values.type_column(lookup.type, lookup.oid):
                    yield type_column

    def excess_subids(self, suffix: bytes) -> int:
        """How many sub-identifiers too many the index of a row has; negative: too few. 0 without ``indexes``."""
        return self.decode(suffix).excess

    def decode(self, suffix: bytes) -> RowIndex:
        """The index of the row with this OID suffix."""
        return decode_row(self.indexes, oid.decode_subids(suffix), encoding=self.encoding)

    def labels(self, suffix: bytes, column: Callable[[str], ColumnRows]) -> dict[str, str]:
        """The labels of the row with this OID suffix; ``column`` returns a look-up's rows by OID."""
        return self.labels_of(self.decode(suffix), column)

    def labels_of(self, row: RowIndex, column: Callable[[str], ColumnRows]) -> dict[str, str]:
        """As ``labels``, of a row whose index is decoded already."""
        names = [index.labelname for index in self.indexes]
        labels = dict(zip(names, row.texts, strict=True))
        used_by = dict(zip(names, row.used, strict=True))
        for lookup in self.lookups:
            if not lookup.labels:
                labels.pop(lookup.labelname, None)
            else:
                self._look_up(lookup, labels, used_by, column, row.rest)
        return {label_name(name): text for name, text in labels.items()}

    def _look_up(
        self,
        lookup: Lookup,
        labels: dict[str, str],
        used_by: dict[str, SubIds],
        column: Callable[[str], ColumnRows],
        rest: SubIds,
    ) -> None:
        """Adds the label of a lookup. Where no row has the index of its labels, one with the ``rest`` behind it may."""
        known = [used_by[label] for label in lookup.labels if label in used_by]
        at, rows = oid.encode_subids(sub for part in known for sub in part), column(lookup.oid)
        if rest and at not in rows:
            at += oid.encode_subids(rest)
        is_complete = at and len(known) == len(lookup.labels)
        row = rows.get(at) if is_complete else None  # without the index of a label there is no row
        if row is None:
            labels[lookup.labelname] = ""
            return
        tag, content = row
        if lookup.type == MetricType.ENUM_AS_INFO and lookup.enum_values:
            labels[lookup.labelname] = values.enum_text(tag, content, lookup.enum_values)
        else:
            kind = values.associated_type(lookup.type, lookup.oid, at, column)
            labels[lookup.labelname] = values.text_of(tag, content, kind, lookup.display_hint, encoding=self.encoding)
        number = ber.integer_value(tag, content) or 0
        used_by[lookup.labelname] = (number if 0 <= number <= oid.MAX_SUBID else _NO_ROW,)
