"""Settings of discovery: when and how fast to search networks, what to do with devices that are gone."""

from __future__ import annotations

from pydantic import Field

from promsnmp.settings.group import Group
from promsnmp.settings.reading.units import Milliseconds


class DiscoverySettings(Group):
    """Settings of discovery."""

    TITLE = "Discovery"
    KEY = "discovery"

    discovery_cron: str = Field(
        "0 0 2 * * *",
        description="When to search all saved seeds, as a Spring cron expression: second minute hour day month "
        "weekday; `-` disables it ([schedule.md](schedule.md)).",
    )
    discovery_tz: str = Field(
        "",
        description="Time zone of `DISCOVERY_CRON`, such as `Europe/Berlin`. Default: the machine's (`TZ`), else UTC.",
    )
    discovery_on_start: bool = Field(False, description="Also search all saved seeds at the start.")
    discovery_packets_per_second: int = Field(
        3000,
        ge=1,
        le=100_000,
        description="Maximum packets per second of all searches together. "
        "A /16 takes about 45 s for each of the credentials.",
    )
    discovery_in_flight: int = Field(
        5000, ge=1, le=1_000_000, description="Maximum addresses that one search waits for at the same time."
    )
    discovery_timeout: Milliseconds = Field(
        1000, ge=1, le=3_600_000, description="Milliseconds that a search waits for the answer to one packet."
    )
    discovery_retries: int = Field(
        1, ge=0, le=100, description="How often a search repeats a packet to an address that does not answer."
    )
    discovery_lost_after: Milliseconds = Field(
        259_200_000,
        ge=0,
        description="Milliseconds for which searches must miss a device at its known address before it is "
        "marked `lost`. Default: three days.",
    )
    discovery_remove_lost: bool = Field(
        False, description="Remove such devices from the inventory instead of marking them `lost`."
    )
    discovery_neighbour_networks: str = Field(
        "",
        description="Networks, comma separated, within which a search also asks the LLDP and CDP neighbours of the "
        "devices that it finds. Empty: it does not follow neighbours.",
    )
