"""Reads every setting from the environment and promsnmp.yml, once, into one frozen value.

Settings that the original PromSNMP has keep its names; the others follow its style. A new setting is a field in the
file of its group beside this one. Its description is its text in ``docs/reference/configuration.md`` (a test compares
them), so write it for operators.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Self

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from promsnmp.errors import SettingsError
from promsnmp.settings.device_sources.group import DeviceSourceSettings
from promsnmp.settings.discovery import DiscoverySettings
from promsnmp.settings.group import Group, is_secret
from promsnmp.settings.inventory import InventorySettings, SiteSettings
from promsnmp.settings.logging import LoggingSettings
from promsnmp.settings.pages import PageSettings
from promsnmp.settings.polling import PollingSettings
from promsnmp.settings.reading.config_file import config_path, read_config
from promsnmp.settings.reading.sources import Sources, find_sources, misspelt_variables
from promsnmp.settings.replicas import ReplicaSettings
from promsnmp.settings.server import ServerSettings
from promsnmp.settings.snmp import SnmpSettings
from promsnmp.settings.trap_outputs import TrapOutputSettings
from promsnmp.settings.traps import TrapSettings

GROUPS: tuple[type[Group], ...] = (
    ServerSettings,
    PollingSettings,
    PageSettings,
    SnmpSettings,
    DiscoverySettings,
    DeviceSourceSettings,
    TrapSettings,
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
    DeviceSourceSettings,
    TrapSettings,
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


def group_keys() -> dict[str, type[Group]]:
    """The groups by their keys in promsnmp.yml."""
    return {group.KEY: group for group in GROUPS}


def read_sources() -> Sources:
    """What is given for the settings now. Raises SettingsError."""
    secrets = [name for name, field in Settings.model_fields.items() if is_secret(field)]
    return find_sources(read_config(config_path(), group_keys()), Settings.model_fields, secrets)


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, systemd's credentials and promsnmp.yml; ``overrides`` take precedence.

    Raises SettingsError with one line per invalid value; it shows the values, except those of secrets.
    """
    return settings_of(read_sources(), **overrides)


def settings_of(sources: Sources, **overrides: object) -> Settings:
    """As ``load_settings``, of ``sources``."""

    below = sources.below_environment()
    try:
        return (_class_with(below) if below else Settings)(**overrides)  # type: ignore[arg-type]  # keyword names are checked by pydantic
    except ValidationError as error:
        raise SettingsError("\n".join(_problem(item, sources, overrides) for item in error.errors())) from None


def misspelt_lines() -> list[str]:
    """A line for each variable of the environment that is nearly one of ours; values are not looked at."""
    near = misspelt_variables(Settings.model_fields, os.environ)
    return [f"environment variable {name} is not read; did you mean {meant}?" for name, meant in near.items()]


def _class_with(below: Mapping[str, str]) -> type[Settings]:
    """Settings whose values come from ``below`` where the environment has none."""

    class SettingsOfFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(below))

    return SettingsOfFile


def _problem(item: object, sources: Sources, overrides: Mapping[str, object]) -> str:
    assert isinstance(item, dict)
    name = ".".join(map(str, item["loc"]))
    reason = str(item["msg"]).removeprefix("Value error, ")
    if not name:  # the problem is about several settings, and the reason names them
        return reason
    field = Settings.model_fields.get(name)
    is_hidden = name == DeviceSourceSettings.LIST or (field is not None and is_secret(field))
    shown = "" if is_hidden else f"={item['input']!s}"
    spelling = name.upper() if name in overrides else sources.spelling(name)
    return f"{spelling}{shown}: {reason[:1].lower() + reason[1:]}"
