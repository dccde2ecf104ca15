"""Requests made from the OpenAPI document, right and wrong ones: no 500, and every answer is one that is described."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.serving import Serving

TOKEN = "a-token-for-schemathesis"
EXAMPLES = 6
"""Requests per operation and kind."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", params=["open", "secured"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Without credentials, or with a token; it polls nobody, whatever is put into its inventory."""
    env = {"COLLECTION_INTERVAL": "0"}
    if request.param == "secured":
        env |= {"API_TOKEN": TOKEN, "API_PROTECT_SCRAPES": "true"}
    with Serving(tmp_path_factory.mktemp(request.param), env=env) as made:
        yield made


def keep_the_peace(case: Any) -> None:
    """Addresses are made up, so nobody goes and looks there."""
    if case.operation.path.startswith("/promsnmp/discovery") and case.method == "POST":
        case.query = {**(case.query or {}), "scheduleNow": "false"}


@pytest.mark.parametrize(
    ("server", "token", "mode"),
    [
        ("open", "", GenerationMode.POSITIVE),
        ("open", "", GenerationMode.NEGATIVE),
        ("secured", TOKEN, GenerationMode.POSITIVE),
        ("secured", TOKEN, GenerationMode.NEGATIVE),
        ("secured", "wrong", GenerationMode.POSITIVE),
    ],
    indirect=["server"],
)
def test_no_request_gives_an_answer_that_is_not_described(server: Serving, token: str, mode: GenerationMode) -> None:
    signed = {"Authorization": f"Bearer {TOKEN}"}
    schema = schemathesis.openapi.from_dict(server.client.get("/v3/api-docs", headers=signed).json())
    asked = set()
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an error has no such method, and fails the test

        @SETTINGS
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            keep_the_peace(case)
            asked.add(case.operation.label)
            case.call_and_validate(server.url, checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

        with contextlib.suppress(Unsatisfiable):  # there is no wrong way to ask what takes no parameters
            check()
    assert {"GET /snmp", "POST /promsnmp/inventory"} <= asked
    assert "Traceback" not in server.output()
