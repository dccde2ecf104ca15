"""The choice of format and coding by Accept and Accept-Encoding."""

from __future__ import annotations

import pytest

from promsnmp.http.responses.negotiation import accepts_gzip, choose_format
from promsnmp.polling.pages.page import Format

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/plain", Format.TEXT),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", Format.TEXT),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", Format.OPENMETRICS),
        ('application/openmetrics-text; version="1.0.0"', Format.OPENMETRICS),
        ("Application/OpenMetrics-Text", Format.OPENMETRICS),
        ("application/openmetrics-text;version=9.9.9", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=0, */*", Format.TEXT),
        ("application/openmetrics-text;q=0.4,text/plain;q=0.5", Format.TEXT),
        ("text/plain;q=0.5,application/openmetrics-text;q=0.5", Format.OPENMETRICS),
        ("text/plain;q=0.5,application/openmetrics-text;q=0.6", Format.OPENMETRICS),
        ("application/openmetrics-text;q=what", Format.TEXT),
        ("application/*", Format.OPENMETRICS),
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        (";;,,q=,", Format.TEXT),
    ],
)
def test_the_format_is_the_one_that_accept_prefers(accept: str, wanted: Format) -> None:
    assert choose_format(accept).format is wanted


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"),
        ("text/plain;version=1.0.0;escaping=<b>", "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"),
        ("text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.4", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=1.0.0;q=0", "text/plain; version=0.0.4; charset=utf-8"),
        (PROMETHEUS_3, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,*/*;q=0.1",
         "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"),
    ],
)  # fmt: skip
def test_the_content_type_says_what_was_chosen(accept: str, content_type: str) -> None:
    assert choose_format(accept).content_type.decode() == content_type


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("", False), ("gzip", True), ("gzip;q=0", False), ("deflate", False), ("*", True), ("br, gzip;q=0.1", True)],
)
def test_pages_are_compressed_only_when_accepted(accepted: str, expected: bool) -> None:
    assert accepts_gzip(accepted) is expected
