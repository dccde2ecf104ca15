"""The small paths of the original PromSNMP's API: hello, evictCache, the names of protocols, threadPools, and its
experimental ones with metrics: ``/metricsPlain``, ``/allMetrics`` and ``/filteredMetrics``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.routes.metrics import METRICS_ANSWERS, original_histograms
from promsnmp.http.schemas.common import ExecutorBody, ThreadPoolsBody
from promsnmp.http.schemas.openapi import parameter
from promsnmp.http.services import ExecutorUsage, ServicesDep
from promsnmp.observe.registry import OPENMETRICS_TYPE
from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol

router = APIRouter(tags=["promsnmp"])


@router.get("/promsnmp/hello", response_class=PlainTextResponse)
@access(AccessLevel.OPEN)
async def hello() -> str:
    """Always answers `Hello World`."""
    return "Hello World"


@router.get("/promsnmp/evictCache", response_class=PlainTextResponse)
@access(AccessLevel.MANAGEMENT)
async def evict_cache(services: ServicesDep) -> str:
    """Drop every page; the next scrape of a device waits for a poll."""
    services.evict_pages()
    return "Cache cleared."


@router.get("/promsnmp/authProtocols", response_model=list[str])
@access(AccessLevel.OPEN)
async def auth_protocols() -> Response:
    """Names for an agent's `authProtocol`."""
    return JSONResponse([item.value for item in AuthProtocol])


@router.get("/promsnmp/privProtocols", response_model=list[str])
@access(AccessLevel.OPEN)
async def priv_protocols() -> Response:
    """Names for an agent's `privProtocol`."""
    return JSONResponse([item.value for item in PrivProtocol])


@router.get("/promsnmp/threadPools")
@access(AccessLevel.OPEN)
async def thread_pools(services: ServicesDep) -> ThreadPoolsBody:
    """How busy discovery and polling are."""
    return ThreadPoolsBody(
        discovery=_executor(ExecutorUsage(*services.discovery.figures())), metrics=_executor(services.polling())
    )


def _executor(figures: ExecutorUsage) -> ExecutorBody:
    return ExecutorBody(
        active=figures.active, pool_size=figures.limit, max_pool_size=figures.limit, queue_size=figures.queued
    )


@router.get("/metricsPlain", response_class=Response, responses=METRICS_ANSWERS)
@access(AccessLevel.OPEN)
async def metrics_plain(services: ServicesDep) -> Response:
    """PromSNMP's own metrics as OpenMetrics, whatever the request accepts."""
    return await all_metrics(services)


@router.get("/allMetrics", response_class=Response, responses=METRICS_ANSWERS)
@access(AccessLevel.OPEN)
async def all_metrics(services: ServicesDep) -> Response:
    """As `/metricsPlain`."""
    return Response(services.metrics.openmetrics(), headers={"content-type": OPENMETRICS_TYPE})


@router.get(
    "/filteredMetrics",
    response_class=Response,
    responses=METRICS_ANSWERS,
    openapi_extra={"parameters": [parameter("target", "A device; written as for `/snmp`.", required=True)]},
)
@access(AccessLevel.OPEN, owner_first=True, plain_errors=True)
async def filtered_metrics(request: Request, services: ServicesDep) -> Response:
    """The utilisation histograms of one device, by the name that they have in the original, and nothing else."""
    return await original_histograms(request, services)
