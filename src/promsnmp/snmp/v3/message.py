"""Encodes and decodes SNMPv3 messages: RFC 3412 section 6 with the security parameters of RFC 3414 section 2.4.

Only layout and bounds, the same for a manager and an agent; ``usm.py`` decides which messages are accepted.
"""

from __future__ import annotations

from typing import NamedTuple

from promsnmp.snmp import ber
from promsnmp.snmp.ber import Malformed, Pdu
from promsnmp.snmp.credentials import SecurityLevel
from promsnmp.snmp.security import MAX_DATAGRAM
from promsnmp.snmp.v3.crypto import PRIV_PARAMETERS_SIZE, SecurityProtocols

VERSION = 3
USM = 3  # msgSecurityModel, RFC 3411 section 5 (SnmpSecurityModel)
MAX_SIZE = MAX_DATAGRAM
SMALLEST_MAX_SIZE = 484  # RFC 3412 section 6.3
MAX_INT31 = 0x7FFFFFFF
_LEAST_CUT_ID = -0x800000
MAX_ENGINE_ID = 32  # RFC 3411 section 5 requires 5 to 32 octets; shorter ones exist and do no harm

_AUTH = 0x01
_PRIV = 0x02
_REPORTABLE = 0x04
_LEVELS = {0: SecurityLevel.NO_AUTH_NO_PRIV, 1: SecurityLevel.AUTH_NO_PRIV, 3: SecurityLevel.AUTH_PRIV}
_FLAGS = {level: flags for flags, level in _LEVELS.items()}
_VERSION_TLV = ber.encode_integer(VERSION)
_USM_TLV = ber.encode_integer(USM)
_MAX_SIZE_TLV = ber.encode_integer(MAX_SIZE)


class Header(NamedTuple):
    """The fields before the scoped PDU, in the order of the wire."""

    msg_id: int
    level: SecurityLevel
    reportable: bool
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    max_size: int = MAX_SIZE
    """The largest message that the sender takes, octets."""


class Message(NamedTuple):
    """A parsed message. ``auth_offset`` and ``auth_size`` place msgAuthenticationParameters in the datagram.

    ``start`` and ``end`` are those of msgData: the scoped PDU with its tag, or the ciphertext without one.
    """

    header: Header
    auth_offset: int
    auth_size: int
    priv_parameters: bytes
    start: int
    end: int
    size: int
    """Octets of the message; what a datagram holds behind them does not belong to it."""


class ScopedPdu(NamedTuple):
    """A scoped PDU (RFC 3412 section 6.8) and the buffer that the PDU's offsets point into."""

    engine_id: bytes
    name: bytes
    pdu: Pdu
    buffer: bytes


def encode_scoped_pdu(engine_id: bytes, name: bytes, pdu: bytes) -> bytes:
    """A scoped PDU: context engine, context name and an encoded PDU."""
    return ber.tlv(ber.SEQUENCE, ber.tlv(ber.OCTET_STRING, engine_id) + ber.tlv(ber.OCTET_STRING, name) + pdu)


def build_message(header: Header, scoped: bytes, security_protocols: SecurityProtocols, salt: int) -> bytes:
    """The whole message around an encoded scoped PDU, encrypted and signed as ``header.level`` says."""
    auth = security_protocols.auth if header.level != SecurityLevel.NO_AUTH_NO_PRIV else None
    parameters = b""
    if header.level == SecurityLevel.AUTH_PRIV:
        assert security_protocols.priv is not None
        ciphertext, parameters = security_protocols.priv.encrypt(scoped, header.boots, header.time, salt)
        scoped = ber.tlv(ber.OCTET_STRING, ciphertext)
    tail = ber.tlv(ber.OCTET_STRING, parameters)
    mac = bytes(auth.size) if auth else b""
    security = (
        ber.tlv(ber.OCTET_STRING, header.engine_id)
        + ber.encode_integer(header.boots)
        + ber.encode_integer(header.time)
        + ber.tlv(ber.OCTET_STRING, header.user)
        + ber.tlv(ber.OCTET_STRING, mac)
        + tail
    )
    flags = _FLAGS[header.level] | (_REPORTABLE if header.reportable else 0)
    max_size = _MAX_SIZE_TLV if header.max_size == MAX_SIZE else ber.encode_integer(header.max_size)
    global_data = ber.encode_integer(header.msg_id) + max_size + bytes((ber.OCTET_STRING, 1, flags)) + _USM_TLV
    whole = ber.tlv(
        ber.SEQUENCE,
        _VERSION_TLV
        + ber.tlv(ber.SEQUENCE, global_data)
        + ber.tlv(ber.OCTET_STRING, ber.tlv(ber.SEQUENCE, security))
        + scoped,
    )
    return auth.sign(whole, len(whole) - len(scoped) - len(tail) - auth.size) if auth else whole


def parse_message(data: bytes) -> Message:
    """Parses the message at the start of ``data``. Raises Malformed.

    Some agents send octets behind it; they are ignored, as for v1 and v2c.
    """
    pos, end = ber.read(data, 0, len(data), ber.SEQUENCE)
    version, pos = ber.read_integer(data, pos, end)
    if version != VERSION:
        raise Malformed(f"msgVersion is {version}, expected 3")
    start, stop = ber.read(data, pos, end, ber.SEQUENCE)
    msg_id, level, reportable, max_size = _global_data(data, start, stop)
    outer, pos = ber.read(data, stop, end, ber.OCTET_STRING)
    start, stop = ber.read(data, outer, pos, ber.SEQUENCE)
    _fills(stop, pos, "msgSecurityParameters")
    engine_id, at = _octets(data, start, stop, MAX_ENGINE_ID, "msgAuthoritativeEngineID")
    boots, at = _int31(data, at, stop, "msgAuthoritativeEngineBoots")
    time, at = _int31(data, at, stop, "msgAuthoritativeEngineTime")
    user, at = _octets(data, at, stop, 255, "msgUserName")
    auth_offset, auth_end = ber.read(data, at, stop, ber.OCTET_STRING)
    parameters, at = _octets(data, auth_end, stop, 255, "msgPrivacyParameters")
    _fills(at, stop, "the USM parameters")
    if level == SecurityLevel.AUTH_PRIV:
        pos, stop = ber.read(data, pos, end, ber.OCTET_STRING)
    else:
        _, stop = ber.read(data, pos, end, ber.SEQUENCE)
    _fills(stop, end, "msgData")
    header = Header(msg_id, level, reportable, engine_id, boots, time, user, max_size)
    return Message(header, auth_offset, auth_end - auth_offset, parameters, pos, stop, end)


def decode_scoped_pdu(data: bytes, message: Message, security_protocols: SecurityProtocols) -> ScopedPdu:
    """The scoped PDU of ``message``, decrypted if it has to be. Raises Malformed."""
    header = message.header
    if header.level != SecurityLevel.AUTH_PRIV:
        return _scoped(data, message.start, message.end)
    if len(message.priv_parameters) != PRIV_PARAMETERS_SIZE:
        raise Malformed(f"msgPrivacyParameters has {len(message.priv_parameters)} octets")
    assert security_protocols.priv is not None
    ciphertext = data[message.start : message.end]
    try:
        plaintext = security_protocols.priv.decrypt(ciphertext, header.boots, header.time, message.priv_parameters)
    except ValueError as error:
        raise Malformed(str(error)) from None
    return _scoped(plaintext, 0, len(plaintext))


def _scoped(data: bytes, pos: int, end: int) -> ScopedPdu:
    """The scoped PDU at ``pos``; octets behind it are padding (RFC 3414 section 8.1.1.2)."""
    start, stop = ber.read(data, pos, end, ber.SEQUENCE)
    engine_id, at = _octets(data, start, stop, 255, "contextEngineID")
    name, at = _octets(data, at, stop, 255, "contextName")
    _, _, pdu_end = ber.read_any(data, at, stop)
    _fills(pdu_end, stop, "the scoped PDU")
    return ScopedPdu(engine_id, name, ber.read_pdu(data, at, stop), data)


def _global_data(data: bytes, pos: int, end: int) -> tuple[int, SecurityLevel, bool, int]:
    """msgID, level, whether a report is wanted, and msgMaxSize, of the msgGlobalData at ``pos``."""
    msg_id, at = _msg_id(data, pos, end)
    max_size, at = _int31(data, at, end, "msgMaxSize")
    start, at = ber.read(data, at, end, ber.OCTET_STRING)
    if at - start != 1:
        raise Malformed(f"msgFlags has {at - start} octets")
    flags = data[start]
    model, at = ber.read_integer(data, at, end)
    _fills(at, end, "msgGlobalData")
    if model != USM:
        raise Malformed(f"msgSecurityModel is {model}, not USM")
    level = _LEVELS.get(flags & (_AUTH | _PRIV))
    if level is None:  # RFC 3412 section 7.2 step 5
        raise Malformed("msgFlags asks for privacy without authentication")
    return msg_id, level, bool(flags & _REPORTABLE), max(max_size, SMALLEST_MAX_SIZE)


def _octets(data: bytes, pos: int, end: int, most: int, name: str) -> tuple[bytes, int]:
    start, stop = ber.read(data, pos, end, ber.OCTET_STRING)
    if stop - start > most:
        raise Malformed(f"{name} has {stop - start} octets")
    return data[start:stop], stop


def _msg_id(data: bytes, pos: int, end: int) -> tuple[int, int]:
    """The msgID; agents that cut it to three octets or fewer may send a negative one."""
    value, stop = ber.read_integer(data, pos, end)
    if not _LEAST_CUT_ID <= value <= MAX_INT31:
        raise Malformed(f"msgID is {value}")
    return value, stop


def _int31(data: bytes, pos: int, end: int, name: str) -> tuple[int, int]:
    value, stop = ber.read_integer(data, pos, end)
    if not 0 <= value <= MAX_INT31:
        raise Malformed(f"{name} is {value}")
    return value, stop


def _fills(stop: int, end: int, name: str) -> None:
    if stop != end:
        raise Malformed(f"unexpected octets after {name}")
