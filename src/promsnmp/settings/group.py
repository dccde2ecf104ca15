"""The base class of all groups of settings."""

from __future__ import annotations

from typing import ClassVar, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict


class Group(BaseSettings):
    """The settings of one subsystem, by environment variable (upper case of the field's name)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    TITLE: ClassVar[str]
    """Heading of the group in docs/reference/configuration.md."""
    KEY: ClassVar[str]
    """Key of the group in promsnmp.yml."""
    LIST: ClassVar[str] = ""
    """The group's only setting, where the key has a list itself; its text is then that list as JSON."""


def is_secret(field: FieldInfo) -> bool:
    """Whether the value of a setting must not be shown."""
    return SecretStr in (field.annotation, *get_args(field.annotation))
