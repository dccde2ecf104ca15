"""Walks one subtree and hands out every varbind as it comes, for people who look at a device (``promsnmp walk``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from promsnmp.errors import SnmpError
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.operations.walk import Subtree, WalkOperation


class BrowseOperation:
    """Walks one subtree and passes the varbinds of each answer to ``take``."""

    def __init__(
        self,
        subtree: Subtree,
        take: Callable[[list[ber.VarBind]], None],
        *,
        version: Version,
        limits: AgentLimits | None = None,
    ) -> None:
        self._scanner = ber.Scanner([subtree.root])
        self._walks = WalkOperation(
            [subtree], self._scanner, version=version, limits=limits or AgentLimits(), strict=True
        )
        self._take = take
        self._root = subtree.root

    @property
    def failure(self) -> SnmpError | None:
        """Why the walk ended before the subtree did."""
        return self._walks.failures.get(self._root)

    def current_oid(self) -> bytes:
        return self._walks.current_oid()

    def errors(self) -> Iterable[SnmpError]:
        return self._walks.errors()

    def next_pdu(self, request_id: int) -> bytes | None:
        return self._walks.next_pdu(request_id)

    def ask_less(self, request_id: int, *, answers: bool) -> bytes | None:
        return self._walks.ask_less(request_id, answers=answers)

    def handle_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self._walks.handle_response(buffer, pdu)
        octets = self._scanner.take(0)
        self._take(ber.varbinds(octets, 0, len(octets)))
