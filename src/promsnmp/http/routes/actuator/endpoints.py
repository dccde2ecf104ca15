"""``/actuator``: health, info and metrics as Spring Boot 3 answers them.

So the probes, dashboards and scripts of the original PromSNMP, a Spring Boot program, keep working. The shapes are
those of the Spring Boot Actuator Web API documentation.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, WithJsonSchema

from promsnmp.http.middleware.page_errors import is_browser
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.routes.metrics import METRICS_ANSWERS, METRICS_QUERY, metrics_response
from promsnmp.http.routes.pages.answers import page_answer
from promsnmp.http.schemas.common import (
    ComponentBody,
    HealthBody,
    InfoBody,
    LinkBody,
    LinksBody,
    MeasurementBody,
    MetricBody,
    MetricNamesBody,
    TagBody,
)
from promsnmp.http.schemas.openapi import failure
from promsnmp.http.services import Services, ServicesDep
from promsnmp.observe.health import Component, worst_status
from promsnmp.observe.meters import Meters, available_tags, statistics

MEDIA_TYPE = "application/vnd.spring-boot.actuator.v3+json"
GROUPS = ["liveness", "readiness"]
INDEX = {
    "self": "",
    "health": "/health",
    "health-path": "/health/{*path}",
    "info": "/info",
    "metrics": "/metrics",
    "metrics-requiredMetricName": "/metrics/{requiredMetricName}",
    "prometheus": "/prometheus",
    "env": "/env",
    "env-toMatch": "/env/{toMatch}",
    "loggers": "/loggers",
    "loggers-name": "/loggers/{name}",
    "caches": "/caches",
    "caches-cache": "/caches/{cache}",
    "scheduledtasks": "/scheduledtasks",
}


TagParameter = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^[^:]+:"})]


class ActuatorResponse(Response):
    """Documents the media type; ``actuator_response`` makes the answers."""

    media_type = MEDIA_TYPE


router = APIRouter(tags=["actuator"], default_response_class=ActuatorResponse)


def success(model: type[BaseModel], *, also_503: bool = False) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's ``responses``: ``model`` at 200, and at 503 too when ``also_503``."""
    responses: dict[int | str, dict[str, Any]] = {200: {"model": model}}
    if also_503:
        responses[503] = {"model": model, "description": "DOWN or OUT_OF_SERVICE"}
    return responses


def actuator_response(request: Request, body: BaseModel, status: int = 200) -> Response:
    """The response has the media type of plain JSON when the client accepts only that, else Spring's own."""
    accept = request.headers.get("accept", "")
    plain = "application/json" in accept and MEDIA_TYPE not in accept
    content = body.model_dump_json(by_alias=True, exclude_none=True)
    return Response(content, status, media_type="application/json" if plain else MEDIA_TYPE)


def _status(part: Component) -> int:
    return HTTPStatus.OK if part.status.is_healthy else HTTPStatus.SERVICE_UNAVAILABLE


def _component(part: Component, *, has_details: bool) -> ComponentBody:
    return ComponentBody(status=part.status.value, details=(dict(part.details) or None) if has_details else None)


async def _component_response(request: Request, services: Services, part: Component) -> Response:
    """One component; without its details where a page on the web could read them."""
    has_details = await services.access.shows_details(request.scope)
    return actuator_response(request, _component(part, has_details=has_details), _status(part))


@router.get("/actuator", responses=success(LinksBody))
@access(AccessLevel.OPEN)
async def index(request: Request) -> Response:
    """Links to everything below `/actuator`."""
    base = f"{request.url.scheme}://{request.url.netloc}/actuator"
    links = {name: LinkBody(href=base + path, templated="{" in path) for name, path in INDEX.items()}
    return actuator_response(request, LinksBody(links=links))


@router.get("/actuator/health", responses=success(HealthBody, also_503=True))
@access(AccessLevel.HEALTH)
async def health(request: Request, services: ServicesDep) -> Response:
    """All components, and the worst of their statuses. A browser gets a page with the same content.

    Under a name that a web page may have, only callers with credentials get details.
    """
    has_details = await services.access.shows_details(request.scope)
    if services.people is not None and has_details and is_browser(request.headers):
        return await page_answer(request, services, "service/health", "health")
    parts = services.health.components()
    whole = Component(worst_status(parts))
    shown = {name: _component(part, has_details=has_details) for name, part in parts.items()}
    body = HealthBody(status=whole.status.value, components=shown, groups=GROUPS)
    return actuator_response(request, body, _status(whole))


@router.get("/actuator/health/liveness", responses=success(ComponentBody, also_503=True))
@access(AccessLevel.HEALTH)
async def liveness(request: Request, services: ServicesDep) -> Response:
    """UP whenever the process can answer."""
    return await _component_response(request, services, services.health.liveness())


@router.get("/actuator/health/readiness", responses=success(ComponentBody, also_503=True))
@access(AccessLevel.HEALTH)
async def readiness(request: Request, services: ServicesDep) -> Response:
    """UP when the inventory is loaded and no shutdown has begun."""
    return await _component_response(request, services, services.health.readiness())


@router.get(
    "/actuator/health/{component}",
    responses={**success(ComponentBody, also_503=True), 404: failure("No such component.")},
)
@access(AccessLevel.HEALTH)
async def health_component(request: Request, component: str, services: ServicesDep) -> Response:
    """One component of the health."""
    part = services.health.component(component)
    if part is None:
        raise ApiError(404, "unknown health component; /actuator/health lists all")
    is_page = services.people is not None and is_browser(request.headers)
    if is_page and await services.access.shows_details(request.scope):
        return await page_answer(request, services, "service/health", f"health/{component}")
    return await _component_response(request, services, part)


@router.get("/actuator/info", responses=success(InfoBody))
@access(AccessLevel.OPEN)
async def info(request: Request, services: ServicesDep) -> Response:
    """Version and runtime of this service."""
    app = {"name": "promsnmp", "description": "SNMP devices into Prometheus"}
    build = {"name": "promsnmp", "version": services.version, "compiled": str(services.compiled).lower()}
    python = {"version": platform.python_version(), "implementation": platform.python_implementation()}
    return actuator_response(request, InfoBody(app=app, build=build, python=python))


@router.get("/actuator/prometheus", response_class=Response, responses=METRICS_ANSWERS, openapi_extra=METRICS_QUERY)
@access(AccessLevel.OPEN, owner_first=True)
async def prometheus(request: Request, services: ServicesDep) -> Response:
    """As `/metrics`."""
    return await metrics_response(request, services)


@router.get("/actuator/metrics", responses=success(MetricNamesBody))
@access(AccessLevel.OPEN)
async def metric_names(request: Request, services: ServicesDep) -> Response:
    """The names of PromSNMP's own metrics."""
    return actuator_response(request, MetricNamesBody(names=_meters(services).names()))


@router.get(
    "/actuator/metrics/{name}",
    responses={
        **success(MetricBody),
        400: failure("A tag is not of the form `key:value`."),
        404: failure("No such metric, or no series with these tags."),
    },
)
@access(AccessLevel.OPEN)
async def metric(
    request: Request,
    name: str,
    services: ServicesDep,
    tag: Annotated[list[TagParameter], Query(default_factory=list, description="`key:value`; several must all match.")],
) -> Response:
    """One metric by its dotted name (`jvm.memory.used`) or its Prometheus name (`cache_gets_total`)."""
    meter = _meters(services).get(name)
    tags = _tags(tag)
    chosen = meter.tagged(tags) if meter else ()
    if meter is None or (tags and not chosen):
        raise ApiError(404, "unknown metric, or no series with these tags; /actuator/metrics lists all")
    free = available_tags(chosen, without=[key for key, _ in tags])
    body = MetricBody(
        name=meter.name,
        description=meter.description,
        base_unit=meter.base_unit,
        measurements=[MeasurementBody(statistic=key, value=value) for key, value in statistics(chosen).items()],
        available_tags=[TagBody(tag=key, values=values) for key, values in free.items()],
    )
    return actuator_response(request, body)


def _meters(services: Services) -> Meters:
    return Meters(services.process_meters(), services.metrics.collect())


def _tags(texts: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        key, colon, value = text.partition(":")
        if not colon or not key:
            raise ApiError(400, f"a tag must have the form key:value, got: {text}")
        pairs.append((key, value))
    return pairs
