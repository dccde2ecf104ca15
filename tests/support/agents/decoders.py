"""The decoder twice, compiled and as plain Python, with what must hold for any octets: for the tests and the fuzzer."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from promsnmp.snmp import ber, oid
from tests.support.tools import import_uncompiled

COMPILED: ModuleType = ber
PLAIN: ModuleType = import_uncompiled("promsnmp.snmp.ber")
BOTH = (COMPILED, PLAIN)

HEAD = ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public")
TABLE = oid.encode("1.3.6.1.2.1.2.2.1")
COLUMNS = [TABLE + bytes((number,)) for number in (1, 2, 10)]


def column_of(decoder: ModuleType, octets: bytes, skip: int) -> list[object]:
    """All that is read from the octets of a column; Malformed as its class's name."""
    readings: list[Callable[[], object]] = [
        lambda: decoder.numbers(octets, skip, True),
        lambda: decoder.numbers(octets, skip, False),
        lambda: decoder.values(octets, skip),
        lambda: decoder.below(octets, COLUMNS[0]),
        lambda: [tuple(one) for one in decoder.varbinds(octets, 0, len(octets))],
    ]
    found: list[object] = []
    for reading in readings:
        try:
            found.append(reading())
        except decoder.Malformed:
            found.append("Malformed")
    return found


def scan_of(decoder: ModuleType, octets: bytes, start: int, end: int, **options: bool) -> list[object]:
    """All that a scanner makes of varbinds. ``options``: ``walking``, ``ordered``, ``inside`` (start at a column)."""
    scanner = decoder.Scanner(list(COLUMNS))
    scanner.start(COLUMNS[0] if options.get("inside") else TABLE, options.get("ordered", True))
    try:
        verdict = scanner.feed(octets, start, end, options.get("walking", True))
    except decoder.Malformed:
        verdict = "Malformed"
    columns = [scanner.column(at) for at in range(len(COLUMNS))]
    found = [verdict, scanner.last_oid, scanner.offending_oid, scanner.varbind_count, scanner.unclaimed_count, columns]
    if verdict == "Malformed":
        assert scanner.varbind_count == 0
        assert not any(columns)
    for column in columns:
        index, texts, dropped = decoder.numbers(column, len(COLUMNS[0]), True)
        rows, values = decoder.values(column, len(COLUMNS[0]))
        assert len(decoder.suffixes(index)) == len(texts)
        assert len(decoder.suffixes(rows)) == len(values) == len(texts) + dropped
        assert len(decoder.varbinds(column, 0, len(column))) == len(values)
        found += [index, texts, dropped, rows, values]
    return found


def message_of(decoder: ModuleType, datagram: bytes) -> list[object]:
    """All that is read from a v1 or v2c message."""
    try:
        pdu = decoder.read_community_message(datagram, HEAD)
    except decoder.Malformed:
        return ["Malformed"]
    if pdu is None:
        return ["another"]
    assert 0 <= pdu.start <= pdu.end <= len(datagram)
    found: list[object] = [tuple(pdu)]
    for walking, ordered, inside in (
        (True, True, False),
        (True, True, True),
        (True, False, False),
        (False, True, False),
    ):
        options = {"walking": walking, "ordered": ordered, "inside": inside}
        found.append(scan_of(decoder, datagram, pdu.start, pdu.end, **options))
    return found


def agree_on(octets: bytes) -> None:
    """Both decoders read the same from any octets, and raise nothing but Malformed."""
    assert message_of(COMPILED, octets) == message_of(PLAIN, octets)
    for skip in (0, len(COLUMNS[0])):
        assert column_of(COMPILED, octets, skip) == column_of(PLAIN, octets, skip)
    compiled, plain = (scan_of(decoder, octets, 0, len(octets)) for decoder in BOTH)
    assert compiled == plain
