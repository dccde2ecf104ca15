"""Behaviours of a hostile agent: each breaks one rule.

``BEHAVIOURS`` has all of them by name, for parametrised tests; the functions make variants.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from tests.support.agents.hostile import (
    HONEST,
    IF_ENTRY,
    ROWS,
    SYS_DESCR,
    Behaviour,
    Reply,
    Request,
    after,
    honest_objects,
)

IF_ENTRY_OID = oid.encode(IF_ENTRY)
_NAME = oid.encode(f"{IF_ENTRY}.1.1")
_VALUE = b"\x02\x01\x2a"


# ------------------------------------------------------------------------------------------------- whole datagrams


def truncated(size: int) -> Behaviour:
    """The first ``size`` octets of the correct answer."""
    return Behaviour(f"truncated_to_{size}", lambda request: [request.honest[: min(size, len(request.honest) - 1)]])


def _shorter_each_time(request: Request) -> Iterable[bytes]:
    return [request.honest[: -(request.number * 7 + 1)]]


def _cut_inside(request: Request) -> Iterable[bytes]:
    """The outer lengths are correct, those of the last varbind are wrong."""
    pdu = request.honest_pdu
    return [request.response(request.honest[pdu.start : pdu.end - 1])]


def random_octets(seed: int) -> Behaviour:
    """Random datagrams of 0 to 1,500 octets."""
    rng = random.Random(seed)
    return Behaviour(f"random_octets_{seed}", lambda _: [rng.randbytes(rng.randrange(1500))])


def random_sequence(seed: int) -> Behaviour:
    """Random octets in an otherwise valid message and PDU."""
    rng = random.Random(seed)
    return Behaviour(
        f"random_varbinds_{seed}", lambda request: [request.response(rng.randbytes(rng.randrange(1, 300)))]
    )


def flipped_bits(seed: int, count: int = 3) -> Behaviour:
    """The correct answer with some bits flipped."""
    rng = random.Random(seed)

    def answer(request: Request) -> Iterable[bytes]:
        octets = bytearray(request.honest)
        for _ in range(count):
            octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
        return [bytes(octets)]

    return Behaviour(f"flipped_bits_{seed}", answer, is_plausible=True)


def _deep(_: Request) -> Iterable[bytes]:
    nested = b""
    for _level in range(2000):
        nested = ber.tlv(ber.SEQUENCE, nested)
    return [nested]


def _long_lengths(request: Request) -> Iterable[bytes]:
    """Lengths in more octets than needed, which BER allows (X.690 section 8.1.3.5)."""
    start, _ = ber.read(request.honest, 0, len(request.honest), ber.SEQUENCE)
    body = request.honest[start:]
    return [b"\x30\x84" + len(body).to_bytes(4, "big") + body]


def _indefinite_message(request: Request) -> Iterable[bytes]:
    start, _ = ber.read(request.honest, 0, len(request.honest), ber.SEQUENCE)
    return [b"\x30\x80" + request.honest[start:] + b"\x00\x00"]


def _noise_first(request: Request) -> Iterable[bytes]:
    rng = random.Random(request.number)
    return [*(rng.randbytes(rng.randrange(200)) for _ in range(20)), request.honest]


# ------------------------------------------------------------------------------------------------- the wrong envelope


def _with_id(request: Request, request_id: int) -> bytes:
    pdu = request.honest_pdu
    return request.response(request.honest[pdu.start : pdu.end], number=request_id)


def _in_message(request: Request, *, version: int | None = None, community: bytes | None = None) -> bytes:
    pdu = request.honest_pdu
    answer = ber.encode_pdu(ber.RESPONSE, pdu.request_id, pdu.status, pdu.index, request.honest[pdu.start : pdu.end])
    return request.message(answer, version=version, community=community)


def _as_pdu(request: Request, type_: int) -> bytes:
    pdu = request.honest_pdu
    return request.response(request.honest[pdu.start : pdu.end], kind=type_)


def late(seconds: float) -> Behaviour:
    """Delays every answer; an answer after the manager's timeout belongs to an abandoned request."""
    return Behaviour("late", lambda request: [Reply(request.honest, delay=seconds)], is_harmless=True, delay=seconds)


def _late_copies(request: Request) -> Iterable[Reply]:
    return [Reply(request.honest), Reply(request.honest, delay=0.01), Reply(request.honest, delay=0.05)]


def silent_after(requests: int) -> Behaviour:
    """Answers some requests, then falls silent."""
    return replace(after(requests, Behaviour("silent", lambda _: [])), name=f"silent_after_{requests}")


# ---------------------------------------------------------------------------------------------------- wrong varbinds


def _row(name: bytes, value: bytes = b"\x02\x01\x2a") -> bytes:
    return ber.encode_varbind(name, value)


def _endless(request: Request) -> Iterable[bytes]:
    """An endless subtree: one sub-identifier that counts up."""
    subids = oid.decode_subids(request.last)
    grown = subids if len(subids) > 11 else (*subids, 0)
    times = max(request.pdu.index, 1) if request.pdu.type == ber.GET_BULK else 1
    names = [oid.encode_subids((*grown[:-1], grown[-1] + step)) for step in range(1, min(times, 500) + 1)]
    return [request.response(b"".join(map(_row, names)))]


def _exchanged() -> list[bytes]:
    """The objects of HONEST, but in each column of the table row 11 comes before row 10."""
    names = [HONEST.oid(at) for at in range(len(HONEST))]
    for at in [at for at, name in enumerate(names) if name.startswith(IF_ENTRY_OID) and name[-1] == 10]:
        names[at], names[at + 1] = names[at + 1], names[at]
    return names


_ORDER = _exchanged()


def _out_of_order(request: Request) -> Iterable[bytes]:
    """All objects, but in each column row 11 comes before row 10: some devices sort their tables like this."""
    if request.pdu.type == ber.GET:
        return [request.honest]
    last = request.last
    at = _ORDER.index(last) + 1 if last in _ORDER else HONEST.position_after(last)
    names = _ORDER[at : at + (max(request.pdu.index, 1) if request.pdu.type == ber.GET_BULK else 1)]
    rows = [ber.encode_varbind(name, value) for name in names if (value := HONEST.get(name)) is not None]
    return [request.response(b"".join(rows))] if rows else [request.honest]


def _deeper(request: Request) -> Iterable[bytes]:
    """Each OID is one sub-identifier longer than the previous OID."""
    return [request.response(_row(request.last + b"\x01"))]


def _behind(request: Request) -> Iterable[bytes]:
    """Increasing OIDs, all outside of every usual subtree."""
    return [request.response(_row(oid.encode((1, 3, 6, 1, 9, request.number + 1))))]


def _decreasing(request: Request) -> Iterable[bytes]:
    """All rows of a column in reverse order; one at a time for GETNEXT."""
    rows = HONEST.rows(HONEST.position(_NAME), HONEST.position(_NAME) + ROWS, 0.0)[::-1]
    return [request.response(b"".join(rows) if request.pdu.type == ber.GET_BULK else rows[request.number % ROWS])]


def _constant(request: Request) -> Iterable[bytes]:
    """The same object for every request."""
    return [request.response(HONEST.rows(HONEST.position(_NAME), HONEST.position(_NAME) + 1, 0.0)[0])]


def _repeating(request: Request) -> Iterable[bytes]:
    """Returns the requested OID as its own successor."""
    return [request.response(_row(request.last))]


def many_varbinds(size: int = 60_000) -> Behaviour:
    """A column so long that one answer has ``size`` octets: this is allowed, so it must be read."""
    count = size // 22
    objects = {f"{IF_ENTRY}.10.{row}": ber.encode_integer(row, ber.COUNTER32) for row in range(1, count + 1)}
    mib = Mib.of(objects)

    def answer(request: Request) -> Iterable[bytes]:
        if request.pdu.type != ber.GET_BULK:
            return [request.honest]
        at = mib.position_after(request.last)
        rows = mib.rows(at, at + count, 0.0) or [_row(request.last, bytes((ber.END_OF_MIB_VIEW, 0)))]
        return [request.response(b"".join(rows))]

    return Behaviour("many_varbinds", answer, is_harmless=True, mib=mib)


def raw_varbinds(name: str, varbinds: bytes) -> Behaviour:
    """Answers with these octets as the varbinds."""
    return Behaviour(name, lambda request: [request.response(varbinds)])


def value(name: str, encoded: bytes, *, at: str = f"{IF_ENTRY}.10.2", is_valid: bool = False) -> Behaviour:
    """Honest except for the value of one object, which is these octets (tag, length and content)."""
    mib = Mib.of({**honest_objects(), at: encoded})
    return Behaviour(f"value_{name}", lambda request: [request.honest], mib=mib, is_harmless=is_valid)


# ---------------------------------------------------------------------------------------------------- wrong statuses


def status(number: int, index: int = 1) -> Behaviour:
    """Refuses every request with an error-status."""
    return Behaviour(f"status_{number}", lambda request: [request.response(request.echo, status=number, index=index)])


def too_big_above(repetitions: int) -> Behaviour:
    """tooBig until the manager asks for at most this many repetitions; then honest."""

    def answer(request: Request) -> Iterable[bytes]:
        if request.pdu.type == ber.GET_BULK and request.pdu.index > repetitions:
            return [request.response(b"", status=1)]
        return [request.honest]

    return Behaviour(f"too_big_above_{repetitions}", answer, is_harmless=repetitions > 0)


def no_such_name_mid_walk(requests: int = 2) -> Behaviour:
    """v1's end of the MIB (which some v2c agents send, too) before the real end."""
    return after(requests, Behaviour("no_such_name", status(2).answer))


# ------------------------------------------------------------------------------------------------------ all of them


def _named(name: bytes, content: bytes = _VALUE) -> bytes:
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, name) + content)


DATAGRAMS: Sequence[Behaviour] = (
    *(truncated(size) for size in (0, 1, 2, 3, 5, 8, 13, 20, 30, 40, 60)),
    Behaviour("shorter_each_time", _shorter_each_time),
    Behaviour("cut_inside", _cut_inside),
    *(random_octets(seed) for seed in range(3)),
    *(random_sequence(seed) for seed in range(3)),
    *(flipped_bits(seed) for seed in range(3)),
    Behaviour("deeply_nested", _deep),
    Behaviour("length_of_four_gigabytes", lambda r: [b"\x30\x84\xff\xff\xff\xff" + r.honest[2:]]),
    Behaviour("length_of_nine_octets", lambda r: [b"\x30\x89" + bytes(8) + b"\x10" + r.honest[2:]]),
    Behaviour("long_lengths", _long_lengths, is_harmless=True),
    Behaviour("indefinite_message", _indefinite_message),
    Behaviour("trailing_octets", lambda r: [r.honest + b"\x00" * 40], is_plausible=True),
    Behaviour("two_answers_in_one_datagram", lambda r: [r.honest + r.honest], is_plausible=True),
    Behaviour("noise_first", _noise_first, is_harmless=True),
    Behaviour("all_zeros", lambda _: [bytes(500)]),
    Behaviour("text", lambda _: [b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
)
ENVELOPES: Sequence[Behaviour] = (
    Behaviour("silent", lambda _: []),
    silent_after(2),
    Behaviour("wrong_request_id", lambda r: [_with_id(r, (r.pdu.request_id + 1) & 0x7FFFFFFF)]),
    Behaviour("negative_request_id", lambda r: [_with_id(r, ~r.pdu.request_id)]),
    Behaviour("huge_request_id", lambda r: [_with_id(r, r.pdu.request_id + (1 << 32))]),
    Behaviour("wrong_request_id_first", lambda r: [_with_id(r, 1), r.honest], is_harmless=True),
    Behaviour("wrong_source", lambda r: [Reply(r.honest, another=True)]),
    Behaviour("wrong_community", lambda r: [_in_message(r, community=b"private")]),
    Behaviour("empty_community", lambda r: [_in_message(r, community=b"")]),
    Behaviour("wrong_version", lambda r: [_in_message(r, version=1 - r.version)]),
    Behaviour("version_2", lambda r: [_in_message(r, version=2)]),
    Behaviour("version_3", lambda r: [_in_message(r, version=3)]),
    Behaviour("request_sent_back", lambda r: [r.datagram]),
    *(
        Behaviour(f"pdu_type_0x{type_:02x}", lambda r, t=type_: [_as_pdu(r, t)])  # type: ignore[misc]
        for type_ in (ber.GET, ber.GET_NEXT, ber.SET, 0xA4, ber.GET_BULK, 0xA6, 0xA7, ber.REPORT, 0xA9, 0x30, 0x02)
    ),
    Behaviour("twice", lambda r: [r.honest, r.honest], is_harmless=True),
    Behaviour("late_copies", _late_copies, is_harmless=True),
    Behaviour("flood", lambda r: [r.honest, *[_with_id(r, 7)] * 200], is_harmless=True),
    replace(late(0.05), name="slow_drip"),
)
OUT_OF_ORDER = Behaviour("rows_out_of_order", _out_of_order)
VARBINDS: Sequence[Behaviour] = (
    OUT_OF_ORDER,
    Behaviour("constant_oid", _constant),
    Behaviour("repeating_oid", _repeating),
    Behaviour("decreasing_oids", _decreasing),
    Behaviour("endless_in_the_subtree", _endless, is_plausible=True),
    Behaviour("endless_and_deeper", _deeper, is_plausible=True),
    Behaviour("endless_behind_the_subtree", _behind, is_plausible=True),
    many_varbinds(),
    raw_varbinds("no_varbinds", b""),
    raw_varbinds("varbind_without_value", ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, _NAME))),
    raw_varbinds("empty_varbind", b"\x30\x00"),
    raw_varbinds("varbind_with_two_values", _named(_NAME, _VALUE + _VALUE)),
    raw_varbinds("varbind_that_is_no_sequence", b"\x02\x01\x01"),
    raw_varbinds("name_that_is_no_oid", ber.tlv(ber.SEQUENCE, b"\x04\x03abc" + _VALUE)),
    raw_varbinds("empty_oid", _named(b"")),
    raw_varbinds("oid_cut_off", _named(_NAME + b"\x81")),
    raw_varbinds("oid_padded", _named(IF_ENTRY_OID + b"\x01\x80\x01")),
    raw_varbinds("sub_identifier_of_33_bits", _named(IF_ENTRY_OID + b"\x01\x90\x80\x80\x80\x00")),
    raw_varbinds("sub_identifier_of_70_bits", _named(IF_ENTRY_OID + b"\x01" + b"\xff" * 9 + b"\x7f")),
    replace(raw_varbinds("sub_identifiers_129", _named(IF_ENTRY_OID + b"\x01" * 120)), is_plausible=True),
    replace(raw_varbinds("sub_identifiers_20000", _named(IF_ENTRY_OID + b"\x01" * 20_000)), is_plausible=True),
    raw_varbinds("value_cut_off", ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, _NAME) + b"\x04\x05abc")),
)
VALUES: Sequence[Behaviour] = (
    value("of_60_kb", ber.tlv(ber.OCTET_STRING, b"x" * 60_000), at=SYS_DESCR, is_valid=True),
    value("integer_of_no_octets", b"\x02\x00"),
    value("integer_of_9_octets", b"\x02\x09" + b"\x01" * 9),
    value("integer_of_200_octets", ber.tlv(ber.INTEGER, b"\x01" * 200)),
    value("counter32_of_no_octets", b"\x41\x00"),
    value("counter32_of_9_octets", b"\x41\x09" + b"\x7f" * 9),
    value("counter64_of_9_octets_and_leading_zero", b"\x46\x09\x00" + b"\xff" * 8, is_valid=True),
    value("counter64_of_9_octets", b"\x46\x09\x01" + b"\xff" * 8),
    value("counter64_of_12_octets", b"\x46\x0c" + bytes(11) + b"\x01"),
    value("ip_address_of_5_octets", b"\x40\x05\x0a\x00\x00\x01\x02"),
    value("ip_address_of_no_octets", b"\x40\x00"),
    value("opaque_float", bytes.fromhex("44079f780442f60000"), is_valid=True),
    value("opaque_double", bytes.fromhex("440b9f7908405edccccccccccd"), is_valid=True),
    value("opaque_float_too_short", bytes.fromhex("44059f780442f6")),
    value("opaque_of_no_octets", b"\x44\x00"),
    value("null", b"\x05\x00"),
    value("null_with_content", b"\x05\x03abc"),
    value("oid_of_no_octets", b"\x06\x00"),
    value("oid_cut_off", b"\x06\x02\x2b\x86"),
    value("unknown_tag", b"\x5f\x01\x01"),
    value("constructed_string", b"\x24\x03\x04\x01a"),
    value("indefinite_string", b"\x24\x80\x04\x01a\x00\x00"),
    value("no_such_instance", b"\x81\x00"),
    value("end_of_mib_view_too_early", b"\x82\x00"),
)
STATUSES: Sequence[Behaviour] = (
    *(status(number) for number in (1, 2, 3, 4, 5, *range(6, 19), 19, 99, -1, 0x7FFFFFFF)),
    replace(status(5, index=99), name="gen_err_index_99"),
    replace(status(5, index=-1), name="gen_err_index_negative"),
    after(2, status(5)),
    after(2, status(1)),
    no_such_name_mid_walk(),
    too_big_above(0),
    too_big_above(3),
    too_big_above(10),
)
BEHAVIOURS: Sequence[Behaviour] = (*DATAGRAMS, *ENVELOPES, *VARBINDS, *VALUES, *STATUSES)
