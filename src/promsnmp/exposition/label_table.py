"""Caches the label texts of a device's rows until the columns that they come from change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from promsnmp.exposition.labels import ColumnRows, LabelSpec, label_text
from promsnmp.snmp import ber
from promsnmp.support.steps import Steps

_SPARE_ROWS = 1000
"""Labels of rows that have gone are kept up to this many, plus as many as the table has rows."""
_ROWS_PER_STEP = 256


class LabelTexts(NamedTuple):
    """The label text of each row of an index, and the positions of rows with the same labels as an earlier one."""

    rows: bytes
    texts: list[bytes]
    repeated: tuple[int, ...]


class LabelTable:
    """The label texts of one device's rows under one ``LabelSpec``, kept from poll to poll.

    It keeps the indexes of the last poll, and the rows that were lately in one.
    """

    __slots__ = (
        "_by_index",
        "_by_suffix",
        "_indexes",
        "_invalid",
        "_previous",
        "_read",
        "_sources",
        "_spec",
        "changed",
        "generation",
        "latest",
    )

    def __init__(self, spec: LabelSpec) -> None:
        self._spec = spec
        self._sources: Sequence[bytes] = ()
        self._by_suffix: dict[bytes, bytes] = {}
        self._invalid: set[bytes] = set()
        self._by_index: dict[bytes, LabelTexts] = {}
        self._previous: dict[bytes, LabelTexts] = {}
        self._indexes: frozenset[bytes] = frozenset()
        self._read: Sequence[bytes] = ()
        self.changed = False
        """Whether something else than the indexes passed to ``texts`` has changed since ``rows_changed``."""
        self.generation = 0
        """Grows whenever labels may have changed; anything made from them is then out of date."""
        self.latest: LabelTexts | None = None
        """What was asked for last: most columns of a table have the same rows."""

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
        self.changed = self.changed or read != self._read
        self._read = read
        if sources != self._sources:
            self._sources = sources
            self.latest = None
            self._previous = {}
            self._by_suffix.clear()
            self._invalid.clear()
            self.generation += 1
        elif len(self._by_suffix) > _SPARE_ROWS + 2 * max(
            (len(one.texts) for one in self._previous.values()), default=0
        ):
            self._by_suffix.clear()
            if self._invalid:  # texts of the last poll may be used again, and are counted
                self._invalid &= {suffix for one in self._previous.values() for suffix in ber.suffixes(one.rows)}
        if self.latest is not None and self.latest.rows not in self._previous:
            self.latest = None  # the last poll did not use it

    def clear(self) -> None:
        """Drops everything."""
        self._previous, self._by_index = {}, {}
        self.latest = None
        self._sources, self._read = (), ()
        self._by_suffix.clear()
        self._invalid.clear()

    def known_texts(self, index: bytes) -> LabelTexts | None:
        """As ``texts``, if they are known already."""
        texts = self._by_index.get(index)
        if texts is None:
            texts = self._previous.get(index)
            if texts is not None:
                self._by_index[index] = texts
        if texts is not None:
            self.latest = texts
        return texts

    def texts(self, index: bytes, column: Callable[[str], ColumnRows]) -> Steps[LabelTexts]:
        """The label texts of the rows of ``index``."""
        texts = self.known_texts(index)
        if texts is None:
            row_texts: list[bytes] = []
            for suffix in ber.suffixes(index):
                row_texts.append(self._text(suffix, column))
                if not len(row_texts) % _ROWS_PER_STEP:
                    yield
            texts = self.latest = self._by_index[index] = LabelTexts(index, row_texts, _repeated(row_texts))
        return texts

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
        return None if any(one.repeated for one in made) else self._by_suffix.get(suffix)

    def invalid_rows(self, index: bytes) -> int:
        """How many rows of ``index``, whose texts were made, have an index that may not mean these labels."""
        return sum(suffix in self._invalid for suffix in ber.suffixes(index)) if self._invalid else 0


def _repeated(texts: Sequence[bytes]) -> tuple[int, ...]:
    seen: set[bytes] = set()
    return tuple(at for at, text in enumerate(texts) if text in seen or seen.add(text))  # type: ignore[func-returns-value]  # None, on purpose
