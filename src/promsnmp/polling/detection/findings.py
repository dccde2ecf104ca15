"""Collects what polls find out about devices, until the leader has written it to the inventory.

The poller of a device is the first to know it; the inventory makes it known to all replicas, and keeps it over a
restart. Findings are collected because each change writes the whole file. A replica that may not write sends its
findings to the leader.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from promsnmp.errors import InventoryError, OutcomeUnknown
from promsnmp.inventory.model import Device, Inventory

log = logging.getLogger(__name__)

Finding = TypeVar("Finding")
Update = Callable[[Callable[[Inventory], Inventory]], Awaitable[object]]


class Findings(ABC, Generic[Finding]):
    """Findings of one kind, by device id, that the inventory does not have yet."""

    kind: ClassVar[str]
    """As messages name it, in the plural."""

    def __init__(self) -> None:
        self._pending: dict[str, Finding] = {}

    @staticmethod
    @abstractmethod
    def with_finding(device: Device, finding: Finding) -> Device:
        """``device`` with a finding; the same object when nothing is new. It may get the same finding again."""

    @abstractmethod
    def encode(self, findings: Mapping[str, Finding]) -> Mapping[str, Any]:
        """A message, for JSON."""

    @abstractmethod
    def decode(self, message: Mapping[str, Any]) -> dict[str, Finding]:
        """The reverse of ``encode``. Raises ValueError, KeyError, TypeError or AttributeError for anything else."""

    def receive(self, message: Any) -> None:
        """Takes what ``forward`` of another replica sent, read from JSON. Raises ValueError for any other content."""
        try:
            received = self.decode(message)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a list of {self.kind}: {type(error).__name__}") from None
        self._pending = received | self._pending

    async def store(self, update: Update) -> None:
        """Writes new findings to the inventory. If that fails, the next call tries again."""

        async def write(findings: Mapping[str, Finding]) -> bool:
            try:
                await update(lambda inventory: self._with_findings(inventory, findings))
            except (InventoryError, OutcomeUnknown) as error:  # all that ``update`` raises on purpose
                log.debug("%s are not in the inventory yet; trying again: %s", self.kind, error)
                return False
            return True

        await self._take(write)

    async def forward(self, send: Callable[[bytes], Awaitable[bool]]) -> None:
        """Sends new findings to the leader, by ``send``. If that fails, the next call tries again."""
        await self._take(lambda findings: send(json.dumps(self.encode(findings)).encode()))

    async def _take(self, use: Callable[[Mapping[str, Finding]], Awaitable[bool]]) -> None:
        """Gives new findings to ``use``; without success they stay, unless there are newer ones of a device."""
        if not self._pending:
            return
        new, self._pending = self._pending, {}
        is_used = False
        try:
            is_used = await use(new)
        finally:
            if not is_used:
                self._pending = new | self._pending

    def _with_findings(self, inventory: Inventory, findings: Mapping[str, Finding]) -> Inventory:
        """The same object when nothing is new. Devices that are gone do not come back."""
        devices = tuple(
            self.with_finding(device, findings[device.id]) if device.id in findings else device
            for device in inventory.devices
        )
        is_changed = any(new is not old for new, old in zip(devices, inventory.devices, strict=True))
        return replace(inventory, devices=devices) if is_changed else inventory
