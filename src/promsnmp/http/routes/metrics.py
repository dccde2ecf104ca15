"""``/metrics``: PromSNMP's own metrics, with the utilisation histograms of one target when a query names it.

In text 0.0.4, OpenMetrics 1.0 or protobuf, as ``Accept`` prefers. Only protobuf carries native histograms; the other
two have the classic form, as ``/snmp`` does. A Prometheus that takes native histograms asks for protobuf by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers

from promsnmp.errors import BadTarget, ModuleError, TargetError, UnknownTarget
from promsnmp.exposition.families import Exposition
from promsnmp.exposition.formats import openmetrics, protobuf
from promsnmp.exposition.formats.own_metrics import own_families
from promsnmp.exposition.utilization import histogram as utilization
from promsnmp.exposition.utilization.histogram import UtilizationSeries
from promsnmp.http.responses.cached import parse_weight
from promsnmp.http.responses.negotiation import choose_format, wants_gzip
from promsnmp.http.schemas.openapi import EXPOSITION, Json, parameter, text
from promsnmp.http.services import Services, ServicesDep
from promsnmp.observe.selfmetrics import OPENMETRICS_TYPE, TEXT_TYPE, SelfMetrics
from promsnmp.polling.page import Format
from promsnmp.support.compression import compress

_PROTOBUF = "application/vnd.google.protobuf"
_MESSAGE = {"proto": "io.prometheus.client.MetricFamily", "encoding": "delimited"}
"""What the parameters of the media type must say where they say something."""
_OTHERS = (("application/openmetrics-text",), ("text/plain", "text/*", "*/*"))
"""Media ranges of the other formats, the most precise first."""

METRICS_QUERY = {
    "parameters": [
        parameter("target", "Adds the utilisation histograms of this device; named as for `/snmp`."),
        parameter("module", "The modules that it is polled with, where they are not its usual ones.", many=True),
        parameter("auth", "The credentials that it is polled with, for an address that is not in the inventory."),
    ]
}
METRICS_ANSWERS: dict[int | str, Json] = {
    200: {
        "description": "Text 0.0.4, or OpenMetrics 1.0 or delimited protobuf when the Accept header prefers it.",
        "content": {
            **EXPOSITION["content"],
            _PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    400: text("The target or a module is wrong."),
    404: text("The target is not in the inventory, or has not been polled yet."),
}
"""For the OpenAPI document."""

router = APIRouter(tags=["scrape"])


@router.get("/metrics", response_class=Response, responses=METRICS_ANSWERS, openapi_extra=METRICS_QUERY)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """PromSNMP's own metrics, and with `target` the utilisation histograms of that device's interfaces."""
    return metrics_response(request, services)


def metrics_response(request: Request, services: Services) -> Response:
    """The answer to a request: 404 or 400 in plain text, as Prometheus shows it, when the target cannot be told."""
    try:
        series = _target_histograms(request, services)
    except UnknownTarget as error:
        return _error(404, error)
    except (TargetError, ModuleError) as error:
        return _error(400, error)
    return render_own_metrics(services.metrics, request.headers, series)


def render_own_metrics(metrics: SelfMetrics, headers: Headers, series: Sequence[UtilizationSeries] = ()) -> Response:
    """The metrics and ``series`` in the format that the Accept of ``headers`` prefers; gzip when accepted."""
    accept = ",".join(headers.getlist("accept"))
    if prefers_protobuf(accept):
        kind = protobuf.CONTENT_TYPE
        body = own_families(metrics.collect()) + protobuf.utilization_family(series)
    elif choose_format(accept) is Format.OPENMETRICS:
        kind = OPENMETRICS_TYPE
        body = metrics.openmetrics().removesuffix(openmetrics.END) + _page(series).render(as_openmetrics=True)
    else:
        kind = TEXT_TYPE
        body = metrics.text() + _page(series).render()
    response_headers = {"content-type": kind, "vary": "Accept, Accept-Encoding"}
    if wants_gzip(",".join(headers.getlist("accept-encoding"))):
        body = compress(body)
        response_headers["content-encoding"] = "gzip"
    return Response(body, headers=response_headers)


@lru_cache(maxsize=256)
def prefers_protobuf(accept: str) -> bool:
    """Whether protobuf is named, in the form that is sent here, with a q that is not 0 and not below another's."""
    protobuf_weight, others = 0.0, dict[str, float]()
    for part in accept.split(","):
        kind, weight = parse_weight(part)
        if kind != _PROTOBUF:
            others[kind] = max(weight, others.get(kind, 0.0))
        elif _is_our_protobuf(part):
            protobuf_weight = max(weight, protobuf_weight)
    return protobuf_weight > 0.0 and all(protobuf_weight >= _weight(others, ranges) for ranges in _OTHERS)


def _weight(weights: dict[str, float], ranges: Iterable[str]) -> float:
    """The q of the most precise range that is there (RFC 9110 section 12.5.1), 0 when none is."""
    return next((weights[one] for one in ranges if one in weights), 0.0)


def _is_our_protobuf(part: str) -> bool:
    """Whether an element of Accept that names protobuf means our messages; a parameter that is not there leaves it
    to us."""
    pairs = [parameter.partition("=") for parameter in part.split(";")[1:]]
    given = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
    return all(given.get(name, value) == value for name, value in _MESSAGE.items())


def _target_histograms(request: Request, services: Services) -> Sequence[UtilizationSeries]:
    """The histograms of the target that the query names, none without one. Raises TargetError or ModuleError."""
    target = request.query_params.get("target")
    if target is None:
        return ()
    if not target:
        raise BadTarget("parameter 'target' is empty: write target=NAME_OR_ADDRESS, or leave it out")
    return services.histograms(request.scope["query_string"])


def _page(series: Iterable[UtilizationSeries]) -> Exposition:
    page = Exposition()
    page.own_family(utilization.NAME, "histogram", utilization.HELP).extend(utilization.classic_samples(series))
    return page


def _error(status: int, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status, {"x-content-type-options": "nosniff"})
