"""The pages of ``web`` for browsers: overview, devices, replicas, modules, and the files that they load.

``web`` makes the pages, this file declares their paths and who may read them. Programs that ask for ``/`` get the start
page (``start.py``), as do callers who may not read the overview.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.responses.negotiation import parse_accept
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.routes.pages.start import start_page
from promsnmp.http.security.auth import Refusal
from promsnmp.http.services import PeoplePages, Services, ServicesDep

router = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "vary": "Accept, HX-Request",
}


@router.get("/")
@access(AccessLevel.OPEN)
async def start(request: Request, services: ServicesDep) -> Response:
    """The overview for a browser whose user may read it, else the start page."""
    if services.people is not None and (_is_fragment(request) or _is_browser(request)):
        decision = await services.access.authorize(request.scope, AccessLevel.READING)
        if not isinstance(decision, Refusal):
            return await _page(request, services, "overview")
        if _is_fragment(request):  # an open overview, whose user may not read it any more
            raise ApiError(decision.status, decision.text)
    return start_page(services)


@router.get("/devices")
@access(AccessLevel.READING)
async def devices(request: Request, services: ServicesDep) -> Response:
    return await _page(request, services, "devices")


@router.get("/devices/{device:path}")
@access(AccessLevel.READING)
async def device(request: Request, device: str, services: ServicesDep) -> Response:
    return await _page(request, services, "device", device)


@router.get("/replicas")
@access(AccessLevel.READING)
async def replicas(request: Request, services: ServicesDep) -> Response:
    return await _page(request, services, "replicas")


@router.get("/modules")
@access(AccessLevel.READING)
async def modules(request: Request, services: ServicesDep) -> Response:
    return await _page(request, services, "modules")


@router.get("/web/{name}")
@access(AccessLevel.OPEN)
async def asset(name: str, services: ServicesDep) -> Response:
    """A style sheet, script or picture of the pages."""
    found = _people(services).asset(name)
    if found is None:
        raise ApiError(404, "unknown file")
    media_type, content = found
    return Response(content, media_type=media_type, headers={**HEADERS, "cache-control": "max-age=3600"})


def _people(services: Services) -> PeoplePages:
    if services.people is None:
        raise ApiError(404, "no such path: the pages for people are off (WEB_UI=false)")
    return services.people


async def _page(request: Request, services: Services, name: str, item: str = "") -> Response:
    status, text = await _people(services).page(
        name, item=item, query=request.query_params.multi_items(), is_fragment=_is_fragment(request)
    )
    return Response(text, status, media_type="text/html", headers=HEADERS)


def _is_fragment(request: Request) -> bool:
    """Whether a page that is open asks for its live part. The header is that of htmx, which accepts anything."""
    return request.headers.get("hx-request", "") == "true"


def _is_browser(request: Request) -> bool:
    """Whether HTML is named in the Accept header: programs send ``*/*``, or nothing."""
    accepted = parse_accept(request.headers.get("accept", "")[:2048])
    return any(one.name == "text/html" and one.weight > 0 for one in accepted)
