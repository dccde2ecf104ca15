"""The API in a browser (Swagger UI). It loads nothing from other sites.

The files of Swagger UI come from the package swagger-ui-bundle; only those of a fixed list are served.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse
from swagger_ui_bundle import swagger_ui_path

from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access

router = APIRouter(include_in_schema=False)

ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "same-origin"}

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
async def swagger_asset(name: str) -> FileResponse:
    if name not in ASSETS:
        raise ApiError(404, "unknown file")
    headers = {**HEADERS, "cache-control": "max-age=86400"}
    return FileResponse(Path(str(swagger_ui_path)) / name, media_type=ASSETS[name], headers=headers)
