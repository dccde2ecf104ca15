"""The pages of ``web`` for browsers: overview, devices, replicas, modules, and the files that they load.

``web`` makes the pages, this file declares their paths and who may read them. Programs that ask for ``/`` get the start
page (``start.py``), as do callers who may not read the overview and cannot log in.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from promsnmp.errors import InventoryError, PeerError
from promsnmp.http.middleware.forwarding import forwarded_headers, forwarded_user, target_of
from promsnmp.http.middleware.owner_proxy import OWNER_TIMEOUT
from promsnmp.http.middleware.page_errors import PAGE_HEADERS, is_browser, is_fragment
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access, page_access
from promsnmp.http.routes.pages.answers import other_owner, page_answer, page_request_of, people_of, shared_answer
from promsnmp.http.routes.pages.start import start_page
from promsnmp.http.security.auth import Refusal
from promsnmp.http.services import Services, ServicesDep

router = APIRouter(include_in_schema=False)

_FORWARDED = (b"accept", b"hx-request")
"""Headers that decide about a page."""


@router.get("/")
@page_access(AccessLevel.OPEN)
async def start(request: Request, services: ServicesDep) -> Response:
    """The overview for a browser whose user may read it, the login for one that may log in, else the start page."""
    wants_page = is_fragment(request.headers) or is_browser(request.headers)
    if services.people is not None and wants_page:
        decision = await services.access.authorize(request.scope, AccessLevel.READING)
        if not isinstance(decision, Refusal):
            return await shared_answer(request, services, "overview")
        if is_fragment(request.headers) or (decision.status == HTTPStatus.UNAUTHORIZED and services.login.is_possible):
            raise ApiError(decision.status, decision.text)
    return start_page(services)


@router.get("/devices")
@page_access(AccessLevel.READING)
async def devices(request: Request, services: ServicesDep) -> Response:
    return await page_answer(request, services, "devices")


@router.get("/devices/{device:path}/explain")
@page_access(AccessLevel.READING)
async def explain(request: Request, device: str, services: ServicesDep) -> Response:
    """Polls the device once, from this replica, as a scrape of any address may."""
    return await page_answer(request, services, "explain", device)


@router.get("/devices/{device:path}")
@page_access(AccessLevel.READING)
async def device(request: Request, device: str, services: ServicesDep) -> Response:
    """The page of the replica that polls the device, since it knows the device; else that of this one."""
    return await _from_owner(request, services, device) or await page_answer(request, services, "device", device)


@router.get("/replicas")
@page_access(AccessLevel.READING)
async def replicas(request: Request, services: ServicesDep) -> Response:
    return await page_answer(request, services, "replicas")


@router.get("/traps")
@page_access(AccessLevel.READING)
async def traps(request: Request, services: ServicesDep) -> Response:
    return await page_answer(request, services, "traps")


@router.get("/modules")
@page_access(AccessLevel.READING)
async def modules(request: Request, services: ServicesDep) -> Response:
    return await page_answer(request, services, "modules")


@router.get("/web/{name}")
@access(AccessLevel.LOGIN)
async def asset(name: str, services: ServicesDep) -> Response:
    """A style sheet, script or picture of the pages."""
    found = people_of(services).asset(name)
    if found is None:
        raise ApiError(404, "unknown file")
    media_type, content = found
    return Response(content, media_type=media_type, headers={**PAGE_HEADERS, "cache-control": "max-age=3600"})


async def _from_owner(request: Request, services: Services, wanted: str) -> Response | None:
    """The page of a device as its owner makes it; None when this replica is the owner, or the owner does not answer."""
    if services.people is None:
        return None
    try:
        owner = other_owner(request, services, services.devices.find(wanted).id)
    except InventoryError:
        return None
    if owner is None:
        return None
    page_request = await page_request_of(request, services)
    headers = [pair for pair in forwarded_headers(request.scope["headers"]) if pair[0] in _FORWARDED]
    target, user = target_of(request.scope), forwarded_user(request.scope)
    try:
        answer = await services.cluster.peers.request(
            owner.address, "GET", target, [*headers, *page_request.peer_headers], timeout=OWNER_TIMEOUT, user=user
        )
    except PeerError:
        return None
    return page_request.answer(200, answer.body.decode(errors="replace")) if answer.status == 200 else None
