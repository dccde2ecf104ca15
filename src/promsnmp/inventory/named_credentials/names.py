"""The rule of names: an agent names credentials only while it has those very credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from promsnmp.inventory.model import Agent, Device, Inventory
from promsnmp.snmp.credentials import Credentials


def with_right_names(old: Inventory, new: Inventory) -> Inventory:
    """``new`` without wrong names, at the devices that ``old`` does not have as they are."""
    if not new.named_credentials and not old.named_credentials:
        return new
    named = {one.name: one.credentials for one in new.named_credentials}
    known = set(map(id, old.devices)) if old.named_credentials is new.named_credentials else set()
    devices = tuple(one if id(one) in known else _without_wrong_names(one, named) for one in new.devices)
    return replace(new, devices=devices)


def _is_wrong(agent: Agent, named: Mapping[str, Credentials]) -> bool:
    return bool(agent.credentials_name) and named.get(agent.credentials_name) != agent.credentials


def _without_wrong_names(device: Device, named: Mapping[str, Credentials]) -> Device:
    """The device with a name only at agents that have those very credentials: whoever changes the credentials of an
    agent, discovery for one, takes it out of those that are rotated together."""
    if not any(_is_wrong(agent, named) for agent in device.agents):
        return device

    def changed(agent: Agent) -> Agent:
        return replace(agent, credentials_name="") if _is_wrong(agent, named) else agent

    primary = changed(device.primary) if device.primary else None
    return replace(device, agents=tuple(map(changed, device.agents)), primary=primary)
