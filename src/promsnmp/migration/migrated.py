"""A device that comes from another program, on its way into the inventory."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from promsnmp.inventory.document.credentials import write_credentials
from promsnmp.inventory.model import AgentEndpoint, agent_type
from promsnmp.snmp.credentials import Credentials

_ID_SPACE = uuid.UUID("5f1b6a0e-0b0e-5c3b-9f5d-1b7f0c1f2a16")

Document = dict[str, object]


@dataclass(slots=True, kw_only=True)
class MigratedDevice:
    """A device, and where it comes from. What the other program does not say is empty, 0 or None."""

    endpoint: AgentEndpoint
    source: str
    """Where it comes from, for people: a file and a line."""
    credentials_name: str
    credentials: Credentials | None
    """None: those of the inventory with this name."""
    is_named: bool
    """Whether the credentials are exactly those with this name, without a context of this device."""
    sys_name: str = ""
    modules: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    interval: int = 0
    """Milliseconds."""
    timeout: int = 0
    """Milliseconds for one packet."""
    retries: int | None = None
    location: str = ""
    contact: str = ""
    overrides: Document = field(default_factory=dict)
    """Other keys of the device's document, such as ``maxRepetitions``."""

    @property
    def id(self) -> str:
        """The same UUID whenever this endpoint is migrated."""
        return str(uuid.uuid5(_ID_SPACE, str(self.endpoint)))

    def agent(self) -> Document:
        """The agent in a document of the inventory, with secrets."""
        document: Document = {"endpoint": {"address": self.endpoint.address, "port": self.endpoint.port}}
        if self.credentials is not None:
            document |= {"type": agent_type(self.credentials), "version": int(self.credentials.version)}
            document |= write_credentials(self.credentials, mask=False)
        if self.timeout:
            document["timeout"] = self.timeout
        if self.retries is not None:
            document["retries"] = self.retries
        return document | ({"credentialsName": self.credentials_name} if self.is_named else {})

    def values(self) -> Document:
        """The keys of the device that the other program gives, without name and agent."""
        given = {
            "modules": list(self.modules),
            "labels": self.labels,
            "interval": self.interval,
            "sysLocation": self.location,
            "sysContact": self.contact,
            **self.overrides,
        }
        return {key: value for key, value in given.items() if value not in ("", 0, [], {}, None)}

    def document(self) -> Document:
        """The device as a document of the inventory, with secrets."""
        agent = {"id": str(uuid.uuid5(_ID_SPACE, f"agent {self.endpoint}")), **self.agent()}
        return {"id": self.id, "sysName": self.sys_name, "agents": [agent], **self.values()}


def named_credentials_of(devices: Iterable[MigratedDevice]) -> dict[str, Credentials]:
    """The credentials that devices use by name, as far as the other program's files have them."""
    return {
        device.credentials_name: device.credentials
        for device in devices
        if device.is_named and device.credentials is not None
    }
