"""The shapes of JSON responses, for OpenAPI and its readers.

Field names are those on the wire: Spring Boot's under ``/actuator``, the original PromSNMP's under ``/promsnmp``.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema


def without_default(schema: dict[str, Any]) -> None:
    """For a field that is left out rather than null: OpenAPI 3.0 has no way to write null as a default."""
    schema.pop("default", None)


class Body(BaseModel):
    """Base of all: frozen, filled by field name or by the name on the wire."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class ErrorBody(Body):
    """An error as JSON."""

    error: str = Field(description="What is wrong, in one line.")
    status: int = Field(description="The HTTP status.")
    path: str = Field(description="The path of the request.")
    problems: list[str] | SkipJsonSchema[None] = Field(
        None, description="All problems of a document, with their places.", json_schema_extra=without_default
    )


class LinkBody(Body):
    href: str
    templated: bool = False


class LinksBody(Body):
    """``/actuator``: links by name."""

    links: dict[str, LinkBody] = Field(alias="_links")


StatusName = Literal["UP", "DOWN", "OUT_OF_SERVICE", "UNKNOWN"]


class ComponentBody(Body):
    """One component's health, or one group's."""

    status: StatusName
    details: dict[str, Any] | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)


class HealthBody(Body):
    """``/actuator/health``: the worst status, and all components."""

    status: StatusName
    components: dict[str, ComponentBody]
    groups: list[str]


class InfoBody(Body):
    """``/actuator/info``: version and runtime."""

    app: dict[str, str]
    build: dict[str, str]
    python: dict[str, str]


class MetricNamesBody(Body):
    """``/actuator/metrics``: the names of all meters."""

    names: list[str]


class MeasurementBody(Body):
    statistic: str
    value: float


class TagBody(Body):
    tag: str
    values: list[str]


class MetricBody(Body):
    """``/actuator/metrics/{name}``: statistics of one meter, summed over the series that match the tags."""

    name: str
    description: str
    base_unit: str | SkipJsonSchema[None] = Field(None, alias="baseUnit", json_schema_extra=without_default)
    measurements: list[MeasurementBody]
    available_tags: list[TagBody] = Field(alias="availableTags")


class ExecutorBody(Body):
    """How busy one kind of background work is; ``poolSize`` and ``maxPoolSize`` count jobs that may run at once."""

    active: int
    pool_size: int = Field(alias="poolSize")
    max_pool_size: int = Field(alias="maxPoolSize")
    queue_size: int = Field(alias="queueSize")


class ThreadPoolsBody(Body):
    """``/promsnmp/threadPools``, under the original's names. Jobs are tasks of one event loop, not threads."""

    discovery: ExecutorBody = Field(alias="snmpDiscoveryExecutor")
    metrics: ExecutorBody = Field(alias="snmpMetricsExecutor")


class TargetGroupBody(Body):
    """One entry of Prometheus's HTTP service discovery (prometheus.io, HTTP SD)."""

    targets: list[str]
    labels: dict[str, str]
