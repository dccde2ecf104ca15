"""An exchange with one agent: a socket, its retries and deadline, and an operation that says what to ask.

Written with callbacks, not coroutines: a walk of forty packets wakes the loop forty times but switches no task, and
task switches would be most of asyncio's cost here. An ``Operation`` (``operations/``) is a state machine without I/O.
Searches send and retry by themselves, in ``discovery/scan/sweep.py``.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import time
from dataclasses import dataclass, field
from typing import Protocol, Self

from promsnmp.errors import (
    AuthenticationError,
    MalformedMessage,
    SnmpError,
    SnmpRefused,
    SnmpTimeout,
)
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.base import Operation
from promsnmp.snmp.security import Refused, Resynchronise, SecurityModel, Unauthentic, Unexpected
from promsnmp.snmp.tcp import MessageSplitter, open_stream
from promsnmp.snmp.transport import RECEIVE_SIZE, Address, SnmpEndpoint, literal_address, open_socket, resolve

MAX_RESYNCHRONISATIONS = 4
"""How often one request is repeated because the agent sent a new engine id or time."""
MAX_CLAIMS = 16
"""How many engines that unauthenticated reports name are asked to prove themselves during one request."""
REFUSAL_WAIT = 1.0
"""Seconds to wait for a better answer after an unauthenticated refusal of credentials that never worked before."""
MAX_STREAM_DISCARDS = 100
"""Messages of a stream, which come from the agent itself, that may be useless until it counts as malformed."""


@dataclass(slots=True)
class Traffic:
    """Packet counters of a session, for the page and PromSNMP's own metrics."""

    sent: int = 0
    """Datagrams sent, retransmissions and engine discovery included."""
    retried: int = 0
    """Retransmissions among them."""
    discarded: dict[str, int] = field(default_factory=dict)
    """Datagrams that were dropped, by reason."""

    def discard(self, reason: str) -> None:
        """Counts one datagram that was dropped."""
        self.discarded[reason] = self.discarded.get(reason, 0) + 1


class SessionObserver(Protocol):
    """Sees the PDUs of a session, both ways."""

    def on_request(self, pdu: bytes) -> None:
        """A PDU is sent, or sent again."""

    def on_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        """A PDU came that the security model accepted; whether it answers the last request is not checked yet."""


class Session:
    """An exchange with one agent, over UDP or TCP; ``async with`` opens and closes its socket.

    ``timeout`` (seconds) and ``retries`` are per packet; ``deadline`` (loop time, seconds) bounds the whole session.
    ``source`` is the local address to send from; empty leaves the choice to the system. With ``connected`` false the
    agent may answer from another address than the request went to, as some with several addresses do, but only from
    the same port: an agent answers from the port that it listens on. ``observer`` sees all PDUs; ``counts`` gets the
    packets and their times.
    """

    def __init__(
        self,
        endpoint: SnmpEndpoint,
        security: SecurityModel,
        *,
        timeout: float = 5.0,
        retries: int = 3,
        deadline: float | None = None,
        connected: bool = True,
        source: str = "",
        observer: SessionObserver | None = None,
        counts: ExporterCounts | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._counts = counts
        self._sent_at = 0.0
        self._observer = observer
        self._source = source
        self.traffic = Traffic()
        self._security = security
        self._timeout = timeout
        self._retries = retries
        self._connected = connected
        self._loop = asyncio.get_running_loop()
        self._deadline = float("inf") if deadline is None else deadline
        self._sock: socket.socket | None = None
        self._stream = MessageSplitter() if endpoint.is_stream else None
        self._request_id = secrets.randbits(31)
        self._pdu = b""
        self._operation: Operation | None = None
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
        address = literal_address(self.endpoint) or await self._resolve()
        self._sockaddr = address.sockaddr
        try:
            if self._stream is None:
                self._sock = open_socket(address, connected=self._connected, source=self._source)
            else:
                async with asyncio.timeout_at(min(self._loop.time() + self._timeout, self._deadline)):
                    self._sock = await open_stream(address, source=self._source)
        except TimeoutError:
            raise SnmpTimeout("no TCP connection before the timeout", target=str(self.endpoint)) from None
        except OSError as error:
            raise self._unreachable(error) from None
        self._loop.add_reader(self._sock.fileno(), self._on_readable if self._stream is None else self._on_stream)

    async def _resolve(self) -> Address:
        left = self._deadline - self._loop.time()
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                return await resolve(self.endpoint)
        except TimeoutError:
            raise SnmpTimeout("the name did not resolve in time", target=str(self.endpoint)) from None

    def close(self) -> None:
        """Closes the socket; safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None
            if self._counts is not None:
                self._counts.add_packets(sent=self.traffic.sent, retried=self.traffic.retried)

    def meter(self) -> tuple[float, int, int]:
        """Time (seconds, any start), packets sent, and packets sent again so far."""
        return time.perf_counter(), self.traffic.sent, self.traffic.retried

    async def run(self, operation: Operation) -> None:
        """Runs one operation to its end. Raises SnmpError."""
        self._operation = operation
        self._done = self._loop.create_future()
        try:
            self._send_next()
            await self._done
        finally:
            for error in operation.errors():
                error.target = error.target or str(self.endpoint)
            self._operation = None
            self._done = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    # ------------------------------------------------------------------------------------------------ sending

    def _send_next(self) -> None:
        """Sends the next request of the operation, or ends it."""
        assert self._operation is not None
        self._request_id = self._request_id + 1 & 0x7FFFFFFF
        pdu = self._operation.next_pdu(self._request_id)
        if pdu is None:
            self._finish(None)
            return
        self._pdu = pdu
        self._attempt = 0
        self._resynchronised = self._claims = 0
        self._is_refused = False
        self._last_rejection = None
        self._send()

    def _send(self) -> None:
        """Sends the request, or the discovery that must come before it, and sets the deadline for the answer."""
        assert self._sock is not None
        security = self._security
        is_ready = security.ready()
        if is_ready and self._observer is not None:
            self._observer.on_request(self._pdu)
        datagram = security.encode(self._pdu) if is_ready else security.discovery()
        self.traffic.sent += 1
        self._sent_at = time.perf_counter()
        try:
            if self._connected or self._stream is not None:
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

    def _on_timer(self) -> None:
        """One timer runs per operation; it checks whether the current packet has timed out."""
        self._timer = None
        if self._done is None or self._done.done():
            return
        now = self._loop.time()
        if now < self._packet_deadline:
            self._timer = self._loop.call_at(self._packet_deadline, self._on_timer)
        elif now >= self._deadline or self._attempt >= self._retries or self._is_refused:
            self._finish(self._last_rejection or self._timed_out(now))
        else:
            self._attempt += 1
            self.traffic.retried += 1
            self._send()

    # ---------------------------------------------------------------------------------------------- receiving

    def _on_readable(self) -> None:
        assert self._sock is not None
        try:
            if self._connected:
                datagram = self._sock.recv(RECEIVE_SIZE)
            else:
                datagram, source = self._sock.recvfrom(RECEIVE_SIZE)
                if source[1] != self._sockaddr[1]:
                    self.traffic.discard("source")
                    return
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._finish(self._unreachable(error))
            return
        if self._operation is not None:
            self._receive(datagram)

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

    def _receive(self, datagram: bytes) -> None:
        """Decodes an answer and hands it to the operation; counts and drops everything else."""
        assert self._operation is not None
        try:
            buffer, pdu = self._security.decode(datagram)
            if self._observer is not None:
                self._observer.on_response(buffer, pdu)
            if pdu.type != ber.RESPONSE or pdu.request_id != self._request_id:
                self.traffic.discard("request_id" if pdu.type == ber.RESPONSE else "pdu_type")
                return
            if self._counts is not None:
                self._counts.packet_seconds.observe(time.perf_counter() - self._sent_at)
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
            self._send_next()

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
        if self._packet_deadline >= self._deadline or (now >= self._deadline and self._attempt < self._retries):
            return SnmpTimeout("no answer before the deadline of the poll", **self._error_context())
        tries = self._attempt + 1
        plural = "s" if tries > 1 else ""
        hint = self._security.timeout_hint()
        message = f"no answer to {tries} request{plural} of {self._timeout:g} s"
        return SnmpTimeout(f"{message} ({hint})" if hint else message, **self._error_context())

    def _unreachable(self, error: OSError) -> SnmpRefused:
        if isinstance(error, ConnectionRefusedError):
            return SnmpRefused("connection refused: nothing listens on the port", **self._error_context())
        if error.errno == errno.EADDRNOTAVAIL and self._source:
            return SnmpRefused(f"source address {self._source} is not an address of this host", **self._error_context())
        return SnmpRefused(f"cannot be reached: {error.strerror or error}", **self._error_context())
