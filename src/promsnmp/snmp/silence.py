"""The texts about an agent that does not answer: what was tried, what came instead, and what to do."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterable

from promsnmp.snmp import ber

_WHOLE = 0.9
"""Share of its timeout that an attempt lasts at least to count as whole."""
_KINDS = {ber.GET: "GET", ber.GET_NEXT: "GETNEXT"}
_WIDTHS = (24, 16, 8)
"""Bits to which agents may cut a request-id."""


def describe_requests(pdus: Iterable[bytes]) -> str:
    """The requests that were tried, each kind once; empty for none."""
    return ", then ".join(dict.fromkeys(map(_describe, pdus)))


def _describe(octets: bytes) -> str:
    pdu = ber.read_pdu(octets, 0, len(octets))
    if pdu.type == ber.GET_BULK:
        return f"GETBULK of {counted(pdu.index, 'repetition')}"
    count = len(ber.varbinds(octets, pdu.start, pdu.end))
    return f"{_KINDS.get(pdu.type, 'request')} of {counted(count, 'object')}"


def counted(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def usable_bits(sent: int, received: int) -> int:
    """The bits of a request-id that an agent returns unchanged, when it returned ``received`` for ``sent``.

    0 when ``received`` is not ``sent`` cut to some octets. The sign bit does not count, as an agent may extend it.
    """
    for width in _WIDTHS:
        if (sent ^ received) & (1 << width) - 1 == 0 and -(1 << width - 1) <= received < 1 << width:
            return width - 1
    return 0


def telling_id() -> int:
    """A random request-id or msgID of 31 bits that shows, when an agent cuts it, to how many octets.

    No octet but the last is 0 or 255, which would look like the sign of what is left.
    """
    while True:
        number = secrets.randbits(31)
        if number >> 24 not in (0, 0x7F) and not {number >> 8 & 0xFF, number >> 16 & 0xFF} & {0, 0xFF}:
            return number


def with_request_id(octets: bytes, request_id: int) -> bytes:
    """The encoded PDU with another request-id."""
    pdu = ber.read_pdu(octets, 0, len(octets))
    return ber.encode_pdu(pdu.type, request_id, pdu.status, pdu.index, octets[pdu.start : pdu.end])


def describe_age(seconds: float) -> str:
    """How long ago something was: ``40 s``, ``12 min``, ``3 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def describe_timeout(
    attempts: int, allowed: int, seconds: float, pdus: Iterable[bytes], *, limit: str | None = None
) -> str:
    """That ``attempts`` of ``allowed`` ones, of ``seconds`` each, got no answer; ``pdus`` were sent.

    ``limit`` names where the time of the whole poll comes from, if that ended the attempts; it may be empty.
    """
    requests = describe_requests(pdus)
    text = f"no answer to {counted(attempts, 'request')} of {seconds:g} s"
    if limit is not None:
        of = f" of {allowed}" if attempts <= allowed else ""
        text = f"the {time_limit(limit)} ended attempt {attempts}{of}, of {seconds:g} s each, to get an answer"
    return f"{text}: {requests}" if requests else text


def is_cut(waited: float, timeout: float) -> bool:
    """Whether an attempt, which ended after ``waited`` seconds, ended clearly before its timeout."""
    return waited < _WHOLE * timeout


def not_connected(seconds: float, *, limit: str | None) -> str:
    """That no TCP connection was made within the timeout or, with ``limit``, within the time of the poll."""
    return f"no TCP connection within the {f'timeout of {seconds:g} s' if limit is None else time_limit(limit)}"


def time_limit(limit: str) -> str:
    """The time of a whole poll, with its name if it has one."""
    return f"time limit of the poll ({limit})" if limit else "time limit of the poll"


def allow_more_time(*, answers: bool) -> str:
    """What to do when a deadline ended a poll before all attempts were over; ``answers``: no attempt was in vain."""
    rest = "" if answers else ", or set a shorter timeout or fewer retries for the module or the device"
    return f"allow the poll more time{rest}"


def answer_from_elsewhere(where: str) -> str:
    """What to do when an answer that may not be trusted came from another address than was asked."""
    return (
        f"an answer came from {where} instead: let the device answer from the address that is asked, or set"
        " unconnected of the device (use_unconnected_udp_socket of the module); authenticated SNMPv3 needs no setting"
    )


def hint(
    *, elsewhere: str, odd_id: str, is_cut: bool, attempts: int | None, age: float | None, credentials: str
) -> str:
    """Why there may be no answer; may be empty.

    ``is_cut``: the deadline ended the attempts, which blames neither address nor credentials. An agent that has
    answered before has the right ones: ``attempts`` were in vain since the last answer in this session (None: there was
    none), ``age`` is how many seconds ago it answered in an earlier one.
    """
    if elsewhere:
        return answer_from_elsewhere(elsewhere)
    if is_cut and not odd_id:
        return allow_more_time(answers=attempts == 0)
    if odd_id or attempts is not None:
        return odd_id
    return credentials if age is None else f"it answered {describe_age(age)} ago"


def explain_unreachable(error: OSError, source: str) -> str:
    """Why a datagram could not be sent; ``source`` is the address that it should come from."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens on the port"
    if error.errno == errno.EADDRNOTAVAIL and source:
        return f"source address {source} is not an address of this host"
    return f"cannot be reached: {error.strerror or error}"


def too_long(size: int, most: int) -> str:
    """Why a request cannot be sent: an agent takes no message of ``size`` octets."""
    return f"the request for one object has {size} octets, the agent takes at most {most} (msgMaxSize)"
