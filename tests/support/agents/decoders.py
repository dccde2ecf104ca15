"""Both decoders, compiled and plain Python, with checks that hold for any octets: for the tests and the fuzzer."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from hypothesis import strategies as st

from promsnmp.snmp import ber, oid
from tests.support.tools import import_uncompiled

COMPILED: ModuleType = ber
PLAIN: ModuleType = import_uncompiled("promsnmp.snmp.ber")
DECODERS = (COMPILED, PLAIN)

HEAD = ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public")
TABLE = oid.encode("1.3.6.1.2.1.2.2.1")
COLUMNS = [TABLE + bytes((number,)) for number in (1, 2, 10)]
COLUMN = COLUMNS[0]
SKIP = len(COLUMN)
INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
TAGS = st.sampled_from([2, 4, 5, 6, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x47, 0x80, 0x81, 0x82, 0x5F])
SUFFIXES = st.lists(st.integers(0, oid.MAX_SUBID), min_size=1, max_size=6).map(oid.encode_subids)
ROWS = st.lists(
    st.tuples(st.sampled_from([*COLUMNS, TABLE + b"\x07", b"\x2b\x09"]), SUFFIXES, TAGS, st.binary(max_size=12))
)


def message(pdu: bytes, *, version: bytes = b"\x02\x01\x01", community: bytes = b"\x04\x06public") -> bytes:
    return ber.tlv(ber.SEQUENCE, version + community + pdu)


def row(name: bytes, value: bytes = b"\x02\x01\x2a") -> bytes:
    return ber.encode_varbind(name, value)


def rows(*suffixes: int, column: bytes = COLUMN) -> bytes:
    return b"".join(row(column + oid.encode_subids([suffix]), ber.encode_integer(suffix)) for suffix in suffixes)


def column_of(decoder: ModuleType, octets: bytes, skip: int) -> list[object]:
    """All results of reading the octets of a column; "Malformed" for the exception."""
    readings: list[Callable[[], object]] = [
        lambda: decoder.numbers(octets, skip, True),
        lambda: decoder.numbers(octets, skip, False),
        lambda: decoder.values(octets, skip),
        lambda: decoder.below(octets, COLUMNS[0]),
        lambda: [tuple(varbind) for varbind in decoder.varbinds(octets, 0, len(octets))],
    ]
    results: list[object] = []
    for reading in readings:
        try:
            results.append(reading())
        except decoder.Malformed:
            results.append("Malformed")
    return results


def scan_of(decoder: ModuleType, octets: bytes, start: int, end: int, **options: bool) -> list[object]:
    """The results of a scanner. ``options``: ``walking``, ``ordered``, ``inside`` (start at a column)."""
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(COLUMNS[0] if options.get("inside") else TABLE, options.get("ordered", True))
    try:
        verdict = scanner.feed(octets, start, end, options.get("walking", True))
    except decoder.Malformed:
        verdict = "Malformed"
    columns = [scanner.column(at) for at in range(len(COLUMNS))]
    results = [
        verdict,
        scanner.last_oid,
        scanner.offending_oid,
        scanner.varbind_count,
        scanner.unclaimed_count,
        columns,
    ]
    if verdict == "Malformed":
        assert scanner.varbind_count == 0
        assert not any(columns)
    for column in columns:
        index, texts, dropped = decoder.numbers(column, len(COLUMNS[0]), True)
        rows, values = decoder.values(column, len(COLUMNS[0]))
        assert len(decoder.suffixes(index)) == len(texts)
        assert len(decoder.suffixes(rows)) == len(values) == len(texts) + dropped
        assert len(decoder.varbinds(column, 0, len(column))) == len(values)
        results += [index, texts, dropped, rows, values]
    return results


def message_of(decoder: ModuleType, datagram: bytes) -> list[object]:
    """All results of reading a v1 or v2c message."""
    try:
        pdu = decoder.read_community_message(datagram, HEAD)
    except decoder.Malformed:
        return ["Malformed"]
    if pdu is None:
        return ["another"]
    assert 0 <= pdu.start <= pdu.end <= len(datagram)
    results: list[object] = [tuple(pdu)]
    for walking, ordered, inside in (
        (True, True, False),
        (True, True, True),
        (True, False, False),
        (False, True, False),
    ):
        options = {"walking": walking, "ordered": ordered, "inside": inside}
        results.append(scan_of(decoder, datagram, pdu.start, pdu.end, **options))
    return results


def check_decoders_agree(octets: bytes) -> None:
    """Checks that both decoders read the same from the octets, and raise nothing but Malformed."""
    assert message_of(COMPILED, octets) == message_of(PLAIN, octets)
    for skip in (0, len(COLUMNS[0])):
        assert column_of(COMPILED, octets, skip) == column_of(PLAIN, octets, skip)
    compiled, plain = (scan_of(decoder, octets, 0, len(octets)) for decoder in DECODERS)
    assert compiled == plain
