"""An agent that is a function: it answers an operation without a socket, honestly or as a test wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promsnmp.sim.mib import Mib
from promsnmp.sim.responder import respond
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.base import Operation
from promsnmp.snmp.operations.walk import WalkOperation

A, B, C = (oid.encode(f"1.3.6.1.4.1.9999.{number}") for number in (1, 2, 3))
MIB = Mib.of({root + bytes((row,)): ber.encode_integer(row) for root in (A, B, C) for row in range(1, 31)})
HEAD = ber.encode_integer(1) + ber.tlv(ber.OCTET_STRING, b"public")
"""Version 2c and a community, as they stand before a PDU."""
Answer = Callable[[ber.Pdu, list[ber.VarBind]], tuple[int, int, bytes] | None]
"""Maps a request to error-status, error-index and encoded varbinds; None for the honest answer."""


class Agent:
    """Answers operations; ``requests`` are the requests that it received."""

    def __init__(self, respond_with: Answer = lambda *_: None, *, mib: Mib = MIB, is_v1: bool = False) -> None:
        self.requests: list[tuple[ber.Pdu, list[ber.VarBind]]] = []
        self._respond_with, self._mib, self._is_v1 = respond_with, mib, is_v1

    def run(self, operation: Operation, *, most: int = 500) -> None:
        """Answers until the operation ends; fails the test after ``most`` requests."""
        for number in range(most):
            sent = operation.next_pdu(number)
            if sent is None:
                return
            answer = self.answer(sent, number)
            operation.handle_response(answer, ber.read_pdu(answer, 0, len(answer)))
        pytest.fail("the operation does not end")

    def run_by_steps(self, walks: WalkOperation, *, most: int = 500) -> int:
        """As ``run``, by ``walks.step`` where that does something; returns how often it did."""
        sent, steps = walks.next_pdu(0), 0
        for number in range(most):
            if sent is None:
                return steps
            answer = self.answer(sent, number)
            sent = walks.step(ber.tlv(ber.SEQUENCE, HEAD + answer), HEAD, number, number + 1)
            steps += sent is not None
            if sent is None:
                walks.handle_response(answer, ber.read_pdu(answer, 0, len(answer)))
                sent = walks.next_pdu(number + 1)
        pytest.fail("the walk does not end")

    def answer(self, sent: bytes, number: int) -> bytes:
        """The PDU that answers the PDU ``sent``."""
        pdu = ber.read_pdu(sent, 0, len(sent))
        assert pdu.request_id == number
        requested = ber.varbinds(sent, pdu.start, pdu.end)
        self.requests.append((pdu, requested))
        status, index, body = self._respond_with(pdu, requested) or self._honest(pdu, requested, sent)
        return ber.encode_pdu(ber.RESPONSE, number, status, index, body)

    def _honest(self, pdu: ber.Pdu, requested: list[ber.VarBind], sent: bytes) -> tuple[int, int, bytes]:
        echo = sent[pdu.start : pdu.end]
        response = respond(self._mib, pdu, requested, echo, is_v1=self._is_v1, room=60_000, uptime=0.0)
        assert response is not None
        return response.status, response.index, response.varbinds

    @property
    def types(self) -> list[int]:
        return [pdu.type for pdu, _ in self.requests]
