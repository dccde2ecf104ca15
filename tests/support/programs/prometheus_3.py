"""A Prometheus of version 3, which knows more of protobuf than Debian 12's: found or fetched."""

from __future__ import annotations

from scripts.programs import prometheus
from tests.support.tools import unavailable


def require_prometheus_3() -> str:
    """Its path; without it the test is skipped, and fails where ``CI=true``."""
    try:
        return prometheus.find()
    except prometheus.Unavailable as reason:
        unavailable(str(reason))
