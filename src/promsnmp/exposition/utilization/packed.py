"""The histograms of all interfaces of a device in two byte arrays: observed and written as text in one pass each.

``fixed`` has a section for each number that every interface has; the interfaces are in the same order in all of them.
``counts`` has the counts of their buckets, one interface after the other: first those of the classic histogram, then
of the zero bucket, then of the native buckets from the lowest to the highest that was hit. A count takes seven bits an
octet, the lowest first, as many octets as it needs (LEB128): most are small.

Compiled by Cython; the same file runs as plain Python.
"""

from __future__ import annotations

from bisect import bisect_left

try:
    import cython
except ImportError:
    from promsnmp import uncompiled as cython  # type: ignore[no-redef]  # the same names

from promsnmp.exposition.utilization.native import ZERO, bucket_of
from promsnmp.snmp.ber import float_text

if cython.compiled:
    from cython.cimports.libc.string import memcpy  # type: ignore[import-untyped]  # Cython's own

BOUNDS = (1, 5, 10, 25, 50, 75, 90, 95, 100)
CLASSIC = len(BOUNDS) + 1
"""Classic buckets: up to each bound and above the previous one; the last: above all bounds."""
SECTIONS = "QQddffiI"
"""The numbers of an interface in ``fixed``, as codes of ``struct``: octets received and sent, the sum of all
observations, the time of the last poll, bits per second received and sent (-1: not certain), the lowest native bucket,
and 256 times the octets of its counts, plus the width of its counters in bits (0: the next poll observes nothing)."""
FIXED = 48
"""Octets of ``fixed`` for each interface."""
NO_RATE = -1.0
PLAUSIBLE_SHARE = 1.1
"""How far above its speed an interface may seem to run (counters and polls are not in step)."""
_WRAP32 = 1 << 32
_EXACT = cython.declare(cython.ulonglong, 1 << 43)
"""Octets, of which bits and percents are exact in 64 bits."""
_MOST_RATE = cython.declare(cython.double, 3e38)
_MOST_DIGITS = cython.declare(cython.Py_ssize_t, 24)
_CLASSIC = cython.declare(cython.Py_ssize_t, CLASSIC)


def observe(
    fixed: bytearray,
    counts: bytearray,
    speeds: list[float],
    received: list[int],
    sent: list[int],
    widths: list[int],
    now: float,
) -> bytearray:
    """Observes a poll at the time ``now``; returns ``counts`` with the observations, changed or anew.

    ``speeds`` are bits per second (0: unknown), ``received`` and ``sent`` octets below 2^64, ``widths`` those of the
    counters.
    """
    octets: cython.p_uchar = fixed
    number: cython.p_ulonglong
    double: cython.p_double
    rate: cython.p_float
    lowest: cython.p_int
    size: cython.p_uint
    if cython.compiled:
        number = cython.cast(cython.p_ulonglong, octets)
        double = cython.cast(cython.p_double, octets)
        rate = cython.cast(cython.p_float, octets)
        lowest = cython.cast(cython.p_int, octets)
        size = cython.cast(cython.p_uint, octets)
    else:
        number, double = memoryview(fixed).cast("Q"), memoryview(fixed).cast("d")
        rate, lowest, size = (memoryview(fixed).cast("f"), memoryview(fixed).cast("i"), memoryview(fixed).cast("I"))
    rows: cython.Py_ssize_t = len(fixed) // FIXED
    at: cython.Py_ssize_t
    place: cython.Py_ssize_t = 0
    length: cython.Py_ssize_t
    width: cython.Py_ssize_t
    seconds: cython.double
    speed: cython.double
    percent: cython.double
    new_in: cython.ulonglong
    new_out: cython.ulonglong
    old_in: cython.ulonglong
    old_out: cython.ulonglong
    pieces: list[bytes] = []
    kept: cython.Py_ssize_t = 0
    for at in range(rows):
        new_in, new_out, width, speed = received[at], sent[at], widths[at], speeds[at]
        old_in, old_out = number[at], number[rows + at]
        seconds = now - double[3 * rows + at]
        length = size[11 * rows + at] >> 8
        rate[8 * rows + 2 * at] = rate[8 * rows + 2 * at + 1] = NO_RATE
        if seconds > 0 and speed > 0 and width and (size[11 * rows + at] & 0xFF) == width:
            percent = -1.0
            if width == 64 and 0 <= new_in - old_in < _EXACT and 0 <= new_out - old_out < _EXACT:
                rate[8 * rows + 2 * at] = _storable((new_in - old_in) * 8 / seconds)
                rate[8 * rows + 2 * at + 1] = _storable((new_out - old_out) * 8 / seconds)
                percent = (new_in - old_in + new_out - old_out) * 800 / (seconds * speed)
            elif (found := carried(new_in, old_in, new_out, old_out, width, speed, seconds)) is not None:
                rate[8 * rows + 2 * at] = _storable(found[0])
                rate[8 * rows + 2 * at + 1] = _storable(found[1])
                percent = found[2]
            if percent >= 0:
                double[2 * rows + at] += percent
                grown, bucket = counted(counts, place, length, lowest[10 * rows + at], percent)
                if grown is not None:
                    pieces += (bytes(counts[kept:place]), grown)
                    kept = place + length
                    lowest[10 * rows + at] = bucket
                    size[11 * rows + at] = len(grown) << 8
        number[at], number[rows + at], double[3 * rows + at] = new_in, new_out, now
        size[11 * rows + at] = size[11 * rows + at] >> 8 << 8 | width
        place += length
    if not pieces:
        return counts
    pieces.append(bytes(counts[kept:]))
    return bytearray(b"".join(pieces))


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _storable(rate: cython.double) -> cython.double:
    """A rate that four octets can hold."""
    return min(_MOST_RATE, rate)


def carried(
    new_in: int, old_in: int, new_out: int, old_out: int, width: int, speed: float, seconds: float
) -> tuple[float, float, float] | None:
    """Bits per second received and sent between two polls, and the share of the speed in percent; None when that is not
    certain."""
    inward, outward = new_in - old_in, new_out - old_out
    if width == 32 or inward < 0 or outward < 0:
        most = speed / 8 * seconds * PLAUSIBLE_SHARE
        inward, outward = _unwrapped(inward, width, most), _unwrapped(outward, width, most)
        if inward < 0 or outward < 0:
            return None
    return inward * 8 / seconds, outward * 8 / seconds, (inward + outward) * 800 / (seconds * speed)


def _unwrapped(difference: int, width: int, most: float) -> int:
    """Octets between two readings, -1 when unknown. ``most`` is how many the interface can carry."""
    if width == 32 and most >= _WRAP32:
        return -1  # it may have wrapped more than once
    if difference >= 0:
        return difference
    wrapped = difference + (1 << width)
    return wrapped if wrapped <= most else -1


def counted(counts: bytearray, place: int, length: int, lowest: int, percent: float) -> tuple[bytes | None, int]:
    """Counts one observation in the ``length`` octets at ``place``; where these become more, returns all of them anew
    and the lowest native bucket."""
    classic = bisect_left(BOUNDS, percent)
    native = bucket_of(percent)
    other = CLASSIC + 1 + native - lowest if native >= lowest else -1
    if native == ZERO:
        other = CLASSIC
    first, second = _find(counts, place, place + length, classic, other)
    if first >= 0 and second >= 0:
        counts[first] += 1
        counts[second] += 1
        return None, lowest
    numbers = read_counts(bytes(counts[place : place + length]))
    numbers[classic] += 1
    if native == ZERO:
        numbers[CLASSIC] += 1
        return write_counts(numbers), lowest
    if len(numbers) == CLASSIC + 1:
        lowest = native
    if native < lowest:
        numbers[CLASSIC + 1 : CLASSIC + 1] = [0] * (lowest - native)
        lowest = native
    numbers += [0] * (CLASSIC + 2 + native - lowest - len(numbers))
    numbers[CLASSIC + 1 + native - lowest] += 1
    return write_counts(numbers), lowest


def _find(counts: bytearray, start: int, stop: int, first: int, second: int) -> tuple[int, int]:
    """Where the lowest octets of two counts are, of their numbers; -1 where one cannot grow in place."""
    octets: cython.p_uchar = counts
    at: cython.Py_ssize_t = start
    end: cython.Py_ssize_t = stop
    one: cython.Py_ssize_t = first
    other: cython.Py_ssize_t = second
    number: cython.Py_ssize_t = 0
    places = cython.declare(cython.Py_ssize_t, -1)
    others = cython.declare(cython.Py_ssize_t, -1)
    while at < end:
        if (octets[at] & 0x7F) < 0x7F:
            if number == one:
                places = at
            if number == other:
                others = at
        while octets[at] & 0x80:
            at += 1
        at += 1
        number += 1
    return places, others


def read_counts(octets: bytes) -> list[int]:
    """The numbers in octets as of ``write_counts``."""
    numbers: list[int] = []
    number = shift = 0
    for octet in octets:
        number |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            numbers.append(number)
            number = shift = 0
    return numbers


def write_counts(numbers: list[int]) -> bytes:
    """Whole numbers that are not negative, in seven bits an octet."""
    out = bytearray()
    for number in numbers:
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def lines(
    fixed: bytearray, counts: bytearray, labels: list[bytes], name: bytes, bounds: list[bytes], first: int, pos: int
) -> tuple[bytes, int]:
    """The samples of the classic histograms of interfaces from number ``first`` on, whose counts are at ``pos``, with
    ``labels``: their label texts. Each line begins with the newline that ends the one before it.

    ``name`` is that of the family, ``bounds`` are the texts of the label ``le``, with the blank after it. Returns the
    lines, and where the counts of the next interface are.
    """
    octets: cython.p_uchar = fixed
    double: cython.p_double
    size: cython.p_uint
    if cython.compiled:
        double = cython.cast(cython.p_double, octets)
        size = cython.cast(cython.p_uint, octets)
    else:
        double, size = memoryview(fixed).cast("d"), memoryview(fixed).cast("I")
    held: cython.p_uchar = counts
    rows: cython.Py_ssize_t = len(fixed) // FIXED
    offset: cython.Py_ssize_t = first
    count: cython.Py_ssize_t = len(labels)
    place: cython.Py_ssize_t = pos
    at: cython.Py_ssize_t
    row: cython.Py_ssize_t
    bucket: cython.Py_ssize_t
    shift: cython.Py_ssize_t
    ends: cython.Py_ssize_t
    sum_so_far: cython.ulonglong
    value: cython.ulonglong
    septet: cython.ulonglong
    bucket_name: bytes = b"\n" + name + b"_bucket"
    sum_name: bytes = b"\n" + name + b"_sum"
    count_name: bytes = b"\n" + name + b"_count"
    most_bound: cython.Py_ssize_t = max(map(len, bounds))
    room: cython.Py_ssize_t = 0
    for row in range(count):
        room += (_CLASSIC + 2) * (len(bucket_name) + len(labels[row]) + most_bound + 2 * _MOST_DIGITS)
    buffer = bytearray(room)
    out: cython.p_uchar = buffer
    filled: cython.Py_ssize_t = 0
    for row in range(count):
        text: bytes = labels[row]
        ends = len(text) - 2
        sum_so_far = 0
        at = place
        for bucket in range(_CLASSIC):
            value = shift = 0
            while True:
                septet = held[at] & 0x7F
                value |= septet << shift
                shift += 7
                at += 1
                if held[at - 1] < 0x80:
                    break
            sum_so_far += value
            bound: bytes = bounds[bucket]
            filled = _put(out, filled, bucket_name, len(bucket_name))
            if ends >= 0:
                filled = _put(out, filled, text, ends)
                filled = _put(out, filled, b",", 1)
            else:
                filled = _put(out, filled, b"{", 1)
            filled = _put(out, filled, bound, len(bound))
            filled = _put_count(out, filled, sum_so_far)
        digits: bytes = float_text(double[2 * rows + offset + row])
        filled = _put(out, filled, sum_name, len(sum_name))
        filled = _put(out, filled, text, len(text))
        filled = _put(out, filled, digits, len(digits))
        filled = _put(out, filled, count_name, len(count_name))
        filled = _put(out, filled, text, len(text))
        filled = _put_count(out, filled, sum_so_far)
        place += size[11 * rows + offset + row] >> 8
    return (out[:filled] if cython.compiled else bytes(out[:filled])), place


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _put(
    out: cython.p_uchar, at: cython.Py_ssize_t, text: cython.p_uchar, size: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Copies the first ``size`` octets of ``text`` to ``out``; returns where they end."""
    if cython.compiled:
        memcpy(out + at, text, size)
    else:
        out[at : at + size] = text[:size]  # type: ignore[index]  # a bytearray
    return at + size


@cython.cfunc
@cython.inline
@cython.exceptval(-1)
def _put_count(out: cython.p_uchar, at: cython.Py_ssize_t, value: cython.ulonglong) -> cython.Py_ssize_t:
    """Writes the ASCII digits of ``value`` to ``out``; returns where they end."""
    if cython.compiled:
        digits = cython.declare(cython.uchar[24])
        first = cython.declare(cython.Py_ssize_t, 24)
        while True:
            first -= 1
            digits[first] = 48 + value % 10
            value //= 10
            if not value:
                break
        memcpy(out + at, cython.address(digits[first]), 24 - first)
        return at + 24 - first
    text = b"%d" % value
    out[at : at + len(text)] = text  # type: ignore[index]  # a bytearray
    return at + len(text)
