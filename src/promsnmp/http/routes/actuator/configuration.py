"""``/actuator``: settings, log levels, caches and scheduled work, as Spring Boot 3 answers them.

Those of the original PromSNMP that mean something here. ``beans`` and the like are about a Java program and are absent.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from promsnmp.errors import SettingsError
from promsnmp.http.responses.bodies import read_json
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.routes.actuator.endpoints import ActuatorResponse, actuator_response, success
from promsnmp.http.schemas.actuator import (
    CacheBody,
    CacheManagerBody,
    CachesBody,
    EnvironmentBody,
    LoggerBody,
    LoggersBody,
    PropertyBody,
    PropertySourceBody,
    PropertySourceSummaryBody,
    ScheduledTasksBody,
    TaskBody,
)
from promsnmp.http.schemas.openapi import failure
from promsnmp.http.services import ServicesDep
from promsnmp.inventory.document.fields import MASK
from promsnmp.observe.audit import LOGGER as AUDIT_LOGGER
from promsnmp.settings import Settings
from promsnmp.settings.group import is_secret
from promsnmp.settings.settings import read_sources

ROOT = "ROOT"
"""Spring's name of the root logger."""
OWN = "promsnmp"
"""Our loggers; those of libraries could write what clients send into the log."""
_LEVELS: Mapping[str, int] = {
    "OFF": logging.CRITICAL + 10,
    "ERROR": logging.ERROR,
    "WARN": logging.WARNING,
    "INFO": logging.INFO,
    "DEBUG": logging.DEBUG,
    "TRACE": 5,
}
"""Spring's levels and Python's, from few records to many."""
_NEW_LEVEL = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"configuredLevel": {"type": "string", "nullable": True, "enum": [*_LEVELS, None]}},
                "required": ["configuredLevel"],
            }
        }
    },
}
"""For the OpenAPI document; null takes the level of the parent."""
_MAX_BODY = 1024
_CACHE, _MANAGER = "metrics", "cacheManager"
"""The names that the original gives them."""

router = APIRouter(tags=["actuator"], default_response_class=ActuatorResponse)


@router.get("/actuator/env", responses=success(EnvironmentBody))
@access(AccessLevel.MANAGEMENT)
async def environment(request: Request, services: ServicesDep) -> Response:
    """All settings by where they come from. Secrets are masked."""
    origins = _origins(services.settings)
    by_source: dict[str, dict[str, PropertyBody]] = {}
    for name, value in _values(services.settings).items():
        source, place = origins[name]
        by_source.setdefault(source, {})[name.upper()] = PropertyBody(value=value, origin=place or None)
    found = [PropertySourceBody(name=name, properties=by_source[name]) for name in sorted(by_source, key=_source_rank)]
    return actuator_response(request, EnvironmentBody(active_profiles=[], property_sources=found))


@router.get("/actuator/env/{name}", responses={**success(PropertySourceSummaryBody), 404: failure("No such setting.")})
@access(AccessLevel.MANAGEMENT)
async def one_setting(request: Request, name: str, services: ServicesDep) -> Response:
    """One setting, written as a variable (`COLLECTION_INTERVAL`) or as a key (`collection_interval`)."""
    key = name.lower().replace(".", "_").replace("-", "_")
    if key not in (values := _values(services.settings)):
        raise ApiError(404, "unknown setting; /actuator/env lists all")
    source, _ = _origins(services.settings)[key]
    return actuator_response(
        request, PropertySourceSummaryBody(property_=PropertyBody(value=values[key], origin=None, source=source))
    )


def _values(settings: Settings) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if is_secret(field):
            value = None if value is None else MASK
        values[name] = str(value) if isinstance(value, Path | tuple | list) else value
    return values


def _origins(settings: Settings) -> dict[str, tuple[str, str]]:
    """Where each setting comes from: Spring's kind of source, and the place."""
    names = type(settings).model_fields
    try:
        sources = read_sources()
    except SettingsError:  # the file has changed since the start, and is wrong now
        return dict.fromkeys(names, ("unknown", ""))
    places = {name: sources.origin(name) for name in names}
    return {name: (_source_of(place), "" if place == "default" else place) for name, place in places.items()}


def _source_of(place: str) -> str:
    if place.startswith("environment "):
        return "systemEnvironment"
    if place.startswith("credential "):
        return "systemdCredentials"
    return "defaultProperties" if place == "default" else "promsnmp.yml"


def _source_rank(name: str) -> tuple[bool, str]:
    return name == "defaultProperties", name


@router.get("/actuator/loggers", responses=success(LoggersBody))
@access(AccessLevel.MANAGEMENT)
async def loggers(request: Request) -> Response:
    """The loggers of this replica and their levels."""
    names = [name for name, one in logging.root.manager.loggerDict.items() if isinstance(one, logging.Logger)]
    found = {ROOT: _logger(ROOT)} | {name: _logger(name) for name in sorted(names)}
    return actuator_response(request, LoggersBody(levels=list(_LEVELS), loggers=found, groups={}))


@router.get("/actuator/loggers/{name}", responses={**success(LoggerBody), 404: failure("No such logger.")})
@access(AccessLevel.MANAGEMENT)
async def one_logger(request: Request, name: str) -> Response:
    """The level of one logger, such as `promsnmp.polling`."""
    return actuator_response(request, _logger(_known(name)))


@router.post(
    "/actuator/loggers/{name}",
    status_code=204,
    responses={400: failure("Not a level, or not a logger to change."), 404: failure("No such logger.")},
    openapi_extra={"requestBody": _NEW_LEVEL},
    response_class=Response,
)
@access(AccessLevel.MANAGEMENT)
async def set_level(request: Request, name: str) -> Response:
    """Set the level of a logger below `promsnmp`, of this replica and until it ends. `LOG_LEVEL` sets it for good."""
    name = _known(name)
    document = await read_json(request, max_bytes=_MAX_BODY)
    level = document.get("configuredLevel") if isinstance(document, dict) else ""
    if level is not None and (not isinstance(level, str) or level.upper() not in _LEVELS):
        raise ApiError(400, f"configuredLevel must be null or one of: {', '.join(_LEVELS)}")
    if name == AUDIT_LOGGER or name.partition(".")[0] != OWN:
        raise ApiError(400, f"only loggers below {OWN} can be changed, and the audit log is always on")
    logging.getLogger(name).setLevel(logging.NOTSET if level is None else _LEVELS[level.upper()])
    return Response(status_code=204)


def _known(name: str) -> str:
    """The name of a logger that exists. Raises ApiError."""
    if name.upper() == ROOT:
        return ROOT
    if not isinstance(logging.root.manager.loggerDict.get(name), logging.Logger):
        raise ApiError(404, "unknown logger; /actuator/loggers lists all")
    return name


def _logger(name: str) -> LoggerBody:
    found = logging.getLogger("" if name == ROOT else name)
    own = _level_name(found.level) if found.level else None
    return LoggerBody(configured_level=own, effective_level=_level_name(found.getEffectiveLevel()))


def _level_name(level: int) -> str:
    return next((name for name, least in _LEVELS.items() if level >= least), "TRACE")


@router.get("/actuator/caches", responses=success(CachesBody))
@access(AccessLevel.DETAILS)
async def caches(request: Request) -> Response:
    """The cache of pages, under the name that it has in the original."""
    cache = {_CACHE: CacheBody(target="promsnmp.polling.pages.cache")}
    return actuator_response(request, CachesBody(cache_managers={_MANAGER: CacheManagerBody(caches=cache)}))


@router.delete("/actuator/caches", status_code=204, response_class=Response)
@access(AccessLevel.MANAGEMENT)
async def evict_caches(services: ServicesDep) -> Response:
    """Drop every page, as `/promsnmp/evictCache`."""
    services.evict_pages()
    return Response(status_code=204)


@router.delete(
    "/actuator/caches/{name}", status_code=204, response_class=Response, responses={404: failure("No such cache.")}
)
@access(AccessLevel.MANAGEMENT)
async def evict_cache(name: str, services: ServicesDep) -> Response:
    """Drop every page; the only cache is `metrics`."""
    if name != _CACHE:
        raise ApiError(404, f"unknown cache; there is only {_CACHE}")
    services.evict_pages()
    return Response(status_code=204)


@router.get("/actuator/scheduledtasks", responses=success(ScheduledTasksBody))
@access(AccessLevel.DETAILS)
async def scheduled_tasks(request: Request, services: ServicesDep) -> Response:
    """When discovery searches the saved seeds, and how often devices are polled (milliseconds)."""
    settings = services.settings
    cron, interval = settings.discovery_cron, settings.collection_interval
    search = [TaskBody(runnable={"target": "promsnmp.discovery.schedule"}, expression=cron)] if cron != "-" else []
    poll = [TaskBody(runnable={"target": "promsnmp.polling.poller"}, initial_delay=0, interval=interval)]
    body = ScheduledTasksBody(cron=search, fixed_delay=[], fixed_rate=poll if interval else [], custom=[])
    return actuator_response(request, body)
