"""``/promsnmp/credentials``: credentials that agents use by name, changed in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from promsnmp.errors import InventoryError
from promsnmp.http.responses.bodies import read_json
from promsnmp.http.responses.conditional import precondition_check
from promsnmp.http.responses.errors import ApiError, inventory_refusal
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.inventory import NamedCredentialsBody
from promsnmp.http.schemas.openapi import OUTCOME_UNKNOWN, failure
from promsnmp.http.services import Services, ServicesDep, caller, request_id
from promsnmp.inventory.model import NamedCredentials
from promsnmp.inventory.named_credentials.document import named_document

PATH = "/promsnmp/credentials"
MAX_BODY = 64 * 1024
"""Bytes of one document, at most."""

_WRITE_ERRORS: dict[int | str, dict[str, Any]] = {
    412: failure("The credentials have changed since you read them (If-Match), or exist already (If-None-Match)."),
    503: failure("The inventory file cannot be written now; nothing has changed."),
    **OUTCOME_UNKNOWN,
}
_EXAMPLE = {"version": 1, "type": "snmp-community", "readCommunity": "public"}
_REQUEST = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "example": _EXAMPLE}}},
}

_ETAG = {"ETag": {"description": "Version of the credentials.", "schema": {"type": "string"}}}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the credentials when you read them; if they have changed since, nothing is written.",
    "schema": {"type": "string"},
}

router = APIRouter(tags=["credentials"])


@router.get(PATH, response_model=list[NamedCredentialsBody])
@access(AccessLevel.DETAILS)
async def list_credentials(services: ServicesDep) -> Response:
    """The named credentials, secrets masked, with the number of devices that use them."""
    editor = services.devices.credentials
    used_by, by_seeds = editor.used_by(), editor.used_by_seeds()
    found = [_document(one, used_by, by_seeds) for one in editor.current]
    return Response(json.dumps(found), media_type="application/json")


@router.get(
    PATH + "/{name}",
    response_model=NamedCredentialsBody,
    responses={200: {"headers": _ETAG}, 404: failure("There are no such credentials.")},
)
@access(AccessLevel.DETAILS)
async def show_credentials(name: str, services: ServicesDep) -> Response:
    """One of the named credentials, secrets masked."""
    named = services.devices.credentials.find(name)
    if named is None:
        raise ApiError(404, f"there are no credentials {name[:64]!r}")
    return _response(services, named, 200)


@router.put(
    PATH + "/{name}",
    response_model=NamedCredentialsBody,
    responses={
        200: {"headers": _ETAG},
        201: {"model": NamedCredentialsBody, "description": "The credentials are new.", "headers": _ETAG},
        400: failure("The document has problems, which are listed; nothing has changed."),
        413: failure("The document is too large."),
        **_WRITE_ERRORS,
    },
    openapi_extra={"requestBody": _REQUEST, "parameters": [_IF_MATCH]},
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def put_credentials(request: Request, name: str, services: ServicesDep) -> Response:
    """Set named credentials, and so those of all agents that use them, in one write; masked secrets stay."""
    try:
        document = await read_json(request, max_bytes=MAX_BODY)
        check = precondition_check(request, services.devices.credentials.etag, "entry")
        named, is_new = await services.devices.credentials.put(
            name, document, who=caller(request), request_id=request_id(request), check=check
        )
    except InventoryError as error:
        raise inventory_refusal(error, "credentials not changed") from None
    return _response(services, named, 201 if is_new else 200)


@router.delete(
    PATH + "/{name}",
    status_code=204,
    responses={
        404: failure("There are no such credentials."),
        409: failure("Devices use them; nothing has changed."),
        **_WRITE_ERRORS,
    },
    openapi_extra={"parameters": [_IF_MATCH]},
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def remove_credentials(request: Request, name: str, services: ServicesDep) -> Response:
    """Remove named credentials that no device uses."""
    try:
        check = precondition_check(request, services.devices.credentials.etag, "entry")
        await services.devices.credentials.remove(
            name, who=caller(request), request_id=request_id(request), check=check
        )
    except InventoryError as error:
        raise inventory_refusal(error, "credentials not removed") from None
    return Response(status_code=204)


def _response(services: Services, named: NamedCredentials, status: int) -> Response:
    editor = services.devices.credentials
    document = _document(named, editor.used_by(), editor.used_by_seeds())
    headers = {"ETag": editor.etag(named), "Cache-Control": "no-cache"}
    return Response(json.dumps(document), status, headers, media_type="application/json")


def _document(named: NamedCredentials, used_by: Mapping[str, int], by_seeds: Mapping[str, int]) -> dict[str, object]:
    counts = {"usedBy": used_by.get(named.name, 0), "usedBySeeds": by_seeds.get(named.name, 0)}
    return {**named_document(named, mask=True), **counts}
