"""What is to be polled: one agent of one device, with the modules that it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.inventory.model import Agent, Device
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.transport import SnmpEndpoint


@dataclass(frozen=True, slots=True)
class Target:
    """A device as the collector sees it. Equal targets have the same page."""

    key: str
    """Names the device among all that are polled; what is learned of it is kept under this."""
    name: str
    """What people call it."""
    endpoint: SnmpEndpoint
    credentials: Credentials
    modules: tuple[str, ...]
    """``AUTO`` stands for those that suit the device."""
    timeout: float | None = None
    """Seconds per packet; None leaves it to the modules."""
    retries: int | None = None
    managed: bool = True
    """Whether it is in the inventory and polled like this in the background, or only asked for by a scrape."""
    detected: tuple[str, ...] = field(default=(), compare=False)
    """The modules that suit the device as far as the inventory knows; where to begin for ``AUTO``."""

    @property
    def shard(self) -> str:
        """What replicas divide among themselves: the device, whichever of its agents is asked, or the address."""
        return self.key.partition("/")[0]

    device_id: str = field(default="", compare=False)
    """Of the device in the inventory; "" when it is not there."""


def device_target(device: Device, agent: Agent, modules: tuple[str, ...]) -> Target:
    """The target of an inventory device, asked through ``agent`` for ``modules``."""
    return Target(
        key=f"{device.id}/{agent.id}",
        name=device.sys_name or str(agent.endpoint),
        endpoint=SnmpEndpoint(agent.endpoint.address, agent.endpoint.port),
        credentials=agent.credentials,
        modules=modules,
        timeout=agent.timeout / 1000,
        retries=agent.retries,
        detected=device.detected_modules,
        device_id=device.id,
    )


def adhoc_target(endpoint: SnmpEndpoint, credentials: Credentials, auth: str, modules: tuple[str, ...]) -> Target:
    """The target of an address that a scrape names together with an auth."""
    return Target(f"{endpoint}/{auth}", str(endpoint), endpoint, credentials, modules, managed=False)
