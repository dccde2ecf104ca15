"""The manager's side of the user-based security model (USM): RFC 3414, and RFC 3412 section 7.2 for answers.

Every answer is checked: it must belong to an outstanding request, have the requested security level, engine, user and
context, a right MAC, and a time inside the window. Reports, which an agent sends when it cannot answer, are accepted as
far as section 3.2 allows. One without authentication may come from anybody, so it neither ends a poll nor changes what
is known: an engine that it names is asked to prove itself, and replaces a proven engine only then. A time that it names
is a guess: the next request carries it, and the authenticated answer has to confirm it.
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
from promsnmp.snmp.security import Refused, Resynchronise, Unauthentic, Unexpected
from promsnmp.snmp.silence import telling_id, usable_bits
from promsnmp.snmp.v3 import message as usm_message
from promsnmp.snmp.v3.crypto import SecurityProtocols, security_protocols
from promsnmp.snmp.v3.engine import MAX_BOOTS, TIME_WINDOW, EngineState
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
"""Maximum messages that wait for an answer; more retransmissions than any sensible setting has."""

NO_AUTH, AUTH, PRIV = SecurityLevel.NO_AUTH_NO_PRIV, SecurityLevel.AUTH_NO_PRIV, SecurityLevel.AUTH_PRIV


class _RequestKind(Enum):
    ENGINE = "learn the engine id"
    CLOCK = "learn the engine's time"
    REQUEST = "ask for objects"


class _SentRequest(NamedTuple):
    """The request that was sent under one msgID."""

    kind: _RequestKind
    level: SecurityLevel
    engine_id: bytes
    pdu: bytes
    guess: tuple[int, int] | None = None
    """The boots and time that it carries, when they come from a report without authentication."""


class UsmModel:
    """Encodes the PDUs of ``user`` as messages for the engine in ``engine``, and decodes its answers.

    After ``Resynchronise`` call ``ready`` again: for a replaced device, discovery has to learn the clock first.
    ``clock`` returns seconds and never goes back. Raises AuthenticationError when ``user`` lacks a passphrase.
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
        self._msg_id = telling_id() - 1
        self._msg_id_bits = engine.msg_id_bits
        """Bits of the next msgIDs: what the engine is known for, or a guess until a checked answer confirms it."""
        self._probe = ber.encode_pdu(ber.GET, secrets.randbits(31), 0, 0, b"")
        self._outstanding: dict[int, _SentRequest] = {}
        self._request = b""
        """The PDU of the last request."""
        self._rival = b""
        """An engine id that the next message goes to, because an unauthenticated report named it."""
        self._guess: tuple[int, int] | None = None
        """Boots and time that the next message carries, because an unauthenticated report named them."""
        self._keyed_for = b""
        self._protocols = SecurityProtocols()

    # ----------------------------------------------------------------------------------------------------- sending

    @property
    def authenticates(self) -> bool:
        return self._user.level != NO_AUTH

    @property
    def max_message(self) -> int:
        return self._engine.max_message

    @property
    def plain_head(self) -> bytes:
        return b""

    def is_response(self, datagram: bytes) -> bool:
        try:
            return usm_message.parse_message(datagram).header.msg_id in self._outstanding
        except Malformed:
            return False

    def ready(self) -> bool:
        """Whether the engine id is known and, where messages are authenticated, the engine's time."""
        if self._rival:
            return self._user.level == NO_AUTH
        has_time = self._engine.synchronised or self._guess is not None
        return bool(self._engine.engine_id) and (self._user.level == NO_AUTH or has_time)

    def discovery(self) -> bytes:
        """The next discovery message (RFC 3414 section 4): first for the engine id, then for the time."""
        engine_id = self._next_engine()
        if engine_id:
            return self._message(_SentRequest(_RequestKind.CLOCK, AUTH, engine_id, self._probe))
        sent = _SentRequest(_RequestKind.ENGINE, NO_AUTH, b"", self._probe)
        header = Header(self._register(sent), NO_AUTH, True, b"", 0, 0, b"")
        return usm_message.build_message(
            header, usm_message.encode_scoped_pdu(b"", b"", self._probe), SecurityProtocols(), 0
        )

    def encode(self, pdu: bytes, *, again: bool = False) -> bytes:
        """The message around ``pdu``, with a new msgID each time; discovery while the engine id is unknown."""
        if again:
            self._request = pdu  # answers to the request before still count
        if not (self._rival or self._engine.engine_id):
            return self.discovery()
        return self._message(_SentRequest(_RequestKind.REQUEST, self._user.level, self._next_engine(), pdu))

    def _next_engine(self) -> bytes:
        """The engine id of the next message: a rival's once, then the known one again."""
        engine_id, self._rival = self._rival or self._engine.engine_id, b""
        return engine_id

    def _message(self, sent: _SentRequest) -> bytes:
        engine, is_known = self._engine, sent.engine_id == self._engine.engine_id
        clock = (engine.boots, engine.time_at(self._clock())) if is_known else (0, 0)
        if self._guess is not None and sent.kind is _RequestKind.REQUEST:
            clock, self._guess = self._guess, None
            sent = sent._replace(guess=clock)
        header = Header(self._register(sent), sent.level, True, sent.engine_id, *clock, self._name)
        context = self._context_engine_id(sent.engine_id)
        scoped = usm_message.encode_scoped_pdu(context, self._context_name, sent.pdu)
        salt = engine.next_salt() if sent.level == PRIV else 0
        return usm_message.build_message(header, scoped, self._keyed_protocols(sent.engine_id), salt)

    def _register(self, sent: _SentRequest) -> int:
        """A new msgID for ``sent``. A new request ends the wait for answers to all messages before."""
        self._msg_id = self._msg_id + 1 & (1 << self._msg_id_bits) - 1
        waiting = self._outstanding
        if sent.kind is _RequestKind.REQUEST and sent.pdu != self._request:
            self._request = sent.pdu
            waiting.clear()
        while len(waiting) >= MAX_OUTSTANDING:
            del waiting[next(iter(waiting))]
        waiting[self._msg_id] = sent
        return self._msg_id

    def _context_engine_id(self, engine_id: bytes) -> bytes:
        return self._user.context_engine_id or engine_id

    def _keyed_protocols(self, engine_id: bytes | None = None) -> SecurityProtocols:
        """Protocols with the keys of an engine, by default the known one."""
        engine_id = self._engine.engine_id if engine_id is None else engine_id
        if self._keyed_for != engine_id:
            self._keyed_for = engine_id
            self._protocols = security_protocols(self._user, self._keys.keys(self._user, engine_id))
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
            self._handle_unknown_id(header.msg_id)
        if header.level > sent.level:
            raise Unauthentic(f"the answer has security level {LEVEL_NAMES[header.level]}, higher than requested")
        if header.level != NO_AUTH:
            self._authenticate(datagram[: message.size], message, sent)
        scoped = self._decrypt(datagram, message, sent)
        if scoped.pdu.type == ber.REPORT:
            self._handle_report(scoped, header, sent)
        self._check_response(scoped, header, sent)
        return scoped.buffer, scoped.pdu

    def _handle_unknown_id(self, msg_id: int) -> NoReturn:
        """Asks again with a shorter msgID when an answer has one of ours cut to some octets.

        The answer itself does not count: that to the next message must be right in everything, with a whole msgID.
        """
        bits = min((found for sent in self._outstanding if (found := usable_bits(sent, msg_id))), default=0)
        if 0 < bits < self._msg_id_bits:
            self._msg_id_bits = bits
            raise Resynchronise(f"the agent cuts msgIDs to {bits + 1} bits", authentic=False)
        raise Unexpected("the answer has an unknown msgID (late, duplicate or replayed)")

    def _authenticate(self, datagram: bytes, message: Message, sent: _SentRequest) -> None:
        """Engine, user and MAC: RFC 3414 section 3.2 steps 3, 4 and 6."""
        self._check_sender(message.header, sent)
        auth = self._keyed_protocols(sent.engine_id).auth
        assert auth is not None
        if message.auth_size != auth.size or not auth.verifies(datagram, message.auth_offset):
            raise Unauthentic(
                f"an answer failed authentication: check the auth passphrase of user {self._user.name!r}, and that "
                f"its auth protocol is {self._user.auth_protocol}; if both are correct, packets are "
                "modified in transit"
            )
        self._adopt(sent.engine_id)

    def _adopt(self, engine_id: bytes) -> None:
        """The engine has proven itself: it is the agent's."""
        if engine_id != self._engine.engine_id:
            self._engine.set_engine_id(engine_id)

    def _check_sender(self, header: Header, sent: _SentRequest) -> None:
        if header.engine_id != sent.engine_id:
            raise Unauthentic("the answer comes from another engine than the request went to")
        if header.user != self._name:
            raise Unauthentic("the answer is for another user")

    def _decrypt(self, datagram: bytes, message: Message, sent: _SentRequest) -> ScopedPdu:
        try:
            return usm_message.decode_scoped_pdu(datagram, message, self._keyed_protocols(sent.engine_id))
        except Malformed as error:
            if message.header.level != PRIV:
                raise
            raise Unauthentic(
                f"an answer cannot be decrypted ({error}): check the priv passphrase of user {self._user.name!r}, and "
                f"that its priv protocol is {self._user.priv_protocol}"
            ) from None

    def _check_response(self, scoped: ScopedPdu, header: Header, sent: _SentRequest) -> None:
        """The checks of a Response besides authentication (RFC 3412 section 7.2 steps 10 to 12)."""
        if scoped.pdu.type != ber.RESPONSE:
            raise Malformed(f"expected a response, got a PDU with tag 0x{scoped.pdu.type:02x}")
        if header.level != sent.level or sent.kind is _RequestKind.ENGINE:
            name = LEVEL_NAMES[header.level]
            raise Unauthentic(f"the answer has security level {name}, lower than requested")
        if header.level == NO_AUTH:
            self._check_sender(header, sent)
        elif not self._check_time(header, sent):
            self._go_back(header)
        if sent.kind is _RequestKind.CLOCK:
            self._resynchronise("the engine's time")
        if scoped.engine_id != self._context_engine_id(sent.engine_id) or scoped.name != self._context_name:
            raise Unauthentic("the answer is for another context than requested")
        self._adopt(sent.engine_id)
        self._outstanding.clear()  # an answer to a retransmission answers all of them
        self._engine.answered = True
        self._engine.max_message, self._engine.msg_id_bits = header.max_size, self._msg_id_bits

    def _check_time(self, header: Header, sent: _SentRequest) -> bool:
        """Whether an authenticated answer is inside the time window, or confirms the time that was guessed."""
        boots, time = sent.guess or (MAX_BOOTS, 0)
        if header.boots == boots < MAX_BOOTS and abs(header.time - time) <= TIME_WINDOW:
            self._engine.set_clock(header.boots, header.time, self._clock())
            return True
        return self._engine.check_time_window(header.boots, header.time, self._clock())

    def _go_back(self, header: Header) -> NoReturn:
        """Uses the time of an authenticated answer that is older than the time window allows, but not the answer.

        Agents whose clock stands still, or that lose their boots at a reboot and check no time themselves, could not be
        polled otherwise. The answer has the msgID of an outstanding request, so it is not replayed; and the answer to
        the request that follows must be inside the window.
        """
        text = self._time_window_error(header)
        if header.boots >= MAX_BOOTS:
            raise Unauthentic(text)
        self._engine.set_clock(header.boots, header.time, self._clock())
        self._outstanding.clear()
        raise Resynchronise(text, authentic=True)

    def _time_window_error(self, header: Header) -> str:
        engine = self._engine
        return (
            f"the answer is outside the time window: it has boots {header.boots}, time {header.time}, expected boots "
            f"{engine.boots}, time {engine.time_at(self._clock())}"
        )

    def timeout_hint(self) -> str:
        """Possible causes of a timeout, for the error text; empty when the credentials have worked before.

        Agents (net-snmp) silently drop messages that they cannot decrypt, and requests for unknown contexts.
        """
        engine = self._engine
        return explain_timeout(
            self._user, has_engine_id=bool(engine.engine_id), has_time=engine.synchronised, answered=engine.answered
        )

    # ----------------------------------------------------------------------------------------------------- reports

    def _handle_report(self, scoped: ScopedPdu, header: Header, sent: _SentRequest) -> NoReturn:
        """Handles a Report (RFC 3414 section 3.2). Always raises one of the exceptions of ``decode``."""
        varbinds = ber.varbinds(scoped.buffer, scoped.pdu.start, scoped.pdu.end)
        if not varbinds:
            raise Malformed("the report carries no counter")
        counter = varbinds[0].oid
        report = report_of(counter)
        if sent.kind is _RequestKind.ENGINE or report is Report.UNKNOWN_ENGINE:
            self._handle_engine_id(header, sent)
        if report is Report.NOT_IN_TIME_WINDOW:
            self._handle_time(header, sent)
        if header.level < sent.level and report not in UNPROTECTED:
            raise Unauthentic(f"the report has a lower security level than requested (counter {oid.to_text(counter)})")
        text = explain_report(report, counter, self._user)
        if header.level == NO_AUTH:
            raise Refused(text, have_worked=self._engine.answered)
        raise AuthenticationError(text)

    def _handle_engine_id(self, header: Header, sent: _SentRequest) -> NoReturn:
        """Notes the engine id in a report: at discovery, or because the device was replaced.

        Such a report is never authenticated (RFC 3414 section 3.2 step 3). An engine that has not proven itself either
        is replaced at once; a proven one stays until the other has proven itself.
        """
        if not header.engine_id:
            raise Unauthentic("the report has no engine id")
        if header.engine_id == sent.engine_id:
            raise Unauthentic("the agent reports that its own engine id is unknown")
        if header.engine_id == self._engine.engine_id:
            raise Unexpected("the report names the engine that is known already")
        if self._engine.is_proven:
            self._rival = header.engine_id
        else:
            self._engine.set_engine_id(header.engine_id)
            self._engine.max_message = header.max_size
        raise Resynchronise("the agent sent another engine id", authentic=False)

    def _guess_time(self, header: Header, sent: _SentRequest) -> NoReturn:
        """Asks with the time of a report without authentication, which section 3.2 step 7 a does not allow agents.

        Nothing is kept of it until an authenticated answer confirms it.
        """
        if header.engine_id != self._engine.engine_id or header.engine_id != sent.engine_id:
            raise Unauthentic("a report about the time of another engine is not authenticated")
        if sent.guess == (header.boots, header.time):
            raise Unauthentic(
                f"the agent refuses the time that its own report names (boots {header.boots}, time {header.time}); the "
                "report is not authenticated"
            )
        self._guess = header.boots, header.time
        text = f"a report without authentication with boots {header.boots}, time {header.time}"
        raise Resynchronise(f"the agent sent {text}", authentic=False)

    def _handle_time(self, header: Header, sent: _SentRequest) -> NoReturn:
        """Uses the time in an authenticated report.

        Even a time that goes back is accepted, which section 3.2 step 7 b alone would not allow. The report has the
        msgID of an outstanding request, so it is not replayed. Many devices lose their boots at a reboot, and could
        never be polled again.
        """
        if header.level == NO_AUTH:
            self._guess_time(header, sent)
        if header.boots >= MAX_BOOTS:
            raise AuthenticationError("the agent's engine boots are at their maximum: give its SNMP engine a new id")
        self._engine.set_clock(header.boots, header.time, self._clock())
        self._engine.max_message = header.max_size
        self._resynchronise(f"its time: boots {header.boots}, time {header.time}")

    def _resynchronise(self, what: str) -> NoReturn:
        """After an authenticated message."""
        self._outstanding.clear()
        raise Resynchronise(f"the agent sent {what}", authentic=True)
