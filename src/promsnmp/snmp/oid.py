"""Object identifiers: dotted text outside, BER content octets inside.

Inside the engine an OID is the content octets of its BER encoding (X.690 section 8.19) as ``bytes``. Sub-identifiers
delimit themselves, so ``b.startswith(a)`` says exactly whether ``b`` lies under ``a``.
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_SUBID = 0xFFFFFFFF  # RFC 2578 section 3.5: 2^32-1
MAX_SUBIDS = 128  # RFC 2578 section 3.5


def parse(text: str) -> tuple[int, ...]:
    """The sub-identifiers of dotted ``text``; a leading dot is allowed.

    Raises ValueError, which names the text, when it is not a numeric OID (RFC 2578 section 3.5).
    """
    body = text.removeprefix(".")
    parts = body.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{text!r} is not an OID: write numbers with dots between them, such as 1.3.6.1.2.1.1")
    subids = tuple(int(part[:20]) for part in parts)  # Python refuses to read numbers of thousands of digits
    if len(subids) > MAX_SUBIDS or max(subids) > MAX_SUBID or max(map(len, parts)) > 20:
        raise ValueError(f"{text!r} is not an OID: at most {MAX_SUBIDS} numbers, none above {MAX_SUBID}")
    return subids


def encode_subids(subids: Iterable[int]) -> bytes:
    """Base-128 octets of the sub-identifiers, as in an OID after its first two."""
    out = bytearray()
    for value in subids:
        if value < 0x80:
            out.append(value)
            continue
        chunk = [value & 0x7F]
        value >>= 7
        while value:
            chunk.append(value & 0x7F | 0x80)
            value >>= 7
        out += bytes(reversed(chunk))
    return bytes(out)


def decode_subids(octets: bytes) -> tuple[int, ...]:
    """The sub-identifiers of base-128 ``octets``; the reverse of ``encode_subids``."""
    out: list[int] = []
    value = 0
    for octet in octets:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            out.append(value)
            value = 0
    return tuple(out)


def encode(text: str | tuple[int, ...]) -> bytes:
    """BER content octets of an OID given as dotted text or sub-identifiers.

    BER joins the first two sub-identifiers, so ``1`` alone has no octets: it means the root of all MIBs and gives
    ``b""``, which is a prefix of every OID. Raises ValueError for any other single sub-identifier, and when
    the first two are out of range.
    """
    subids = parse(text) if isinstance(text, str) else text
    if subids == (1,):
        return b""
    if len(subids) < 2:
        raise ValueError(f"{text!r} is not an OID that SNMP can ask for: write at least two numbers, such as 1.3")
    first, second = subids[0], subids[1]
    if first > 2 or (first < 2 and second > 39):
        raise ValueError(f"{text!r} is not an OID: it starts with 0, 1 or 2, and 0 and 1 are followed by 0 to 39")
    return encode_subids((first * 40 + second, *subids[2:]))


def decode(octets: bytes) -> tuple[int, ...]:
    """The sub-identifiers of BER content ``octets``; empty for empty octets."""
    subids = decode_subids(octets)
    if not subids:
        return ()
    first = min(subids[0] // 40, 2)
    return (first, subids[0] - first * 40, *subids[1:])


def to_text(octets: bytes) -> str:
    """Dotted text of BER content ``octets``, without a leading dot."""
    return ".".join(map(str, decode(octets)))
