"""``/promsnmp/sources``: where devices come from, besides operators and discovery."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from promsnmp.errors import SourceError
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.common import Body, without_default
from promsnmp.http.schemas.openapi import failure
from promsnmp.http.services import Services, ServicesDep, caller
from promsnmp.observe.audit import audit

PATH = "/promsnmp/sources"
router = APIRouter(tags=["sources"])


class SourceBody(Body):
    """A source, as the leader knows it."""

    name: str
    type: Literal["file", "http", "dns", "netbox", "nautobot"]
    interval: int = Field(description="Milliseconds between two readings.")
    error: str = Field(description="Why the last reading failed; empty when it succeeded.")
    last_read: str | SkipJsonSchema[None] = Field(
        None,
        alias="lastRead",
        description="ISO 8601, UTC; missing before the first.",
        json_schema_extra=without_default,
    )
    last_success: str | SkipJsonSchema[None] = Field(
        None,
        alias="lastSuccess",
        description="ISO 8601, UTC; missing before the first.",
        json_schema_extra=without_default,
    )
    read: int = Field(description="Devices in the last reading.")
    devices: int = Field(description="Devices in the inventory that come from it.")
    added: int = Field(description="Devices added since this replica started.")
    changed: int
    removed: int
    held: int = Field(description="Removals that are held back until somebody accepts them.")
    held_why: str = Field(alias="heldWhy")
    held_devices: list[str] = Field(alias="heldDevices", description="The first 100 of these devices.")
    conflicts: list[str] = Field(description="Devices that it may not add or change, and why; the first 100.")
    problems: list[str] = Field(description="Entries that cannot be used, and why; the first 100.")


class SourcesBody(Body):
    """All sources."""

    sources: list[SourceBody] = Field(description="In the order of the settings.")
    orphans: dict[str, int] = Field(
        description="Devices whose source is not in the settings any more, by its name. They stay as they are."
    )


_UNKNOWN = failure("There is no such source.")
_FAILED = failure("The source cannot be read, or the inventory cannot be written now; nothing has changed.")
_WRONG = failure("`removals` is not a number of devices.")
_ERRORS: dict[int | str, dict[str, Any]] = {404: _UNKNOWN, 502: _FAILED}


@router.get(PATH, response_model=SourcesBody)
@access(AccessLevel.DETAILS, leader_only=True)
async def list_sources(services: ServicesDep) -> Response:
    """All sources with what became of their last readings."""
    return JSONResponse({"sources": services.sources.documents(), "orphans": services.sources.orphans()})


@router.get(PATH + "/{name}", response_model=SourceBody, responses={404: _UNKNOWN})
@access(AccessLevel.DETAILS, leader_only=True)
async def show_source(name: str, services: ServicesDep) -> Response:
    """One source."""
    return JSONResponse(_document(services, name))


@router.post(PATH + "/{name}/sync", response_model=SourceBody, responses=_ERRORS)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def sync_source(request: Request, name: str, services: ServicesDep) -> Response:
    """Read a source now, and bring the inventory in step."""
    _document(services, name)
    audit("source synchronised", who=caller(request), source=name)
    try:
        await services.sources.sync(name)
    except SourceError as error:
        raise ApiError(502, f"source {name}: {error}") from None
    return JSONResponse(_document(services, name))


@router.post(
    PATH + "/{name}/accept",
    response_model=SourceBody,
    responses={**_ERRORS, 400: _WRONG, 409: failure("More devices than that would be removed now; none has been.")},
)
@access(AccessLevel.MANAGEMENT, leader_only=True)
async def accept_removals(
    request: Request,
    name: str,
    services: ServicesDep,
    removals: Annotated[
        Annotated[int, Field(ge=0)] | SkipJsonSchema[None],
        Query(description="Removals that you have seen and accept, at most.", json_schema_extra=without_default),
    ] = None,
) -> Response:
    """Read a source now, and do the removals that were held back."""
    _document(services, name)
    audit("removals of source accepted", who=caller(request), source=name, most=removals)
    try:
        is_done = await services.sources.accept(name, removals)
    except SourceError as error:
        raise ApiError(502, f"source {name}: {error}") from None
    document = _document(services, name)
    if not is_done:
        raise ApiError(409, f"source {name}: {document['held']} devices would be removed now; none has been")
    return JSONResponse(document)


def _document(services: Services, name: str) -> dict[str, object]:
    document = services.sources.document(name)
    if document is None:
        raise ApiError(404, f"there is no source {name[:64]!r}")
    return document
