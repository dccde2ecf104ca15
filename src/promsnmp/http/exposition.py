"""PromSNMP's own metrics over HTTP, in the format and coding that the client asked for."""

from __future__ import annotations

from fastapi import Response
from starlette.datastructures import Headers

from promsnmp.http.prebuilt import accepts_gzip, compress, weighted
from promsnmp.observe.selfmetrics import OPENMETRICS_TYPE, TEXT_TYPE, SelfMetrics

MIME = "application/openmetrics-text"


def own_metrics(metrics: SelfMetrics, headers: Headers) -> Response:
    """Text 0.0.4, or OpenMetrics 1.0 when the Accept of ``headers`` prefers it; gzip when accepted."""
    openmetrics = prefers_openmetrics(headers.get("accept", ""))
    body = metrics.openmetrics() if openmetrics else metrics.text()
    sent = {"content-type": OPENMETRICS_TYPE if openmetrics else TEXT_TYPE, "vary": "Accept, Accept-Encoding"}
    if accepts_gzip(headers.get("accept-encoding", "")):
        body = compress(body)
        sent["content-encoding"] = "gzip"
    return Response(body, headers=sent)


def prefers_openmetrics(accept: str) -> bool:
    """Whether ``accept`` gives OpenMetrics a weight that is not 0 and not below that of text (RFC 9110 12.5.1)."""
    weights = dict(weighted(part) for part in accept.split(",") if part.strip())
    return weights.get(MIME, 0.0) > 0.0 and weights[MIME] >= weights.get("text/plain", 0.0)
