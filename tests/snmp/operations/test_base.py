"""What operations share: the names of error-status."""

from __future__ import annotations

import pytest

from promsnmp.snmp.operations.base import error_status
from tests.support.agents.function_agent import A


@pytest.mark.parametrize(
    ("status", "name"), [(5, "genErr"), (18, "inconsistentName"), (19, "unknown"), (-1, "unknown")]
)
def test_error_statuses_have_their_names(status: int, name: str) -> None:
    error = error_status(status, 3, A)
    assert f"error-status {name} ({status})" in str(error)
    assert (error.status, error.index) == (status, 3)
