"""Agents that are silent to what they cannot serve, or answer oddly: as real devices do, but honest otherwise."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import User
from promsnmp.snmp.v3.keys import KeyCache
from promsnmp.snmp.v3.message import Header
from tests.support.agents.hostile import HONEST

KEYS = KeyCache()
Accepts = Callable[[ber.Pdu, int], bool]
"""Whether an agent answers a request, given its PDU and the number of its objects."""


def no_bulk(pdu: ber.Pdu, _: int) -> bool:
    return pdu.type != ber.GET_BULK


def ten_repetitions(pdu: ber.Pdu, _: int) -> bool:
    return pdu.type != ber.GET_BULK or pdu.index <= 10


def five_objects(_: ber.Pdu, count: int) -> bool:
    return count <= 5


def anything(_: ber.Pdu, __: int) -> bool:
    return True


def _cut(number: int, bits: int) -> int:
    """The last ``bits`` of a number, the first of them its sign."""
    rest = number & (1 << bits) - 1
    return rest - (1 << bits) if rest >> (bits - 1) else rest


class SilentAgent(SimulatedAgent):
    """Answers what ``accepts`` lets through; ``asked`` has all requests: type, max-repetitions, number of objects.

    ``id_bits``: it cuts request-ids to so many bits, ``msg_id_bits``: msgIDs, which may become
    negative. ``longest``: it drops longer messages, and says so (msgMaxSize). ``behind``: octets that it sends behind
    every message.
    """

    def __init__(
        self,
        accepts: Accepts = anything,
        *,
        id_bits: int = 32,
        msg_id_bits: int = 32,
        longest: int = 65_507,
        behind: bytes = b"",
        user: User | None = None,
    ) -> None:
        super().__init__(HONEST, users=[user] if user else [], keys=KEYS)
        self.asked: list[tuple[int, int, int]] = []
        self._accepts, self._id_bits, self._longest, self._behind = accepts, id_bits, longest, behind
        self.dropped = 0
        if self.usm is not None:
            self.usm.max_size = longest
            secure = self.usm.secure

            def cutting(header: Header, pdu: bytes, *, context: bytes = b"") -> bytes:
                return secure(header._replace(msg_id=_cut(header.msg_id, msg_id_bits)), pdu, context=context)

            self.usm.secure = cutting  # type: ignore[method-assign]  # what every message of the agent goes through

    def answer(self, datagram: bytes) -> bytes | None:
        if len(datagram) > self._longest:
            self.dropped += 1
            return None
        answer = super().answer(datagram)
        return None if answer is None else answer + self._behind

    def _respond(self, pdu: ber.Pdu, buffer: bytes, room: int, *, is_v1: bool) -> bytes | None:
        count = len(ber.varbinds(buffer, pdu.start, pdu.end))
        self.asked.append((pdu.type, pdu.index, count))
        if not self._accepts(pdu, count):
            return None
        cut = pdu._replace(request_id=pdu.request_id & (1 << self._id_bits) - 1)
        return super()._respond(cut, buffer, room, is_v1=is_v1)


class ElsewhereAgent(SilentAgent):
    """Answers from another port than it is asked at."""

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> Any:
        await super().start(address, port)
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.other.bind((address, 0))
        return self

    @property
    def answers_from(self) -> str:
        host, port = self.other.getsockname()
        return f"{host}:{port}"

    def _send(self, opened: socket.socket, answer: bytes, peer: tuple[Any, ...]) -> None:
        super()._send(self.other, answer, peer)

    def close(self) -> None:
        super().close()
        self.other.close()
