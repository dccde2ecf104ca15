# cython: language_level=3, boundscheck=True, wraparound=False, cdivision=True, embedsignature=True
"""BER encoding and decoding for SNMP (X.690 as RFC 3417 section 8 restricts it): the one hot file of the engine.

Every datagram of every device passes through here, so Cython compiles the file; it is also plain Python and runs
uncompiled. It does not trust its input: it checks each length against the available octets before using it, and every
error is ``Malformed``.

The hot path makes no Python object per varbind. ``Scanner`` checks a response's varbinds and keeps, for each wanted
column, *segments*: slices of the datagram that hold consecutive varbinds of that column as they came. ``numbers`` and
``values`` then turn a column (its segments joined) into one *index* for all its rows and a list of values. The index is
``bytes``: for each row two octets of length and the row's OID suffix; columns of one table that have the same rows have
equal indexes, which is how labels are found without looking at rows.
"""

from __future__ import annotations

import struct
import time
from typing import NamedTuple

try:
    import cython
except ImportError:
    from promsnmp import uncompiled as cython  # type: ignore[no-redef]  # the same names

if cython.compiled:
    from cython.cimports.libc.string import memcmp, memcpy  # type: ignore[import-untyped]  # Cython's own

COMPILED: bool = cython.compiled

# Tags: X.690 and RFC 2578 section 7.1, RFC 3416 section 3.
INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIME_TICKS = 0x43
OPAQUE = 0x44
NSAP_ADDRESS = 0x45
COUNTER64 = 0x46
UINTEGER32 = 0x47
NO_SUCH_OBJECT = 0x80
NO_SUCH_INSTANCE = 0x81
END_OF_MIB_VIEW = 0x82

GET = 0xA0
GET_NEXT = 0xA1
RESPONSE = 0xA2
SET = 0xA3
GET_BULK = 0xA5
REPORT = 0xA8

# What Scanner.feed returns for a response.
MORE = 0
"""All varbinds lay in the subtree: continue from ``Scanner.last``."""
DONE = 1
"""A varbind lay after the subtree, or the MIB ended."""
LOOP = 2
"""An OID did not increase: it is ``Scanner.offender``, and ``Scanner.relax`` accepts the varbinds from it on."""
EMPTY = 3
"""The response carried no varbind at all."""

# The same tags as C integers, for the two hot loops: a module's global costs a dictionary look-up, these cost nothing.
_INTEGER = cython.declare(cython.Py_ssize_t, 0x02)
_OBJECT_IDENTIFIER = cython.declare(cython.Py_ssize_t, 0x06)
_SEQUENCE = cython.declare(cython.Py_ssize_t, 0x30)
_RESPONSE = cython.declare(cython.Py_ssize_t, 0xA2)
_COUNTER32 = cython.declare(cython.Py_ssize_t, 0x41)
_TIME_TICKS = cython.declare(cython.Py_ssize_t, 0x43)
_OPAQUE = cython.declare(cython.Py_ssize_t, 0x44)
_COUNTER64 = cython.declare(cython.Py_ssize_t, 0x46)
_UINTEGER32 = cython.declare(cython.Py_ssize_t, 0x47)
_FIRST_EXCEPTION = cython.declare(cython.Py_ssize_t, 0x80)
_LAST_EXCEPTION = cython.declare(cython.Py_ssize_t, 0x82)


_SEGMENT_OVERHEAD = 48
"""Octets of memory of a ``bytes`` object besides its content, and of its place in a list."""
_PAIRS = cython.declare(bytes, b"".join(b"%02d" % pair for pair in range(100)))
"""The digits of the numbers below 100: two at a time are faster."""
_MOST_DIGITS = cython.declare(cython.Py_ssize_t, 32)
"""No number has more characters."""

PIECE = 256 * 1024
"""Octets of a column that are decoded at once: a few milliseconds."""


class Malformed(ValueError):
    """Invalid octets. The session turns this into ``errors.MalformedMessage`` with the target."""


class VarBind(NamedTuple):
    """One variable binding: OID (BER content octets), value's tag, value's content octets."""

    oid: bytes
    tag: int
    value: bytes


class Pdu(NamedTuple):
    """A PDU's fields and where its varbinds lie in the buffer (RFC 3416 section 3).

    For GetBulk ``status`` is non-repeaters and ``index`` is max-repetitions.
    """

    type: int
    request_id: int
    status: int
    index: int  # type: ignore[assignment]  # the RFC's name; tuple.index is not needed
    start: int
    end: int


# ---------------------------------------------------------------------------------------------------------- encoding


def tlv(tag: int, content: bytes) -> bytes:
    """One tag-length-value triple, definite length in the shortest form."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    if size < 0x10000:
        return bytes((tag, 0x82, size >> 8, size & 0xFF)) + content
    return bytes((tag, 0x84)) + size.to_bytes(4, "big") + content


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    """A signed integer in the fewest octets (X.690 section 8.3); correct for the unsigned types, too."""
    size = (value + (value < 0)).bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def encode_varbind(oid: bytes, value: bytes = b"\x05\x00") -> bytes:
    """A varbind of an OID (content octets) and an encoded value, NULL by default."""
    return tlv(SEQUENCE, tlv(OBJECT_IDENTIFIER, oid) + value)


def encode_pdu(pdu_type: int, request_id: int, status: int, index: int, varbinds: bytes) -> bytes:
    """A whole PDU; ``varbinds`` are the encoded varbinds one after the other."""
    head = encode_integer(request_id) + encode_integer(status) + encode_integer(index)
    return tlv(pdu_type, head + tlv(SEQUENCE, varbinds))


@cython.cfunc
def _put_integer(out: cython.p_uchar, at: cython.Py_ssize_t, value: cython.longlong) -> cython.Py_ssize_t:
    """Writes a non-negative INTEGER below 2^31 so that it ends before ``at``; returns where it starts."""
    size: cython.Py_ssize_t = 0
    while True:
        at -= 1
        size += 1
        out[at] = value & 0xFF
        value >>= 8
        if value == 0:
            break
    if out[at] >= 0x80:
        at -= 1
        size += 1
        out[at] = 0
    out[at - 1] = size
    out[at - 2] = _INTEGER
    return at - 2


@cython.cfunc
def _put_header(
    out: cython.p_uchar, at: cython.Py_ssize_t, end: cython.Py_ssize_t, tag: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Writes tag and length of the content ``out[at:end]`` before it; returns where the tag is."""
    size: cython.Py_ssize_t = end - at
    if size >= 0x80:
        if size >= 0x100:
            out[at - 1] = size & 0xFF
            out[at - 2] = size >> 8
            out[at - 3] = 0x82
            at -= 3
        else:
            out[at - 1] = size
            out[at - 2] = 0x81
            at -= 2
    else:
        at -= 1
        out[at] = size
    out[at - 1] = tag
    return at - 1


def encode_request(pdu_type: int, request_id: int, status: int, index: int, oid: bytes) -> bytes:
    """A PDU with one varbind of ``oid`` and NULL: what a walk sends for every packet.

    Raises ValueError unless the numbers are 0 to 2^31-1 and the OID is shorter than 60,000 octets.
    """
    if not (0 <= request_id <= 0x7FFFFFFF and 0 <= status <= 0x7FFFFFFF and 0 <= index <= 0x7FFFFFFF):
        raise ValueError("a number of a request is not between 0 and 2^31-1")
    if len(oid) > 60_000:
        raise ValueError("an OID is too long for a datagram")
    size: cython.Py_ssize_t = len(oid)
    room: cython.Py_ssize_t = size + 48  # headers of up to 4 octets and three integers of up to 7
    buffer = bytearray(room)
    out: cython.p_uchar = buffer
    name: cython.p_uchar = oid
    at: cython.Py_ssize_t = room - 2 - size
    here: cython.Py_ssize_t
    out[room - 2] = 0x05
    out[room - 1] = 0
    for here in range(size):
        out[at + here] = name[here]
    at = _put_header(out, at, room - 2, 0x06)
    at = _put_header(out, at, room, 0x30)
    at = _put_header(out, at, room, 0x30)
    at = _put_integer(out, at, index)
    at = _put_integer(out, at, status)
    at = _put_integer(out, at, request_id)
    at = _put_header(out, at, room, pdu_type)
    return bytes(buffer[at:])


# ---------------------------------------------------------------------------------------------------------- decoding


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _content(data: cython.p_uchar, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the content of the TLV at ``pos`` starts. Raises unless its tag and length lie before ``end``."""
    octet: cython.Py_ssize_t
    if end - pos < 2:
        raise Malformed("a value is cut off")
    octet = data[pos + 1]
    if octet < 0x80:
        return pos + 2
    if octet == 0x80 or octet > 0x84:
        raise Malformed("a length is indefinite or longer than four octets")
    if end - pos < 2 + (octet & 0x7F):
        raise Malformed("a length is cut off")
    return pos + 2 + (octet & 0x7F)


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _stop(
    data: cython.p_uchar, pos: cython.Py_ssize_t, start: cython.Py_ssize_t, end: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the TLV at ``pos`` ends, whose content starts at ``start`` (by ``_content``). Raises if behind ``end``."""
    size: cython.Py_ssize_t
    at: cython.Py_ssize_t
    size = data[pos + 1]
    if size >= 0x80:
        size = 0
        for at in range(pos + 2, start):
            size = size << 8 | data[at]
    if size > end - start:
        raise Malformed("a value is longer than what holds it")
    return start + size


@cython.cfunc
@cython.exceptval(check=True)
def _signed(data: cython.p_uchar, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
    """The two's complement integer of 1 to 8 octets at ``data[start:end]``."""
    value: cython.longlong
    at: cython.Py_ssize_t
    if start == end or end - start > 8:
        raise Malformed(f"an INTEGER has {end - start} octets")
    value = data[start]
    if value >= 0x80:
        value -= 0x100
    for at in range(start + 1, end):
        value = value * 256 + data[at]
    return value


def read(data: bytes, pos: int, end: int, tag: int) -> tuple[int, int]:
    """Start and end of the content of the TLV at ``pos``, which must have ``tag`` and lie before ``end``.

    Raises Malformed.
    """
    if end > len(data) or pos < 0:
        raise Malformed("a value is cut off")
    start = _content(data, pos, end)
    if data[pos] != tag:
        raise Malformed(f"tag 0x{data[pos]:02x} stands where 0x{tag:02x} must")
    return start, _stop(data, pos, start, end)


def read_any(data: bytes, pos: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the TLV at ``pos``. Raises Malformed."""
    if end > len(data) or pos < 0:
        raise Malformed("a value is cut off")
    start = _content(data, pos, end)
    return data[pos], start, _stop(data, pos, start, end)


def read_integer(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """The INTEGER at ``pos`` and where it ends. Raises Malformed."""
    start, stop = read(data, pos, end, INTEGER)
    return _signed(data, start, stop), stop


def read_pdu(data: bytes, pos: int, end: int) -> Pdu:
    """The PDU at ``pos`` (not Trap-PDU, whose layout differs). Raises Malformed."""
    if pos < 0 or end > len(data):
        raise Malformed("a PDU is cut off")
    return _read_pdu(data, pos, end)


@cython.cfunc
def _read_pdu(data: bytes, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> object:
    octets: cython.p_uchar = data
    at: cython.Py_ssize_t = _content(octets, pos, end)
    stop: cython.Py_ssize_t = _stop(octets, pos, at, end)
    start: cython.Py_ssize_t
    tag: cython.Py_ssize_t = octets[pos]
    request_id: cython.longlong
    status: cython.longlong
    index: cython.longlong
    if tag & 0xE0 != 0xA0 or tag == 0xA4:
        raise Malformed(f"tag 0x{tag:02x} is not one of a PDU")
    start = _integer(octets, at, stop)
    at = _stop(octets, at, start, stop)
    request_id = _signed(octets, start, at)
    start = _integer(octets, at, stop)
    status = _signed(octets, start, _stop(octets, at, start, stop))
    at = _stop(octets, at, start, stop)
    start = _integer(octets, at, stop)
    index = _signed(octets, start, _stop(octets, at, start, stop))
    at = _stop(octets, at, start, stop)
    start = _content(octets, at, stop)
    if octets[at] != _SEQUENCE:
        raise Malformed("the varbinds are not a sequence")
    return Pdu(tag, request_id, status, index, start, _stop(octets, at, start, stop))


@cython.cfunc
@cython.exceptval(-1)
def _integer(data: cython.p_uchar, pos: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the content of the INTEGER at ``pos`` starts."""
    start: cython.Py_ssize_t = _content(data, pos, end)
    if data[pos] != _INTEGER:
        raise Malformed("an INTEGER is missing")
    return start


def read_community_message(data: bytes, head: bytes) -> Pdu | None:
    """The PDU of a v1 or v2c message (RFC 1157 section 4, RFC 1901 section 3), None when version or community differ.

    ``head`` is the encoded version and community of our requests; an answer in the shortest form has the same octets.
    Raises Malformed.
    """
    octets: cython.p_uchar = data
    size: cython.Py_ssize_t = len(data)
    start: cython.Py_ssize_t = _content(octets, 0, size)
    stop: cython.Py_ssize_t = _stop(octets, 0, start, size)
    at: cython.Py_ssize_t = start + len(head)
    if octets[0] != _SEQUENCE:
        raise Malformed("it does not start with a sequence")
    if _starts_with(octets, start, stop, head, len(head)):
        return _read_pdu(data, at, stop)
    if not _same_head(data, start, stop, head):
        return None
    _, at = read_integer(data, start, stop)
    _, at = read(data, at, stop, OCTET_STRING)
    return _read_pdu(data, at, stop)


def _same_head(data: bytes, start: int, stop: int, head: bytes) -> bool:
    """Whether version and community equal those of ``head``, however their lengths are written."""
    version, at = read_integer(data, start, stop)
    name, end = read(data, at, stop, OCTET_STRING)
    our_version, at = read_integer(head, 0, len(head))
    our_name, our_end = read(head, at, len(head), OCTET_STRING)
    return version == our_version and data[name:end] == head[our_name:our_end]


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _check_subids(data: cython.p_uchar, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.bint:
    """Raises unless ``data[start:stop]`` are whole sub-identifiers, each of at most 32 bits in the shortest form."""
    at: cython.Py_ssize_t
    first: cython.Py_ssize_t = start
    for at in range(start, stop):
        if data[at] < 0x80:
            if at > first:
                if at - first > 4 or (at - first == 4 and data[first] > 0x8F):
                    raise Malformed("a sub-identifier is larger than 32 bits")
                if data[first] == 0x80:
                    raise Malformed("a sub-identifier has leading zeros")
            first = at + 1
    if first != stop:
        raise Malformed("an OID is cut off")
    return True


@cython.cfunc
@cython.exceptval(-1)
def _check_size(data: cython.p_uchar, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.bint:
    """Raises when the OID ``data[start:stop]`` has more than 128 sub-identifiers (RFC 2578 section 3.5).

    X.690 section 8.19.4 joins the first two, so an OID of up to 127 octets is never that long.
    """
    at: cython.Py_ssize_t
    count: cython.Py_ssize_t = 1
    for at in range(start, stop):
        count += data[at] < 0x80
    if count > 128:
        raise Malformed("an OID has more than 128 sub-identifiers")
    return True


def oid_is_valid(content: bytes) -> bool:
    """Whether the content octets of an OBJECT IDENTIFIER are one (X.690 section 8.19, RFC 2578 section 3.5)."""
    try:
        return _check_subids(content, 0, len(content)) and _check_size(content, 0, len(content))
    except Malformed:
        return False


def varbinds(data: bytes, start: int, end: int) -> list[VarBind]:
    """All varbinds at ``data[start:end]``. Raises Malformed."""
    out: list[VarBind] = []
    pos = start
    while pos < end:
        inner, stop = read(data, pos, end, SEQUENCE)
        oid_start, oid_end = read(data, inner, stop, OBJECT_IDENTIFIER)
        tag, value_start, value_end = read_any(data, oid_end, stop)
        if value_end != stop:
            raise Malformed("a varbind holds more than a name and a value")
        if oid_start == oid_end:
            raise Malformed("an OID is empty")
        _check_subids(data, oid_start, oid_end)
        _check_size(data, oid_start, oid_end)
        out.append(VarBind(data[oid_start:oid_end], tag, data[value_start:value_end]))
        pos = stop
    return out


@cython.cfunc
@cython.inline
def _follows(
    data: cython.p_uchar,
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    other: cython.p_uchar,
    other_start: cython.Py_ssize_t,
    other_stop: cython.Py_ssize_t,
) -> cython.bint:
    """Whether the OID ``data[start:stop]`` is greater than ``other[...]`` (RFC 3416 section 4.2.2: by sub-identifier).

    Both in the shortest form, where the sub-identifier with more octets is the larger.
    """
    size: cython.Py_ssize_t = stop - start
    other_size: cython.Py_ssize_t = other_stop - other_start
    at: cython.Py_ssize_t = 0
    here: cython.Py_ssize_t
    there: cython.Py_ssize_t
    while at < size and at < other_size and data[start + at] == other[other_start + at]:
        at += 1
    if at == size:
        return False
    if at == other_size:
        return True
    here = at
    while data[start + here] >= 0x80:
        here += 1
    there = at
    while other[other_start + there] >= 0x80:
        there += 1
    if here != there:
        return here > there
    return data[start + at] > other[other_start + at]


def oid_follows(oid: bytes, last: bytes) -> bool:
    """Whether ``oid`` comes after ``last`` in the MIB; both valid content octets."""
    return bool(_follows(oid, 0, len(oid), last, 0, len(last)))


@cython.cfunc
@cython.inline
def _starts_with(
    data: cython.p_uchar,
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    prefix: cython.p_uchar,
    size: cython.Py_ssize_t,
) -> cython.bint:
    """Whether ``data[start:stop]`` starts with the ``size`` octets of ``prefix``.

    Compared from the prefix's end, where siblings differ.
    """
    at: cython.Py_ssize_t = size
    if stop - start < at:
        return False
    while at > 0:
        at -= 1
        if data[start + at] != prefix[at]:
            return False
    return True


@cython.cclass
class Scanner:
    """Reads the responses of one walk (or of GETs), keeps what belongs to ``columns``, and returns how to continue.

    ``columns`` are OIDs as content octets, none a prefix of another. After a ``feed``: ``segments[i]`` are slices of
    datagrams with varbinds of ``columns[i]``, ``rows[i]`` is their number, ``last`` is the last OID seen in the
    subtree, ``offender`` the OID that did not increase, ``count`` the number of varbinds so far, ``unclaimed`` how many
    of them no column took, ``kept`` the memory that the segments take (octets), and ``longest`` the most rows of a
    column of the subtree.
    """

    root: bytes
    last: bytes
    offender: bytes
    offence: cython.Py_ssize_t
    columns: list
    segments: list
    rows: list
    count: cython.Py_ssize_t
    unclaimed: cython.Py_ssize_t
    kept: cython.Py_ssize_t
    longest: cython.Py_ssize_t
    ordered: cython.bint
    _repeating: set
    _by_prefix: dict
    _sizes: list
    _current: cython.Py_ssize_t

    def __init__(self, columns: list[bytes]) -> None:
        self.columns = columns
        self.segments = [[] for _ in columns]
        self.rows = [0] * len(columns)
        self.count = 0
        self.unclaimed = 0
        self.kept = 0
        self.longest = 0
        self._repeating = set()
        self._by_prefix = {column: at for at, column in enumerate(columns)}
        self._sizes = sorted({len(column) for column in columns})
        self._current = -1
        self.start(b"", True)

    def start(self, root: bytes, ordered: bool) -> None:
        """Begins the walk of a subtree; keeps what was collected. ``ordered``: OIDs must increase."""
        self.root = root
        self.last = root
        self.offender = b""
        self.offence = 0
        self.ordered = ordered
        self.longest = 0

    @property
    def last_oid(self) -> bytes:
        """The OID from which the next GETNEXT or GETBULK continues."""
        return self.last

    @property
    def offending_oid(self) -> bytes:
        """The OID that did not increase, after LOOP."""
        return self.offender

    @property
    def varbind_count(self) -> int:
        """Varbinds accepted so far."""
        return self.count

    @property
    def unclaimed_count(self) -> int:
        """Varbinds accepted so far that no column took."""
        return self.unclaimed

    @property
    def kept_octets(self) -> int:
        """Octets of memory that the varbinds kept so far take."""
        return self.kept

    def exceeds(self, varbinds: int, octets: int, rows: int) -> int:
        """Which of these limits is exceeded: 0 for none, else 1, 2 or 3. ``rows`` is for one column of the subtree."""
        if self.count > varbinds:
            return 1
        if self.kept > octets:
            return 2
        return 3 if self.longest > rows else 0

    def column(self, at: int) -> bytes:
        """All varbinds of ``columns[at]``, encoded one after the other, as they came."""
        octets = b"".join(self.segments[at])
        if at in self._repeating:
            self._repeating.discard(at)
            octets = _unique(octets)
            self.segments[at] = [octets]
        return octets

    def take(self, at: int) -> bytes:
        """Like ``column``, and removes them."""
        octets = self.column(at)
        self.kept -= sum([len(segment) + _SEGMENT_OVERHEAD for segment in self.segments[at]])
        self.segments[at] = []
        self.rows[at] = 0
        return octets

    def drop(self, at: int) -> None:
        """Frees the varbinds of ``columns[at]``; the counts stay."""
        self.segments[at] = []

    def relax(self, data: bytes, end: int) -> int:
        """After a LOOP of the response ``data[...:end]``: accepts any order in the rest, and until the next ``start``.

        Returns as ``feed``, but not LOOP.
        """
        self.ordered = False
        return self.feed(data, self.offence, end)

    def unify(self) -> None:
        """Keeps one varbind per OID in the columns that the subtree touches: the last, at the place of the first.

        That happens when a column is read, because it takes long for a large one.
        """
        for at, column in enumerate(self.columns):
            if column.startswith(self.root) or self.root.startswith(column):
                self._repeating.add(at)

    @cython.cfunc
    def _find(self, oid: bytes) -> cython.Py_ssize_t:
        """The column that takes ``oid``; -1 when none does."""
        for size in self._sizes:
            at = self._by_prefix.get(oid[:size])
            if at is not None:
                return at
        return -1

    def take_answer(self, message: bytes, head: bytes, request_id: int, before: bytes) -> bool:
        """Takes the answer to the request of a walk when it needs no decision; else returns False and keeps nothing.

        It needs none when the message begins with ``head`` (version and community, both in the shortest form), is the
        Response-PDU of ``request_id`` with noError, and ``feed`` would return MORE, with a last OID that comes before
        ``before`` (if not empty). What is malformed needs one, too.
        """
        octets: cython.p_uchar = message
        stop: cython.Py_ssize_t = len(message)
        at: cython.Py_ssize_t = 0
        start: cython.Py_ssize_t
        field: cython.Py_ssize_t
        wanted: cython.longlong = request_id
        number: cython.longlong
        try:
            start = _content(octets, 0, stop)
            stop = _stop(octets, 0, start, stop)
            at = start + len(head)
            if octets[0] != _SEQUENCE or not _starts_with(octets, start, stop, head, len(head)):
                return False
            start = _content(octets, at, stop)
            stop = _stop(octets, at, start, stop)
            if octets[at] != _RESPONSE:
                return False
            at = start
            for field in range(3):  # request-id, error-status, error-index
                start = _integer(octets, at, stop)
                at = _stop(octets, at, start, stop)
                number = _signed(octets, start, at)
                if (field == 0 and number != wanted) or (field == 1 and number != 0):
                    return False
            start = _content(octets, at, stop)
            if octets[at] != _SEQUENCE:
                return False
            return self._feed(message, start, _stop(octets, at, start, stop), True, True, before) == MORE
        except Malformed:
            return False

    def feed(self, data: bytes, pos: int, end: int, walking: bool = True) -> int:
        """Takes the varbinds at ``data[pos:end]``; returns MORE, DONE, LOOP or EMPTY.

        With ``walking`` false the varbinds answer a GET: order and subtree do not matter. An exception (RFC 3416
        section 3: noSuchObject and its like) means that there is no value. endOfMibView ends a walk, and so do the two
        others, which are invalid in a walk, unless they stand for a row of the subtree that comes next. Raises
        Malformed, and then keeps nothing of this response.
        """
        return self._feed(data, pos, end, walking, False, b"")

    @cython.cfunc
    @cython.exceptval(-1)
    def _feed(
        self,
        data: bytes,
        pos: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        walking: cython.bint,
        only_more: cython.bint,
        before: bytes,
    ) -> cython.Py_ssize_t:
        """As ``feed``. With ``only_more``, keeps nothing unless it returns MORE and the last OID comes before
        ``before`` (if not empty); EMPTY stands for one that does not."""
        octets: cython.p_uchar = data
        at: cython.Py_ssize_t = pos
        limit: cython.Py_ssize_t = end
        inner: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        oid_start: cython.Py_ssize_t
        oid_stop: cython.Py_ssize_t
        run: cython.Py_ssize_t = at  # where the current run of varbinds of one column starts
        last_oid: bytes = self.last
        root_oid: bytes = self.root
        last: cython.p_uchar = last_oid
        root: cython.p_uchar = root_oid
        root_size: cython.Py_ssize_t = len(root_oid)
        last_start: cython.Py_ssize_t = 0
        last_stop: cython.Py_ssize_t = len(last_oid)
        current: cython.Py_ssize_t = -1  # the column of the run, -1 for none
        column: bytes = b""
        prefix: cython.p_uchar = column
        prefix_size: cython.Py_ssize_t = 0
        known: cython.Py_ssize_t  # how many octets of the OID are known to be those of the OID before
        tag: cython.Py_ssize_t
        moved: cython.bint = False  # whether ``last`` lies in this response
        count: cython.Py_ssize_t = 0
        counted: cython.Py_ssize_t = 0  # of them, those before the current run
        unclaimed: cython.Py_ssize_t = 0
        is_walk: cython.bint = walking
        is_ordered: cython.bint = walking and self.ordered
        verdict: cython.Py_ssize_t = MORE
        runs: list = []

        if limit > len(data) or at < 0:
            raise Malformed("the varbinds are cut off")
        if at >= limit:
            return EMPTY
        while at < limit:
            inner = _content(octets, at, limit)
            stop = _stop(octets, at, inner, limit)
            oid_start = _content(octets, inner, stop)
            oid_stop = _stop(octets, inner, oid_start, stop)
            if octets[at] != _SEQUENCE or octets[inner] != _OBJECT_IDENTIFIER:
                raise Malformed("a varbind is not a sequence of a name and a value")
            if oid_start == oid_stop:
                raise Malformed("an OID is empty")
            if _stop(octets, oid_stop, _content(octets, oid_stop, stop), stop) != stop:
                raise Malformed("a varbind holds more than a name and a value")
            known = 0
            if current >= 0 and _starts_with(octets, oid_start, oid_stop, prefix, prefix_size):
                known = prefix_size
            _check_subids(octets, oid_start + known, oid_stop)
            if oid_stop - oid_start > 127:
                _check_size(octets, oid_start, oid_stop)
            tag = octets[oid_stop]
            if _FIRST_EXCEPTION <= tag <= _LAST_EXCEPTION:
                if is_walk and (
                    tag == _LAST_EXCEPTION
                    or not _starts_with(octets, oid_start, oid_stop, root, root_size)
                    or not _follows(octets, oid_start + known, oid_stop, last, last_start + known, last_stop)
                ):
                    verdict = DONE
                    break
                if current >= 0:
                    runs.append((current, data[run:at], count - counted))
                    current = -1
                last = octets
                last_start = oid_start
                last_stop = oid_stop
                moved = True
                at = stop
                continue
            if is_walk and known < root_size and not _starts_with(octets, oid_start, oid_stop, root, root_size):
                verdict = DONE
                break
            if is_ordered and not _follows(octets, oid_start + known, oid_stop, last, last_start + known, last_stop):
                self.offender = data[oid_start:oid_stop]
                self.offence = at
                verdict = LOOP
                break
            last = octets
            last_start = oid_start
            last_stop = oid_stop
            moved = True
            count += 1
            if known == 0:
                if current >= 0:
                    runs.append((current, data[run:at], count - counted - 1))
                run = at
                counted = count - 1
                current = self._find(data[oid_start:oid_stop])
                if current >= 0:
                    column = self.columns[current]
                    prefix = column
                    prefix_size = len(column)
                else:
                    unclaimed += 1
            at = stop
        if current >= 0:
            runs.append((current, data[run:at], count - counted))
        if only_more:
            if verdict != MORE:
                return verdict
            if before and not _follows(before, 0, len(before), last, last_start, last_stop):
                return EMPTY
        for current, segment, known in runs:
            self.segments[current].append(segment)
            self.kept += len(segment) + _SEGMENT_OVERHEAD
            known += self.rows[current]
            self.rows[current] = known
            if known > self.longest:
                self.longest = known
        self.count += count
        self.unclaimed += unclaimed
        if moved:
            self.last = data[last_start:last_stop]
        return verdict


# ------------------------------------------------------------------------------------------------------ reading columns


@cython.cfunc
@cython.inline
def _is_integer(tag: cython.Py_ssize_t) -> cython.bint:
    return tag == _INTEGER or _COUNTER32 <= tag <= _TIME_TICKS or tag == _COUNTER64 or tag == _UINTEGER32


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _put(
    out: cython.p_uchar, at: cython.Py_ssize_t, text: cython.p_uchar, size: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Copies ``size`` octets to ``out``; returns where they end."""
    if cython.compiled:
        memcpy(out + at, text, size)
    else:
        out[at : at + size] = text  # type: ignore[index]  # a bytearray
    return at + size


@cython.cfunc
@cython.inline
def _is_same(
    one: cython.p_uchar,
    start: cython.Py_ssize_t,
    other: cython.p_uchar,
    first: cython.Py_ssize_t,
    size: cython.Py_ssize_t,
) -> cython.bint:
    """Whether ``size`` octets of two buffers are equal."""
    if cython.compiled:
        return memcmp(one + start, other + first, size) == 0
    return one[start : start + size] == other[first : first + size]


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _put_decimal(
    out: cython.p_uchar, at: cython.Py_ssize_t, value: cython.ulonglong, negative: cython.bint
) -> cython.Py_ssize_t:
    """Writes the ASCII digits of ``value`` to ``out``, with a minus sign when ``negative``; returns where they end."""
    if cython.compiled:
        digits = cython.declare(cython.uchar[24])
        first = cython.declare(cython.Py_ssize_t, 24)
        pairs: cython.p_uchar = _PAIRS
        pair = cython.declare(cython.Py_ssize_t)
        while value >= 100:
            pair = value % 100
            value //= 100
            first -= 2
            digits[first] = pairs[2 * pair]
            digits[first + 1] = pairs[2 * pair + 1]
        if value >= 10:
            first -= 2
            digits[first] = pairs[2 * value]
            digits[first + 1] = pairs[2 * value + 1]
        else:
            first -= 1
            digits[first] = 48 + value
        if negative:
            first -= 1
            digits[first] = 45
        memcpy(out + at, cython.address(digits[first]), 24 - first)
        return at + 24 - first
    text = b"%d" % (-value if negative else value)
    out[at : at + len(text)] = text  # type: ignore[index]  # a bytearray
    return at + len(text)


@cython.cfunc
@cython.exceptval(-1)
def _put_number(
    out: cython.p_uchar,
    at: cython.Py_ssize_t,
    octets: cython.p_uchar,
    tag: cython.Py_ssize_t,
    start: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    wrapping: cython.bint,
) -> cython.Py_ssize_t:
    """Writes the digits of the integer at ``octets[start:stop]``, see ``numbers``; returns where they end.

    That is ``at`` for what is not an integer.
    """
    size: cython.Py_ssize_t = stop - start
    octet: cython.Py_ssize_t
    value: cython.ulonglong = 0
    negative: cython.bint = False
    limit: cython.ulonglong = 1 << 53
    mask: cython.ulonglong = 0xFFFFFFFF
    half: cython.ulonglong = 0x8000000000000000
    if not _is_integer(tag):
        return at
    if not (0 < size <= 8 or (size == 9 and octets[start] == 0 and tag != _INTEGER and tag != _UINTEGER32)):
        return at
    for octet in range(start, stop):
        value = (value << 8) | octets[octet]
    if tag == _INTEGER:
        if octets[start] >= 0x80:
            negative = True
            value = _negated(value, size)
    elif tag == _COUNTER64:
        if wrapping and value >= limit:
            value = value % limit
    elif tag == _UINTEGER32 and octets[start] >= 0x80:
        value = (mask + 1 - (_negated(value, size) & mask)) & mask
    elif tag == _TIME_TICKS or tag == _UINTEGER32:
        value = value & mask
    elif value >= half:
        negative = True
        value = _negated(value, 8)
    return _put_decimal(out, at, value, negative)


def numbers(column: bytes, skip: int, wrap: bool, zeros: bool = False) -> tuple[bytes, list[bytes], int]:
    """The rows of a column of numbers: ``(index, values as ASCII decimals, how many rows were not numbers)``.

    ``column`` is a ``Scanner``'s, ``skip`` the length of its OID. With ``wrap`` a Counter64 is reduced modulo 2^53.
    INTEGER is signed, Counter64 is unsigned. The 32-bit types are read as snmp_exporter reads them where they have too
    many octets: of TimeTicks and UInteger32 (which it takes for signed) the low 32 bits, the others as 64 bits, signed.
    Opaque floats and doubles count (net-snmp's NETSNMP_ASN_OPAQUE_FLOAT); nothing else does, or with ``zeros`` is 0.
    """
    octets: cython.p_uchar = column
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(column)
    prefix: cython.Py_ssize_t = skip
    inner: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    oid_start: cython.Py_ssize_t
    oid_stop: cython.Py_ssize_t
    start: cython.Py_ssize_t
    size: cython.Py_ssize_t
    octet: cython.Py_ssize_t
    tag: cython.Py_ssize_t
    wrapping: cython.bint = wrap
    index = bytearray(end)  # a row's part of the index is never longer than its varbind
    rows: cython.p_uchar = index
    filled: cython.Py_ssize_t = 0
    number = bytearray(_MOST_DIGITS)
    digits: cython.p_uchar = number
    texts: list = []
    dropped: cython.Py_ssize_t = 0
    while at < end:
        inner = _content(octets, at, end)
        stop = _stop(octets, at, inner, end)
        oid_start = _content(octets, inner, stop)
        oid_stop = _stop(octets, inner, oid_start, stop)
        start = _content(octets, oid_stop, stop)
        if oid_stop - oid_start < prefix:
            raise Malformed("a row lies outside its column")
        tag = octets[oid_stop]
        at = stop
        size = _put_number(digits, 0, octets, tag, start, stop, wrapping)
        if size:
            texts.append(digits[:size] if cython.compiled else bytes(digits[:size]))
        else:
            text = _other_number(column[start:stop], tag == _OPAQUE, zeros)
            if not text:
                dropped += 1
                continue
            texts.append(text)
        size = oid_stop - oid_start - prefix
        rows[filled] = size >> 8
        rows[filled + 1] = size & 0xFF
        filled += 2
        for octet in range(oid_start + prefix, oid_stop):
            rows[filled] = octets[octet]
            filled += 1
    return bytes(index[:filled]), texts, dropped


def number_lines(
    column: bytes, skip: int, wrap: bool, zeros: bool, name: bytes, index: bytes, texts: list[bytes], row: int, pos: int
) -> tuple[bytes, int, int, int] | None:
    """A column of numbers as lines: for each row ``name``, its text and its value, the digits that ``numbers`` gives.

    ``texts`` belong to the rows of ``index``; the column begins at the row number ``row``, at ``pos`` in the index.
    Returns the lines, the row and the position after them, and how many values are not numbers. None: the column has
    other rows than the index. Raises Malformed.
    """
    octets: cython.p_uchar = column
    known: cython.p_uchar = index
    head: cython.p_uchar = name
    head_size: cython.Py_ssize_t = len(name)
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(column)
    prefix: cython.Py_ssize_t = skip
    place: cython.Py_ssize_t = pos
    index_end: cython.Py_ssize_t = len(index)
    number: cython.Py_ssize_t = row
    count: cython.Py_ssize_t = len(texts)
    inner: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    oid_start: cython.Py_ssize_t
    oid_stop: cython.Py_ssize_t
    start: cython.Py_ssize_t
    size: cython.Py_ssize_t
    octet: cython.Py_ssize_t
    tag: cython.Py_ssize_t
    wrapping: cython.bint = wrap
    is_known: cython.bint
    dropped: cython.Py_ssize_t = 0
    most: cython.Py_ssize_t = min(count, number + row_count(column))
    room: cython.Py_ssize_t = (most - number) * (head_size + _MOST_DIGITS)
    for size in range(number, most):
        room += len(texts[size])
    buffer = bytearray(room)
    out: cython.p_uchar = buffer
    filled: cython.Py_ssize_t = 0
    while at < end:
        inner = _content(octets, at, end)
        stop = _stop(octets, at, inner, end)
        oid_start = _content(octets, inner, stop)
        oid_stop = _stop(octets, inner, oid_start, stop)
        start = _content(octets, oid_stop, stop)
        if oid_stop - oid_start < prefix:
            raise Malformed("a row lies outside its column")
        tag = octets[oid_stop]
        at = stop
        size = oid_stop - oid_start - prefix
        if number < most and place + 2 + size <= index_end and (known[place] << 8 | known[place + 1]) == size:
            is_known = _is_same(octets, oid_start + prefix, known, place + 2, size)
        else:
            is_known = False
        if is_known:
            text: bytes = texts[number]
            filled = _put(out, filled, head, head_size)
            filled = _put(out, filled, text, len(text))
            octet = filled
            filled = _put_number(out, filled, octets, tag, start, stop, wrapping)
            if filled == octet:
                other: bytes = _other_number(column[start:stop], tag == _OPAQUE, zeros)
                if not other:
                    return None
                filled = _put(out, filled, other, len(other))
            number += 1
            place += 2 + size
        elif zeros or tag == _OPAQUE or _is_integer(tag):
            return None
        else:
            dropped += 1
    return (out[:filled] if cython.compiled else bytes(out[:filled])), number, place, dropped


@cython.cfunc
@cython.inline
def _negated(value: cython.ulonglong, size: cython.Py_ssize_t) -> cython.ulonglong:
    """The absolute value of the negative two's complement number of ``size`` octets (1 to 8) in ``value``."""
    if cython.compiled:
        if size < 8:
            return (cython.cast(cython.ulonglong, 1) << (size * 8)) - value
        return ~value + 1
    return (1 << (size * 8)) - value


def _other_number(content: bytes, is_opaque: bool, zeros: bool) -> bytes:
    """The digits of a value that is not an integer: an Opaque float, or with ``zeros`` 0; else empty."""
    text = _opaque_decimal(content) if is_opaque else b""
    return text or (b"0" if zeros else b"")


def opaque_float(content: bytes) -> float | None:
    """The number in an Opaque that wraps a float (9F 78 04) or a double (9F 79 08), None when it has none."""
    if content[:3] == b"\x9f\x78\x04" and len(content) == 7:
        return float(struct.unpack(">f", content[3:])[0])
    if content[:3] == b"\x9f\x79\x08" and len(content) == 11:
        return float(struct.unpack(">d", content[3:])[0])
    return None


def _opaque_decimal(content: bytes) -> bytes:
    number = opaque_float(content)
    return b"" if number is None else float_text(number)


def float_text(number: float) -> bytes:
    """A float as exposition formats require: the shortest digits that read back equal; ``NaN``, ``+Inf``, ``-Inf``."""
    if number != number:
        return b"NaN"
    if number in (float("inf"), float("-inf")):
        return b"+Inf" if number > 0 else b"-Inf"
    if number == int(number) and abs(number) < 1e15:
        return b"%d" % int(number)
    return repr(number).encode()


def integer_value(tag: int, content: bytes) -> int | None:
    """The integer of a value; None when it is not one. As in ``numbers``, but unsigned types never become negative."""
    size = len(content)
    if tag in (INTEGER, UINTEGER32):
        number = int.from_bytes(content, "big", signed=True)
        return (number if tag == INTEGER else number & 0xFFFFFFFF) if 0 < size <= 8 else None
    if tag not in (COUNTER32, GAUGE32, TIME_TICKS, COUNTER64) or not size:
        return None
    if size > 8 and not (size == 9 and content[0] == 0):
        return None
    number = int.from_bytes(content, "big")
    return number & 0xFFFFFFFF if tag == TIME_TICKS else number


def values(column: bytes, skip: int) -> tuple[bytes, list[tuple[int, bytes]]]:
    """The rows of any column: ``(index, [(tag, content octets), ...])``; see ``numbers``. Raises Malformed."""
    at = 0
    end = len(column)
    index = bytearray()
    out: list[tuple[int, bytes]] = []
    while at < end:
        inner, at = read(column, at, end, SEQUENCE)
        oid_start, oid_stop = read(column, inner, at, OBJECT_IDENTIFIER)
        tag, start, stop = read_any(column, oid_stop, at)
        if oid_stop - oid_start < skip:
            raise Malformed("a row lies outside its column")
        index += (oid_stop - oid_start - skip).to_bytes(2, "big")
        index += column[oid_start + skip : oid_stop]
        out.append((tag, column[start:stop]))
    return bytes(index), out


def pieces(column: bytes, size: int = PIECE) -> list[bytes]:
    """A column in pieces of whole varbinds, each of ``size`` octets or a little more. Raises Malformed."""
    octets: cython.p_uchar = column
    at: cython.Py_ssize_t = 0
    start: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(column)
    most: cython.Py_ssize_t = size
    out: list = []
    if end <= most:
        return [column]
    while at < end:
        at = _stop(octets, at, _content(octets, at, end), end)
        if at - start >= most or at == end:
            out.append(column[start:at])
            start = at
    return out


def row_count(column: bytes) -> int:
    """How many varbinds a column has. Raises Malformed."""
    octets: cython.p_uchar = column
    at: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = len(column)
    count: cython.Py_ssize_t = 0
    while at < end:
        at = _stop(octets, at, _content(octets, at, end), end)
        count += 1
    return count


def _unique(column: bytes) -> bytes:
    """A column without the varbinds whose OID occurs again later."""
    found: dict[bytes, bytes] = {}
    for piece in pieces(column):
        if found:
            time.sleep(0)  # a large column takes long: other threads may run between its pieces
        at = 0
        while at < len(piece):
            start = at
            inner, at = read(piece, at, len(piece), SEQUENCE)
            name, end = read(piece, inner, at, OBJECT_IDENTIFIER)
            found[piece[name:end]] = piece[start:at]
    return b"".join(found.values())


def below(column: bytes, oid: bytes) -> bytes:
    """Those varbinds of a column whose OIDs lie under ``oid``. Raises Malformed."""
    pieces: list[bytes] = []
    at = 0
    while at < len(column):
        start = at
        inner, at = read(column, at, len(column), SEQUENCE)
        name, end = read(column, inner, at, OBJECT_IDENTIFIER)
        if column[name:end].startswith(oid):
            pieces.append(column[start:at])
    return b"".join(pieces)


def suffixes(index: bytes) -> list[bytes]:
    """The rows of an index, each as the octets of its OID suffix."""
    octets: cython.p_uchar = index
    at: cython.Py_ssize_t = 0
    stop: cython.Py_ssize_t
    end: cython.Py_ssize_t = len(index)
    out: list = []
    while at + 2 <= end:
        stop = at + 2 + (octets[at] << 8 | octets[at + 1])
        out.append(index[at + 2 : stop])
        at = stop
    return out
