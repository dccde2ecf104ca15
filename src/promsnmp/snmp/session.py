"""An exchange with one agent: a socket, its retries and deadline, and an operation that says what to ask.

Written with callbacks, not coroutines: a walk of forty packets wakes the loop forty times but switches no task, and
task switches would be most of asyncio's cost here. An ``Operation`` (``operations/``) is a state machine without I/O.
Searches send and retry by themselves, in ``discovery/scan/sweep.py``.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Self

from promsnmp.errors import AuthenticationError, MalformedMessage, SnmpError, SnmpRefused, SnmpTimeout
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.snmp import ber, oid, silence
from promsnmp.snmp.current_request import CurrentRequest
from promsnmp.snmp.operations.base import AgentLimits, Operation
from promsnmp.snmp.operations.walk import WalkOperation
from promsnmp.snmp.security import SMALLEST_MAX_MESSAGE, Refused, Resynchronise, SecurityModel, Unauthentic, Unexpected
from promsnmp.snmp.tcp import MessageSplitter, open_stream
from promsnmp.snmp.traffic import SessionObserver, Traffic
from promsnmp.snmp.transport import RECEIVE_SIZE, SnmpEndpoint, open_socket, resolve_by

MAX_RESYNCHRONISATIONS = 4
"""How often one request is repeated because the agent sent a new engine id or time."""
MAX_CLAIMS = 16
"""How many engines that unauthenticated reports name are asked to prove themselves during one request."""
REFUSAL_WAIT = 1.0
"""Seconds to wait for a better answer after an unauthenticated refusal of credentials that never worked before."""
MAX_STREAM_DISCARDS = 100
"""Messages of a stream, which come from the agent itself, that may be useless until it counts as malformed."""


class Session:
    """An exchange with one agent, over UDP or TCP; ``async with`` opens and closes its socket.

    ``timeout`` (seconds) and ``retries`` are per packet; ``deadline`` (loop time, seconds) bounds the whole session,
    and ``limit`` names the setting that it comes from, for errors.
    ``source`` is the local address to send from; empty leaves the choice to the system. With ``connected`` false the
    agent may answer from another address or port than the request went to, as some with several addresses do. Answers
    that are authenticated (v3) may always. ``limits`` is what is known of the agent, and is updated. ``observer`` sees
    all PDUs; ``counts`` gets the packets and their times.

    What gets no answer is sent again, ``retries`` times; an agent that answered something before is asked for less
    (``Operation.ask_less``), a few times more if need be. One that has not answered yet is asked for the least from
    the second attempt on, the last time from an unconnected socket: a device that is down costs no more packets.
    """

    def __init__(
        self,
        endpoint: SnmpEndpoint,
        security: SecurityModel,
        *,
        timeout: float = 5.0,
        retries: int = 3,
        deadline: float | None = None,
        limit: str = "",
        connected: bool = True,
        source: str = "",
        limits: AgentLimits | None = None,
        observer: SessionObserver | None = None,
        counts: ExporterCounts | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._counts = counts
        self._sent_at = 0.0
        self.limits = limits or AgentLimits()
        self._observer = observer
        self._source = source
        self.traffic = Traffic()
        self._security = security
        self._timeout = timeout
        self._retries = retries
        self._accepts_any_source = not connected or security.authenticates
        self._connected = connected and not (self.limits.answers_from and security.authenticates)
        self._look: socket.socket | None = None
        self._looks = False  # whether the present attempt goes out from it, an unconnected socket
        self._loop = asyncio.get_running_loop()
        self._deadline = float("inf") if deadline is None else deadline
        self._limit = limit
        self._sock: socket.socket | None = None
        self._stream = MessageSplitter() if endpoint.is_stream else None
        self._request = CurrentRequest(self.limits)
        self._heard = self._answered = False
        """Whether anything of the agent was accepted in this session, and whether it was the answer to a request."""
        self._elsewhere = self._odd_id = ""
        self._operation: Operation | None = None
        self._walk: WalkOperation | None = None  # the same operation, where ``_take_step`` may serve it
        self._done: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._packet_deadline = 0.0
        self._attempt = 0
        self._resynchronised = self._claims = 0
        self._is_refused = False
        self._last_rejection: SnmpError | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def open(self) -> None:
        """Resolves the name and opens the socket. Raises AddressError, SnmpRefused or SnmpTimeout."""
        self._address = address = await resolve_by(self.endpoint, self._deadline - self._loop.time(), self._limit)
        self._sockaddr = address.sockaddr
        try:
            if self._stream is None:
                self._sock = open_socket(address, connected=self._connected, source=self._source)
            else:
                async with asyncio.timeout_at(min(self._loop.time() + self._timeout, self._deadline)):
                    self._sock = await open_stream(address, source=self._source)
        except TimeoutError:
            limit = self._limit if self._loop.time() >= self._deadline else None
            raise SnmpTimeout(silence.not_connected(self._timeout, limit=limit), target=str(self.endpoint)) from None
        except OSError as error:
            raise self._unreachable(error) from None
        self._loop.add_reader(self._sock.fileno(), self._on_readable if self._stream is None else self._on_stream)

    def close(self) -> None:
        """Closes the socket; safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sock is not None and self._counts is not None:
            self._counts.add_packets(sent=self.traffic.sent, retried=self.traffic.retried)
        for opened in filter(None, (self._sock, self._look)):
            self._loop.remove_reader(opened.fileno())
            opened.close()
        self._sock = self._look = None

    def meter(self) -> tuple[float, int, int]:
        """Time (seconds, any start), packets sent, and packets sent again so far."""
        return time.perf_counter(), self.traffic.sent, self.traffic.retried

    async def run(self, operation: Operation) -> None:
        """Runs one operation to its end. Raises SnmpError."""
        self._operation = operation
        has_steps = self._security.plain_head and self._observer is None
        self._walk = operation if has_steps and isinstance(operation, WalkOperation) else None
        self._done = self._loop.create_future()
        try:
            self._send_next()
            await self._done
        finally:
            for error in operation.errors():
                error.target = error.target or str(self.endpoint)
            self._operation = self._walk = self._done = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    # ------------------------------------------------------------------------------------------------ sending

    def _send_next(self) -> None:
        """Sends the next request of the operation, or ends it."""
        assert self._operation is not None
        if not self._request.begin(self._operation):
            self._finish(None)
            return
        self._looks = False
        self._attempt = 0
        self._resynchronised = self._claims = 0
        self._is_refused = False
        self._last_rejection = None
        if self.limits.silences and not self._heard and not self._retries:
            self._request.ask_less(self._operation, answers=False, was_sent=False)
            if self.limits.silences % 2:  # only the connected socket shows that the port is closed
                self._open_look()
        self._send()

    def _send(self) -> None:
        """Sends the request, or the discovery that must come before it."""
        security = self._security
        if security.ready():
            datagram = security.encode(self._request.pdu, again=self._request.is_smaller)
            if len(datagram) > SMALLEST_MAX_MESSAGE and len(datagram) > security.max_message:
                self._send_shorter(len(datagram))
                return
            if self._observer is not None:
                self._observer.on_request(self._request.pdu)
        else:
            datagram = security.discovery()
        self._transmit(datagram)

    def _transmit(self, datagram: bytes) -> None:
        """Sends a message and sets the deadline for its answer."""
        assert self._sock is not None
        self.traffic.sent += 1
        self._sent_at = time.perf_counter()
        try:
            if self._looks and self._look is not None:
                self._look.sendto(datagram, self._sockaddr)
            elif self._connected or self._stream is not None:
                self._sock.send(datagram)
            else:
                self._sock.sendto(datagram, self._sockaddr)
        except BlockingIOError:
            pass  # the socket's buffer is full: the same as a lost packet, the retry follows
        except OSError as error:
            self._finish(self._unreachable(error))
            return
        self._packet_deadline = min(self._loop.time() + self._timeout, self._deadline)
        if self._timer is None:
            self._timer = self._loop.call_at(self._packet_deadline, self._on_timer)

    def _send_shorter(self, size: int) -> None:
        """Asks for less, as the agent takes no message of ``size`` octets (RFC 3412 section 6.3)."""
        assert self._operation is not None
        if self._request.ask_less(self._operation, answers=True, was_sent=False):
            self._send()
            return
        self._finish(SnmpError(silence.too_long(size, self._security.max_message), **self._error_context()))

    def _ask_again(self) -> bool:
        """Sends the request, or a smaller one, again; False after the last attempt."""
        assert self._operation is not None
        was_last = self._attempt >= self._retries
        may_be_smaller = self._security.ready() and (self._heard or not was_last)
        if not (may_be_smaller and self._request.ask_less(self._operation, answers=self._heard)) and was_last:
            return False
        self._attempt += 1
        self.traffic.retried += 1
        if self._attempt == self._retries and not self._heard:
            self._open_look()
        self._send()
        return True

    def _open_look(self) -> None:
        """Sends the last attempt from an unconnected socket: answers from elsewhere then show."""
        if self._look is None and self._connected and self._stream is None:
            try:
                self._look = open_socket(self._address, connected=False, source=self._source)
            except OSError:  # no descriptor is left: it goes out from the connected socket
                return
            self._loop.add_reader(self._look.fileno(), self._on_unconnected, self._look)
        self._looks = self._look is not None

    def _on_timer(self) -> None:
        """One timer runs per operation; it checks whether the current packet has timed out."""
        self._timer = None
        if self._done is None or self._done.done():
            return
        now = self._loop.time()
        if now < self._packet_deadline:
            self._timer = self._loop.call_at(self._packet_deadline, self._on_timer)
        elif now >= self._deadline or self._is_refused or not self._ask_again():
            self._finish(self._last_rejection or self._timed_out(now))

    # ---------------------------------------------------------------------------------------------- receiving

    def _on_readable(self) -> None:
        assert self._sock is not None
        if not self._connected:
            self._on_unconnected(self._sock)
            return
        try:
            datagram = self._sock.recv(RECEIVE_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._finish(self._unreachable(error))
            return
        if self._operation is not None and (self._walk is None or not self._take_step(self._walk, datagram)):
            self._receive(datagram)

    def _take_step(self, walk: WalkOperation, datagram: bytes) -> bool:
        """Continues a walk after an answer that needs no decision, at a fraction of the cost of ``_receive`` and
        ``_send_next``, which do the same; False, and nothing has changed, for any other datagram."""
        request, head = self._request, self._security.plain_head
        if self._attempt or not self._answered or not request.step(walk, datagram, head):
            return False
        self._last_rejection = None
        self._observe_seconds()
        self._transmit(self._security.encode(request.pdu))
        return True

    def _observe_seconds(self) -> None:
        if self._counts is not None:
            self._counts.packet_seconds.observe(time.perf_counter() - self._sent_at)

    def _on_unconnected(self, sock: socket.socket) -> None:
        """Receives from a socket that is open to all sources: what is not authenticated counts only where allowed."""
        try:
            datagram, source = sock.recvfrom(RECEIVE_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._finish(self._unreachable(error))
            return
        if self._operation is None:
            return
        if source[:2] == self._sockaddr[:2]:
            self._receive(datagram)
            return
        where = str(SnmpEndpoint(source[0], source[1]))
        if self._accepts_any_source:
            self._receive(datagram, where)
            return
        self.traffic.discard("source")
        if self._security.is_response(datagram):
            self._elsewhere = where

    def _on_stream(self) -> None:
        assert self._sock is not None
        assert self._stream is not None
        try:
            octets = self._sock.recv(RECEIVE_SIZE)
            messages = self._stream.feed(octets)
        except (BlockingIOError, InterruptedError):
            return
        except ber.Malformed as error:
            self._end_stream(MalformedMessage(f"the answer is malformed: {error}", **self._error_context()))
        except OSError as error:
            self._end_stream(self._unreachable(error))
        else:
            discarded = sum(self.traffic.discarded.values())
            for message in messages:
                if self._operation is not None:
                    self._receive(message)
                if sum(self.traffic.discarded.values()) > discarded + MAX_STREAM_DISCARDS:
                    self._end_stream(MalformedMessage("the agent sends messages that nobody asked for"))
                    return
            if not octets:
                self._end_stream(SnmpRefused("the agent closed the connection", **self._error_context()))

    def _end_stream(self, error: SnmpError) -> None:
        """The stream has ended: the current request fails at once, a later one when it is sent."""
        assert self._sock is not None
        self._loop.remove_reader(self._sock.fileno())
        self._finish(error)

    def _receive(self, datagram: bytes, where: str = "") -> None:
        """Decodes an answer and hands it to the operation; counts and drops everything else.

        ``where`` it came from, if not from where the request went to.
        """
        assert self._operation is not None
        try:
            buffer, pdu = self._security.decode(datagram)
            if self._observer is not None:
                self._observer.on_response(buffer, pdu)
            if pdu.type != ber.RESPONSE or not self._request.is_answered_by(pdu.request_id):
                self._on_other_pdu(pdu)
                return
            self._observe_seconds()
            self._operation.handle_response(buffer, pdu)
        except ber.Malformed as error:
            self.traffic.discard("malformed")
            self._last_rejection = MalformedMessage(f"the answer is malformed: {error}", **self._error_context())
        except Unexpected:
            self.traffic.discard("unexpected")
        except Refused as error:
            self.traffic.discard("unauthentic")
            self._on_refusal(error)
        except Unauthentic as error:
            self.traffic.discard("unauthentic")
            self._last_rejection = AuthenticationError(str(error), **self._error_context())
        except Resynchronise as error:
            self._resynchronise(error)
        except SnmpError as error:
            error.target = error.target or str(self.endpoint)
            self._finish(error)
        else:
            if where or not self._answered:
                self._note_answer(where)
            self._send_next()

    def _note_answer(self, where: str) -> None:
        """The agent answers, and from ``where``."""
        self._heard = self._answered = True
        self.limits.answered_at, self.limits.silences = self._loop.time(), 0
        if where and self._look is not None:
            assert self._sock is not None
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock, self._look, self._connected = self._look, None, False
        if where or not self._connected:
            self.limits.answers_from = where

    def _on_other_pdu(self, pdu: ber.Pdu) -> None:
        """Drops the answer. Where it has the request-id cut to some octets, the agent is asked with a shorter one."""
        is_response = pdu.type == ber.RESPONSE
        self.traffic.discard("request_id" if is_response else "pdu_type")
        if is_response and self._request.shorten_id(pdu.request_id):
            self._send()
        elif is_response:
            self._odd_id = f"an answer came with request-id {pdu.request_id} instead of {self._request.id}"

    def _on_refusal(self, error: Refused) -> None:
        """Keeps waiting: anybody on the path can send an unauthenticated report, and the agent's answer may follow."""
        self._last_rejection = AuthenticationError(str(error), **self._error_context())
        if error.have_worked or self._is_refused:
            return
        self._is_refused = True
        self._packet_deadline = min(self._packet_deadline, self._loop.time() + REFUSAL_WAIT)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._packet_deadline, self._on_timer)

    def _resynchronise(self, error: Resynchronise) -> None:
        self._heard = True
        self._resynchronised += error.authentic
        self._claims += not error.authentic
        if self._resynchronised <= MAX_RESYNCHRONISATIONS and self._claims <= MAX_CLAIMS:
            self._send()
            return
        message = f"the agent keeps changing its engine id or time: {error}"
        self._last_rejection = AuthenticationError(message, **self._error_context())
        if error.authentic:
            self._finish(self._last_rejection)

    # ------------------------------------------------------------------------------------------------- ending

    def _finish(self, error: SnmpError | None) -> None:
        if self._done is None or self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)

    def _error_context(self) -> dict[str, str]:
        current_oid = self._operation.current_oid() if self._operation is not None else b""
        return {"target": str(self.endpoint), "oid": oid.to_text(current_oid)}

    def _timed_out(self, now: float) -> SnmpTimeout:
        if not self._answered:
            self.limits.on_silence()
        attempts, waited = self._attempt + 1, time.perf_counter() - self._sent_at
        is_cut = now >= self._deadline and (attempts <= self._retries or silence.is_cut(waited, self._timeout))
        tried = [*self._request.tried, self._request.pdu] if self._security.ready() else []
        limit = self._limit if is_cut else None
        message = silence.describe_timeout(attempts, self._retries + 1, self._timeout, tried, limit=limit)
        hint = silence.hint(
            elsewhere=self._elsewhere,
            odd_id=self._odd_id,
            is_cut=is_cut,
            attempts=self._attempt if self._answered else None,
            age=self._loop.time() - self.limits.answered_at if self.limits.answered_at else None,
            credentials=self._security.timeout_hint(),
        )
        return SnmpTimeout(f"{message} ({hint})" if hint else message, **self._error_context())

    def _unreachable(self, error: OSError) -> SnmpRefused:
        return SnmpRefused(silence.explain_unreachable(error, self._source), **self._error_context())
