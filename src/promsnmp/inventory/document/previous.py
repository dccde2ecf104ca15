"""Looks up previous values: ids and masked secrets for a document that replaces an inventory.

A document that was exported with masked secrets, edited and posted back must not lose the secrets, and a handwritten
one without ids should not give every device a new id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet

from promsnmp.inventory.model import Agent, AgentEndpoint, Device, Inventory, Seed
from promsnmp.inventory.named_credentials.document import by_name


class PreviousValues:
    """Looks up values in the inventory that is being replaced; without one, finds nothing."""

    __slots__ = ("_agents", "_by_endpoint", "_by_name", "_devices", "_seeds", "has_inventory", "is_single", "named")

    def __init__(self, inventory: Inventory | None, *, claimed: AbstractSet[object] = frozenset()) -> None:
        """``claimed``: ids in the document; a device or agent with one of them is found only by its id."""
        self.has_inventory = inventory is not None
        self.is_single = False
        """Whether the document is that of one device; its agents then may not contradict the credentials they name."""
        self.named = by_name(inventory.named_credentials) if inventory else {}
        """Named credentials of the document, or else of the inventory."""
        devices = inventory.devices if inventory else ()
        agents = [agent for device in devices for agent in device.agents]
        self._devices = {device.id: device for device in devices}
        names = Counter(device.sys_name.lower() for device in devices)
        self._by_name = {
            name: device
            for device in devices
            if names[name := device.sys_name.lower()] == 1 and device.id not in claimed
        }
        self._agents = {agent.id: agent for agent in agents}
        self._by_endpoint = {agent.endpoint: agent for agent in agents if agent.id not in claimed}
        self._seeds = {seed.id: seed for seed in inventory.seeds} if inventory else {}

    def device(self, device_id: str, sys_name: str) -> Device | None:
        """By id, else by a unique name."""
        found = self._devices.get(device_id)
        return found or (self._by_name.get(sys_name.lower()) if sys_name else None)

    def agent(self, agent_id: str, endpoint: AgentEndpoint | None) -> Agent | None:
        """By id, else by endpoint."""
        found = self._agents.get(agent_id)
        return found or (self._by_endpoint.get(endpoint) if endpoint else None)

    def seed(self, seed_id: str) -> Seed | None:
        return self._seeds.get(seed_id)
