"""The inventory as plain values: devices with their agents, and the seeds that discovery starts from.

Everything here is immutable, so a reader that holds an ``Inventory`` keeps one consistent picture however often
the store replaces it. Nothing here knows JSON or files. ``repr`` never shows a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from promsnmp.snmp.credentials import Community, Credentials, Version
from promsnmp.support.claim import Claim

DEFAULT_PORT = 161
"""RFC 3417 section 3.2."""

COMMUNITY_AGENT = "snmp-community"
USER_AGENT = "snmp-user"


def agent_type(credentials: Credentials) -> str:
    """``snmp-community`` or ``snmp-user``: the document's names of the two kinds of credentials."""
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
    """Kept for the original PromSNMP; we never write to a device."""
    engine_id: str = ""
    """Hexadecimal text; empty when not known."""
    extra: str = field(default="", repr=False)
    """JSON object with the document's unknown keys; kept, never used."""
    credentials_name: str = ""
    """Name of the ``NamedCredentials`` that ``credentials`` are a copy of; empty: its own."""

    @property
    def version(self) -> Version:
        return self.credentials.version

    @property
    def type(self) -> str:
        return agent_type(self.credentials)


@dataclass(frozen=True, slots=True)
class NamedCredentials:
    """Credentials that many agents may use: changed in one place."""

    name: str
    credentials: Credentials
    changed_by: str = ""
    """Who set them last, as the audit log says it; empty when nobody has since this is kept."""
    changed_at: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class DeviceIdentifiers:
    """What identifies a device, as discovery saw it last, or else its first poll; empty where it gives nothing."""

    sys_name: str = ""
    """The device's own name; the inventory may have another one."""
    serial_numbers: tuple[str, ...] = ()
    """Of the chassis, sorted."""
    mac_addresses: tuple[str, ...] = ()
    """Of some interfaces, sorted, hexadecimal."""
    booted_at: str | None = None
    """ISO 8601, UTC: when the agent started."""
    local_mac_addresses: tuple[str, ...] = ()
    """Like ``mac_addresses``, for those that software assigned."""
    sys_object_id: str = ""


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """A poll found another device at the address than the inventory knows."""

    since: str
    """ISO 8601, UTC."""
    differences: tuple[str, ...]
    """What differs, one text for each identifier."""


@dataclass(frozen=True, slots=True)
class SeenIdentity:
    """The identity of the device that answers a poll."""

    differences: tuple[str, ...]
    """What differs, when it is another device than the inventory knows; else empty."""
    identifiers: DeviceIdentifiers
    """Those of the device that the inventory means: as far as they were read, or known where another one answers."""
    engine_id: str = ""
    """Its engine id, hexadecimal."""


@dataclass(frozen=True, slots=True)
class PollOverrides:
    """How a device is polled where that differs from what modules and settings say; 0, empty or None: it does not."""

    interval: int = 0
    """Milliseconds between two polls in the background."""
    max_repetitions: int = 0
    """Repetitions of a GETBULK."""
    max_varbinds: int = 0
    """Objects of a GET."""
    text_encoding: str = ""
    """The encoding of its texts, one of ``snmp.text_encodings.ENCODINGS``; empty: UTF-8."""
    unconnected: bool | None = None
    """Whether it may answer from another address or port than was asked."""


@dataclass(frozen=True, slots=True)
class SourceMark:
    """The source that a device comes from (``promsnmp.sources``); devices without one are the operator's."""

    name: str
    """The source's, in the settings."""
    key: str = ""
    """What the source calls the device; empty until the source has taken the device over."""
    given: tuple[str, ...] = ()
    """The document's names of what the source said last, such as ``sysName`` and ``labels.site``. That is the source's;
    the rest is the operator's."""


NO_OVERRIDES = PollOverrides()
NO_IDENTIFIERS = DeviceIdentifiers()
ACTIVE, LOST = "active", "lost"
"""Values of a device's ``status``."""


@dataclass(frozen=True, slots=True)
class Device:
    """A network device; ``primary`` is the agent to poll, None only when there are no agents."""

    id: str
    sys_name: str = ""
    sys_descr: str = ""
    sys_contact: str = ""
    sys_location: str = ""
    discovered_at: str | None = None
    agents: tuple[Agent, ...] = ()
    primary: Agent | None = None
    modules: tuple[str, ...] = ()
    """Modules that the operator chose for it; empty means those of the settings (see ``modules.py``)."""
    labels: tuple[tuple[str, str], ...] = ()
    sys_object_id: str = ""
    vendor: str = ""
    """From its fingerprint, like the next two."""
    model: str = ""
    detected_modules: tuple[str, ...] = ()
    """Modules that suit it; empty until detected."""
    status: str = ACTIVE
    """``lost`` when discovery has missed it for DISCOVERY_LOST_AFTER."""
    last_seen: str | None = None
    """ISO 8601, UTC: when discovery last saw it; None: never."""
    missed_since: str | None = None
    """When discovery first missed it after that; None: not missed."""
    identifiers: DeviceIdentifiers = NO_IDENTIFIERS
    identity_change: IdentityChange | None = None
    """Set while another device than this answers polls."""
    extra: str = field(default="", repr=False)
    """As in Agent."""
    overrides: PollOverrides = NO_OVERRIDES
    source: SourceMark | None = None


@dataclass(frozen=True, slots=True)
class Seed:
    """Where discovery looks, which credentials it tries there, and the defaults of new devices."""

    id: str
    potential_targets: tuple[str, ...]
    """Addresses, networks, ranges and names (``discovery/scan/addresses.py``)."""
    credentials: tuple[Credentials, ...]
    """At least one. They are tried in this order, and the first that works is kept for the device."""
    port: int = DEFAULT_PORT
    exclude: tuple[str, ...] = ()
    """Addresses, networks and ranges that discovery never asks."""
    labels: tuple[tuple[str, str], ...] = ()
    """Labels and modules of new devices that are found here."""
    modules: tuple[str, ...] = ()
    neighbours: tuple[str, ...] | None = None
    """Networks in which neighbours of found devices are asked too; None: those of the settings."""
    force: bool = False
    """Whether networks may be larger than discovery's limit."""
    overrides: PollOverrides = NO_OVERRIDES
    """Overrides of new devices that are found here."""

    @property
    def version(self) -> Version:
        return self.credentials[0].version

    @property
    def agent_type(self) -> str:
        return agent_type(self.credentials[0])


@dataclass(frozen=True, slots=True)
class UnfinishedSearch:
    """A search of discovery that has not ended, so that the next leader goes on with it. Times: ISO 8601, UTC."""

    id: str
    seed: Seed
    """What to search; a saved seed when ``is_saved``."""
    created_at: str
    saved_at: str
    """When ``done`` was written."""
    started_at: str | None = None
    who: str = ""
    is_saved: bool = False
    remove_lost: bool = False
    done: int = 0
    """Addresses that are done: the first ones, in the order in which searches ask (``Addresses.spread``)."""
    size: int = 0
    """Addresses in all; ``done`` counts only for a scope of this size."""


@dataclass(frozen=True, slots=True)
class EndedSearch:
    """A search that has ended: ``summary`` is its result as JSON, without the devices."""

    id: str
    summary: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """The last search of all saved seeds. Times: ISO 8601, UTC."""

    schedule: str
    """Expression and zone; a run of another schedule says nothing about missed times."""
    due_at: str
    """The time of the schedule; for a run at the start, when it began."""
    ended_at: str | None = None
    seeds_left: tuple[str, ...] = ()
    """IDs of the seeds that are not done."""


@dataclass(frozen=True, slots=True)
class SearchLog:
    """What is kept of searches: everything that the next leader needs."""

    run: ScheduledRun | None = None
    unfinished: tuple[UnfinishedSearch, ...] = ()
    ended: tuple[EndedSearch, ...] = ()


NO_SEARCHES = SearchLog()


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything at one moment; ``revision`` grows with each write, ``fencing_token`` is the term of the last writer.

    ``request_ids`` are the IDs of the last writes that other replicas forwarded to the leader. ``imported_at`` is the
    time of the last import by an operator (Unix time in milliseconds): such a file counts, even with lower numbers.
    ``leader_instance`` identifies the process that leads in the term; empty when unknown.
    """

    devices: tuple[Device, ...] = ()
    seeds: tuple[Seed, ...] = ()
    revision: int = 0
    fencing_token: int = 0
    request_ids: tuple[str, ...] = ()
    imported_at: int = 0
    leader_instance: str = ""
    searches: SearchLog = NO_SEARCHES
    named_credentials: tuple[NamedCredentials, ...] = ()

    @property
    def claim(self) -> Claim:
        """The claim of the leader that wrote last."""
        return Claim(self.fencing_token, self.leader_instance)
