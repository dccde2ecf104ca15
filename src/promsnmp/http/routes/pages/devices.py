"""Changes of one device by the pages: add, edit, remove, poll now, detect its modules again."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from promsnmp.errors import PeerError, UnknownDevice
from promsnmp.http.middleware.forwarding import forwarded_user, target_of
from promsnmp.http.responses.errors import inventory_refusal
from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.pages.answers import other_owner, page_request_of, people_of, require_pages, submitted
from promsnmp.http.services import Services, ServicesDep
from promsnmp.inventory.model import Device

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_pages)])

MAX_FORM = 1024 * 1024
"""Bytes of the form of a device: what was entered, and what was shown before."""
POLL_WAIT = 5.0
"""Seconds for which the answer waits for a poll."""
OWNER_TIMEOUT = POLL_WAIT + 2.0
"""Seconds that the replica which polls the device has to answer."""


@router.get("/add-device")
@page_access(AccessLevel.MANAGEMENT)
async def show_add(request: Request, services: ServicesDep) -> Response:
    return await _form(request, services, "add")


@router.post("/add-device")
@page_access(AccessLevel.MANAGEMENT, leader_only=True, max_form=MAX_FORM)
async def add(request: Request, services: ServicesDep) -> Response:
    return await submitted(request, services, "add")


@router.get("/devices/{device:uuid}/edit")
@page_access(AccessLevel.MANAGEMENT)
async def show_edit(request: Request, device: UUID, services: ServicesDep) -> Response:
    return await _form(request, services, "edit", str(device))


@router.post("/devices/{device:uuid}/edit")
@page_access(AccessLevel.MANAGEMENT, leader_only=True, max_form=MAX_FORM)
async def edit(request: Request, device: UUID, services: ServicesDep) -> Response:
    return await submitted(request, services, "edit", str(device))


@router.get("/devices/{device:uuid}/remove")
@page_access(AccessLevel.MANAGEMENT)
async def show_remove(request: Request, device: UUID, services: ServicesDep) -> Response:
    return await _form(request, services, "remove", str(device))


@router.post("/devices/{device:uuid}/remove")
@page_access(AccessLevel.MANAGEMENT, leader_only=True)
async def remove(request: Request, device: UUID, services: ServicesDep) -> Response:
    return await submitted(request, services, "remove", str(device))


@router.post("/devices/{device:uuid}/poll")
@page_access(AccessLevel.MANAGEMENT)
async def poll(request: Request, device: UUID, services: ServicesDep) -> Response:
    """Polls a device, on the replica that polls it."""
    return await _poll(request, services, str(device), detect=False)


@router.post("/devices/{device:uuid}/detect")
@page_access(AccessLevel.MANAGEMENT)
async def detect(request: Request, device: UUID, services: ServicesDep) -> Response:
    """The same, after its modules are detected again."""
    return await _poll(request, services, str(device), detect=True)


async def _form(request: Request, services: Services, name: str, item: str = "") -> Response:
    page_request = await page_request_of(request, services)
    query = request.query_params.multi_items()
    page = await people_of(services).page(name, item=item, query=query, viewer=page_request.viewer)
    return page_request.answer(*page)


async def _poll(request: Request, services: Services, device_id: str, *, detect: bool) -> Response:
    page_request = await page_request_of(request, services)
    try:
        device = services.devices.find(device_id)
    except UnknownDevice as error:
        raise inventory_refusal(error) from None
    done = await _poll_elsewhere(request, services, device)
    if not done:
        before = services.poll_status(device).at
        await services.poll_now([device], detect=detect, within=POLL_WAIT)
        finished = "detected" if detect else "polled"
        done = finished if services.poll_status(device).at != before else "polling"
    return page_request.answer(303, f"../{device_id}?done={done}")


async def _poll_elsewhere(request: Request, services: Services, device: Device) -> str:
    """Asks the replica that polls a device, and returns the notice for the page; empty when it is this one."""
    owner = other_owner(request, services, device.id)
    if owner is None:
        return ""
    try:
        answer = await services.cluster.peers.request(
            owner.address,
            "POST",
            target_of(request.scope),
            timeout=OWNER_TIMEOUT,
            user=forwarded_user(request.scope),
        )
    except PeerError:
        return "unreachable"
    if answer.status != 303:
        return "unreachable"
    return answer.header(b"location").rpartition(b"done=")[2].decode("ascii", "replace")
