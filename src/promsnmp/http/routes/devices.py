"""``/promsnmp/devices``: the inventory device by device, for operators and scripts.

A change is on the disk when its response is sent; from then on the device is polled and listed accordingly.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from promsnmp.errors import InventoryError, SnmpError
from promsnmp.http.responses.bodies import read_json
from promsnmp.http.responses.conditional import precondition_check
from promsnmp.http.responses.errors import ApiError, inventory_refusal
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.device_filter import DEVICE_FILTER_PARAMETERS, device_filter_of
from promsnmp.http.schemas.inventory import DeviceBody, DevicesBody
from promsnmp.http.schemas.openapi import OUTCOME_UNKNOWN, failure
from promsnmp.http.services import Services, ServicesDep, caller, request_id
from promsnmp.inventory.document.write import device_document
from promsnmp.inventory.index import display_name, name_key
from promsnmp.inventory.model import Device
from promsnmp.inventory.query import Query as DeviceFilter
from promsnmp.polling.detection.first_contact import named_by_itself

MAX_BODY = 1024 * 1024
"""Bytes of one device, at most."""
PATH = "/promsnmp/devices"
PATCH_TYPES = ("application/merge-patch+json", "application/json", "application/x-www-form-urlencoded", "")
"""That of RFC 7396; the others are what clients send when the user gives none."""

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the device when you read it; if the device has changed since, nothing is written.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH = {**_IF_MATCH, "name": "If-None-Match", "description": "`*`: only if there is no such device."}
_INVALID = failure("The document has problems, which are listed (100 at most); nothing has changed.")
_WRITE_ERRORS: dict[int | str, dict[str, Any]] = {
    409: failure("Another device has this ID or endpoint, or several devices have this name."),
    413: failure("The document is too large."),
    503: failure("The inventory file cannot be written now; nothing has changed."),
    **OUTCOME_UNKNOWN,
}
_NO_ANSWER = failure("With `check=true`: the device does not answer; nothing has changed.")
_UNKNOWN_DEVICE: dict[int | str, dict[str, Any]] = {404: failure("There is no such device.")}
_PRECONDITION_FAILED: dict[int | str, dict[str, Any]] = {
    412: failure("The device has changed since you read it (If-Match), or exists already (If-None-Match).")
}
_ETAG = {"ETag": {"description": "Version of the device, without its polling state.", "schema": {"type": "string"}}}

router = APIRouter(tags=["devices"])


def _request_schema(media_type: str, schema: Mapping[str, object], *headers: Mapping[str, object]) -> dict[str, Any]:
    body = {"required": True, "content": {media_type: {"schema": schema}}}
    return {"requestBody": body, "parameters": list(headers)}


_DEVICE = {
    **DeviceBody.model_json_schema(ref_template="#/components/schemas/{model}"),
    "additionalProperties": False,
    "example": {
        "sysName": "core1",
        "agents": [
            {
                "type": "snmp-community",
                "endpoint": {"address": "192.0.2.1", "port": 161},
                "version": 1,
                "readCommunity": "public",
            }
        ],
        "labels": {"region": "eu"},
    },
}
_DEVICE.pop("$defs")
_PATCH = {
    "type": "object",
    "description": "Keys of a device; null removes a key, an object is merged, anything else replaces the value.",
    "example": {"labels": {"region": "eu"}, "primaryAgent": {"timeout": 3000}},
}


@router.get(
    PATH,
    response_model=DevicesBody,
    responses={400: failure("A parameter is wrong.")},
    openapi_extra={"parameters": DEVICE_FILTER_PARAMETERS},
)
@access(AccessLevel.DETAILS)
async def list_devices(
    request: Request,
    services: ServicesDep,
    query: Annotated[str, Query(description='Words to search for: `core location:"rack 7" label.region=eu`.')] = "",
    page: Annotated[int, Query(ge=1, le=2**31, description="Number of the page, from 1.")] = 1,
    size: Annotated[int, Query(ge=1, le=1000, description="Devices on a page.")] = 100,
) -> Response:
    """The devices that match a query, by name, secrets masked. Fields may also be parameters: `?label.region=eu`."""
    device_filter = device_filter_of(request, without=("page", "size"))
    body = await asyncio.to_thread(_page, services, device_filter, page, size)
    links = {"Link": _links(request, page, size, body["total"])}
    return Response(json.dumps(body), media_type="application/json", headers={k: v for k, v in links.items() if v})


@router.post(
    PATH,
    status_code=201,
    response_model=DeviceBody,
    responses={201: {"headers": _ETAG}, 400: _INVALID, 422: _NO_ANSWER, **_WRITE_ERRORS},
    openapi_extra=_request_schema("application/json", _DEVICE),
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def add_device(
    request: Request,
    services: ServicesDep,
    check: Annotated[bool, Query(description="Ask the device first; without an answer it is not added.")] = False,
) -> Response:
    """Add one device. It is polled at once. With `check=true` it gets the sysName that it gives, unless it has one."""
    try:
        document = await read_json(request, max_bytes=MAX_BODY)
        device = await services.devices.add(
            document,
            who=caller(request),
            request_id=request_id(request),
            complete=partial(named_by_itself, ask=services.ask_device) if check else None,
        )
    except SnmpError as error:
        raise ApiError(422, f"device not added: {error}; without check=true it is added all the same") from None
    except InventoryError as error:
        raise inventory_refusal(error, "device not added") from None
    return _device_response(services, device, 201, {"Location": f"{PATH}/{device.id}"})


@router.get(
    PATH + "/{device:path}",
    response_model=DeviceBody,
    responses={200: {"headers": _ETAG}, **_UNKNOWN_DEVICE, 409: _WRITE_ERRORS[409]},
)
@access(AccessLevel.DETAILS)
async def show_device(device: str, services: ServicesDep) -> Response:
    """One device by ID, sysName or address, secrets masked."""
    try:
        return _device_response(services, services.devices.find(device))
    except InventoryError as error:
        raise inventory_refusal(error) from None


@router.put(
    PATH + "/{device:path}",
    response_model=DeviceBody,
    responses={
        200: {"headers": _ETAG},
        201: {"model": DeviceBody, "description": "The device is new.", "headers": _ETAG},
        400: _INVALID, **_UNKNOWN_DEVICE, **_PRECONDITION_FAILED, **_WRITE_ERRORS,
    },
    openapi_extra=_request_schema("application/json", _DEVICE, _IF_MATCH, _IF_NONE_MATCH),
)  # fmt: skip
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def put_device(request: Request, device: str, services: ServicesDep) -> Response:
    """Replace one device; masked secrets stay. A new ID adds a device."""
    try:
        document = await read_json(request, max_bytes=MAX_BODY)
        check = precondition_check(request, services.devices.etag)
        found, new = await services.devices.put(
            device, document, who=caller(request), request_id=request_id(request), check=check
        )
    except InventoryError as error:
        raise inventory_refusal(error, "device not changed") from None
    return _device_response(services, found, 201 if new else 200, {"Location": f"{PATH}/{found.id}"} if new else {})


@router.patch(
    PATH + "/{device:path}",
    response_model=DeviceBody,
    responses={
        200: {"headers": _ETAG}, 400: _INVALID, 415: failure("The body is not a merge patch."),
        **_UNKNOWN_DEVICE, **_PRECONDITION_FAILED, **_WRITE_ERRORS,
    },
    openapi_extra=_request_schema("application/merge-patch+json", _PATCH, _IF_MATCH),
)  # fmt: skip
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def patch_device(request: Request, device: str, services: ServicesDep) -> Response:
    """Change some keys of one device (JSON merge patch, RFC 7396)."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in PATCH_TYPES:
        headers = {"Accept-Patch": PATCH_TYPES[0]}
        raise ApiError(
            415,
            f"unsupported media type {media_type[:80]}; send the patch as {PATCH_TYPES[0]} (RFC 7396)",
            headers=headers,
        )
    try:
        patch = await read_json(request, max_bytes=MAX_BODY)
        check = precondition_check(request, services.devices.etag)
        found = await services.devices.patch(
            device, patch, who=caller(request), request_id=request_id(request), check=check
        )
    except InventoryError as error:
        raise inventory_refusal(error, "device not changed") from None
    return _device_response(services, found)


@router.delete(
    PATH + "/{device:path}",
    status_code=204,
    responses={**_UNKNOWN_DEVICE, **_PRECONDITION_FAILED, **_WRITE_ERRORS},
    openapi_extra={"parameters": [_IF_MATCH]},
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def remove_device(request: Request, device: str, services: ServicesDep) -> Response:
    """Remove one device."""
    try:
        check = precondition_check(request, services.devices.etag)
        await services.devices.remove(device, who=caller(request), request_id=request_id(request), check=check)
    except InventoryError as error:
        raise inventory_refusal(error, "device not removed") from None
    return Response(status_code=204)


def _page(services: Services, device_filter: DeviceFilter, page: int, size: int) -> dict[str, Any]:
    now = services.devices.snapshot
    chosen = services.search.select(device_filter, now.inventory.devices)
    chosen.sort(key=_by_name)
    shown = chosen[(page - 1) * size : page * size]
    return {
        "devices": [_document(services, device) for device in shown],
        "page": page,
        "size": size,
        "pages": -(-len(chosen) // size),
        "total": len(chosen),
        "revision": now.inventory.revision,
    }


def _by_name(device: Device) -> tuple[bool, str, str]:
    return not device.sys_name, name_key(device.sys_name or display_name(device)), device.id


def _links(request: Request, page: int, size: int, total: int) -> str:
    """The pages before and after this one (RFC 8288)."""
    others = [(key, value) for key, value in request.query_params.multi_items() if key != "page"]
    pages = {"prev": page - 1, "next": page + 1 if page * size < total else 0}
    found = [(rel, urlencode([*others, ("page", number)])) for rel, number in pages.items() if number > 0]
    return ", ".join(f'<{PATH}?{query}>; rel="{rel}"' for rel, query in found)


def _device_response(
    services: Services, device: Device, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    body = json.dumps(_document(services, device))
    tag = {"ETag": services.devices.etag(device), "Cache-Control": "no-cache"}
    return Response(body, status, media_type="application/json", headers={**tag, **(headers or {})})


def _document(services: Services, device: Device) -> dict[str, object]:
    last = services.poll_status(device)
    at = datetime.fromtimestamp(last.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    polling = {"state": last.state, "lastPoll": at if last.at else "", "problem": last.problem}
    return {**device_document(device, mask=True), "polling": {key: value for key, value in polling.items() if value}}
