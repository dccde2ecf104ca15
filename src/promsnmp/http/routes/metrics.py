"""``/metrics``: PromSNMP's own metrics, with the utilisation histograms of one target when the query names it.

The format is text, OpenMetrics 1.0 or protobuf, as ``Accept`` prefers. Only protobuf carries native histograms; the
others have the classic form. A Prometheus that ingests native histograms prefers protobuf.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers

from promsnmp.errors import BadTarget, ModuleError, TargetError, UnknownTarget
from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import openmetrics, protobuf
from promsnmp.exposition.formats.own_metrics import own_families
from promsnmp.exposition.utilization import histogram as utilization
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.http.responses.negotiation import PROTOBUF, accepts_gzip, choose_format
from promsnmp.http.route_policy import AccessLevel, access
from promsnmp.http.schemas.openapi import EXPOSITION, Json, parameter, text
from promsnmp.http.services import Services, ServicesDep
from promsnmp.observe.registry import OPENMETRICS_TYPE, SelfMetrics
from promsnmp.polling.pages.page import Format
from promsnmp.support.compression import compress
from promsnmp.support.steps import Steps, run_steps

FEW_SERIES = 200
"""Histograms that are written on the event loop: each takes some 50 microseconds."""
METRICS_QUERY = {
    "parameters": [
        parameter("target", "Adds the utilisation histograms of this device; written as for `/snmp`."),
        parameter("module", "The modules that it is polled with, if not its own.", many=True),
        parameter("auth", "The credentials of an address that is not in the inventory."),
    ]
}
METRICS_ANSWERS: dict[int | str, Json] = {
    200: {
        "description": "Text 0.0.4, or OpenMetrics 1.0 or delimited protobuf when the Accept header prefers it.",
        "content": {
            **EXPOSITION["content"],
            PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    400: text("The target or a module is wrong."),
    404: text("The target is not in the inventory, or has not been polled yet."),
}
"""For the OpenAPI document."""

router = APIRouter(tags=["scrape"])


@router.get("/metrics", response_class=Response, responses=METRICS_ANSWERS, openapi_extra=METRICS_QUERY)
@access(AccessLevel.OPEN, owner_first=True, plain_errors=True)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """PromSNMP's own metrics, and with `target` the utilisation histograms of that device's interfaces."""
    return await metrics_response(request, services)


async def metrics_response(request: Request, services: Services) -> Response:
    """The response; 404 or 400 in plain text, which Prometheus shows, when the target is unknown or wrong."""
    try:
        series = _target_histograms(request, services)
    except UnknownTarget as error:
        return _error(404, error)
    except (TargetError, ModuleError) as error:
        return _error(400, error)
    steps = _rendering(services.metrics, request.headers, series)
    if len(series) <= FEW_SERIES:
        return run_steps(steps)
    next(steps)
    return await asyncio.to_thread(run_steps, steps)


async def original_histograms(request: Request, services: Services) -> Response:
    """The histograms of the target as OpenMetrics, named as in the original PromSNMP."""
    try:
        if not request.query_params.get("target"):
            raise BadTarget("parameter 'target' is missing: write target=NAME_OR_ADDRESS")
        series = services.histograms(request.scope["query_string"])
    except UnknownTarget as error:
        return _error(404, error)
    except (TargetError, ModuleError) as error:
        return _error(400, error)
    page = await asyncio.to_thread(lambda: _page(series).render(as_openmetrics=True))
    return Response(_OWN_NAME.sub(_ORIGINAL_NAME, page), headers={"content-type": OPENMETRICS_TYPE})


_OWN_NAME = re.compile(rb"^((?:# [A-Z]+ )?)" + utilization.NAME.encode(), re.MULTILINE)
_ORIGINAL_NAME = rb"\1interface_utilization_native_ratio"


def render_own_metrics(metrics: SelfMetrics, headers: Headers, series: Sequence[UtilizationSeries] = ()) -> Response:
    """The metrics and ``series`` in the format that the Accept of ``headers`` prefers; gzip when accepted."""
    return run_steps(_rendering(metrics, headers, series))


def _rendering(metrics: SelfMetrics, headers: Headers, series: Sequence[UtilizationSeries]) -> Steps[Response]:
    """``render_own_metrics``; the first step is for the event loop, whose counts it reads, the second takes long."""
    chosen = choose_format(",".join(headers.getlist("accept")))
    if chosen.format is Format.PROTOBUF:
        kind, body = protobuf.CONTENT_TYPE, own_families(metrics.collect())
        yield
        body += protobuf.utilization_family(series)
    elif chosen.format is Format.OPENMETRICS:
        kind, body = OPENMETRICS_TYPE, metrics.openmetrics().removesuffix(openmetrics.END)
        yield
        body += _page(series).render(as_openmetrics=True)
    else:
        kind, body = chosen.content_type.decode(), metrics.text()
        yield
        body += _page(series).render()
    response_headers = {"content-type": kind, "vary": "Accept, Accept-Encoding"}
    if accepts_gzip(",".join(headers.getlist("accept-encoding"))):
        body = compress(body)
        response_headers["content-encoding"] = "gzip"
    return Response(body, headers=response_headers)


def _target_histograms(request: Request, services: Services) -> Sequence[UtilizationSeries]:
    """The histograms of the target that the query names, none without one. Raises TargetError or ModuleError."""
    target = request.query_params.get("target")
    if target is None:
        return ()
    if not target:
        raise BadTarget("parameter 'target' is empty: write target=NAME_OR_ADDRESS, or leave it out")
    return services.histograms(request.scope["query_string"])


def _page(series: Sequence[UtilizationSeries]) -> Exposition:
    page = Exposition()
    page.own_family(utilization.NAME, "histogram", utilization.HELP).extend(utilization.classic_samples(series))
    return page


def _error(status: int, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status, {"x-content-type-options": "nosniff"})
