"""``/promsnmp/inventory``: the whole inventory as one JSON document, to read and to replace."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from promsnmp.errors import InventoryError
from promsnmp.http.responses.bodies import read_json
from promsnmp.http.responses.errors import ApiError, inventory_refusal
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.inventory import InventoryBody
from promsnmp.http.schemas.openapi import OUTCOME_UNKNOWN, failure
from promsnmp.http.services import ServicesDep, caller, request_id

PATH = "/promsnmp/inventory"
MAX_BODY = 64 * 1024 * 1024
"""Bytes of a posted inventory, at most: some 100,000 devices."""

_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/InventoryBody"}}}

router = APIRouter(tags=["promsnmp"])


@router.get(
    PATH,
    response_model=InventoryBody,
    responses={
        503: failure("The inventory is not loaded yet."),
    },
)
@access(AccessLevel.DETAILS)
async def show_inventory(services: ServicesDep) -> Response:
    """The inventory with its secrets masked. Posting it back keeps the secrets that are masked."""
    if await services.targets(()) is None:
        raise ApiError(503, "the inventory is not loaded")
    return Response(await asyncio.to_thread(services.show_inventory), media_type="application/json")


@router.post(
    PATH,
    response_class=PlainTextResponse,
    responses={
        400: failure("The document has problems, which are listed (100 at most); nothing has changed."),
        413: failure("The document is too large."),
        503: failure("The inventory file cannot be written now; nothing has changed."),
        **OUTCOME_UNKNOWN,
    },
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def replace_inventory(request: Request, services: ServicesDep) -> str:
    """Replace the inventory."""
    try:
        document = await read_json(request, max_bytes=MAX_BODY)
        await services.replace_inventory(document, who=caller(request), request_id=request_id(request))
    except InventoryError as error:
        raise inventory_refusal(error, "inventory not changed") from None
    return "Inventory imported successfully."
