"""The small paths of the original PromSNMP's API: hello, evictCache, the names of protocols, threadPools."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.common import ExecutorBody, ThreadPoolsBody
from promsnmp.http.services import ExecutorUsage, ServicesDep
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
