"""A hostile agent, which breaks one rule at a time, for tests of code that talks to agents.

``HostileAgent(behaviour)`` listens on loopback and answers v1 and v2c. A ``Behaviour`` gets each request with the
honest answer, and returns what to send instead; ``behaviours.py`` has a hundred of them. The honest answers come from
``HONEST``: the system group and three columns of forty rows.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from promsnmp.sim.agent import LARGEST_DATAGRAM, SimulatedAgent
from promsnmp.sim.mib import Mib, Value
from promsnmp.snmp import ber

IF_ENTRY = "1.3.6.1.2.1.2.2.1"
ROWS = 40
SYS_DESCR = "1.3.6.1.2.1.1.1.0"


def honest_objects() -> dict[str, Value]:
    """The honest agent's objects: dotted OID -> encoded value; the values are constant."""
    objects: dict[str, Value] = {
        SYS_DESCR: ber.tlv(ber.OCTET_STRING, b"honest"),
        "1.3.6.1.2.1.1.3.0": ber.encode_integer(4711, ber.TIME_TICKS),
        "1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"hostile-01"),
    }
    for row in range(1, ROWS + 1):
        objects[f"{IF_ENTRY}.1.{row}"] = ber.encode_integer(row)
        objects[f"{IF_ENTRY}.2.{row}"] = ber.tlv(ber.OCTET_STRING, b"port %d" % row)
        objects[f"{IF_ENTRY}.10.{row}"] = ber.encode_integer(row * 1000, ber.COUNTER32)
    objects["1.3.6.1.2.1.31.1.1.1.1.1"] = ber.tlv(ber.OCTET_STRING, b"behind the table")
    return objects


HONEST = Mib.of(honest_objects())


@dataclass(frozen=True, slots=True)
class Reply:
    """A datagram to send: ``delay`` seconds later, from the agent's socket or from ``another`` one."""

    datagram: bytes
    delay: float = 0.0
    another: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A received request. ``number`` counts from 0, retransmissions included; ``honest`` is the correct answer."""

    number: int
    datagram: bytes
    version: int
    community: bytes
    pdu: ber.Pdu
    requested: list[ber.VarBind]
    honest: bytes

    @property
    def last(self) -> bytes:
        """The content octets of the last OID in the request."""
        return self.requested[-1].oid if self.requested else b"\x2b"

    def message(self, pdu: bytes, *, version: int | None = None, community: bytes | None = None) -> bytes:
        """The message around a PDU."""
        head = ber.encode_integer(self.version if version is None else version)
        name = ber.tlv(ber.OCTET_STRING, self.community if community is None else community)
        return ber.tlv(ber.SEQUENCE, head + name + pdu)

    def response(
        self, varbinds: bytes, *, status: int = 0, index: int = 0, kind: int = ber.RESPONSE, number: int | None = None
    ) -> bytes:
        """A message with these encoded varbinds; ``kind`` is the tag of its PDU, ``number`` its request-id."""
        request_id = self.pdu.request_id if number is None else number
        return self.message(ber.encode_pdu(kind, request_id, status, index, varbinds))

    @property
    def honest_pdu(self) -> ber.Pdu:
        """The fields of the honest answer's PDU; offsets into ``honest``."""
        start, end = ber.read(self.honest, 0, len(self.honest), ber.SEQUENCE)
        _, at = ber.read_integer(self.honest, start, end)
        _, at = ber.read(self.honest, at, end, ber.OCTET_STRING)
        return ber.read_pdu(self.honest, at, end)

    @property
    def honest_varbinds(self) -> list[ber.VarBind]:
        pdu = self.honest_pdu
        return ber.varbinds(self.honest, pdu.start, pdu.end)

    @property
    def echo(self) -> bytes:
        """The request's varbinds, encoded."""
        return self.datagram[self.pdu.start : self.pdu.end]


AnswerFunction = Callable[[Request], Iterable[Reply | bytes]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``answer`` returns the datagrams to send for a request. What a correct manager does with them:

    ``is_harmless``: it reads everything in ``mib`` (HONEST), because the correct answers arrive, too, within ``delay``
    seconds. ``is_plausible``: it may accept values that the device does not have, because the datagrams are
    well-formed. Otherwise it accepts only values that the device has, and ends with an error unless it read everything.
    """

    name: str
    answer: AnswerFunction
    is_harmless: bool = False
    is_plausible: bool = False
    mib: Mib | None = None
    delay: float = 0.0

    def __str__(self) -> str:
        return self.name


def after(requests: int, behaviour: Behaviour) -> Behaviour:
    """Honest for some requests, then behaves as ``behaviour``."""

    def answer(request: Request) -> Iterable[Reply | bytes]:
        return [request.honest] if request.number < requests else behaviour.answer(request)

    return replace(behaviour, name=f"{behaviour.name}_after_{requests}", answer=answer)


class HostileAgent:
    """Listens on the running loop: ``async with HostileAgent(behaviour) as agent: ... agent.target``.

    ``requests`` are the received datagrams, in order; datagrams that are not v1 or v2c requests get no answer.
    """

    def __init__(self, behaviour: Behaviour, *, mib: Mib = HONEST, community: str = "public") -> None:
        self.behaviour = behaviour
        self.requests: list[bytes] = []
        self._honest = SimulatedAgent(behaviour.mib or mib, community=community, max_message=LARGEST_DATAGRAM)
        self._sockets: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def mib(self) -> Mib:
        """The objects of the honest answers; may be changed while it runs."""
        return self._honest.mib

    @mib.setter
    def mib(self, mib: Mib) -> None:
        self._honest.mib = mib

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> Self:
        """Opens the agent's socket and the other one."""
        self._loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for number in (port, 0):
            opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            opened.bind((address, number))
            self._sockets.append(opened)
        self._loop.add_reader(self._sockets[0].fileno(), self._readable)
        return self

    def close(self) -> None:
        """Stops the agent; delayed answers are not sent."""
        if self._loop is not None and self._sockets:
            self._loop.remove_reader(self._sockets[0].fileno())
        for opened in self._sockets:
            opened.close()
        self._sockets = []

    async def __aenter__(self) -> Self:
        return self if self._sockets else await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        return str(self._sockets[0].getsockname()[0])

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1])

    @property
    def target(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def _readable(self) -> None:
        try:
            datagram, peer = self._sockets[0].recvfrom(65_535)
        except OSError:
            return
        for reply in self.replies(datagram):
            if reply.delay and self._loop is not None:
                self._loop.call_later(reply.delay, self._send, reply, peer)
            else:
                self._send(reply, peer)

    def replies(self, datagram: bytes) -> list[Reply]:
        """The datagrams to send for a request."""
        self.requests.append(datagram)
        request = self._parse(datagram)
        if request is None:
            return []
        answers = self.behaviour.answer(request)
        return [answer if isinstance(answer, Reply) else Reply(answer) for answer in answers]

    def _parse(self, datagram: bytes) -> Request | None:
        honest = self._honest.answer(datagram)
        if honest is None:
            return None
        start, end = ber.read(datagram, 0, len(datagram), ber.SEQUENCE)
        version, at = ber.read_integer(datagram, start, end)
        name, at = ber.read(datagram, at, end, ber.OCTET_STRING)
        pdu = ber.read_pdu(datagram, at, end)
        requested = ber.varbinds(datagram, pdu.start, pdu.end)
        return Request(len(self.requests) - 1, datagram, version, datagram[name:at], pdu, requested, honest)

    def _send(self, reply: Reply, peer: tuple[Any, ...]) -> None:
        if self._sockets:
            try:
                self._sockets[1 if reply.another else 0].sendto(reply.datagram, peer)
            except OSError:
                return
