"""Right and wrong requests generated from the OpenAPI document: no 500, and every response is described."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.support.service.service_process import ServiceProcess

TOKEN = "a-token-for-schemathesis"
SIGNED = {"Authorization": f"Bearer {TOKEN}"}
NUMBERS = itertools.count()
EXAMPLES = 4
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


Servers = Callable[[str], ServiceProcess]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A service without credentials (``open``) and one with a token (``secured``); neither polls any device."""
    with contextlib.ExitStack() as running:

        @cache
        def start(kind: str) -> ServiceProcess:
            env = {"COLLECTION_INTERVAL": "0"}
            if kind == "secured":
                env |= {"API_TOKEN": TOKEN, "API_PROTECT_SCRAPES": "true"}
            return running.enter_context(ServiceProcess(tmp_path_factory.mktemp(kind), env=env))

        yield start


def keep_the_peace(case: Any) -> None:
    """The addresses are made up, so no search goes there, and no device is asked."""
    if case.operation.path == "/promsnmp/devices" and case.method == "POST":
        case.query = {**(case.query or {}), "check": "false"}
    if case.operation.path.startswith("/promsnmp/discovery") and case.method == "POST":
        case.query = {**(case.query or {}), "scheduleNow": "false"}


THERE = ("/promsnmp/devices/{device}", "/promsnmp/discovery/{seed_id}", "/promsnmp/discovery/jobs/{job_id}")
SEED = {"agentType": "snmp-community", "version": "v2c", "port": 9, "readCommunity": "x"}


def name_what_is_there(server: ServiceProcess, case: Any) -> None:
    """Every other request for a device, seed or job names one that exists: generated names never do."""
    for name in {"device", "seed_id", "job_id"} & (case.path_parameters or {}).keys():
        saved = name != "job_id"
        query = {"scheduleNow": not saved, "saveSeed": saved}
        path, body = "/promsnmp/discovery", SEED | {"potentialTargets": ["127.0.0.1"]}
        if name == "device":
            path, body, query = "/promsnmp/devices", {"sysName": f"device-{next(NUMBERS)}"}, {}
        answer = server.client.post(path, json=body, params=query, headers=SIGNED)
        assert answer.is_success, answer.text
        document = answer.json()
        case.path_parameters[name] = document.get("seedId" if saved else "jobId") or document["id"]


def can_be_wrong(operation: dict[str, Any]) -> bool:
    """Whether an operation has wrong requests: any text is right in a path and in a header, and the search for a wrong
    one takes seconds."""
    return "requestBody" in operation or any(one["in"] == "query" for one in operation.get("parameters", ()))


@pytest.mark.parametrize(
    ("kind", "token", "mode"),
    [
        ("open", "", GenerationMode.POSITIVE),
        ("open", "", GenerationMode.NEGATIVE),
        ("secured", TOKEN, GenerationMode.POSITIVE),
        ("secured", "wrong", GenerationMode.POSITIVE),
    ],
)
def test_every_response_is_described_in_the_document(
    servers: Servers, kind: str, token: str, mode: GenerationMode
) -> None:
    server = servers(kind)
    schema = schemathesis.openapi.from_dict(server.client.get("/v3/api-docs", headers=SIGNED).json())
    answered = set()
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an error has no such method, and fails the test
        if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation.definition.raw):
            continue

        @SETTINGS
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            keep_the_peace(case)
            if mode is GenerationMode.POSITIVE and next(NUMBERS) % 2:
                name_what_is_there(server, case)
            answer = case.call_and_validate(server.url, checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
            answered.add((case.operation.label, answer.status_code))

        check()
    assert {"GET /snmp", "POST /promsnmp/inventory"} <= {label for label, _ in answered}
    if mode is GenerationMode.POSITIVE and token != "wrong":
        assert {(f"GET {path}", 200) for path in THERE} <= answered
    assert "Traceback" not in server.output()
