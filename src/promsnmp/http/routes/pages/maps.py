"""The map of devices: its page, and the same as SVG and JSON."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from promsnmp.http.middleware.page_errors import PAGE_HEADERS
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.pages.answers import people_of, shared_answer
from promsnmp.http.services import Services, ServicesDep

router = APIRouter(include_in_schema=False)


@router.get("/map")
@page_access(AccessLevel.READING)
async def map_page(request: Request, services: ServicesDep) -> Response:
    return await shared_answer(request, services, "map")


@router.get("/map.svg")
@page_access(AccessLevel.READING)
async def map_picture(request: Request, services: ServicesDep) -> Response:
    return await _file(request, services, "map.svg", "image/svg+xml")


@router.get("/map.json")
@page_access(AccessLevel.READING)
async def map_document(request: Request, services: ServicesDep) -> Response:
    return await _file(request, services, "map.json", "application/json")


async def _file(request: Request, services: Services, name: str, media_type: str) -> Response:
    try:
        content = await people_of(services).file(name, query=request.query_params.multi_items())
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    return Response(content, media_type=media_type, headers=PAGE_HEADERS)
