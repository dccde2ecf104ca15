"""The JSON of ``/promsnmp/discovery`` for OpenAPI; ``discovery/request.py`` reads and checks it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from promsnmp.http.schemas.common import Body, without_default
from promsnmp.http.schemas.inventory import CredentialFields, CredentialsBody, OptionalText, PollOverridesBody

OptionalNumber = Annotated[float | SkipJsonSchema[None], Field(json_schema_extra=without_default)]


class SnmpConfigBody(CredentialFields):
    """Credentials in the form of the original's README."""

    version: int | str = Field("v2c", description="SNMP4J's number (0 is v1, 1 is v2c, 3 is v3), or `v1`, `v2c`, `v3`.")
    port: int = Field(161, ge=1, le=65535)


class DiscoveryBody(PollOverridesBody, CredentialFields):
    """Where to search, and with which credentials. `targets` and `snmpConfig` are another form of the same."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "potentialTargets": ["127.0.0.1-4"],
                "agentType": "snmp-community",
                "version": "v2c",
                "port": 161,
                "readCommunity": "public",
            }
        },
    )

    potential_targets: list[str] = Field(
        [], alias="potentialTargets", description="Addresses, networks (CIDR), ranges (192.0.2.1-50) and names."
    )
    targets: list[str] = Field([], description="Another name of `potentialTargets`.")
    agent_type: Annotated[
        Literal["snmp-community", "snmp-user"] | SkipJsonSchema[None], Field(json_schema_extra=without_default)
    ] = Field(None, alias="agentType")
    version: int | str = Field("v2c", description="`v1`, `v2c` or `v3`.")
    port: int = Field(161, ge=1, le=65535)
    snmp_config: Annotated[SnmpConfigBody | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None, alias="snmpConfig"
    )
    credentials: list[CredentialsBody] = Field(
        [], description="Further credentials, tried after those above, in this order."
    )
    exclude: list[str] = Field([], description="Addresses, networks and ranges that are not searched.")
    labels: dict[str, str] = Field({}, description="Labels of new devices.")
    modules: list[str] = Field([], description="Modules of new devices.")
    neighbours: Annotated[list[str] | SkipJsonSchema[None], Field(json_schema_extra=without_default)] = Field(
        None,
        description="Networks within which LLDP and CDP neighbours are searched, instead of those of the settings.",
    )
    force: bool = Field(False, description="Allow networks larger than a /12.")
    remove_lost: bool = Field(False, alias="removeLost", description="Remove lost devices instead of marking them.")
    id: OptionalText = Field(None, description="UUID of the saved seed that this replaces.")


class AcceptedBody(Body):
    """An accepted request."""

    message: str
    job_id: OptionalText = Field(None, alias="jobId", description="The job, when the search starts now.")
    seed_id: OptionalText = Field(None, alias="seedId", description="The seed, when it is saved.")
    location: str = Field(description="Path of the job or the seed.")


class FoundDeviceBody(Body):
    """A device that a search found."""

    id: str = Field(description="ID of the device in the inventory.")
    change: Literal["added", "updated", "unchanged"]
    sys_name: str = Field(alias="sysName")
    addresses: list[str] = Field(description="Where it answered, `address:port`.")
    version: str = Field(description="`v1`, `v2c` or `v3`.")
    vendor: str
    model: str
    sys_object_id: str = Field(alias="sysObjectId")
    sys_location: str = Field(alias="sysLocation")
    sys_descr: str = Field(alias="sysDescr")


class JobBody(Body):
    """A search: its request, its progress and its result."""

    id: str
    state: Literal["queued", "running", "finished", "cancelled", "failed"]
    seed_id: OptionalText = Field(None, alias="seedId", description="The saved seed that it searches.")
    targets: list[str]
    created_at: str = Field(alias="createdAt", description="ISO 8601, UTC.")
    started_at: OptionalText = Field(None, alias="startedAt")
    resumed_at: OptionalText = Field(
        None, alias="resumedAt", description="When another leader, or process, went on with it."
    )
    ended_at: OptionalText = Field(None, alias="endedAt")
    addresses: int = Field(description="Addresses to search, as far as known.")
    probed: int = Field(description="Addresses that are finished.")
    answered: int = Field(description="Addresses that answer SNMP.")
    found: int = Field(description="Addresses that accept one of the credentials.")
    packets: int = Field(description="Packets sent.")
    rate: float = Field(description="Packets per second.")
    time_left: OptionalNumber = Field(None, alias="timeLeft", description="Estimated seconds until it ends.")
    errors: dict[str, int] = Field(description="Number of errors, by kind.")
    added: int = Field(description="New devices.")
    updated: int = Field(description="Known devices that changed.")
    unchanged: int = Field(description="Known devices that did not change.")
    missed: int = Field(description="Known devices that did not answer.")
    lost: int = Field(description="Devices that this search marked as lost.")
    removed: int = Field(description="Devices that this search removed.")
    neighbours: int = Field(description="Addresses searched because a neighbour listed them.")
    refusing: list[str] = Field(description="Addresses that answer SNMP and refuse all credentials (the first 1,000).")
    problems: list[str] = Field(description="Targets that were skipped, and why.")
    error: OptionalText = Field(None, description="Why it failed.")


class JobDetailBody(JobBody):
    """A search with the devices that it found."""

    devices: list[FoundDeviceBody]
    devices_omitted: bool = Field(
        alias="devicesOmitted", description="Whether the devices are no longer listed, as later searches ended."
    )
