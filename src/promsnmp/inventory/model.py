"""The inventory as plain values: devices with their agents, and the seeds that discovery starts from.

Everything here is immutable, so a reader that holds an ``Inventory`` keeps one consistent picture however often
the store replaces it. Nothing here knows of JSON or files. ``repr`` never shows a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.snmp.credentials import Community, Credentials, Version

DEFAULT_PORT = 161
"""RFC 3417 section 3.2."""

COMMUNITY_AGENT = "snmp-community"
USER_AGENT = "snmp-user"


def agent_type(credentials: Credentials) -> str:
    """``snmp-community`` or ``snmp-user``: how the document tells the two kinds of credentials apart."""
    return COMMUNITY_AGENT if isinstance(credentials, Community) else USER_AGENT


@dataclass(frozen=True, slots=True)
class AgentEndpoint:
    """Where an agent listens: a normalised address (or host name) and a UDP port."""

    address: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        """``address:port``, with an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Agent:
    """One way to reach a device."""

    id: str
    """UUID."""
    endpoint: AgentEndpoint
    credentials: Credentials
    timeout: int = 1500
    """Milliseconds to wait for one packet."""
    retries: int = 1
    discovered_at: str | None = None
    """ISO 8601, UTC."""
    write_community: str = field(default="", repr=False)
    """Kept for the original's sake; PromSNMP never writes to a device."""
    engine_id: str = ""
    """Hexadecimal text; empty when not known."""
    extra: str = field(default="", repr=False)
    """JSON object of the document's keys that PromSNMP does not know; kept, never read."""

    @property
    def version(self) -> Version:
        return self.credentials.version

    @property
    def type(self) -> str:
        return agent_type(self.credentials)


@dataclass(frozen=True, slots=True)
class DeviceIdentifiers:
    """What tells a device from all others, as discovery saw it last; empty where the device does not say."""

    sys_name: str = ""
    """What it calls itself; the inventory may call it otherwise."""
    serial_numbers: tuple[str, ...] = ()
    """Of its chassis, sorted."""
    mac_addresses: tuple[str, ...] = ()
    """Some of its interfaces', sorted, hexadecimal."""
    booted_at: str | None = None
    """ISO 8601, UTC: when its agent started."""


NO_IDENTIFIERS = DeviceIdentifiers()
ACTIVE, STALE = "active", "lost"
"""Values of a device's ``status``."""


@dataclass(frozen=True, slots=True)
class Device:
    """A network device; ``primary`` is the agent that is polled, None only when there are no agents."""

    id: str
    sys_name: str = ""
    sys_descr: str = ""
    sys_contact: str = ""
    sys_location: str = ""
    discovered_at: str | None = None
    agents: tuple[Agent, ...] = ()
    primary: Agent | None = None
    modules: tuple[str, ...] = ()
    """Modules that the operator wants it polled with; empty means those of the settings (see ``modules.py``)."""
    labels: tuple[tuple[str, str], ...] = ()
    sys_object_id: str = ""
    vendor: str = ""
    """Who made it, as its fingerprint told; as are the next two."""
    model: str = ""
    detected_modules: tuple[str, ...] = ()
    """Modules that suit it; empty while nobody has found out."""
    status: str = ACTIVE
    """``lost`` when discovery has not seen it for a while where it should be."""
    last_seen: str | None = None
    """ISO 8601, UTC: when discovery saw it last; None: never."""
    missed_since: str | None = None
    """When discovery first looked for it in vain since then; None: it did not."""
    identifiers: DeviceIdentifiers = NO_IDENTIFIERS
    extra: str = field(default="", repr=False)
    """As in Agent."""


@dataclass(frozen=True, slots=True)
class Seed:
    """Where discovery looks, the credentials that it tries there, and what becomes of the devices that it finds."""

    id: str
    potential_targets: tuple[str, ...]
    """Addresses, networks, ranges and names (``discovery/scan/addresses.py``)."""
    credentials: tuple[Credentials, ...]
    """At least one. They are tried in this order, and the first that works is kept for the device."""
    port: int = DEFAULT_PORT
    exclude: tuple[str, ...] = ()
    """Addresses, networks and ranges that are left alone."""
    labels: tuple[tuple[str, str], ...] = ()
    """Labels and modules of devices that are found here for the first time."""
    modules: tuple[str, ...] = ()
    neighbours: tuple[str, ...] | None = None
    """Networks within which neighbours of found devices are asked, too; None leaves that to the settings."""
    force: bool = False
    """Whether networks larger than discovery's limit are wanted."""

    @property
    def version(self) -> Version:
        return self.credentials[0].version

    @property
    def agent_type(self) -> str:
        return agent_type(self.credentials[0])


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything at one moment; ``revision`` grows with each write, ``fencing_token`` is the leader's that wrote it.

    ``request_ids`` are the numbers of the last writes that other replicas passed on to the leader.
    """

    devices: tuple[Device, ...] = ()
    seeds: tuple[Seed, ...] = ()
    revision: int = 0
    fencing_token: int = 0
    request_ids: tuple[str, ...] = ()
