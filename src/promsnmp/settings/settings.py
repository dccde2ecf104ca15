"""Reads every setting from the environment, once, into one frozen value.

Settings that the original PromSNMP has keep its names; the others follow its style. A new setting is a field in the
file of its group beside this one. Its description is its text in ``docs/reference/configuration.md`` (a test compares
them), so write it for operators.
"""

from __future__ import annotations

from typing import Self, get_args

from pydantic import SecretStr, ValidationError, model_validator

from promsnmp.errors import SettingsError
from promsnmp.settings.discovery import DiscoverySettings
from promsnmp.settings.group import Group
from promsnmp.settings.inventory import InventorySettings
from promsnmp.settings.pages import PageSettings
from promsnmp.settings.polling import PollingSettings
from promsnmp.settings.replicas import ReplicaSettings
from promsnmp.settings.server import LoggingSettings, ServerSettings
from promsnmp.settings.site import SiteSettings
from promsnmp.settings.snmp import SnmpSettings
from promsnmp.settings.trap_outputs import TrapOutputSettings

GROUPS: tuple[type[Group], ...] = (
    ServerSettings,
    PollingSettings,
    PageSettings,
    SnmpSettings,
    DiscoverySettings,
    TrapOutputSettings,
    InventorySettings,
    SiteSettings,
    ReplicaSettings,
    LoggingSettings,
)
"""The groups in the order of docs/reference/configuration.md."""


class Settings(
    ServerSettings,
    PollingSettings,
    PageSettings,
    SnmpSettings,
    DiscoverySettings,
    TrapOutputSettings,
    InventorySettings,
    SiteSettings,
    ReplicaSettings,
    LoggingSettings,
):
    """All settings."""

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if self.cluster_key is not None and self.cluster_key == self.prom_encrypt_key:
            raise ValueError("CLUSTER_KEY must not be PROM_ENCRYPT_KEY (make one: openssl rand -hex 32)")
        return self


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; ``overrides`` take precedence.

    Raises SettingsError with one line per invalid variable; it shows the values, except those of secrets.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # keyword names are checked by pydantic
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(item) for item in error.errors())) from None


def _problem(item: object) -> str:
    assert isinstance(item, dict)
    name = ".".join(map(str, item["loc"]))
    reason = str(item["msg"]).removeprefix("Value error, ")
    if not name:  # the problem is about several variables, and the reason names them
        return reason
    field = Settings.model_fields.get(name)
    is_secret = field is not None and SecretStr in (field.annotation, *get_args(field.annotation))
    shown = "" if is_secret else f"={item['input']!s}"
    return f"{name.upper()}{shown}: {reason[:1].lower() + reason[1:]}"
