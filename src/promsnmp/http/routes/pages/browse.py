"""The page that walks a device: a walk sends SNMP requests, so it needs management access."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from promsnmp.errors import PromSnmpError
from promsnmp.http.middleware.page_errors import PAGE_HEADERS
from promsnmp.http.middleware.page_forms import form_of
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.responses.forms import first
from promsnmp.http.route_policy import AccessLevel, page_access
from promsnmp.http.routes.pages.answers import page_answer, people_of, require_pages
from promsnmp.http.services import ServicesDep

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_pages)])

_FIELDS = ("device", "oid")
_KINDS = {"generator.yml": "generator.yml", "mibs.yml": "snmp.yml"}
"""Files besides the snmp.yml of what is known, and the names under which they are saved."""


@router.get("/browse")
@page_access(AccessLevel.READING)
async def browse_page(request: Request, services: ServicesDep) -> Response:
    """The form; ``device`` and ``oid`` fill it in."""
    given = [(name, value) for name, value in request.query_params.multi_items() if name in _FIELDS]
    return await page_answer(request, services, "browse", query=given)


@router.post("/browse")
@page_access(AccessLevel.MANAGEMENT)
async def walk(request: Request, services: ServicesDep) -> Response:
    form = form_of(request.scope)
    given = [(name, value) for name in _FIELDS for value in form.get(name, ())[:1]]
    return await page_answer(request, services, "walk", query=given)


@router.post("/browse/module.yml")
@page_access(AccessLevel.MANAGEMENT)
async def build_module(request: Request, services: ServicesDep) -> Response:
    """A module of the columns that the form names, as a file: an snmp.yml of what is known, one by the MIB files of
    MIB_FOLDERS, or a generator.yml."""
    people = people_of(services)
    form = form_of(request.scope)
    pairs = [(name, value) for name in ("name", "column") for value in form.get(name, ())]
    kind = first(form, "kind")
    try:
        content = await people.file(kind if kind in _KINDS else "module.yml", query=pairs)
    except (ValueError, PromSnmpError) as error:
        raise ApiError(400, str(error)) from None
    name = _KINDS.get(kind, "snmp.yml")
    headers = {**PAGE_HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/yaml", headers=headers)
