"""The API in a browser (Swagger UI). It loads nothing from other sites.

The files of Swagger UI are beside this one (``scripts/web_assets.py`` fetches them); only those of a fixed list are
served. They are compressed once, when the first browser asks.
"""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.responses.negotiation import accepts_gzip
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.support.compression import compress

router = APIRouter(include_in_schema=False)

ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""``data:``: the style sheet of Swagger UI has its icons so."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}

_SWAGGER = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>PromSNMP API</title>
<link rel="icon" type="image/png" href="{base}favicon-32x32.png">
<link rel="stylesheet" href="{base}swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="{base}swagger-ui-bundle.js"></script><script src="{base}start.js"></script></body></html>
"""

_START = """const api = new URL("../v3/api-docs", document.currentScript.src).href;
SwaggerUIBundle({url: api, dom_id: "#swagger-ui", validatorUrl: null, deepLinking: true});
"""


@router.get("/swagger-ui")
@router.get("/swagger-ui.html")
@access(AccessLevel.OPEN)
async def swagger() -> HTMLResponse:
    return HTMLResponse(_SWAGGER.format(base="swagger-ui/"), headers=HEADERS)


@router.get("/swagger-ui/")
@router.get("/swagger-ui/index.html")
@access(AccessLevel.OPEN)
async def swagger_index() -> HTMLResponse:
    return HTMLResponse(_SWAGGER.format(base=""), headers=HEADERS)


@router.get("/swagger-ui/start.js")
@access(AccessLevel.OPEN)
async def swagger_start() -> Response:
    return Response(_START, media_type="text/javascript", headers=HEADERS)


@router.get("/swagger-ui/{name}")
@access(AccessLevel.OPEN)
async def swagger_asset(request: Request, name: str) -> Response:
    if name not in ASSETS:
        raise ApiError(404, "unknown file")
    headers = {**HEADERS, "cache-control": "max-age=86400", "vary": "Accept-Encoding"}
    is_compressed = accepts_gzip(request.headers.get("accept-encoding", "")) and not name.endswith(".png")
    if is_compressed:
        headers["content-encoding"] = "gzip"
    content = await asyncio.to_thread(_compressed if is_compressed else _content, name)
    return Response(content, media_type=ASSETS[name], headers=headers)


def _content(name: str) -> bytes:
    return resources.files(__package__).joinpath("swagger_ui", name).read_bytes()


@cache
def _compressed(name: str) -> bytes:
    return compress(_content(name))
