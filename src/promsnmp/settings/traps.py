"""Settings of traps and informs: where to listen, who is accepted, how much, and what a trap causes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from promsnmp.settings.group import Group
from promsnmp.settings.reading.parsing import Network, networks, parts
from promsnmp.settings.reading.units import Bytes, Milliseconds


class TrapSettings(Group):
    """Settings of traps and informs."""

    TITLE = "Traps and informs"
    KEY = "traps"

    trap_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="UDP port for traps and informs; devices send them to 162. 0: none are received "
        "([traps.md](../traps.md)).",
    )
    trap_address: str = Field("", description="Address to receive them on. Empty: every address, IPv4 and IPv6.")
    trap_communities: SecretStr | None = Field(
        None,
        description="More communities that are accepted, comma separated, besides those of the devices and seeds in "
        "the inventory.",
    )
    trap_engine_id: str = Field(
        "",
        description="Engine id of PromSNMP for informs of version 3, hexadecimal, the same on all replicas. Default: "
        "a random one, kept beside the inventory file.",
    )
    trap_proxies: str = Field(
        "",
        description="Networks, comma separated, of proxies and NAT gateways: their traps are from the device that "
        "`snmpTrapAddress.0`, or the agent address of version 1, names. Of other senders these are ignored.",
    )
    trap_unknown_senders: bool = Field(
        False,
        description="Accept traps with the right community or user from senders that are not in the inventory, too. "
        "They are counted and passed on, and cause no poll.",
    )
    trap_rate: int = Field(
        2000,
        ge=1,
        description="Maximum traps per second of all devices of the inventory together; a tenth of it for all other "
        "senders together. What exceeds it is dropped and counted.",
    )
    trap_sender_rate: int = Field(100, ge=1, description="Maximum traps per second of one sender.")
    trap_queue_bytes: Bytes = Field(
        16 * 1024 * 1024, ge=65_536, description="Maximum bytes of received traps that wait for being processed."
    )
    trap_polls: Literal["known", "all", "none"] = Field(
        "known",
        description="Which traps of a device make PromSNMP poll it at once: those whose name is `known`, `all`, or "
        "`none`.",
    )
    trap_poll_interval: Milliseconds = Field(
        2000, ge=0, description="Minimum milliseconds between two polls of a device because of authenticated traps."
    )
    trap_unauthenticated_poll_interval: Milliseconds = Field(
        10_000,
        ge=0,
        description="The same for traps that prove nothing about their sender: versions 1 and 2c, and version 3 "
        "without authentication.",
    )

    @field_validator("trap_proxies")
    @classmethod
    def _are_trap_proxies(cls, value: str) -> str:
        networks(value)
        return value

    @field_validator("trap_engine_id")
    @classmethod
    def _is_engine_id(cls, value: str) -> str:
        text = value.lower().removeprefix("0x").replace(":", "")
        try:
            size = len(bytes.fromhex(text))
        except ValueError:
            raise ValueError("is not hexadecimal") from None
        if text and not 5 <= size <= 32:  # RFC 3411 section 5, SnmpEngineID
            raise ValueError(f"has {size} octets; an engine id has 5 to 32")
        return text

    @property
    def trap_proxy_networks(self) -> tuple[Network, ...]:
        """The parts of ``trap_proxies``."""
        return networks(self.trap_proxies)

    @property
    def more_trap_communities(self) -> tuple[str, ...]:
        """The parts of ``trap_communities``."""
        return parts(self.trap_communities.get_secret_value()) if self.trap_communities else ()
