"""An SNMP agent on a UDP socket of the running loop: speaks v1, v2c and, given users, v3.

Made for the demo, tests and benchmarks: values move, and the agent can be slow, lose requests, reboot or change, and
counts its requests. ``answer`` turns a request datagram into a response datagram without a socket; the socket is read
directly, because one process may simulate a thousand devices.
"""

from __future__ import annotations

import random
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from promsnmp.sim.listener import Listener
from promsnmp.sim.mib import Mib
from promsnmp.sim.responder import respond
from promsnmp.sim.usm_agent import UsmAgent
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import User, Version
from promsnmp.snmp.v3.keys import KeyCache

ETHERNET_PAYLOAD = 1472
"""Octets of a UDP datagram in an Ethernet frame over IPv4, the largest message of many agents."""
LARGEST_DATAGRAM = 65_507
_BATCH = 32
"""Datagrams to answer before other tasks of the loop may run."""
_OVERHEAD = 32
"""Octets of a v1 or v2c message besides community and varbinds, at most: five headers, version and three integers."""
_OVERHEAD_V3 = 250
"""The same for v3: engine ids of 32 octets twice, a MAC of 48, salt, padding, names and headers."""
_ENGINE_ID_PREFIX = bytes.fromhex("80007ed905")
"""RFC 3411 section 5, SnmpEngineID: the enterprise number for examples, and octets of its own choosing."""


Peer = tuple[Any, ...]
"""A peer as ``recvfrom`` returns it: two fields for IPv4, four for IPv6."""


class SimulatedAgent(Listener):
    """An agent that answers from a ``Mib``.

    It answers only ``community``, in the ``versions``, and v3 for ``users`` with ``engine_id`` (generated if there is
    none). ``max_message`` is the largest message in octets. ``uptime`` is how many seconds
    ago the device started. ``delay`` (seconds until an answer leaves), ``drop`` (share of requests that are lost, 0 to
    1, chosen by ``seed``) and ``mib`` may be changed while it runs. ``keys`` may be shared by agents of the same users.
    ``requests`` counts answered requests, ``varbinds`` the varbinds of the answers, ``ignored`` unanswered datagrams:
    not SNMP, not permitted, or dropped. ``on_datagram`` is called with the sender of each datagram.
    """

    def __init__(
        self,
        mib: Mib,
        *,
        community: str = "public",
        versions: Sequence[Version] = tuple(Version),
        users: Sequence[User] = (),
        engine_id: bytes = b"",
        max_message: int = ETHERNET_PAYLOAD,
        uptime: float = 0.0,
        delay: float = 0.0,
        drop: float = 0.0,
        seed: int = 0,
        keys: KeyCache | None = None,
        clock: Callable[[], float] = time.monotonic,
        on_datagram: Callable[[Peer], object] | None = None,
    ) -> None:
        super().__init__()
        self.mib = mib
        self.delay = delay
        self.drop = drop
        self.requests = 0
        self.varbinds = 0
        self.ignored = 0
        self._community = community.encode()
        self._versions = frozenset(versions)
        self._max_message = max_message
        self._random = random.Random(seed)
        self._clock = clock
        self._on_datagram = on_datagram
        self._started = clock() - uptime
        engine = engine_id or _ENGINE_ID_PREFIX + secrets.token_bytes(8)
        self.usm: UsmAgent | None = None
        if users:
            self.usm = UsmAgent(users, engine_id=engine, time=int(uptime), keys=keys, clock=clock)

    # ------------------------------------------------------------------------------------------------------ the socket

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> Self:
        """Listens on an IPv4 or IPv6 address; port 0 takes a free one. Raises OSError when that is not possible."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listen(family, address, port, (socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20))
        return self

    @property
    def address(self) -> str:
        """The address that it listens on."""
        return str(self.local[0])

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.local[1])

    @property
    def target(self) -> str:
        """``address:port`` or ``[address]:port``, as PromSNMP and net-snmp's tools take it."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def _readable(self, opened: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                datagram, peer = opened.recvfrom(65_535)
            except OSError:  # nothing more to read, or an ICMP error for an earlier answer
                return
            if self._on_datagram is not None:
                self._on_datagram(peer)
            answer = self.answer(datagram)
            if answer is None:
                continue
            if self.delay > 0 and self._loop is not None:
                self._loop.call_later(self.delay, self._send, opened, answer, peer)
            else:
                self._send(opened, answer, peer)

    def _send(self, opened: socket.socket, answer: bytes, peer: Peer) -> None:
        try:
            opened.sendto(answer, peer)
        except OSError:  # a full buffer or a closed socket loses an answer, as networks do
            self.ignored += 1

    # ------------------------------------------------------------------------------------------------------ the device

    @property
    def uptime(self) -> float:
        """Seconds since the simulated device started."""
        return self._clock() - self._started

    def reboot(self) -> None:
        """Restarts: sysUpTime and counters go back to 0, and v3's engine boots count up (RFC 3414 section 2.2.2)."""
        self._started = self._clock()
        if self.usm is not None:
            self.usm.reboot()

    # ---------------------------------------------------------------------------------------------------- the messages

    def answer(self, datagram: bytes) -> bytes | None:
        """The answer to ``datagram``; None when an agent would be silent."""
        try:
            answer = None if self.drop and self._random.random() < self.drop else self._message(datagram)
        except ber.Malformed:
            answer = None
        if answer is None:
            self.ignored += 1
        return answer

    def _message(self, datagram: bytes) -> bytes | None:
        start, end = ber.read(datagram, 0, len(datagram), ber.SEQUENCE)
        version, at = ber.read_integer(datagram, start, end)
        if version not in self._versions:
            return None
        if version == Version.V3:
            return self.usm.handle(datagram, self._scoped) if self.usm is not None else None
        name, at = ber.read(datagram, at, end, ber.OCTET_STRING)
        if datagram[name:at] != self._community:
            return None
        room = self._max_message - _OVERHEAD - len(self._community)
        request_pdu = ber.read_pdu(datagram, at, end)
        pdu = self._respond(request_pdu, datagram, room, is_v1=version == Version.V1)
        return None if pdu is None else ber.tlv(ber.SEQUENCE, datagram[start:at] + pdu)

    def _scoped(self, pdu: ber.Pdu, buffer: bytes) -> bytes | None:
        """The response PDU to the PDU of a v3 message."""
        return self._respond(pdu, buffer, self._max_message - _OVERHEAD_V3, is_v1=False)

    def _respond(self, pdu: ber.Pdu, buffer: bytes, room: int, *, is_v1: bool) -> bytes | None:
        requested = ber.varbinds(buffer, pdu.start, pdu.end)
        echo = buffer[pdu.start : pdu.end]
        answer = respond(self.mib, pdu, requested, echo, is_v1=is_v1, room=room, uptime=self.uptime)
        if answer is None:
            return None
        self.requests += 1
        self.varbinds += answer.count
        return ber.encode_pdu(ber.RESPONSE, pdu.request_id, answer.status, answer.index, answer.varbinds)
