"""An agent that is a function: it answers an operation without a socket, honestly or as a test wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promsnmp.sim.mib import Mib
from promsnmp.sim.responder import respond
from promsnmp.snmp import ber, oid
from promsnmp.snmp.operations.base import Operation

A, B, C = (oid.encode(f"1.3.6.1.4.1.9999.{number}") for number in (1, 2, 3))
MIB = Mib.of({root + bytes((row,)): ber.encode_integer(row) for root in (A, B, C) for row in range(1, 31)})
Answer = Callable[[ber.Pdu, list[ber.VarBind]], tuple[int, int, bytes] | None]
"""From a request to error-status, error-index and encoded varbinds; None for the honest answer."""


class Agent:
    """Answers an operation until it ends; ``requests`` are the requests it received."""

    def __init__(self, misdeed: Answer = lambda *_: None, *, mib: Mib = MIB, is_v1: bool = False) -> None:
        self.requests: list[tuple[ber.Pdu, list[ber.VarBind]]] = []
        self._misdeed, self._mib, self._is_v1 = misdeed, mib, is_v1

    def hold(self, operation: Operation, *, most: int = 500) -> None:
        """Fails when more than ``most`` requests are made."""
        for number in range(most):
            sent = operation.next_pdu(number)
            if sent is None:
                return
            pdu = ber.read_pdu(sent, 0, len(sent))
            asked = ber.varbinds(sent, pdu.start, pdu.end)
            self.requests.append((pdu, asked))
            status, index, body = self._misdeed(pdu, asked) or self._honest(pdu, asked, sent)
            answer = ber.encode_pdu(ber.RESPONSE, number, status, index, body)
            operation.handle_response(answer, ber.read_pdu(answer, 0, len(answer)))
        pytest.fail("the operation does not end")

    def _honest(self, pdu: ber.Pdu, asked: list[ber.VarBind], sent: bytes) -> tuple[int, int, bytes]:
        echo = sent[pdu.start : pdu.end]
        made = respond(self._mib, pdu, asked, echo, is_v1=self._is_v1, room=60_000, uptime=0.0)
        assert made is not None
        return made.status, made.index, made.varbinds

    @property
    def types(self) -> list[int]:
        return [pdu.type for pdu, _ in self.requests]
