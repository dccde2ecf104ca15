"""The map of devices: its page, and the same as SVG and JSON."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from promsnmp.cluster.peers.signing import PeerIdentity
from promsnmp.http.middleware.page_errors import PAGE_HEADERS
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.responses.negotiation import accepts_gzip
from promsnmp.http.route_policy import AccessLevel, access, page_access
from promsnmp.http.routes.pages.answers import Visit, page_answer, people_of
from promsnmp.http.services import NOBODY, Services, ServicesDep
from promsnmp.support.compression import compress

SMALL = 32 * 1024
"""Bytes up to which a page is not compressed."""

router = APIRouter(include_in_schema=False)


@router.get("/map")
@page_access(AccessLevel.READING)
async def map_page(request: Request, services: ServicesDep) -> Response:
    """Compressed: with 2,000 devices it has a megabyte."""
    answer = await page_answer(request, services, "map", visit=Visit(NOBODY))  # all who look share it
    if len(answer.body) > SMALL and accepts_gzip(request.headers.get("accept-encoding", "")):
        body = await asyncio.to_thread(compress, bytes(answer.body))
        vary = f"{PAGE_HEADERS['vary']}, Accept-Encoding"
        headers = {**PAGE_HEADERS, "content-encoding": "gzip", "vary": vary}
        return Response(body, answer.status_code, headers=headers, media_type="text/html")
    return answer


@router.get("/map.svg")
@page_access(AccessLevel.READING)
async def map_picture(request: Request, services: ServicesDep) -> Response:
    return await _file(request, services, "map.svg", "image/svg+xml")


@router.get("/map.json")
@page_access(AccessLevel.READING)
async def map_document(request: Request, services: ServicesDep) -> Response:
    return await _file(request, services, "map.json", "application/json")


@router.get("/map/part.json")
@access(AccessLevel.PEER)
async def map_part(request: Request, services: ServicesDep) -> Response:
    """What this replica knows of the devices that it polls, more than a map shows: for other replicas only."""
    people_of(services)
    if not isinstance(request.scope.get(PEER), PeerIdentity):
        raise ApiError(403, "only replicas may use this path")
    return await _file(request, services, "map/part.json", "application/json")


async def _file(request: Request, services: Services, name: str, media_type: str) -> Response:
    try:
        content = await people_of(services).file(name, query=request.query_params.multi_items())
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    return Response(content, media_type=media_type, headers=PAGE_HEADERS)
