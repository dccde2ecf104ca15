"""The rules of GET, GETNEXT and GETBULK for an agent, without messages and sockets.

The versions report missing objects differently: v1 refuses the whole request with noSuchName and the index of the first
missing object (RFC 1157 section 4.1.2), and skips a Counter64, which it cannot carry (RFC 3584 section 4.2.2.1); v2c
and v3 answer every varbind, with an exception instead of a missing value (RFC 3416 section 4.2). An answer that does
not fit into one message becomes tooBig; for a GETBULK, the answer has as many varbinds as fit.
"""

from __future__ import annotations

from dataclasses import dataclass

from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp import oid as oids

NO_ERROR = 0
TOO_BIG = 1
NO_SUCH_NAME = 2
NOT_WRITABLE = 17

_NO_SUCH_OBJECT = bytes((ber.NO_SUCH_OBJECT, 0))
_NO_SUCH_INSTANCE = bytes((ber.NO_SUCH_INSTANCE, 0))
_END_OF_MIB_VIEW = bytes((ber.END_OF_MIB_VIEW, 0))
_SMALLEST_VARBIND = 7  # 30 05 06 01 00 05 00


@dataclass(frozen=True, slots=True)
class ResponsePdu:
    """The fields of a response: error-status, error-index, its encoded varbinds and how many they are."""

    status: int
    index: int
    varbinds: bytes
    count: int


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error of one varbind: error-status and error-index (from 1)."""

    status: int
    index: int


def respond(
    mib: Mib, pdu: ber.Pdu, requested: list[ber.VarBind], echo: bytes, *, is_v1: bool, room: int, uptime: float
) -> ResponsePdu | None:
    """The answer to a request; None for what an agent does not answer (responses, traps, a GETBULK in v1).

    ``requested`` are the request's varbinds, ``echo`` their octets as received; ``room`` is how many octets fit.
    """
    rows: list[bytes] | ErrorResponse
    if pdu.type == ber.GET:
        rows = _get_v1(mib, requested, uptime) if is_v1 else _get(mib, requested, uptime)
    elif pdu.type == ber.GET_NEXT:
        rows = _next_v1(mib, requested, uptime) if is_v1 else _next(mib, requested, uptime)
    elif pdu.type == ber.GET_BULK and not is_v1:
        return _bulk(mib, pdu, requested, room, uptime)
    elif pdu.type == ber.SET and requested:
        rows = ErrorResponse(NO_SUCH_NAME if is_v1 else NOT_WRITABLE, 1)
    else:
        return None
    if isinstance(rows, ErrorResponse):
        return ResponsePdu(rows.status, rows.index, echo, len(requested))
    body = b"".join(rows)
    if len(body) > room:
        return too_big(echo, len(requested), is_v1=is_v1)
    return ResponsePdu(NO_ERROR, 0, body, len(rows))


def too_big(echo: bytes, count: int, *, is_v1: bool) -> ResponsePdu:
    """v1 returns the request's varbinds (RFC 1157 section 4.1.2), v2c and v3 none (RFC 3416 section 4.2.1)."""
    return ResponsePdu(TOO_BIG, 0, echo, count) if is_v1 else ResponsePdu(TOO_BIG, 0, b"", 0)


def _get_v1(mib: Mib, requested: list[ber.VarBind], uptime: float) -> list[bytes] | ErrorResponse:
    places = [mib.position(varbind.oid) for varbind in requested]
    for index, at in enumerate(places, 1):
        if at < 0 or mib.is_counter64(at):
            return ErrorResponse(NO_SUCH_NAME, index)
    return [mib.rows(at, at + 1, uptime)[0] for at in places]


def _next_v1(mib: Mib, requested: list[ber.VarBind], uptime: float) -> list[bytes] | ErrorResponse:
    rows = []
    for index, varbind in enumerate(requested, 1):
        at = mib.position_after(varbind.oid)
        while at < len(mib) and mib.is_counter64(at):
            at += 1
        if at == len(mib):
            return ErrorResponse(NO_SUCH_NAME, index)
        rows += mib.rows(at, at + 1, uptime)
    return rows


def _get(mib: Mib, requested: list[ber.VarBind], uptime: float) -> list[bytes]:
    rows = []
    for varbind in requested:
        at = mib.position(varbind.oid)
        rows += mib.rows(at, at + 1, uptime) if at >= 0 else [_missing(mib, varbind.oid)]
    return rows


def _missing(mib: Mib, name: bytes) -> bytes:
    """noSuchInstance where the object has another instance, else noSuchObject (RFC 3416 section 4.2.1).

    Without the MIB's text an object is known by a neighbour that differs in its last sub-identifier, or lies below.
    """
    column = oids.encode_subids(oids.decode_subids(name)[:-1])
    at = mib.position_after(name)
    neighbours = [mib.oid(place) for place in (at - 1, at) if 0 <= place < len(mib)]
    is_known = any(neighbour.startswith(column) for neighbour in neighbours) and len(column) > 1
    return ber.encode_varbind(name, _NO_SUCH_INSTANCE if is_known else _NO_SUCH_OBJECT)


def _next(mib: Mib, requested: list[ber.VarBind], uptime: float) -> list[bytes]:
    rows = []
    for varbind in requested:
        at = mib.position_after(varbind.oid)
        rows += mib.rows(at, at + 1, uptime) or [ber.encode_varbind(varbind.oid, _END_OF_MIB_VIEW)]
    return rows


def _bulk(mib: Mib, pdu: ber.Pdu, requested: list[ber.VarBind], room: int, uptime: float) -> ResponsePdu:
    """RFC 3416 section 4.2.3: one successor of each of the first varbinds, then row after row of the others'.

    When not even the first varbind fits, the answer is tooBig, as in net-snmp: an empty one would not help.
    """
    once = requested[: max(pdu.status, 0)]
    repeated = requested[len(once) :]
    rows = _next(mib, once, uptime)
    times = min(max(pdu.index, 0), room // _SMALLEST_VARBIND + 1)
    if len(repeated) == 1:
        rows += _column(mib, repeated[0].oid, times, uptime)
    elif repeated:
        rows += _table(mib, [varbind.oid for varbind in repeated], times, room, uptime)
    body = b"".join(rows)
    if len(body) > room:
        rows = _fitting(rows, room)
        if not rows:
            return too_big(b"", 0, is_v1=False)
        body = b"".join(rows)
    return ResponsePdu(NO_ERROR, 0, body, len(rows))


def _column(mib: Mib, name: bytes, times: int, uptime: float) -> list[bytes]:
    """The ``times`` objects after ``name``; the last is endOfMibView where the MIB ends."""
    at = mib.position_after(name)
    rows = mib.rows(at, at + times, uptime)
    if len(rows) < times:
        last = mib.oid(len(mib) - 1) if rows else name
        rows.append(ber.encode_varbind(last, _END_OF_MIB_VIEW))
    return rows


def _table(mib: Mib, names: list[bytes], times: int, room: int, uptime: float) -> list[bytes]:
    """Rows of successors of ``names``, until the MIB ended for all of them or the message is full."""
    rows: list[bytes] = []
    places = [mib.position_after(name) for name in names]
    size = 0
    for _ in range(times):
        is_over = all(at == len(mib) for at in places)
        for which, at in enumerate(places):
            if at < len(mib):
                row = mib.rows(at, at + 1, uptime)[0]
                names[which] = mib.oid(at)
                places[which] = at + 1
            else:
                row = ber.encode_varbind(names[which], _END_OF_MIB_VIEW)
            rows.append(row)
            size += len(row)
        if is_over or size > room:
            break
    return rows


def _fitting(rows: list[bytes], room: int) -> list[bytes]:
    size = 0
    for count, row in enumerate(rows):
        size += len(row)
        if size > room:
            return rows[:count]
    return rows
