"""PromSNMP's own metrics over HTTP, in the format and coding that the client asked for."""

from __future__ import annotations

from fastapi import Response
from starlette.datastructures import Headers

from promsnmp.collect.page import Format
from promsnmp.http.negotiate import choose_format, wants_gzip
from promsnmp.http.prebuilt import compress
from promsnmp.observe.selfmetrics import OPENMETRICS_TYPE, TEXT_TYPE, SelfMetrics


def own_metrics(metrics: SelfMetrics, headers: Headers) -> Response:
    """Text 0.0.4, or OpenMetrics 1.0 when the Accept of ``headers`` prefers it; gzip when accepted."""
    openmetrics = choose_format(",".join(headers.getlist("accept"))) is Format.OPENMETRICS
    body = metrics.openmetrics() if openmetrics else metrics.text()
    sent = {"content-type": OPENMETRICS_TYPE if openmetrics else TEXT_TYPE, "vary": "Accept, Accept-Encoding"}
    if wants_gzip(",".join(headers.getlist("accept-encoding"))):
        body = compress(body)
        sent["content-encoding"] = "gzip"
    return Response(body, headers=sent)
