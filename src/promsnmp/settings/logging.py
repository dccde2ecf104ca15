"""Settings of the log: level and format."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from promsnmp.settings.group import Group


class LoggingSettings(Group):
    """Settings of the log."""

    TITLE = "Logging"
    KEY = "logging"

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of the lines to log."
    )
    log_format: Literal["text", "json"] = Field("text", description="`text` for people, `json` for log collectors.")

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value
