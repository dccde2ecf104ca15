"""A target of polls: one agent of one device, and the modules that it is polled for."""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.inventory.model import NO_OVERRIDES, Agent, Device, PollOverrides
from promsnmp.snmp.credentials import Credentials, Version
from promsnmp.snmp.transport import SnmpEndpoint


@dataclass(frozen=True, slots=True)
class Target:
    """A device as the collector sees it. Equal targets share a page."""

    key: str
    """Identifies the device among all that are polled; its state is kept under this key."""
    name: str
    """The name for logs: sysName or address."""
    endpoint: SnmpEndpoint
    credentials: Credentials
    modules: tuple[str, ...]
    """``AUTO`` stands for the modules that suit the device."""
    timeout: float | None = None
    """Seconds to wait for each answer; None: the modules' value."""
    retries: int | None = None
    """Per packet; None: the modules' value."""
    unconnected: bool = False
    """Whether answers without authentication may come from another address or port than the request went to."""
    health: bool = False
    """Whether the page has the device's health, whatever its modules are."""
    managed: bool = True
    """Whether it is in the inventory and polled in the background; False: only scrapes ask for it."""
    owned: bool = True
    """Whether this replica owns it; False: it is polled once, in place of its owner. Such a page has no histograms."""
    detected: tuple[str, ...] = field(default=(), compare=False)
    """The modules that the inventory has as detected: what ``AUTO`` starts with."""

    hint: str = field(default="", compare=False)
    """What to check when the device does not answer in time; empty for devices of the inventory."""
    overrides: PollOverrides = NO_OVERRIDES
    """How the device is polled where that differs from modules and settings."""

    @property
    def shard(self) -> str:
        """The key by which replicas divide the targets: the device, the same for all of its agents, or the address."""
        return self.key.partition("/")[0]

    device: Device | None = field(default=None, compare=False, repr=False)
    """The device in the inventory; None for others."""

    @property
    def device_id(self) -> str:
        """The id of the device in the inventory; "" for others."""
        return self.device.id if self.device is not None else ""


_SECRET = {Version.V1: "community", Version.V2C: "community", Version.V3: "user"}


def device_target(device: Device, agent: Agent, modules: tuple[str, ...], *, health: bool = False) -> Target:
    """The target of an inventory device, polled through ``agent`` for ``modules``, and for its ``health``."""
    return Target(
        key=f"{device.id}/{agent.id}",
        name=device.sys_name or str(agent.endpoint),
        endpoint=SnmpEndpoint(agent.endpoint.address, agent.endpoint.port),
        credentials=agent.credentials,
        modules=modules,
        health=health,
        timeout=agent.timeout / 1000,
        retries=agent.retries,
        detected=device.detected_modules,
        overrides=device.overrides,
        device=device,
    )


def adhoc_target(
    endpoint: SnmpEndpoint, credentials: Credentials, auth: str, modules: tuple[str, ...], *, health: bool = False
) -> Target:
    """The target of an address that a scrape names, with the credentials of ``auth``."""
    return Target(
        f"{endpoint}/{auth}",
        str(endpoint),
        endpoint,
        credentials,
        modules,
        health=health,
        managed=False,
        hint=f"is the address right, and the {_SECRET[credentials.version]} of auth {auth!r}?",
    )
