"""Settings of SNMP and module files: what snmp_exporter sets by files and flags."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal

from pydantic import Field, field_validator

from promsnmp.settings.group import Group
from promsnmp.settings.reading.parsing import Network, networks, parts


class SnmpSettings(Group):
    """Settings of SNMP and module files."""

    TITLE = "SNMP and module files"
    KEY = "snmp"

    snmp_config_files: str = Field(
        "",
        description="Files in the format of snmp_exporter's `snmp.yml`, comma separated; `*` and `?` are wildcards. "
        "Their modules and auths replace built-in ones of the same name.",
    )
    snmp_allow_adhoc_targets: bool = Field(
        False,
        description="Poll addresses that are not in the inventory when a scrape names them (`/snmp?target=`). "
        "Default: on when `SNMP_CONFIG_FILES` is set, else off.",
    )
    snmp_adhoc_networks: str = Field(
        "",
        description="Networks, comma separated, that such addresses must be in (`192.0.2.0/24,2001:db8::/32`). "
        "Empty: all networks.",
    )
    snmp_wrap_large_counters: bool = Field(
        True, description="Reduce Counter64 values modulo 2^53, as snmp_exporter does, so that `rate()` stays exact."
    )
    snmp_zero_for_non_numbers: bool = Field(
        False,
        description="Show 0 where a metric needs a number and the device gives something else, as snmp_exporter does.",
    )
    snmp_expand_environment: bool = Field(
        False,
        description="Replace `$NAME` and `${NAME}` in names and passphrases of version 3 auths in `SNMP_CONFIG_FILES` "
        "(`$$` is a dollar). Off: `$` is taken as written, as snmp_exporter does.",
    )
    snmp_config_unknown_keys: Literal["error", "warn"] = Field(
        "error",
        description="What to do with a key in `SNMP_CONFIG_FILES` that PromSNMP does not know: `error` refuses the "
        "file, `warn` logs a warning and ignores the key, for files of a later snmp_exporter.",
    )
    snmp_unsigned_sizes: bool = Field(
        False,
        description="Show negative sizes of storage and memory (`hrStorageSize`, `hrStorageUsed`, `dskTotal`, ...) as "
        "the number from 0 to 2^32-1 that the device meant: agents whose sizes exceed 2^31 send them so.",
    )
    snmp_source_address: str = Field(
        "", description="Source address of requests to devices of the same address family. Empty: the system chooses."
    )

    mib_folders: str = Field(
        "",
        description="Folders of MIB files, comma separated, from which the page "
        "[Browse](../how-to/web-interface.md#browse) builds modules, as `promsnmp modules build` does. The first "
        "folder wins.",
    )

    @field_validator("snmp_source_address")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            return str(ip_address(value)) if value else ""
        except ValueError:
            raise ValueError("is not an address such as 192.0.2.1 or 2001:db8::1") from None

    @field_validator("snmp_adhoc_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        networks(value)
        return value

    @property
    def config_patterns(self) -> tuple[str, ...]:
        """The parts of ``snmp_config_files``."""
        return parts(self.snmp_config_files)

    @property
    def adhoc_targets(self) -> bool:
        """Whether addresses outside the inventory are polled: as set, else when module files are given."""
        is_set = "snmp_allow_adhoc_targets" in self.model_fields_set
        return self.snmp_allow_adhoc_targets if is_set else bool(self.config_patterns)

    @property
    def adhoc_networks(self) -> tuple[Network, ...]:
        """The parts of ``snmp_adhoc_networks``."""
        return networks(self.snmp_adhoc_networks)
