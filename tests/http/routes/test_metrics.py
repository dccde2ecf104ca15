"""Own metrics in the form that was asked for."""

from __future__ import annotations

import gzip

import pytest
from starlette.datastructures import Headers

from promsnmp.http.routes.metrics import render_own_metrics
from promsnmp.observe.selfmetrics import OPENMETRICS_TYPE, TEXT_TYPE, SelfMetrics

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        (PROMETHEUS, True),
        ("application/openmetrics-text;q=0.1, text/plain", False),
        ("application/openmetrics-text;q=0", False),
    ],
)
def test_openmetrics_is_sent_to_those_who_prefer_it(accept: str, openmetrics: bool) -> None:
    answer = render_own_metrics(SelfMetrics(), Headers({"accept": accept}))
    assert answer.headers["content-type"] == (OPENMETRICS_TYPE if openmetrics else TEXT_TYPE)
    assert bytes(answer.body).endswith(b"# EOF\n") is openmetrics


def test_gzip_is_sent_when_accepted() -> None:
    answer = render_own_metrics(SelfMetrics(), Headers({"accept-encoding": "gzip"}))
    assert answer.headers["content-encoding"] == "gzip"
    assert b"process_cpu_seconds_total" in gzip.decompress(bytes(answer.body))
