"""Discovery: when and how fast networks are searched, and what happens to devices that are gone."""

from __future__ import annotations

from pydantic import Field

from promsnmp.settings.group import Group


class DiscoverySettings(Group):
    """What an operator can set for this."""

    TITLE = "Discovery"

    discovery_cron: str = Field(
        "0 0 2 * * *",
        description="When all saved seeds are searched, as Spring writes it: second minute hour day month weekday; "
        "`-` is for never ([schedule.md](schedule.md)).",
    )
    discovery_tz: str = Field(
        "",
        description="Time zone of `DISCOVERY_CRON`, such as `Europe/Berlin`. Empty: the machine's (`TZ`), or else UTC.",
    )
    discovery_on_start: bool = Field(False, description="Search all saved seeds at the start, too.")
    discovery_packets_per_second: int = Field(
        3000,
        ge=1,
        le=100_000,
        description="Packets that searches for devices send in a second, all together, at most. "
        "A /16 takes about 45 s for each credential that is tried.",
    )
    discovery_in_flight: int = Field(
        5000, ge=1, le=1_000_000, description="Addresses that one search waits for at the same time, at most."
    )
    discovery_timeout: int = Field(
        1000, ge=1, le=3_600_000, description="Milliseconds that a search waits for the answer to one packet."
    )
    discovery_retries: int = Field(1, ge=0, le=100, description="How often a search asks a silent address again.")
    discovery_lost_after: int = Field(
        259_200_000,
        ge=0,
        description="Milliseconds after which a device that searches do not find where it should be is marked as lost. "
        "Default: three days.",
    )
    discovery_remove_lost: bool = Field(
        False, description="Remove devices from the inventory instead of marking them as lost."
    )
    discovery_neighbour_networks: str = Field(
        "",
        description="Networks, comma separated, within which the LLDP and CDP neighbours of found devices are asked, "
        "too. Empty: neighbours are not followed.",
    )
