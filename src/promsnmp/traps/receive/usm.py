"""Opens messages of SNMPv3 as their receiver (RFC 3414 section 3.2): traps of engines that send, informs to our own.

The sender of a trap is authoritative, so its engine id is in the message. A message of an engine that is not known yet
authenticates itself: its MAC proves the user's passphrase, localised to that engine id. Only then is the engine
remembered, with its clock, so that strangers cannot fill the memory. For informs this process is authoritative: it
answers engine discovery, and its reports about the time are authenticated.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from promsnmp.snmp import ber
from promsnmp.snmp.ber import Malformed
from promsnmp.snmp.credentials import Credentials, SecurityLevel, User
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols, security_protocols
from promsnmp.snmp.v3.engine import MAX_BOOTS, TIME_WINDOW
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header, Message, ScopedPdu
from promsnmp.snmp.v3.reports import Report
from promsnmp.traps.receive.accepted import AcceptedCredentials
from promsnmp.traps.receive.counts import Dropped
from promsnmp.traps.receive.engine_clocks import EngineClocks
from promsnmp.traps.receive.own_engine import OwnEngine
from promsnmp.traps.receive.pdu import TRAP

_REASONS = {
    Report.UNKNOWN_ENGINE: Dropped.ENGINE,
    Report.UNKNOWN_USER: Dropped.USER,
    Report.UNSUPPORTED_LEVEL: Dropped.LEVEL,
    Report.WRONG_DIGEST: Dropped.DIGEST,
    Report.DECRYPTION_ERROR: Dropped.DECRYPTION,
    Report.NOT_IN_TIME_WINDOW: Dropped.TIME_WINDOW,
}


class Refused(Exception):
    """A message that is not accepted: why, and the report that its sender gets (empty: none)."""

    def __init__(self, reason: Dropped, report: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.report = report


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message that passed all checks."""

    header: Header
    scoped: ScopedPdu
    protocols: SecurityProtocols
    user: User
    is_new: bool = True
    """Whether its time proves that it was not recorded earlier."""


class TrapReceiverModel:
    """The receiver's side of USM for ``engine``. ``clocks``: what is known of other engines."""

    def __init__(
        self,
        engine: OwnEngine,
        *,
        keys: KeyCache | None = None,
        clocks: EngineClocks | None = None,
    ) -> None:
        self.accepted = AcceptedCredentials()
        self._engine = engine
        self._keys = keys or KeyCache()
        self._clocks = clocks or EngineClocks()
        self._reported: dict[Report, int] = dict.fromkeys(_REASONS, 0)
        self._salt = secrets.randbits(64)

    def open(self, datagram: bytes, *, preferred: Iterable[Credentials] = ()) -> OpenedMessage:
        """The content of a message. ``preferred``: credentials of the device that it seems to be from.

        Raises Malformed, and Refused.
        """
        message = usm_message.parse_message(datagram)
        header = message.header
        if header.engine_id == self._engine.engine_id:
            return self._open(datagram, message, preferred, is_ours=True)
        try:
            opened = self._open(datagram, message, preferred, is_ours=False) if header.engine_id else None
        except (Malformed, Refused):
            if not header.reportable:
                raise
            opened = None
        if opened is None or opened.scoped.pdu.type != TRAP:  # discovery, or an inform to another engine than ours
            raise self._refusal(datagram, message, Report.UNKNOWN_ENGINE)
        return opened

    def _open(
        self, datagram: bytes, message: Message, preferred: Iterable[Credentials], *, is_ours: bool
    ) -> OpenedMessage:
        header = message.header
        if header.user not in self.accepted.users:
            raise self._refusal(datagram, message, Report.UNKNOWN_USER)
        users = self.accepted.users_for(header.user, header.level, preferred)
        if not users:
            raise self._refusal(datagram, message, Report.UNSUPPORTED_LEVEL)
        if header.level is SecurityLevel.NO_AUTH_NO_PRIV:
            none = SecurityProtocols()
            return OpenedMessage(header, usm_message.decode_scoped_pdu(datagram, message, none), none, users[0])
        return self._open_authenticated(datagram, message, users, is_ours=is_ours)

    def _open_authenticated(
        self, datagram: bytes, message: Message, users: list[User], *, is_ours: bool
    ) -> OpenedMessage:
        header = message.header
        proven = [(user, made) for user in users if (made := self._verified(datagram, message, user)) is not None]
        if not proven:
            raise self._refusal(datagram, message, Report.WRONG_DIGEST)
        is_timely, is_new = (
            (self._is_timely(header), True)
            if is_ours
            else self._clocks.check(header.engine_id, header.boots, header.time)
        )
        if not is_timely:
            raise self._refusal(datagram, message, Report.NOT_IN_TIME_WINDOW, proven[0][1])
        for user, protocols in proven:
            try:
                scoped = usm_message.decode_scoped_pdu(datagram, message, protocols)
            except Malformed:
                if header.level is not SecurityLevel.AUTH_PRIV:
                    raise
            else:
                return OpenedMessage(header, scoped, protocols, user, is_new)
        raise self._refusal(datagram, message, Report.DECRYPTION_ERROR, proven[0][1])

    def _verified(self, datagram: bytes, message: Message, user: User) -> SecurityProtocols | None:
        """The keyed protocols of ``user``, when the message's MAC is that user's."""
        protocols = security_protocols(user, self._keys.keys(user, message.header.engine_id))
        auth = protocols.auth
        assert auth is not None
        if message.auth_size != auth.size or not auth.verifies(datagram[: message.size], message.auth_offset):
            return None
        return protocols

    # ------------------------------------------------------------------------------------------------------- the time

    def _is_timely(self, header: Header) -> bool:
        """RFC 3414 section 3.2 step 7 a, for the authoritative side."""
        boots = self._engine.boots
        return header.boots == boots < MAX_BOOTS and abs(header.time - self._engine.time) <= TIME_WINDOW

    # ------------------------------------------------------------------------------------------------------- replies

    def _refusal(
        self, datagram: bytes, message: Message, report: Report, protocols: SecurityProtocols | None = None
    ) -> Refused:
        """With a report for a sender that wants one (RFC 3412 section 7.1 step 3). Raises Malformed."""
        self._reported[report] = self._reported[report] + 1 & 0xFFFFFFFF
        header = message.header
        if not header.reportable:
            return Refused(_REASONS[report])
        request_id = 0
        if header.level is not SecurityLevel.AUTH_PRIV:
            request_id = usm_message.decode_scoped_pdu(datagram, message, SecurityProtocols()).pdu.request_id
        value = ber.encode_integer(self._reported[report], ber.COUNTER32)
        pdu = ber.encode_pdu(ber.REPORT, request_id, 0, 0, ber.encode_varbind(report.counter, value))
        level = SecurityLevel.NO_AUTH_NO_PRIV if protocols is None else SecurityLevel.AUTH_NO_PRIV
        reply = self._build(header, level, self._engine.engine_id, b"", pdu, protocols or SecurityProtocols())
        return Refused(_REASONS[report], reply)

    def response(self, opened: OpenedMessage, pdu: bytes) -> bytes:
        """The message that answers ``opened`` with an encoded PDU, at the same security level."""
        scoped = opened.scoped
        return self._build(opened.header, opened.header.level, scoped.engine_id, scoped.name, pdu, opened.protocols)

    def _build(
        self,
        request: Header,
        level: SecurityLevel,
        context_engine_id: bytes,
        context_name: bytes,
        pdu: bytes,
        protocols: SecurityProtocols,
    ) -> bytes:
        self._salt = self._salt + 1 & 0xFFFFFFFFFFFFFFFF
        engine = self._engine
        header = Header(request.msg_id, level, False, engine.engine_id, engine.boots, engine.time, request.user)
        scoped = usm_message.encode_scoped_pdu(context_engine_id, context_name, pdu)
        return usm_message.build_message(header, scoped, protocols, self._salt)
