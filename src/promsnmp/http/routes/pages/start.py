"""The start page: links to what programs read, and a form to scrape one device."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from fastapi.responses import HTMLResponse

from promsnmp.http.services import Services

LINKS = (
    ("targets", "Devices, for Prometheus's http_sd_configs"),
    ("metrics", "PromSNMP's own metrics"),
    ("actuator/health", "Health"),
    ("promsnmp/inventory", "Inventory, secrets masked"),
    ("swagger-ui.html", "The API in the browser"),
    ("v3/api-docs", "OpenAPI"),
)

_STYLE = """body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;
color-scheme:light dark}
td{padding:.2rem 1rem .2rem 0}"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "vary": "Accept",
}
_LANDING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>PromSNMP</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body><h1>PromSNMP</h1><p>SNMP devices into Prometheus. Version {version}.</p><table>
{rows}
</table>
<form action="snmp"><label>Scrape a device:
<input name="target" size="30" placeholder="sysName, address or address:port"></label>
<button>Scrape</button></form></body></html>
"""
_PEOPLE = ("devices", "Devices, for people: state, interfaces, health")


def start_page(services: Services) -> HTMLResponse:
    """The page, with a link to the pages for people where they are on."""
    links = LINKS if services.people is None else (_PEOPLE, *LINKS)
    rows = (f'<tr><td><a href="{path}">/{path}</a></td><td>{escape(text)}</td></tr>' for path, text in links)
    page = _LANDING.format(style=_STYLE, version=escape(services.version), rows="\n".join(rows))
    return HTMLResponse(page, headers=HEADERS)
