"""Caches the label texts of a device's rows until the columns that they come from change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from promsnmp.exposition.labels import ColumnRows, LabelSpec, label_text
from promsnmp.exposition.utilization.label_block import LabelBlock
from promsnmp.snmp import ber
from promsnmp.support.steps import Steps

_SPARE_ROWS = 1000
"""Labels of rows that have gone are kept up to this many, plus as many as the table has rows."""
_ROWS_PER_STEP = 256
_FEW_OCTETS = 16_384
"""Octets of indexes (some 4,000 rows) whose texts are compressed between two polls: more would take too long."""


class LabelTexts(NamedTuple):
    """The label text of each row of an index, and the positions of rows with the same labels as an earlier one."""

    rows: bytes
    texts: list[bytes]
    repeated: tuple[int, ...]


class _KnownTexts:
    """Label texts of an index from poll to poll, compressed between two of them."""

    __slots__ = ("_block", "_rows", "_texts", "repeated")

    def __init__(self, texts: LabelTexts) -> None:
        self._rows, _, self.repeated = texts
        self._block: LabelBlock | None = None
        self._texts: LabelTexts | None = texts

    def open(self) -> LabelTexts:
        """The texts."""
        if self._texts is None:
            labels = [] if self._block is None else self._block.labels()
            self._texts = LabelTexts(self._rows, labels, self.repeated)
        return self._texts

    def close(self) -> None:
        """Keeps the texts compressed until they are needed."""
        if self._texts is not None:
            self._block = self._block or LabelBlock(self._texts.texts)
            self._texts = None


class LabelTable:
    """The label texts of one device's rows under one ``LabelSpec``, kept from poll to poll.

    It keeps the indexes of the last poll, and the rows that were lately in one.
    """

    __slots__ = (
        "_by_index",
        "_by_suffix",
        "_indexes",
        "_invalid",
        "_latest",
        "_previous",
        "_read",
        "_sources",
        "_spec",
        "changed",
        "generation",
    )

    def __init__(self, spec: LabelSpec) -> None:
        self._spec = spec
        self._sources: Sequence[int] | None = None
        """Hashes of the look-up columns that the texts were made from."""
        self._by_suffix: dict[bytes, bytes] = {}
        self._invalid: set[bytes] = set()
        self._by_index: dict[bytes, _KnownTexts] = {}
        self._previous: dict[bytes, _KnownTexts] = {}
        self._indexes: frozenset[bytes] = frozenset()
        self._read: Sequence[int] | None = None
        self.changed = False
        """Whether something else than the indexes passed to ``texts`` has changed since ``rows_changed``."""
        self.generation = 0
        """Grows whenever labels may have changed; anything made from them is then out of date."""
        self._latest: _KnownTexts | None = None

    @property
    def latest(self) -> LabelTexts | None:
        """What was asked for last: most columns of a table have the same rows."""
        return None if self._latest is None else self._latest.open()

    def rows_changed(self) -> bool:
        """Whether the labelled rows differ from those at the last call of this, or columns of ``read`` have changed."""
        indexes = frozenset(self._by_index)
        has_changed, self.changed = self.changed or indexes != self._indexes, False
        self._indexes = indexes
        return has_changed

    def refresh(self, sources: Sequence[bytes], read: Sequence[bytes] = ()) -> None:
        """Begins a poll with the present content of the look-up columns (``Scanner.column``); ``read`` are those of
        them that every poll reads.

        Drops labels made from other contents, and what the last poll did not use.
        """
        self._previous, self._by_index = self._by_index, {}
        hashes, read_hashes = tuple(map(hash, sources)), tuple(map(hash, read))
        self.changed = self.changed or read_hashes != self._read
        self._read = read_hashes
        if hashes != self._sources:
            self._sources = hashes
            self._latest = None
            self._previous = {}
            self._by_suffix.clear()
            self._invalid.clear()
            self.generation += 1
        elif len(self._by_suffix) > _SPARE_ROWS + 2 * max(
            (len(one.open().texts) for one in self._previous.values()), default=0
        ):
            self._forget_rows(self._previous)
        if self._latest is not None and self._latest not in self._previous.values():
            self._latest = None  # the last poll did not use it

    def _forget_rows(self, kept: Mapping[bytes, _KnownTexts]) -> None:
        """Drops the texts by row; whether rows are invalid is still known of those that are ``kept``."""
        self._by_suffix.clear()
        if self._invalid:  # texts of the last poll may be used again, and are counted
            self._invalid &= {suffix for rows in kept for suffix in ber.suffixes(rows)}

    def close(self) -> None:
        """Ends a poll: what is needed at the next one takes little memory until then."""
        if sum(map(len, self._by_index)) <= _FEW_OCTETS:
            self._previous = {}
            self._forget_rows(self._by_index)
            for texts in self._by_index.values():
                texts.close()

    def clear(self) -> None:
        """Drops everything."""
        self._previous, self._by_index = {}, {}
        self._latest = None
        self._sources = self._read = None
        self._by_suffix.clear()
        self._invalid.clear()

    def known_texts(self, index: bytes) -> LabelTexts | None:
        """As ``texts``, if they are known already."""
        known = self._by_index.get(index)
        if known is None:
            known = self._previous.get(index)
            if known is not None:
                self._by_index[index] = known
        if known is None:
            return None
        self._latest = known
        return known.open()

    def texts(self, index: bytes, column: Callable[[str], ColumnRows]) -> Steps[LabelTexts]:
        """The label texts of the rows of ``index``."""
        texts = self.known_texts(index)
        if texts is None:
            if not self._by_suffix:
                self._remember_rows()
            row_texts: list[bytes] = []
            for suffix in ber.suffixes(index):
                row_texts.append(self._text(suffix, column))
                if not len(row_texts) % _ROWS_PER_STEP:
                    yield
            texts = LabelTexts(index, row_texts, _repeated(row_texts))
            self._latest = self._by_index[index] = _KnownTexts(texts)
        return texts

    def _remember_rows(self) -> None:
        """Finds the texts by row again, as ``close`` dropped them."""
        for known in (*list(self._previous.values()), *list(self._by_index.values())):
            texts = known.open()
            self._by_suffix.update(zip(ber.suffixes(texts.rows), texts.texts, strict=True))

    def _text(self, suffix: bytes, column: Callable[[str], ColumnRows]) -> bytes:
        text = self._by_suffix.get(suffix)
        if text is None:
            row = self._spec.decode(suffix)
            text = self._by_suffix[suffix] = label_text(self._spec.labels_of(row, column))
            if not row.valid:
                self._invalid.add(suffix)
        return text

    def known_text(self, suffix: bytes) -> bytes | None:
        """The label text of one row; None when it is not known, or when several rows may have the same."""
        made = (*list(self._by_index.values()), *list(self._previous.values()))
        if any(one.repeated for one in made):
            return None
        if not self._by_suffix:
            self._remember_rows()
        return self._by_suffix.get(suffix)

    def invalid_rows(self, index: bytes) -> int:
        """How many rows of ``index``, whose texts were made, have an index that may not mean these labels."""
        return sum(suffix in self._invalid for suffix in ber.suffixes(index)) if self._invalid else 0


def _repeated(texts: Sequence[bytes]) -> tuple[int, ...]:
    seen: set[bytes] = set()
    return tuple(at for at, text in enumerate(texts) if text in seen or seen.add(text))  # type: ignore[func-returns-value]  # None, on purpose
