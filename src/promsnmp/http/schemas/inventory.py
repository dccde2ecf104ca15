"""The inventory's JSON for OpenAPI; ``inventory/document/`` reads and checks it.

This is the form that is written; more spellings are read (``v2c`` for 1, ``SHA-256`` for ``SHA256``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from promsnmp.http.schemas.common import Body, without_default
from promsnmp.inventory.document.values import MAX_REPETITIONS
from promsnmp.snmp.operations.get import MAX_GET_OIDS

OptionalText = Annotated[str | SkipJsonSchema[None], Field(json_schema_extra=without_default)]


OptionalRepetitions = Annotated[
    Annotated[int, Field(ge=1, le=MAX_REPETITIONS)] | SkipJsonSchema[None], Field(json_schema_extra=without_default)
]
OptionalVarbinds = Annotated[
    Annotated[int, Field(ge=1, le=MAX_GET_OIDS)] | SkipJsonSchema[None], Field(json_schema_extra=without_default)
]


class EndpointBody(Body):
    address: str = Field(description="IPv4 or IPv6 address, or a host's name.")
    port: int = Field(161, ge=1, le=65535)


class CredentialFields(Body):
    """The credentials of an agent: a community or a user. Secrets are shown as ``******``."""

    model_config = ConfigDict(extra="allow")

    read_community: OptionalText = Field(None, alias="readCommunity")
    security_name: OptionalText = Field(None, alias="securityName")
    security_level: Annotated[Literal[1, 2, 3] | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = (
        Field(None, alias="securityLevel", description="1 noAuthNoPriv, 2 authNoPriv, 3 authPriv.")
    )
    auth_protocol: OptionalText = Field(None, alias="authProtocol", description="One of `/promsnmp/authProtocols`.")
    auth_passphrase: OptionalText = Field(None, alias="authPassphrase")
    priv_protocol: OptionalText = Field(None, alias="privProtocol", description="One of `/promsnmp/privProtocols`.")
    priv_passphrase: OptionalText = Field(None, alias="privPassphrase")
    context_name: OptionalText = Field(None, alias="contextName")


class NamedCredentialsBody(CredentialFields):
    """Credentials that many agents may use."""

    name: str = Field(description="1 to 64 letters, digits, `.`, `_` and `-`.")
    type: Literal["snmp-community", "snmp-user"]
    version: Literal[0, 1, 3] = Field(description="0 is v1, 1 is v2c, 3 is v3.")
    used_by: int = Field(0, alias="usedBy", description="Devices that use them; in responses only.")
    used_by_seeds: int = Field(
        0, alias="usedBySeeds", description="Saved seeds of discovery with the same credentials; in responses only."
    )
    changed_by: str = Field("", alias="changedBy", description="Who set them last; ignored in requests.")
    changed_at: OptionalText = Field(None, alias="changedAt", description="ISO 8601, UTC; ignored in requests.")


class AgentBody(CredentialFields):
    """One way to reach a device."""

    id: OptionalText = Field(None, description="UUID; generated when left out.")
    type: Literal["snmp-community", "snmp-user"]
    endpoint: EndpointBody
    version: Literal[0, 1, 3] = Field(description="0 is v1, 1 is v2c, 3 is v3.")
    timeout: int = Field(1500, ge=1, description="Milliseconds to wait for one packet.")
    retries: int = Field(1, ge=0, le=100)
    credentials_name: OptionalText = Field(
        None, alias="credentialsName", description="Named credentials, in place of the keys of its own."
    )
    discovered_at: OptionalText = Field(None, alias="discoveredAt", description="ISO 8601, UTC.")


class IdentifiersBody(Body):
    """What identifies a device, as discovery last saw it."""

    sys_name: str = Field("", alias="sysName", description="Its own sysName; the inventory may have another name.")
    serial_numbers: list[str] = Field([], alias="serialNumbers")
    mac_addresses: list[str] = Field(
        [], alias="macAddresses", description="MAC addresses of some interfaces, hexadecimal."
    )
    local_mac_addresses: list[str] = Field(
        [], alias="localMacAddresses", description="The same for those that software assigned."
    )
    booted_at: OptionalText = Field(None, alias="bootedAt", description="ISO 8601, UTC: when its agent started.")
    sys_object_id: str = Field("", alias="sysObjectId")


class SourceMarkBody(Body):
    """The source of a device."""

    name: str = Field(description="The source's name in the settings.")
    key: str = Field("", description="What the source calls the device.")
    given: list[str] = Field([], description="Keys of the device that the source gives, and so changes.")


class IdentityChangeBody(Body):
    """Another device than the inventory knows answers polls."""

    since: str = Field(description="ISO 8601, UTC.")
    differences: list[str] = Field(description="What differs: `serial number FOC1111, now FOC9999`.")


class PollingBody(Body):
    """How the last poll of a device ended; in responses only."""

    state: Literal["up", "partial", "down", "unknown"] = Field(
        description="`partial`: read in part; `unknown`: not polled yet, or not by this replica."
    )
    last_poll: OptionalText = Field(None, alias="lastPoll", description="ISO 8601, UTC: when it ended.")
    problem: OptionalText = Field(None, description="What was wrong.")


class PollOverridesBody(Body):
    """How a device is polled where that differs from what its modules and the settings say."""

    interval: Annotated[int | str | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None,
        description="Time between two polls: milliseconds, or text such as `10s` or `5m`; 1s to 1d.",
    )
    max_repetitions: OptionalRepetitions = Field(None, alias="maxRepetitions", description="Repetitions of a GETBULK.")
    max_varbinds: OptionalVarbinds = Field(None, alias="maxVarbinds", description="Objects of a GET.")
    text_encoding: OptionalText = Field(
        None,
        alias="textEncoding",
        description="Character encoding of its texts, such as `gbk`, `latin-1`, `utf-16`, `cp1251`. Default: UTF-8.",
    )
    unconnected: Annotated[bool | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, description="Whether it may answer from another address or port than was asked."
    )


class DeviceBody(PollOverridesBody):
    """A network device; without `primaryAgent` the first agent is polled."""

    model_config = ConfigDict(extra="allow")

    id: OptionalText = Field(None, description="UUID; generated when left out.")
    sys_name: str = Field("", alias="sysName")
    sys_descr: str = Field("", alias="sysDescr")
    sys_contact: str = Field("", alias="sysContact")
    sys_location: str = Field("", alias="sysLocation")
    discovered_at: OptionalText = Field(None, alias="discoveredAt", description="ISO 8601, UTC.")
    agents: list[AgentBody] = Field([], description="At least one, unless sysName is given.")
    primary_agent: Annotated[AgentBody | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, alias="primaryAgent"
    )
    modules: list[str] = Field([], description="Modules to poll it with; none: those of COLLECTION_MODULES.")
    vendor: str = Field("", description="Its vendor, by its fingerprint.")
    model: str = Field("", description="Its model, by its fingerprint.")
    detected_modules: list[str] = Field(
        [], alias="detectedModules", description="Modules that fit it, by its fingerprint."
    )
    labels: dict[str, str] = Field({}, description="Labels for `/targets`.")
    status: Literal["active", "lost"] = Field("active", description="`lost`: discovery has not found it for long.")
    last_seen: OptionalText = Field(None, alias="lastSeen", description="ISO 8601, UTC: when discovery last saw it.")
    missed_since: OptionalText = Field(
        None, alias="missedSince", description="ISO 8601, UTC: since when discovery has not found it."
    )
    marks: Annotated[IdentifiersBody | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = None
    identity_change: Annotated[
        IdentityChangeBody | SkipJsonSchema[None], Field(alias="identityChange", json_schema_extra=without_default)
    ] = None
    source: Annotated[SourceMarkBody | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, description="The source that the device comes from; the name alone hands the device over to that source."
    )
    polling: Annotated[PollingBody | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, description="In responses about devices only; ignored in requests."
    )


class DevicesBody(Body):
    """One page of the devices that match a query, by name."""

    devices: list[DeviceBody]
    page: int = Field(ge=1)
    size: int = Field(ge=1)
    pages: int = Field(ge=0)
    total: int = Field(ge=0, description="Devices that match the query.")
    revision: int = Field(ge=0, description="Revision of the inventory.")


class CredentialsBody(CredentialFields):
    """One of several credentials that discovery tries."""

    version: str = Field("", description="`v1`, `v2c` or `v3`.")
    agent_type: Annotated[
        Literal["snmp-community", "snmp-user"] | SkipJsonSchema[None], Field(json_schema_extra=without_default)
    ] = Field(None, alias="agentType")


class SeedBody(PollOverridesBody, CredentialFields):
    """Where discovery looks for devices, and with which credentials."""

    id: OptionalText = Field(None, description="UUID; generated when left out.")
    potential_targets: list[str] = Field(
        alias="potentialTargets", description="Addresses, networks (CIDR), ranges, names."
    )
    port: int = Field(161, ge=1, le=65535)
    version: str = Field(description="`v1`, `v2c` or `v3`.")
    agent_type: Literal["snmp-community", "snmp-user"] = Field(alias="agentType")
    credentials: list[CredentialsBody] = Field([], description="Further ones, tried after those above, in this order.")
    exclude: list[str] = Field([], description="Addresses, networks and ranges that are not searched.")
    labels: dict[str, str] = Field({}, description="Labels of new devices that are found here.")
    modules: list[str] = Field([], description="Modules of new devices that are found here.")
    neighbours: Annotated[list[str] | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, description="Networks within which LLDP and CDP neighbours of found devices are searched, too."
    )
    force: bool = Field(False, description="Whether networks larger than a /12 are allowed.")


class InventoryBody(Body):
    """All devices, and the seeds of discovery."""

    devices: list[DeviceBody]
    credentials: Annotated[
        list[NamedCredentialsBody] | SkipJsonSchema[None], Field(json_schema_extra=without_default)
    ] = Field(None, description="Credentials that agents use by name; left out: those of the inventory stay.")
    discovery_seeds: list[SeedBody] = Field([], alias="discoverySeeds")
    revision: int = Field(0, ge=0, description="Counts changes; ignored in requests.")
    term: int = Field(0, ge=0, description="Term of the leader that wrote it; ignored in requests.")
