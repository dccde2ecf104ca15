"""Decodes the whole index of a row, also where an agent sends it in another form than the module says.

Agents are known to send values of fixed size with their length before them, to leave lengths out, to add a ``.0``, and
to fill strings up with NUL. A row is read by the module first (RFC 2578 section 7.7). Where that does not use exactly
the sub-identifiers that came, and exactly one combination of the other forms does, that one is right. What fits no form
keeps the labels that snmp_exporter gives it and is not ``valid``: it is counted on the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

from promsnmp.exposition.indexes import OF_SUBIDS, SubIds, decode_index
from promsnmp.modules.model import Index
from promsnmp.modules.types import IndexType

_FIXED = {IndexType.PHYS_ADDRESS_48: 6, IndexType.INET_ADDRESS_IPV4: 4, IndexType.INET_ADDRESS_IPV6: 16}
_ADDRESS_SIZES = {1: 4, 2: 16}
"""Octets of an address by its InetAddressType (RFC 4001)."""
_TRAILING_ZERO = (0,)
MAX_COMBINATIONS = 64


class _Part(NamedTuple):
    """One index of a row: its text, the sub-identifiers that it uses, and the rest."""

    text: str
    used: SubIds
    rest: SubIds


_Form = Callable[[Index, SubIds], _Part | None]
"""Decodes one index from the front of sub-identifiers; None when they do not have this form."""


class RowIndex(NamedTuple):
    """The index of a row: a text and the sub-identifiers for each ``Index``."""

    texts: tuple[str, ...]
    used: tuple[SubIds, ...]
    rest: SubIds
    """Sub-identifiers behind those that the indexes use."""
    excess: int
    """How many sub-identifiers too many there are; negative: too few."""
    valid: bool
    """Whether the texts are certainly what the agent means."""


_NO_INDEX = RowIndex((), (), (), 0, True)


def decode_row(indexes: Sequence[Index], subids: SubIds, *, encoding: str = "") -> RowIndex:
    """The index of a row whose sub-identifiers are ``subids``; ``encoding`` as for ``decode_index``."""
    if not indexes:
        return _NO_INDEX
    texts: list[str] = []
    used: list[SubIds] = []
    excess, rest, valid = len(subids), subids, True
    for index in indexes:
        kind = index.type
        enum = dict(index.enum_values) if index.enum_values else None
        text, taken, rest = decode_index(
            rest, kind, fixed_size=index.fixed_size, implied=index.implied, enum=enum, encoding=encoding
        )
        if kind not in OF_SUBIDS:
            valid = valid and max(taken, default=0) <= 0xFF
        texts.append(text)
        used.append(taken)
        excess -= len(taken)
    row, is_ambiguous = _as_sent(indexes, subids, encoding) if excess else (None, False)
    if row is not None:
        return row
    fits = not excess or (rest == _TRAILING_ZERO and not is_ambiguous)
    if fits:
        texts = [_unpadded(index, text) for index, text in zip(indexes, texts, strict=True)]
    return RowIndex(tuple(texts), tuple(used), rest, 0 if fits else excess, fits and valid)


def _parts(forms: Iterable[tuple[Index, _Form]], subids: SubIds) -> list[_Part] | None:
    """The indexes of a row in these forms; None when one of them does not have its form."""
    parts: list[_Part] = []
    for index, form in forms:
        part = form(index, parts[-1].rest if parts else subids)
        if part is None:
            return None
        parts.append(part)
    return parts


def _as_sent(indexes: Sequence[Index], subids: SubIds, encoding: str) -> tuple[RowIndex | None, bool]:
    """The row by the only combination of forms that uses all sub-identifiers; and whether several may do so."""
    found = None
    for number, forms in enumerate(product(*(tuple(_forms(index, encoding)) for index in indexes))):
        if number >= MAX_COMBINATIONS:
            return None, True
        parts = _parts(zip(indexes, forms, strict=True), subids)
        if parts is None or sum(len(one.used) for one in parts) != len(subids):
            continue
        if found is not None:
            return None, True
        found = parts
    return (_row_of(indexes, found) if found is not None else None), False


def _row_of(indexes: Sequence[Index], parts: Sequence[_Part]) -> RowIndex:
    """The index of a row that consists of ``parts``."""
    texts, used = tuple(map(_unpadded, indexes, (one.text for one in parts))), tuple(one.used for one in parts)
    return RowIndex(texts, used, (), 0, all(map(_is_possible, indexes, parts)))


def _forms(index: Index, encoding: str) -> Iterator[_Form]:
    yield partial(_declared, encoding=encoding)
    if _size_of(index):
        yield partial(_counted, encoding=encoding)
    elif index.type == IndexType.INET_ADDRESS_MISSING_SIZE:
        yield _counted_address
    elif index.type == IndexType.INET_ADDRESS:
        yield _uncounted_address


def _size_of(index: Index) -> int:
    """Octets of a value of fixed size; 0 for others."""
    is_string = index.type in (IndexType.OCTET_STRING, IndexType.DISPLAY_STRING)
    return index.fixed_size if is_string and not index.implied else _FIXED.get(IndexType(index.type), 0)


def _declared(index: Index, subids: SubIds, *, encoding: str) -> _Part:
    enum = dict(index.enum_values) if index.enum_values else None
    return _Part(
        *decode_index(
            subids, index.type, fixed_size=index.fixed_size, implied=index.implied, enum=enum, encoding=encoding
        )
    )


def _counted(index: Index, subids: SubIds, *, encoding: str) -> _Part | None:
    """A value of fixed size behind its length."""
    size = _size_of(index)
    if subids[:1] != (size,) or len(subids) <= size:
        return None
    part = _declared(index, subids[1:], encoding=encoding)
    return _Part(part.text, subids[:1] + part.used, part.rest)


def _counted_address(_: Index, subids: SubIds) -> _Part | None:
    """An address that is declared without length, with one."""
    size = _ADDRESS_SIZES.get(subids[0]) if len(subids) > 2 else None
    if size is None or subids[1] != size or len(subids) < size + 2:
        return None
    return _Part(*decode_index(subids, IndexType.INET_ADDRESS))


def _uncounted_address(_: Index, subids: SubIds) -> _Part | None:
    """An address that is declared with its length, without it."""
    size = _ADDRESS_SIZES.get(subids[0]) if len(subids) > 2 else None
    if size is None or subids[1] == size or len(subids) < size + 1:
        return None
    return _Part(*decode_index(subids, IndexType.INET_ADDRESS_MISSING_SIZE))


def _unpadded(index: Index, text: str) -> str:
    """The text of an index, a string without the NULs that fill it up."""
    return text.rstrip("\0") if index.type == IndexType.DISPLAY_STRING else text


def _is_possible(index: Index, part: _Part) -> bool:
    """Whether sub-identifiers that stand for octets are octets."""
    return index.type in OF_SUBIDS or max(part.used, default=0) <= 0xFF
