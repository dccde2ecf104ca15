"""The shapes of ``/actuator`` for settings, loggers, caches and scheduled work: Spring Boot's."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from promsnmp.http.schemas.common import Body, without_default


class PropertyBody(Body):
    """A setting; a masked value is a secret."""

    value: Any = None
    origin: str | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)
    source: str | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)


class PropertySourceBody(Body):
    """Settings that come from one place."""

    name: str
    properties: dict[str, PropertyBody]


class EnvironmentBody(Body):
    """``/actuator/env``."""

    active_profiles: list[str] = Field(alias="activeProfiles")
    property_sources: list[PropertySourceBody] = Field(alias="propertySources")


class PropertySourceSummaryBody(Body):
    """``/actuator/env/{name}``."""

    property_: PropertyBody = Field(alias="property")


class LoggerBody(Body):
    """A logger: its own level, if it has one, and the one that counts."""

    configured_level: str | SkipJsonSchema[None] = Field(
        None, alias="configuredLevel", json_schema_extra=without_default
    )
    effective_level: str = Field(alias="effectiveLevel")


class LoggersBody(Body):
    """``/actuator/loggers``."""

    levels: list[str]
    loggers: dict[str, LoggerBody]
    groups: dict[str, Any]


class CacheBody(Body):
    target: str


class CacheManagerBody(Body):
    caches: dict[str, CacheBody]


class CachesBody(Body):
    """``/actuator/caches``."""

    cache_managers: dict[str, CacheManagerBody] = Field(alias="cacheManagers")


class TaskBody(Body):
    """Work that is done on a schedule, or again and again."""

    runnable: dict[str, str]
    expression: str | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)
    initial_delay: int | SkipJsonSchema[None] = Field(None, alias="initialDelay", json_schema_extra=without_default)
    interval: int | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)


class ScheduledTasksBody(Body):
    """``/actuator/scheduledtasks``."""

    cron: list[TaskBody]
    fixed_delay: list[TaskBody] = Field(alias="fixedDelay")
    fixed_rate: list[TaskBody] = Field(alias="fixedRate")
    custom: list[TaskBody]
