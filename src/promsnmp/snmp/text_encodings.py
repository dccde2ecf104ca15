"""The character encodings that the texts of a device may have, and how its octets become text.

Accepted are Python's encodings of characters. Its other codecs (rot13, hex, punycode, idna, unicode_escape) are none,
and utf-7 can give text that cannot be written as UTF-8.
"""

from __future__ import annotations

from difflib import get_close_matches
from encodings.aliases import aliases

ENCODINGS = (
    "ascii", "big5", "big5hkscs",
    "cp437", "cp720", "cp737", "cp775", "cp850", "cp852", "cp855", "cp856", "cp857", "cp858", "cp860", "cp861", "cp862",
    "cp863", "cp864", "cp865", "cp866", "cp869", "cp874", "cp932", "cp949", "cp950", "cp1006", "cp1125",
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "euc-jp", "euc-jis-2004", "euc-jisx0213", "euc-kr", "gb18030", "gb2312", "gbk", "hz",
    "iso2022-jp", "iso2022-jp-1", "iso2022-jp-2", "iso2022-jp-2004", "iso2022-jp-3", "iso2022-jp-ext", "iso2022-kr",
    "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9",
    "iso8859-10", "iso8859-11", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16",
    "johab", "koi8-r", "koi8-t", "koi8-u", "kz1048", "latin-1",
    "mac-cyrillic", "mac-greek", "mac-iceland", "mac-latin2", "mac-roman", "mac-turkish", "ptcp154",
    "shift-jis", "shift-jis-2004", "shift-jisx0213", "tis-620",
    "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le", "utf-8", "utf-8-sig",
)  # fmt: skip
"""The names that PromSNMP writes; it reads Python's other names of the same encodings, too."""


def _compact(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


_WRITTEN = {_compact(name): name for name in ENCODINGS}
_NAMES = {
    **{_compact(alias): _WRITTEN[_compact(codec)] for alias, codec in aliases.items() if _compact(codec) in _WRITTEN},
    **_WRITTEN,
    "latin1": "latin-1",
    "iso88591": "latin-1",
}
"""Accepted names without hyphens and the like -> the names that are written. ``codecs.lookup`` is not asked: it
remembers every name that it ever was asked for."""


def read_encoding(text: str) -> str:
    """The name of an encoding as it is written, from any of its names. Raises ValueError with the accepted names."""
    name = _compact(text[:80])
    if (found := _NAMES.get(name)) is not None:
        return found
    similar = get_close_matches(name, _NAMES, 1)
    intended = f"; did you mean {_NAMES[similar[0]]}?" if similar else ""
    raise ValueError(f"{text[:40]!r} is not a character encoding{intended}; use one of: {', '.join(ENCODINGS)}")


LONGEST_TEXT = 255
"""Characters of a DisplayString (RFC 2579)."""


def decode(octets: bytes, encoding: str) -> str:
    """Octets as text, U+FFFD where they are not of this encoding, which is one of ENCODINGS."""
    return octets.decode(encoding, "replace")


def line_of(octets: bytes, encoding: str = "") -> str:
    """Octets as text that is safe to show: one line, no control characters, at most LONGEST_TEXT characters.

    ``encoding`` as for ``decode``; empty: UTF-8.
    """
    text = " ".join(decode(octets, encoding or "utf-8").split())
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST_TEXT]
