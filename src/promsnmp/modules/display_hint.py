"""Shows octets and whole numbers by a DISPLAY-HINT (RFC 2579 section 3.1): ``display_hint`` of snmp.yml.

A hint is a list of octet formats (``2d-1d-1d,1d:1d``) or one integer format (``d-2``). Where a hint does not apply to a
value, both functions return None, and the value is shown as without a hint, as snmp_exporter does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_OCTET_FORMAT = re.compile(r"(\*)?([0-9]+)([xdoat])(?:([^0-9*])(?(1)([^0-9*])?))?", re.DOTALL)
_INTEGER_FORMAT = re.compile(r"d(?:-([0-9]{1,2}))?|[xob]")
_BASES = {"x": "X", "o": "o", "b": "b"}
MAX_TEXT = 1 << 18
"""Maximum octets of a text: a repeat count of 255 for every octet of a value would make megabytes of it."""
MAX_NUMBER = 128
"""Maximum octets of one number in a value."""


@dataclass(frozen=True, slots=True)
class _OctetFormat:
    """One octet format, by the five parts of RFC 2579 section 3.1."""

    repeats: bool
    length: int
    kind: str
    separator: bytes
    terminator: bytes

    @property
    def consumes(self) -> bool:
        """Whether it uses up octets, so that it may be applied until none are left."""
        return self.length > 0 or self.repeats

    def shown(self, octets: bytes) -> bytes | None:
        """The octets of one application; None for a number that is too long."""
        if self.kind in "at":
            return octets
        if self.kind == "x":
            return octets.hex().upper().encode()
        if len(octets) > MAX_NUMBER:
            return None
        return format(int.from_bytes(octets, "big"), self.kind).encode()


@lru_cache(maxsize=1024)
def _octet_formats(hint: str) -> tuple[tuple[_OctetFormat, ...], bool]:
    """The octet formats of a hint, up to the first that is not valid, and whether all are valid."""
    formats: list[_OctetFormat] = []
    at = 0
    while match := _OCTET_FORMAT.match(hint, at):
        star, length, kind, separator, terminator = match.groups()
        size = int(length[:6])  # no value is as long as that
        formats.append(_OctetFormat(bool(star), size, kind, (separator or "").encode(), (terminator or "").encode()))
        at = match.end()
    return tuple(formats), at == len(hint)


def octets_by_hint(hint: str, octets: bytes) -> bytes | None:
    """Octets as text by the octet formats of ``hint``; None when they do not apply.

    The last format is repeated while there are octets left. A separator or terminator is not the last character.
    """
    formats, is_whole = _octet_formats(hint)
    out: list[bytes] = []
    at = which = size = 0
    while at < len(octets):
        if which == len(formats):
            if not formats or not is_whole or not formats[-1].consumes:
                return None
            which -= 1
        at, pieces = _apply(formats[which], octets, at)
        size += sum(map(len, pieces or ()))
        if pieces is None or size > MAX_TEXT:
            return None
        out += pieces
        which += 1
    return b"".join(out) if octets else None


def _apply(octet_format: _OctetFormat, octets: bytes, at: int) -> tuple[int, list[bytes] | None]:
    """Where the octets behind one format begin, and the text of those before; None for a number that is too long."""
    count, pieces = 1, list[bytes]()
    if octet_format.repeats:
        count, at = octets[at], at + 1
    for number in range(count):
        if at >= len(octets):
            break
        text = octet_format.shown(octets[at : at + octet_format.length])
        if text is None:
            return at, None
        pieces.append(text)
        at += octet_format.length
        is_last = bool(octet_format.terminator) and number == count - 1
        if at < len(octets) and not is_last:
            pieces.append(octet_format.separator)
    if at < len(octets):
        pieces.append(octet_format.terminator)
    return at, pieces


def integer_by_hint(hint: str, number: int) -> str | None:
    """A whole number as text by the integer format ``hint``; None when it is not one."""
    match = _INTEGER_FORMAT.fullmatch(hint)
    if match is None:
        return None
    sign = "-" if number < 0 else ""
    if hint[0] in _BASES:
        return f"{sign}{abs(number):{_BASES[hint[0]]}}"
    decimals = int(match[1] or 0)
    digits = str(abs(number)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"


def is_octet_hint(hint: str) -> bool:
    """Whether a hint is a list of octet formats."""
    formats, is_whole = _octet_formats(hint)
    return bool(formats) and is_whole


def is_valid_hint(hint: str) -> bool:
    """Whether a hint has one of the two forms."""
    return bool(_INTEGER_FORMAT.fullmatch(hint)) or is_octet_hint(hint)
