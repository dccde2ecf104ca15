"""Settings of the inventory file and its key, and of the site that it describes."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from promsnmp.settings.group import Group

KEY_LENGTHS = (16, 24, 32)


def default_inventory_file() -> Path:
    """``promsnmp-inventory.json`` in the user's data folder (XDG Base Directory Specification, XDG_DATA_HOME)."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "promsnmp" / "promsnmp-inventory.json"


class InventorySettings(Group):
    """Settings of the inventory file."""

    TITLE = "Inventory file"
    KEY = "inventory"

    prom_inv_file: Path = Field(
        default_factory=default_inventory_file,
        description="The encrypted inventory file. Default: `promsnmp/promsnmp-inventory.json` "
        "in `$XDG_DATA_HOME` (`~/.local/share`).",
    )
    prom_encrypt_key: SecretStr | None = Field(
        None,
        description="Key of the inventory file: 16, 24 or 32 bytes of text. "
        "Default: the key in a key file beside the inventory file, made at the first start with mode 0600.",
    )

    @field_validator("prom_encrypt_key")
    @classmethod
    def _key_length(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (size := len(value.get_secret_value().encode())) not in KEY_LENGTHS:
            raise ValueError(f"is {size} bytes long; it must be 16, 24 or 32 bytes (make one: openssl rand -hex 16)")
        return value


class SiteSettings(Group):
    """Settings of the site."""

    TITLE = "Site"
    KEY = "site"

    prom_tenant_id: str = Field("default_tenant", description="Tenant, shown in `/targets` and `promsnmp_site_info`.")
    prom_site_id: str = Field("default_site", description="Site, shown in `/targets` and `promsnmp_site_info`.")
    prom_site_label: str = Field("", description="The site's name for people.")
    prom_site_descr: str = Field("", description="The site's description.")
    prom_site_addr: str = Field("", description="The site's postal address.")
    prom_site_lat: float | None = Field(None, ge=-90, le=90, description="The site's latitude in degrees.")
    prom_site_long: float | None = Field(None, ge=-180, le=180, description="The site's longitude in degrees.")

    @property
    def site_labels(self) -> dict[str, str]:
        """The labels of ``promsnmp_site_info``: all of these settings."""
        values = {name.removeprefix("prom_"): getattr(self, name) for name in SiteSettings.model_fields}
        return {name: "" if value is None else str(value) for name, value in values.items()}
