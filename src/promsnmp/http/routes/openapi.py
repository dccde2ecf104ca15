"""``/v3/api-docs``: the OpenAPI document, with the access that the service asks for at the moment."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from promsnmp.http.route_policy import AccessLevel, access

PATH = "/v3/api-docs"

router = APIRouter(include_in_schema=False)


@router.get(PATH)
@access(AccessLevel.OPEN)
async def openapi(request: Request) -> JSONResponse:
    document = await asyncio.to_thread(request.app.state.openapi)  # the first time it takes a tenth of a second
    return JSONResponse(document)
