"""``/v3/api-docs``: the OpenAPI document as JSON or YAML, with the access that the service asks for at the moment."""

from __future__ import annotations

import asyncio
from typing import Any

import yaml
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from promsnmp.http.route_policy import AccessLevel, access

PATH = "/v3/api-docs"

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

router = APIRouter(include_in_schema=False)


@router.get(PATH)
@access(AccessLevel.OPEN)
async def openapi(request: Request) -> JSONResponse:
    document = await asyncio.to_thread(request.app.state.openapi)  # the first time it takes a tenth of a second
    return JSONResponse(document)


@router.get(f"{PATH}.yaml")
@access(AccessLevel.OPEN)
async def openapi_yaml(request: Request) -> Response:
    text = await asyncio.to_thread(_as_yaml, request)
    return Response(text, media_type="application/vnd.oai.openapi")


def _as_yaml(request: Request) -> str:
    return str(yaml.dump(request.app.state.openapi(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
