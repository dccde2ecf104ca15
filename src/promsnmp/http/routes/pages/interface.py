"""The pages of ``web`` for browsers: overview, devices, replicas, modules, and the files that they load.

``web`` makes the pages, this file declares their paths and who may read them. Programs that ask for ``/`` get the start
page (``start.py``), as do callers who may not read the overview.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from promsnmp.errors import InventoryError, PeerError
from promsnmp.http.middleware.forwarding import forwarded_headers, forwarded_user, target_of
from promsnmp.http.middleware.owner_proxy import OWNER_TIMEOUT
from promsnmp.http.middleware.peer_auth import PEER
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
_FORWARDED = (b"accept", b"hx-request")
"""Headers that decide about a page."""


@router.get("/")
@access(AccessLevel.OPEN)
async def start(request: Request, services: ServicesDep) -> Response:
    """The overview for a browser whose user may read it, else the start page."""
    if services.people is not None and (_is_fragment(request) or is_browser(request)):
        decision = await services.access.authorize(request.scope, AccessLevel.READING)
        if not isinstance(decision, Refusal):
            return await page_of(request, services, "overview")
        if _is_fragment(request):  # an open overview, whose user may not read it any more
            raise ApiError(decision.status, decision.text)
    return start_page(services)


@router.get("/devices")
@access(AccessLevel.READING)
async def devices(request: Request, services: ServicesDep) -> Response:
    return await page_of(request, services, "devices")


@router.get("/devices/{device:path}/explain")
@access(AccessLevel.READING)
async def explain(request: Request, device: str, services: ServicesDep) -> Response:
    """Polls the device once, from this replica, as a scrape of any address may."""
    return await page_of(request, services, "explain", device)


@router.get("/devices/{device:path}")
@access(AccessLevel.READING)
async def device(request: Request, device: str, services: ServicesDep) -> Response:
    """The page of the replica that polls the device, since it knows the device; else that of this one."""
    return await _from_owner(request, services, device) or await page_of(request, services, "device", device)


@router.get("/replicas")
@access(AccessLevel.READING)
async def replicas(request: Request, services: ServicesDep) -> Response:
    return await page_of(request, services, "replicas")


@router.get("/modules")
@access(AccessLevel.READING)
async def modules(request: Request, services: ServicesDep) -> Response:
    return await page_of(request, services, "modules")


@router.get("/web/{name}")
@access(AccessLevel.OPEN)
async def asset(name: str, services: ServicesDep) -> Response:
    """A style sheet, script or picture of the pages."""
    found = _people(services).asset(name)
    if found is None:
        raise ApiError(404, "unknown file")
    media_type, content = found
    return Response(content, media_type=media_type, headers={**HEADERS, "cache-control": "max-age=3600"})


async def _from_owner(request: Request, services: Services, wanted: str) -> Response | None:
    """The page of a device as its owner makes it; None when this replica is the owner, or the owner does not answer."""
    cluster = services.cluster
    if services.people is None or not cluster.has_peers or PEER in request.scope:
        return None
    try:
        name = cluster.members.ring.owner(services.devices.find(wanted).id)
    except InventoryError:
        return None
    owner = cluster.members.find(name)
    if owner is None or owner.instance == cluster.members.me.instance:
        return None
    headers = [pair for pair in forwarded_headers(request.scope["headers"]) if pair[0] in _FORWARDED]
    target, user = target_of(request.scope), forwarded_user(request.scope)
    try:
        answer = await cluster.peers.request(owner.address, "GET", target, headers, timeout=OWNER_TIMEOUT, user=user)
    except PeerError:
        return None
    return Response(answer.body, media_type="text/html", headers=HEADERS) if answer.status == 200 else None


def _people(services: Services) -> PeoplePages:
    if services.people is None:
        raise ApiError(404, "no such path: the pages for people are off (WEB_UI=false)")
    return services.people


async def page_of(request: Request, services: Services, name: str, item: str = "") -> Response:
    """The page ``name``, or only its live part where the request says so."""
    status, text = await _people(services).page(
        name, item=item, query=request.query_params.multi_items(), is_fragment=_is_fragment(request)
    )
    return Response(text, status, media_type="text/html", headers=HEADERS)


def _is_fragment(request: Request) -> bool:
    """Whether a page that is open asks for its live part. The header is that of htmx, which accepts anything."""
    return request.headers.get("hx-request", "") == "true"


def is_browser(request: Request) -> bool:
    """Whether HTML is named in the Accept header: programs send ``*/*``, or nothing."""
    accepted = parse_accept(request.headers.get("accept", "")[:2048])
    return any(one.name == "text/html" and one.weight > 0 for one in accepted)
