"""Changes of many devices by the pages, their export as CSV; modules: reload and check; the leader: step down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from promsnmp.errors import PeerError
from promsnmp.http.middleware.forwarding import forwarded_user
from promsnmp.http.middleware.page_errors import to_overview
from promsnmp.http.middleware.page_forms import form_of
from promsnmp.http.middleware.peer_auth import PEER
from promsnmp.http.responses.forms import first
from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.pages.answers import page_request_of, people_of, refusing, require_pages, submitted
from promsnmp.http.services import Services, ServicesDep
from promsnmp.inventory.model import Device

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_pages)])

MAX_IDS = 4 * 1024 * 1024
"""Bytes of a form that names devices: 100,000 of them."""
MAX_UPLOAD = 4 * 1024 * 1024 + 64 * 1024
"""Bytes of a form with a file of modules: 4 MiB; snmp_exporter's own file has 2 MB."""
MAX_LIST = 128 * 1024
"""Bytes of a form of the list."""
PEER_TIMEOUT = 5.0
"""Seconds that another replica has to begin polls."""
_CSV = {
    "content-disposition": 'attachment; filename="devices.csv"',
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@router.get("/devices.csv")
@page_access(AccessLevel.READING)
async def export(request: Request, services: ServicesDep) -> Response:
    """The devices of the list, all pages of it."""
    return _csv(await refusing(people_of(services).csv)(request.query_params.multi_items()))


@router.post("/bulk")
@page_access(AccessLevel.MANAGEMENT, max_form=MAX_LIST)
async def choose(request: Request, services: ServicesDep) -> Response:
    """What a button of the list does with the chosen devices: polls or exports them; asks before it changes them."""
    form, people = form_of(request.scope), people_of(services)
    match first(form, "action"):
        case "export":
            return _csv(await refusing(people.csv_of)(form))
        case "poll":
            devices = await refusing(people.selection)(form)
            return await _poll(request, services, devices)
        case _:
            return await submitted(request, services, "confirm")


@router.post("/bulk/apply")
@page_access(AccessLevel.MANAGEMENT, leader_only=True, max_form=MAX_IDS)
async def apply(request: Request, services: ServicesDep) -> Response:
    """Changes the devices that the form names."""
    return await submitted(request, services, "apply")


@router.post("/bulk/poll")
@page_access(AccessLevel.MANAGEMENT, max_form=MAX_IDS)
async def poll(request: Request, services: ServicesDep) -> Response:
    """Polls the devices that the form names; another replica sends those that this one polls."""
    return await _poll(request, services, await refusing(people_of(services).selection)(form_of(request.scope)))


@router.post("/modules/reload")
@page_access(AccessLevel.MANAGEMENT)
async def reload(request: Request, services: ServicesDep) -> Response:
    return await submitted(request, services, "reload")


@router.post("/modules/check")
@page_access(AccessLevel.MANAGEMENT, max_form=MAX_UPLOAD)
async def check(request: Request, services: ServicesDep) -> Response:
    return await submitted(request, services, "check")


@router.post("/replicas/step-down")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def step_down(request: Request, services: ServicesDep) -> Response:
    return await submitted(request, services, "step-down")


async def _poll(request: Request, services: Services, devices: Sequence[Device]) -> Response:
    page_request = await page_request_of(request, services)
    number: int = await services.poll_now(devices)
    if PEER in request.scope:
        return Response(str(number), media_type="text/plain")
    if services.cluster.has_peers:
        foreign = await asyncio.to_thread(_by_owner, services, devices)
        number += sum(await asyncio.gather(*(_ask(request, services, *one) for one in foreign)))
    done = f"polls&number={number}" if devices else "none"
    return page_request.answer(303, f"{to_overview(request.url.path)}devices?done={done}")


def _by_owner(services: Services, devices: Sequence[Device]) -> list[tuple[str, bytes]]:
    """The addresses of the other replicas that poll some of the devices, each with the form that names these."""
    members, pack = services.cluster.members, people_of(services).pack
    by_owner: dict[str, list[Device]] = {}
    for device in devices:
        by_owner.setdefault(members.ring.owner(device.id), []).append(device)
    found = ((members.find(name), owned) for name, owned in by_owner.items())
    return [
        (owner.address, urlencode({"ids": pack(owned)}).encode())
        for owner, owned in found
        if owner is not None and owner.instance != members.me.instance
    ]


async def _ask(request: Request, services: Services, address: str, form: bytes) -> int:
    """How many polls another replica begins; none when it does not answer."""
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    user = forwarded_user(request.scope)
    try:
        answer = await services.cluster.peers.request(
            address, "POST", b"/bulk/poll", headers, form, timeout=PEER_TIMEOUT, user=user
        )
    except PeerError:
        return 0
    return int(answer.body) if answer.status == 200 and answer.body.isdigit() else 0


def _csv(parts: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(parts, media_type="text/csv; charset=utf-8", headers=_CSV)
