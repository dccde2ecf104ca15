"""Named credentials on pages: their list, and the forms that add, change, rotate and remove them."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.pages.answers import page_answer, page_request_of, people_of, require_pages, submitted
from promsnmp.http.services import Services, ServicesDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_pages)])


@router.get("/credentials")
@page_access(AccessLevel.READING)
async def credentials_page(request: Request, services: ServicesDep) -> Response:
    """Names and users, as the pages of devices have them; never a secret."""
    return await page_answer(request, services, "credentials")


@router.get("/add-credentials")
@page_access(AccessLevel.MANAGEMENT)
async def show_add(request: Request, services: ServicesDep) -> Response:
    return await _form(request, services, "add-credentials")


@router.post("/add-credentials")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def add(request: Request, services: ServicesDep) -> Response:
    return await submitted(request, services, "add-credentials")


@router.get("/credentials/{name}/change")
@page_access(AccessLevel.MANAGEMENT)
async def show_change(request: Request, name: str, services: ServicesDep) -> Response:
    return await _form(request, services, "change-credentials", name)


@router.post("/credentials/{name}/change")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def change(request: Request, name: str, services: ServicesDep) -> Response:
    """Changes or rotates credentials, and so those of all devices that use them."""
    return await submitted(request, services, "change-credentials", name)


@router.get("/credentials/{name}/remove")
@page_access(AccessLevel.MANAGEMENT)
async def show_remove(request: Request, name: str, services: ServicesDep) -> Response:
    return await _form(request, services, "remove-credentials", name)


@router.post("/credentials/{name}/remove")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def remove(request: Request, name: str, services: ServicesDep) -> Response:
    return await submitted(request, services, "remove-credentials", name)


async def _form(request: Request, services: Services, name: str, item: str = "") -> Response:
    page_request = await page_request_of(request, services)
    page = await people_of(services).page(name, item=item, viewer=page_request.viewer)
    return page_request.answer(*page)
