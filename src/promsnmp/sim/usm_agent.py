"""The agent's side of USM, for simulated and hostile agents: RFC 3414 sections 3.1 and 3.2 as the authoritative engine.

It answers engine discovery, sends the reports that section 3.2 prescribes, and answers at the security level of
the request. ``boots``, ``time`` and ``engine_id`` may be changed while it runs: a device that reboots, or is replaced.
"""

from __future__ import annotations

import time as clocks
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from promsnmp.snmp import ber
from promsnmp.snmp.ber import Malformed, Pdu
from promsnmp.snmp.credentials import SecurityLevel, User
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols, security_protocols
from promsnmp.snmp.v3.engine import TIME_WINDOW
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header, Message, ScopedPdu
from promsnmp.snmp.v3.reports import Report

PduHandler = Callable[[Pdu, bytes], bytes | None]
"""From a request and the buffer that its offsets point into to the encoded response PDU; None for no answer."""

_CONFIRMED = frozenset({ber.GET, ber.GET_NEXT, ber.GET_BULK, ber.SET})


class _Account(NamedTuple):
    user: User
    security_protocols: SecurityProtocols


class UsmAgent:
    """An authoritative engine with ``users``. ``time`` is the start value of its clock, in seconds.

    ``contexts``: its context names; None accepts any. ``clock`` returns seconds and never goes back.
    """

    def __init__(
        self,
        users: Iterable[User],
        *,
        engine_id: bytes,
        boots: int = 1,
        time: int = 0,
        contexts: Collection[str] | None = None,
        keys: KeyCache | None = None,
        clock: Callable[[], float] = clocks.monotonic,
    ) -> None:
        self.boots = boots
        self.contexts = contexts
        self.max_size = usm_message.MAX_SIZE
        """The msgMaxSize that it announces, octets."""
        self.reported: dict[Report, int] = dict.fromkeys(Report, 0)
        self._users = {user.name.encode(): user for user in users}
        self._engine_id = engine_id
        self._keys = keys or KeyCache()
        self._clock = clock
        self._accounts: dict[bytes, _Account] = {}
        self._salt = 0
        self.time = time

    @property
    def time(self) -> int:
        """snmpEngineTime, seconds."""
        return int(self._clock() - self._started)

    @time.setter
    def time(self, value: int) -> None:
        self._started = self._clock() - value

    @property
    def engine_id(self) -> bytes:
        """snmpEngineID; a new one makes it another device with the same users."""
        return self._engine_id

    @engine_id.setter
    def engine_id(self, value: bytes) -> None:
        self._engine_id = value
        self._accounts.clear()

    def reboot(self) -> None:
        """Reboots like a device that keeps its boots."""
        self.boots += 1
        self.time = 0

    def handle(self, datagram: bytes, answer: PduHandler) -> bytes | None:
        """The datagram to send back for ``datagram``; None when RFC 3412 section 7.2 requires dropping it."""
        try:
            message = usm_message.parse_message(datagram)
            return self._handle(datagram, message, answer)
        except Malformed:
            return None

    def secure(self, header: Header, pdu: bytes, *, context: bytes = b"") -> bytes:
        """``pdu`` in a message with any ``header``, with the keys of its user."""
        self._salt += 1
        scoped = usm_message.encode_scoped_pdu(self._engine_id, context, pdu)
        account = self._account(header.user)
        return usm_message.build_message(
            header, scoped, account.security_protocols if account else SecurityProtocols(), self._salt
        )

    def _handle(self, datagram: bytes, message: Message, answer: PduHandler) -> bytes | None:
        header = message.header
        account = self._account(header.user)
        refusal = self._refusal(datagram, message, account)
        if refusal is not None:
            return self._report(datagram, message, refusal)
        assert account is not None
        try:
            scoped = usm_message.decode_scoped_pdu(datagram, message, account.security_protocols)
        except Malformed:
            if header.level != SecurityLevel.AUTH_PRIV:
                raise
            return self._report(datagram, message, Report.DECRYPTION_ERROR)
        return self._respond(header, scoped, answer)

    def _respond(self, header: Header, scoped: ScopedPdu, answer: PduHandler) -> bytes | None:
        pdu = scoped.pdu
        if pdu.type not in _CONFIRMED:
            return None
        response_header = header._replace(reportable=False, boots=self.boots, time=self.time, max_size=self.max_size)
        if scoped.engine_id != self._engine_id:
            return self.secure(response_header, self._counted(Report.UNKNOWN_PDU_HANDLER, pdu.request_id))
        if self.contexts is not None and scoped.name.decode(errors="replace") not in self.contexts:
            return self.secure(response_header, self._counted(Report.UNKNOWN_CONTEXT, pdu.request_id))
        response = answer(pdu, scoped.buffer)
        return None if response is None else self.secure(response_header, response, context=scoped.name)

    def _refusal(self, datagram: bytes, message: Message, account: _Account | None) -> Report | None:
        """The report that a message must get, in the order of the checks of RFC 3414 section 3.2."""
        header = message.header
        if header.engine_id != self._engine_id:
            return Report.UNKNOWN_ENGINE
        if account is None:
            return Report.UNKNOWN_USER
        if header.level > account.user.level:
            return Report.UNSUPPORTED_LEVEL
        if header.level == SecurityLevel.NO_AUTH_NO_PRIV:
            return None
        auth = account.security_protocols.auth
        assert auth is not None
        if message.auth_size != auth.size or not auth.verifies(datagram, message.auth_offset):
            return Report.WRONG_DIGEST
        if header.boots != self.boots or abs(header.time - self.time) > TIME_WINDOW:
            return Report.NOT_IN_TIME_WINDOW
        return None

    def _report(self, datagram: bytes, message: Message, report: Report) -> bytes | None:
        """The report about a message that could not be accepted, if its sender wants one (RFC 3412 section 7.1)."""
        header = message.header
        if not header.reportable:
            return None
        request_id = 0
        if header.level != SecurityLevel.AUTH_PRIV:
            request_id = usm_message.decode_scoped_pdu(datagram, message, SecurityProtocols()).pdu.request_id
        signed = report in (Report.NOT_IN_TIME_WINDOW, Report.DECRYPTION_ERROR)
        level = SecurityLevel.AUTH_NO_PRIV if signed else SecurityLevel.NO_AUTH_NO_PRIV
        response_header = Header(
            header.msg_id, level, False, self._engine_id, self.boots, self.time, header.user, self.max_size
        )
        return self.secure(response_header._replace(max_size=self.max_size), self._counted(report, request_id))

    def _counted(self, report: Report, request_id: int) -> bytes:
        """A Report-PDU with the counter that went up."""
        self.reported[report] += 1
        value = ber.encode_integer(self.reported[report], ber.COUNTER32)
        return ber.encode_pdu(ber.REPORT, request_id, 0, 0, ber.encode_varbind(report.counter, value))

    def _account(self, name: bytes) -> _Account | None:
        found = self._accounts.get(name)
        if found is None and (user := self._users.get(name)) is not None:
            keys = self._keys.keys(user, self._engine_id)
            found = self._accounts[name] = _Account(user, security_protocols(user, keys))
        return found
