"""``/targets``: the devices of the inventory, for Prometheus's HTTP service discovery.

The entries and their labels are made in ``inventory/targets.py``.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from promsnmp.http.middleware.page_errors import is_browser
from promsnmp.http.responses.errors import ApiError
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.routes.pages.answers import page_answer
from promsnmp.http.schemas.common import TargetGroupBody
from promsnmp.http.schemas.device_filter import DEVICE_FILTER_PARAMETERS, device_filter_of
from promsnmp.http.schemas.openapi import failure, parameter
from promsnmp.http.services import ServicesDep

router = APIRouter(tags=["scrape"])


@router.get(
    "/targets",
    response_model=list[TargetGroupBody],
    responses={
        304: {"description": "Unchanged (If-None-Match)."},
        400: failure("A parameter is not a filter for devices."),
        503: failure("The inventory is not loaded yet."),
    },
    openapi_extra={
        "parameters": [
            parameter("query", "Words to search for, as for `/promsnmp/devices`."),
            *DEVICE_FILTER_PARAMETERS,
        ]
    },
)
@access(AccessLevel.OPEN)
async def targets(request: Request, services: ServicesDep) -> Response:
    """Devices for Prometheus's `http_sd_configs`: all, or those with the given fields (`?label.region=eu`). A browser
    gets a page with the same content."""
    if services.people is not None and is_browser(request.headers):
        return await page_answer(request, services, "service/targets")
    document = await services.targets(device_filter_of(request))
    if document is None:
        raise ApiError(503, "the inventory is not loaded")
    return document.answer(request)
