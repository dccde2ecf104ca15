"""The pages for people: the landing page, and the API in a browser (Swagger UI). They load nothing from other sites.

The files of Swagger UI come from the package swagger-ui-bundle; only those of a fixed list are served.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse
from swagger_ui_bundle import swagger_ui_path

from promsnmp import __version__
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

LINKS = (
    ("targets", "Devices, for Prometheus's http_sd_configs"),
    ("metrics", "PromSNMP's own metrics"),
    ("actuator/health", "Health"),
    ("promsnmp/inventory", "Inventory, secrets masked"),
    ("swagger-ui.html", "The API in the browser"),
    ("v3/api-docs", "OpenAPI"),
)

_LANDING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>PromSNMP</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;
color-scheme:light dark}}
td{{padding:.2rem 1rem .2rem 0}}</style></head>
<body><h1>PromSNMP</h1><p>SNMP devices into Prometheus. Version {version}.</p><table>
{rows}
</table>
<form action="snmp"><label>Scrape a device:
<input name="target" size="30" placeholder="sysName, address or address:port"></label>
<button>Scrape</button></form></body></html>
"""

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


@router.get("/")
@access(AccessLevel.OPEN)
async def landing() -> HTMLResponse:
    rows = (f'<tr><td><a href="{path}">/{path}</a></td><td>{escape(text)}</td></tr>' for path, text in LINKS)
    return HTMLResponse(_LANDING.format(version=escape(__version__), rows="\n".join(rows)), headers=HEADERS)


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
