"""Index to labels: the names of a row, made once and kept as long as the columns that they come from do not change.

The rules are those of snmp_exporter for ``indexes`` and ``lookups`` in snmp.yml: an index is cut from the OID by its
types in turn, one that is too short is padded with zeros, and what is left over is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from promsnmp.exposition import values
from promsnmp.modules.model import Index, IndexType, Lookup
from promsnmp.snmp import ber, oid

SubIds = tuple[int, ...]
MAX_STRING = 1024
"""Octets of a counted index, at most, whatever number stands before them: an OID has 128 sub-identifiers."""
_NO_ROW = oid.MAX_SUBID + 1
"""What a number that is no sub-identifier becomes in a chain of lookups: no row has it."""

_COMBINED: Mapping[str, Mapping[int, str]] = {
    IndexType.INET_ADDRESS: {1: IndexType.INET_ADDRESS_IPV4, 2: IndexType.INET_ADDRESS_IPV6},
    IndexType.INET_ADDRESS_MISSING_SIZE: {1: IndexType.INET_ADDRESS_IPV4, 2: IndexType.INET_ADDRESS_IPV6},
    IndexType.LLDP_PORT_ID: {
        1: IndexType.DISPLAY_STRING,
        2: IndexType.DISPLAY_STRING,
        3: IndexType.PHYS_ADDRESS_48,
        5: IndexType.DISPLAY_STRING,
        7: IndexType.DISPLAY_STRING,
    },
}


def escape(text: str) -> str:
    """A label value as it stands between quotes (text format 0.0.4: backslash, newline and quote are escaped)."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def label_name(name: str) -> str:
    """``name`` with every character that a label name may not have replaced by ``_``."""
    out = "".join(one if one.isascii() and (one.isalnum() or one == "_") else "_" for one in name)
    return f"_{out}" if out[:1].isdigit() else out


def label_text(labels: Mapping[str, str]) -> bytes:
    """Labels as they stand between name and value of a sample, sorted by name, with the blank behind them."""
    if not labels:
        return b" "
    pairs = ",".join(f'{name}="{escape(labels[name])}"' for name in sorted(labels))
    return f"{{{pairs}}} ".encode()


# -------------------------------------------------------------------------------------------------------------- indexes


def _split(subids: SubIds, count: int) -> tuple[SubIds, SubIds]:
    """The first ``count`` sub-identifiers, padded with zeros, and the rest."""
    head = subids[:count]
    return head + (0,) * (count - len(head)), subids[count:]


def _octets(subids: SubIds) -> bytes:
    return bytes(one & 0xFF for one in subids)


def decode_index(
    subids: SubIds, kind: str, *, fixed_size: int = 0, implied: bool = False, enum: Mapping[int, str] | None = None
) -> tuple[str, SubIds, SubIds]:
    """One index cut from the front of ``subids``: its text, the sub-identifiers that it used, and those left."""
    if kind in _COMBINED:
        return _combined(subids, kind, enum)
    if kind == IndexType.PHYS_ADDRESS_48:
        used, rest = _split(subids, 6)
        return ":".join(f"{one:02X}" for one in used), used, rest
    if kind == IndexType.INET_ADDRESS_IPV4:
        used, rest = _split(subids, 4)
        return ".".join(map(str, used)), used, rest
    if kind == IndexType.INET_ADDRESS_IPV6:
        used, rest = _split(subids, 16)
        return ":".join(f"{used[at]:02X}{used[at + 1]:02X}" for at in range(0, 16, 2)), used, rest
    if kind in (IndexType.OCTET_STRING, IndexType.DISPLAY_STRING):
        return _string(subids, kind, fixed_size, implied)
    used, rest = _split(subids, 1)
    if kind == IndexType.ENUM_AS_INFO and enum and used[0] in enum:
        return enum[used[0]], used, rest
    return str(used[0]), used, rest


def _string(subids: SubIds, kind: str, fixed_size: int, implied: bool) -> tuple[str, SubIds, SubIds]:
    counted: SubIds = ()
    length = len(subids) if implied else fixed_size
    if length == 0:
        counted, subids = _split(subids, 1)
        length = counted[0]
    content, rest = _split(subids, min(length, MAX_STRING))
    octets = _octets(content)
    if kind == IndexType.DISPLAY_STRING:
        return values.valid_utf8(octets), counted + content, rest
    return values.hexadecimal(octets), counted + content, rest


def _combined(subids: SubIds, kind: str, enum: Mapping[int, str] | None) -> tuple[str, SubIds, SubIds]:
    """InetAddress and its like: a type, a length (not in ...MissingSize), and then the value by that type."""
    missing_size = kind == IndexType.INET_ADDRESS_MISSING_SIZE
    head, tail = _split(subids, 1 if missing_size else 2)
    actual = _COMBINED[kind].get(head[0])
    if actual is not None:
        text, used, rest = decode_index(tail, actual, enum=enum)
        return text, head + used, rest
    if missing_size:
        return decode_index(subids, IndexType.OCTET_STRING, implied=True)
    return decode_index(subids, IndexType.OCTET_STRING, fixed_size=min(head[1], MAX_STRING) + 2)


# -------------------------------------------------------------------------------------------------------------- lookups


ColumnRows = Mapping[bytes, tuple[int, bytes]]
"""A column for look-ups: OID suffix -> (tag, content octets)."""


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """How the rows of some metrics get their labels; metrics with the same one share the work."""

    indexes: tuple[Index, ...]
    lookups: tuple[Lookup, ...]

    def columns(self) -> Iterator[str]:
        """The OIDs of the columns that labels are made from."""
        for lookup in self.lookups:
            if lookup.oid and lookup.labels:
                yield lookup.oid
                if type_column := values.type_column(lookup.type, lookup.oid):
                    yield type_column

    def excess_subids(self, suffix: bytes) -> int:
        """How many sub-identifiers a row's index has too many; negative: how many it lacks. 0 without ``indexes``."""
        rest = subids = oid.decode_subids(suffix)
        needed = 0
        for index in self.indexes:
            _, used, rest = decode_index(rest, index.type, fixed_size=index.fixed_size, implied=index.implied)
            needed += len(used)
        return len(subids) - needed if self.indexes else 0

    def labels(self, suffix: bytes, column: Callable[[str], ColumnRows]) -> dict[str, str]:
        """The labels of the row with this OID suffix; ``column`` finds a look-up's rows by OID."""
        labels: dict[str, str] = {}
        used_by: dict[str, SubIds] = {}
        rest = oid.decode_subids(suffix)
        for index in self.indexes:
            text, used, rest = decode_index(
                rest, index.type, fixed_size=index.fixed_size, implied=index.implied, enum=dict(index.enum_values)
            )
            labels[index.labelname] = text
            used_by[index.labelname] = used
        for lookup in self.lookups:
            if not lookup.labels:
                labels.pop(lookup.labelname, None)
            else:
                self._look_up(lookup, labels, used_by, column)
        return {label_name(name): text for name, text in labels.items()}

    def _look_up(
        self, lookup: Lookup, labels: dict[str, str], used_by: dict[str, SubIds], column: Callable[[str], ColumnRows]
    ) -> None:
        parts = [used_by.get(label, ()) for label in lookup.labels]
        at = oid.encode_subids(sub for part in parts for sub in part)
        row = column(lookup.oid).get(at) if all(parts) else None  # a label that says nothing leads to no row
        if row is None:
            labels[lookup.labelname] = ""
            return
        tag, content = row
        kind = values.associated_type(lookup.type, lookup.oid, at, column)
        labels[lookup.labelname] = values.text_of(tag, content, kind)
        number = ber.integer_value(tag, content) or 0
        used_by[lookup.labelname] = (number if 0 <= number <= oid.MAX_SUBID else _NO_ROW,)


LabelTexts = tuple[list[bytes], tuple[int, ...]]
_SPARE_ROWS = 1000
"""Rows that are no longer there but whose labels are kept, at most, besides as many as are there."""


class LabelTable:
    """The label texts of one device's rows under one ``LabelSpec``, kept from poll to poll.

    Kept are the indexes that the last poll had, and the rows that lately were in one.
    """

    __slots__ = (
        "_by_index",
        "_by_suffix",
        "_indexes",
        "_previous",
        "_read",
        "_sources",
        "_spec",
        "changed",
        "generation",
    )

    def __init__(self, spec: LabelSpec) -> None:
        self._spec = spec
        self._sources: Sequence[bytes] = ()
        self._by_suffix: dict[bytes, bytes] = {}
        self._by_index: dict[bytes, LabelTexts] = {}
        self._previous: dict[bytes, LabelTexts] = {}
        self._indexes: frozenset[bytes] = frozenset()
        self._read: Sequence[bytes] = ()
        self.changed = False
        """Whether something is known to have changed since ``rows_changed``, besides what ``texts`` was asked for."""
        self.generation = 0
        """Grows whenever labels may have changed; whatever was made from them is then out of date."""

    def rows_changed(self) -> bool:
        """Whether other rows had to be labelled than up to the last call of this, or columns of ``read`` changed."""
        indexes = frozenset(self._by_index)
        has_changed, self.changed = self.changed or indexes != self._indexes, False
        self._indexes = indexes
        return has_changed

    def refresh(self, sources: Sequence[bytes], read: Sequence[bytes] = ()) -> None:
        """Begins a poll: says what the look-up columns hold now (``Scanner.column``); ``read`` are those of them that
        are never kept from an earlier poll.

        Labels made from other contents are forgotten, and so is what the last poll did not use.
        """
        self._previous, self._by_index = self._by_index, {}
        self.changed = self.changed or read != self._read
        self._read = read
        if sources != self._sources:
            self._sources = sources
            self._previous = {}
            self._by_suffix.clear()
            self.generation += 1
        elif len(self._by_suffix) > _SPARE_ROWS + 2 * max((len(one[0]) for one in self._previous.values()), default=0):
            self._by_suffix.clear()

    def texts(self, index: bytes, column: Callable[[str], ColumnRows]) -> LabelTexts:
        """The label text of each row of ``index``, and the positions of rows whose labels an earlier row has."""
        texts = self._by_index.get(index)
        if texts is None:
            texts = self._previous.get(index)
            if texts is None:
                row_texts = [self._text(suffix, column) for suffix in ber.suffixes(index)]
                texts = row_texts, _repeated(row_texts)
            self._by_index[index] = texts
        return texts

    def _text(self, suffix: bytes, column: Callable[[str], ColumnRows]) -> bytes:
        text = self._by_suffix.get(suffix)
        if text is None:
            text = label_text(self._spec.labels(suffix, column))
            self._by_suffix[suffix] = text
        return text


def _repeated(texts: Sequence[bytes]) -> tuple[int, ...]:
    seen: set[bytes] = set()
    return tuple(at for at, text in enumerate(texts) if text in seen or seen.add(text))  # type: ignore[func-returns-value]
