"""The API of the original PromSNMP under ``/promsnmp``, service discovery, and Prometheus's own ``/-/`` paths."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from promsnmp.errors import InventoryError, ModuleError, SettingsError
from promsnmp.http.responses.bodies import read_json
from promsnmp.http.responses.errors import ApiError, inventory_refusal
from promsnmp.http.routes.metrics import METRICS_ANSWERS, METRICS_QUERY, metrics_response
from promsnmp.http.schemas.common import ExecutorBody, TargetGroupBody, ThreadPoolsBody
from promsnmp.http.schemas.device_filter import DEVICE_FILTER_PARAMETERS, device_filter_of
from promsnmp.http.schemas.inventory import InventoryBody
from promsnmp.http.schemas.openapi import failure, parameter, text
from promsnmp.http.services import ExecutorUsage, ServicesDep, caller, request_id
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a posted inventory, at most: some 100,000 devices."""

INVENTORY_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/InventoryBody"}}}

router = APIRouter()


@router.get(
    "/targets",
    tags=["scrape"],
    response_model=list[TargetGroupBody],
    responses={
        304: {"description": "As it was (If-None-Match)."},
        400: failure("A parameter is not something to choose devices by."),
        503: failure("There is no inventory yet."),
    },
    openapi_extra={
        "parameters": [parameter("query", "Words to look for, as for `/promsnmp/devices`."), *DEVICE_FILTER_PARAMETERS]
    },
)
async def targets(request: Request, services: ServicesDep) -> Response:
    """Devices for Prometheus's `http_sd_configs`: all, or those with the given fields (`?label.region=eu`)."""
    document = await services.targets(device_filter_of(request))
    if document is None:
        raise ApiError(503, "the inventory is not loaded")
    return document.answer(request)


@router.get(
    "/metrics", tags=["scrape"], response_class=Response, responses=METRICS_ANSWERS, openapi_extra=METRICS_QUERY
)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """PromSNMP's own metrics, and with `target` the utilisation histograms of that device's interfaces."""
    return metrics_response(request, services)


@router.get("/-/healthy", tags=["probes"], response_class=PlainTextResponse)
async def healthy() -> str:
    """200 whenever the process can answer."""
    return "PromSNMP is healthy.\n"


@router.post("/-/reload", tags=["probes"], response_class=PlainTextResponse, responses={400: failure("Kept the old.")})
@router.put("/-/reload", include_in_schema=False, response_class=PlainTextResponse)
async def reload(services: ServicesDep) -> str:
    """Read the files of modules (`SNMP_CONFIG_FILES`), the web configuration and the inventory again.

    What is wrong stays as it was.
    """
    try:
        await services.reload()
    except (ModuleError, InventoryError, SettingsError) as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, f"the configuration stays as it was: {error}") from None
    return "Configuration reloaded.\n"


@router.get("/config", tags=["metrics"], responses={200: text("Modules and auths.")})
async def config(services: ServicesDep) -> Response:
    """Modules and auths in use, in the form of snmp.yml, without secrets."""
    return PlainTextResponse(await services.show_config())


@router.get("/-/ready", tags=["probes"], response_class=PlainTextResponse, responses={503: text("Not ready.")})
async def ready(services: ServicesDep) -> Response:
    """200 when requests may come, 503 with the reason when not."""
    if services.health.ready:
        return PlainTextResponse("PromSNMP is ready.\n")
    return PlainTextResponse(f"PromSNMP is not ready: {services.health.reason}.\n", HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/promsnmp/hello", tags=["promsnmp"], response_class=PlainTextResponse)
async def hello() -> str:
    """A sign of life."""
    return "Hello World"


@router.get("/promsnmp/evictCache", tags=["promsnmp"], response_class=PlainTextResponse)
async def evict_cache(services: ServicesDep) -> str:
    """Drop every page; the next scrape of a device waits for a poll."""
    services.evict_pages()
    return "Cache cleared."


@router.get("/promsnmp/authProtocols", tags=["promsnmp"], response_model=list[str])
async def auth_protocols() -> Response:
    """Names for an agent's `authProtocol`."""
    return JSONResponse([item.value for item in AuthProtocol])


@router.get("/promsnmp/privProtocols", tags=["promsnmp"], response_model=list[str])
async def priv_protocols() -> Response:
    """Names for an agent's `privProtocol`."""
    return JSONResponse([item.value for item in PrivProtocol])


@router.get("/promsnmp/threadPools", tags=["promsnmp"])
async def thread_pools(services: ServicesDep) -> ThreadPoolsBody:
    """How busy discovery and polling are."""
    return ThreadPoolsBody(
        discovery=_executor(ExecutorUsage(*services.discovery.figures())), metrics=_executor(services.polling())
    )


def _executor(figures: ExecutorUsage) -> ExecutorBody:
    return ExecutorBody(
        active=figures.active, pool_size=figures.limit, max_pool_size=figures.limit, queue_size=figures.queued
    )


@router.get(
    "/promsnmp/inventory",
    tags=["promsnmp"],
    response_model=InventoryBody,
    responses={
        503: failure("There is no inventory yet."),
    },
)
async def show_inventory(services: ServicesDep) -> Response:
    """The inventory, its secrets masked; posted back, masked secrets keep what they were."""
    if await services.targets(()) is None:
        raise ApiError(503, "the inventory is not loaded")
    return Response(await asyncio.to_thread(services.show_inventory), media_type="application/json")


@router.post(
    "/promsnmp/inventory",
    tags=["promsnmp"],
    response_class=PlainTextResponse,
    responses={
        400: failure("The document has problems; all are listed, and nothing has changed."),
        413: failure("The document is too large."),
        503: failure("The inventory file cannot be written now; nothing has changed."),
    },
    openapi_extra={"requestBody": {"required": True, "content": INVENTORY_CONTENT}},
)
async def replace_inventory(request: Request, services: ServicesDep) -> str:
    """Replace the inventory."""
    try:
        document = await read_json(request, max_bytes=MAX_BODY)
        await services.replace_inventory(document, who=caller(request), request_id=request_id(request))
    except InventoryError as error:
        raise inventory_refusal(error, "the inventory is not changed") from None
    return "Inventory imported successfully."
