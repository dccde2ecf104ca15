"""Prometheus's own paths: ``/-/healthy``, ``/-/ready``, ``/-/reload``; and ``/config``, the modules and auths."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from promsnmp.errors import InventoryError, ModuleError, SettingsError
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.openapi import failure, text
from promsnmp.http.services import ServicesDep
from promsnmp.modules.snmp_yml.writer import to_yaml
from promsnmp.support.memory import release_memory

router = APIRouter()


@router.get("/-/healthy", tags=["probes"], response_class=PlainTextResponse)
@access(AccessLevel.HEALTH)
async def healthy() -> str:
    """200 whenever the process can answer."""
    return "PromSNMP is healthy.\n"


@router.get("/-/ready", tags=["probes"], response_class=PlainTextResponse, responses={503: text("Not ready.")})
@access(AccessLevel.HEALTH)
async def ready(services: ServicesDep) -> Response:
    """200 when the service is ready for requests, 503 with the reason when not."""
    if services.health.ready:
        return PlainTextResponse("PromSNMP is ready.\n")
    return PlainTextResponse(f"PromSNMP is not ready: {services.health.reason}.\n", HTTPStatus.SERVICE_UNAVAILABLE)


@router.post(
    "/-/reload",
    tags=["probes"],
    response_class=PlainTextResponse,
    responses={400: failure("A file is wrong; the old configuration stays in use.")},
)
@router.put("/-/reload", include_in_schema=False, response_class=PlainTextResponse)
@access(AccessLevel.MANAGEMENT)
async def reload(services: ServicesDep) -> str:
    """Read the module files (`SNMP_CONFIG_FILES`), the web configuration and the inventory again.

    When one of them is wrong, the response says why, and what was read from it before stays in use.
    """
    try:
        await services.reload()
    except (ModuleError, InventoryError, SettingsError) as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"reload failed, the configuration stays as it was: {error}") from None
    return "Configuration reloaded.\n"


@router.get("/config", tags=["metrics"], responses={200: text("Modules and auths.")})
@access(AccessLevel.DETAILS)
async def config(services: ServicesDep) -> Response:
    """Modules and auths in use, in the form of snmp.yml, without secrets."""
    catalogue = services.catalogue_store.current
    shown = await asyncio.to_thread(to_yaml, catalogue.modules, catalogue.auths)
    release_memory()
    return PlainTextResponse(shown)
