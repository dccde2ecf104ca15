"""The manager's side of the user-based security model: RFC 3414, and RFC 3412 section 7.2 for what an answer must be.

Every answer is checked: that it belongs to a request of ours, that it has the security level that was asked for, comes
from the engine and speaks for the user that was asked, that its MAC is right, that it is not old, and that it is about
the context that was asked. Reports, which an agent sends when it could not do so, are believed as far as section 3.2
goes: one without authentication can end a poll or tell an engine id, but never change what we take for the time.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, NoReturn

from promsnmp.errors import AuthenticationError
from promsnmp.snmp import ber, oid
from promsnmp.snmp.ber import Malformed, Pdu
from promsnmp.snmp.credentials import LEVEL_NAMES, SecurityLevel, User
from promsnmp.snmp.security import Resynchronise, Unauthentic, Unexpected
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols, security_protocols
from promsnmp.snmp.v3.engine import MAX_BOOTS, EngineState
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header, Message, ScopedPdu
from promsnmp.snmp.v3.reports import (
    UNPROTECTED,
    Report,
    explain_report,
    explain_timeout,
    missing_passphrase,
    report_of,
)

__all__ = ["EngineState", "KeyCache", "Unexpected", "UsmModel"]

MAX_OUTSTANDING = 16
"""Messages whose answers are waited for; more retransmissions than any sensible setting has."""

NO_AUTH, AUTH, PRIV = SecurityLevel.NO_AUTH_NO_PRIV, SecurityLevel.AUTH_NO_PRIV, SecurityLevel.AUTH_PRIV


class _RequestKind(Enum):
    ENGINE = "learn the engine id"
    CLOCK = "learn the engine's time"
    REQUEST = "ask for objects"


class _SentRequest(NamedTuple):
    """What was sent under one msgID."""

    kind: _RequestKind
    level: SecurityLevel
    engine_id: bytes
    pdu: bytes


class UsmModel:
    """Wraps the PDUs of ``user`` into messages for the engine in ``engine``, and opens its answers.

    After ``Resynchronise`` ask ``ready`` again: a replaced device is one whose clock has to be learned first.
    ``clock`` gives seconds and never goes back. Raises AuthenticationError when ``user`` lacks a passphrase.
    """

    def __init__(
        self, user: User, *, engine: EngineState, keys: KeyCache, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if reason := missing_passphrase(user):
            raise AuthenticationError(reason)
        self._user = user
        self._name = user.name.encode()
        self._context_name = user.context_name.encode()
        self._engine = engine
        self._keys = keys
        self._clock = clock
        self._msg_id = secrets.randbits(31)
        self._probe = ber.encode_pdu(ber.GET, secrets.randbits(31), 0, 0, b"")
        self._outstanding: dict[int, _SentRequest] = {}
        self._keyed_for = b""
        self._protocols = SecurityProtocols()

    # ----------------------------------------------------------------------------------------------------- sending

    def ready(self) -> bool:
        """Whether engine id and, where messages are authenticated, the engine's time are known."""
        return bool(self._engine.engine_id) and (self._user.level == NO_AUTH or self._engine.synchronised)

    def discovery(self) -> bytes:
        """The next message of RFC 3414 section 4: one that asks for the engine id, then one for its time."""
        if self._engine.engine_id:
            return self._message(_SentRequest(_RequestKind.CLOCK, AUTH, self._engine.engine_id, self._probe))
        sent = _SentRequest(_RequestKind.ENGINE, NO_AUTH, b"", self._probe)
        header = Header(self._register(sent), NO_AUTH, True, b"", 0, 0, b"")
        return usm_message.build_message(
            header, usm_message.encode_scoped_pdu(b"", b"", self._probe), SecurityProtocols(), 0
        )

    def encode(self, pdu: bytes) -> bytes:
        """The message around ``pdu``, under a msgID of its own each time; discovery while there is no engine id."""
        if not self._engine.engine_id:
            return self.discovery()
        return self._message(_SentRequest(_RequestKind.REQUEST, self._user.level, self._engine.engine_id, pdu))

    def _message(self, sent: _SentRequest) -> bytes:
        engine = self._engine
        clock = engine.boots, engine.time_at(self._clock())
        header = Header(self._register(sent), sent.level, True, sent.engine_id, *clock, self._name)
        scoped = usm_message.encode_scoped_pdu(self._context_engine_id(), self._context_name, sent.pdu)
        salt = engine.next_salt() if sent.level == PRIV else 0
        return usm_message.build_message(header, scoped, self._keyed_protocols(), salt)

    def _register(self, sent: _SentRequest) -> int:
        """A new msgID under which ``sent`` is waited for. Another PDU than before ends the wait for the one before."""
        self._msg_id = self._msg_id + 1 & usm_message.MAX_INT31
        waiting = self._outstanding
        if waiting and next(iter(waiting.values())).pdu != sent.pdu:
            waiting.clear()
        while len(waiting) >= MAX_OUTSTANDING:
            del waiting[next(iter(waiting))]
        waiting[self._msg_id] = sent
        return self._msg_id

    def _context_engine_id(self) -> bytes:
        return self._user.context_engine_id or self._engine.engine_id

    def _keyed_protocols(self) -> SecurityProtocols:
        """Protocols keyed for the engine as it is known now."""
        if self._keyed_for != self._engine.engine_id:
            self._keyed_for = self._engine.engine_id
            self._protocols = security_protocols(self._user, self._keys.keys(self._user, self._keyed_for))
        return self._protocols

    # --------------------------------------------------------------------------------------------------- receiving

    def decode(self, datagram: bytes) -> tuple[bytes, Pdu]:
        """The PDU of an answer, and the buffer (decrypted where it was encrypted) that its offsets point into.

        Raises Malformed, Unauthentic, Resynchronise, or AuthenticationError when the agent refuses for good.
        """
        message = usm_message.parse_message(datagram)
        header = message.header
        sent = self._outstanding.get(header.msg_id)
        if sent is None:
            raise Unexpected("an answer has a msgID that is not waited for (late, doubled or replayed)")
        if header.level > sent.level:
            raise Unauthentic(f"the answer has security level {LEVEL_NAMES[header.level]}, more than was asked for")
        if header.level != NO_AUTH:
            self._authenticate(datagram, message, sent)
        scoped = self._decrypt(datagram, message)
        if scoped.pdu.type == ber.REPORT:
            self._handle_report(scoped, header, sent)
        self._check_response(scoped, header, sent)
        return scoped.buffer, scoped.pdu

    def _authenticate(self, datagram: bytes, message: Message, sent: _SentRequest) -> None:
        """Engine, user and MAC: RFC 3414 section 3.2 steps 3, 4 and 6."""
        self._check_sender(message.header, sent)
        auth = self._keyed_protocols().auth
        assert auth is not None
        if message.auth_size != auth.size or not auth.verifies(datagram, message.auth_offset):
            raise Unauthentic(
                f"the authentication of an answer is wrong: check the auth passphrase of user {self._user.name!r}, and "
                f"that its auth protocol is {self._user.auth_protocol}; or somebody alters the messages"
            )

    def _check_sender(self, header: Header, sent: _SentRequest) -> None:
        if header.engine_id != sent.engine_id or header.engine_id != self._engine.engine_id:
            raise Unauthentic("the answer comes from another engine than was asked")
        if header.user != self._name:
            raise Unauthentic("the answer is for another user")

    def _decrypt(self, datagram: bytes, message: Message) -> ScopedPdu:
        try:
            return usm_message.decode_scoped_pdu(datagram, message, self._protocols)
        except Malformed as error:
            if message.header.level != PRIV:
                raise
            raise Unauthentic(
                f"an answer cannot be decrypted ({error}): check the priv passphrase of user {self._user.name!r}, and "
                f"that its priv protocol is {self._user.priv_protocol}"
            ) from None

    def _check_response(self, scoped: ScopedPdu, header: Header, sent: _SentRequest) -> None:
        """All that a Response must be besides authentic (RFC 3412 section 7.2 steps 10 to 12)."""
        if scoped.pdu.type != ber.RESPONSE:
            raise Malformed(f"a PDU with tag 0x{scoped.pdu.type:02x} stands where a response must")
        if header.level != sent.level or sent.kind is _RequestKind.ENGINE:
            name = LEVEL_NAMES[header.level]
            raise Unauthentic(f"the answer has security level {name}, less than was asked for")
        if header.level == NO_AUTH:
            self._check_sender(header, sent)
        elif not self._engine.check_time_window(header.boots, header.time, self._clock()):
            raise Unauthentic(self._time_window_error(header))
        if sent.kind is _RequestKind.CLOCK:
            self._resynchronise("the engine's time")
        if scoped.engine_id != self._context_engine_id() or scoped.name != self._context_name:
            raise Unauthentic("the answer is about another context than was asked")
        self._outstanding.clear()  # an answer to a retransmission answers all of them
        self._engine.answered = True

    def _time_window_error(self, header: Header) -> str:
        engine = self._engine
        return (
            f"the answer is outside of the time window: it says boots {header.boots}, time {header.time}, where boots "
            f"{engine.boots}, time {engine.time_at(self._clock())} was expected"
        )

    def timeout_hint(self) -> str:
        """What it may mean that no answer came, for the error; empty when nothing speaks for it being the user's fault.

        Agents (net-snmp) drop what they cannot decrypt, and requests for contexts they do not have, without a word.
        """
        engine = self._engine
        return explain_timeout(
            self._user, has_engine_id=bool(engine.engine_id), has_time=engine.synchronised, answered=engine.answered
        )

    # ----------------------------------------------------------------------------------------------------- reports

    def _handle_report(self, scoped: ScopedPdu, header: Header, sent: _SentRequest) -> NoReturn:
        """Does what a Report says (RFC 3414 section 3.2). Raises one of what ``decode`` raises, always."""
        varbinds = ber.varbinds(scoped.buffer, scoped.pdu.start, scoped.pdu.end)
        if not varbinds:
            raise Malformed("a report carries no counter")
        counter = varbinds[0].oid
        report = report_of(counter)
        if sent.kind is _RequestKind.ENGINE or report is Report.UNKNOWN_ENGINE:
            self._handle_engine_id(header, sent)
        if report is Report.NOT_IN_TIME_WINDOW:
            self._handle_time(header)
        if header.level < sent.level and report not in UNPROTECTED:
            raise Unauthentic(f"a report without the security that was asked for (counter {oid.to_text(counter)})")
        raise AuthenticationError(explain_report(report, counter, self._user))

    def _handle_engine_id(self, header: Header, sent: _SentRequest) -> NoReturn:
        """The agent told its engine id: at discovery, or because the device was replaced."""
        if not header.engine_id:
            raise Unauthentic("the agent does not tell its engine id")
        if header.engine_id == sent.engine_id:
            raise Unauthentic("the agent says that it does not know its own engine id")
        if header.engine_id != self._engine.engine_id:
            self._engine.set_engine_id(header.engine_id)
        self._resynchronise("the engine id")

    def _handle_time(self, header: Header) -> NoReturn:
        """The agent told its time, and signed that.

        Even a time that goes back is believed, which section 3.2 step 7 b alone would not: the report carries a msgID
        that only we know to be outstanding, so it is not a replayed one, and many devices do not keep their boots
        over a reboot; they would never be heard again.
        """
        if header.level == NO_AUTH:
            raise Unauthentic("a report about the time is not authenticated")
        if header.boots >= MAX_BOOTS:
            raise AuthenticationError("the agent's engine boots are at their maximum: give its SNMP engine a new id")
        self._engine.set_clock(header.boots, header.time, self._clock())
        self._resynchronise("the engine's time")

    def _resynchronise(self, what: str) -> NoReturn:
        self._outstanding.clear()
        raise Resynchronise(f"the agent told {what}")
