"""What the OpenAPI document says about access, with and without credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from promsnmp.http.route_policy import AccessLevel, PlainRoute, RouteTable, access
from promsnmp.http.routes.scrape import SNMP_POLICY
from promsnmp.http.schemas.openapi_security import with_security
from promsnmp.http.security.auth import AccessControl, BasicAuthenticator, CertificateAuthenticator, TokenAuthenticator
from promsnmp.http.security.passwords import PasswordChecker, hash_password
from tests.support.service.service_process import ServiceProcess

DOCUMENT = {
    "paths": {
        path: {method: {"responses": {"200": {"description": "Good."}}}}
        for path, method in [
            ("/promsnmp/inventory", "post"),
            ("/promsnmp/devices/{id}", "get"),
            ("/promsnmp/evictCache", "get"),
            ("/snmp", "get"),
            ("/-/ready", "get"),
        ]
    },
    "components": {"schemas": {"X": {}}},
}


@access(AccessLevel.MANAGEMENT)
async def manages() -> None: ...


@access(AccessLevel.DETAILS)
async def shows() -> None: ...


@access(AccessLevel.HEALTH)
async def probe() -> None: ...


async def snmp(scope: Scope, receive: Receive, send: Send) -> None: ...


TABLE = RouteTable(
    [
        Route("/promsnmp/inventory", manages, methods=["POST"]),
        Route("/promsnmp/devices/{id:path}", shows),
        Route("/promsnmp/evictCache", manages),
        Route("/-/ready", probe),
    ],
    [PlainRoute("/snmp", snmp, SNMP_POLICY)],
)


def described(*, token: str = "", users: dict[str, str] | None = None, **options: Any) -> tuple[dict[str, Any], Any]:
    control = AccessControl(
        [
            TokenAuthenticator(token),
            BasicAuthenticator(PasswordChecker(users)),
            CertificateAuthenticator(lambda: False),
        ],
        **options,
    )
    made = with_security(DOCUMENT, TABLE, control)
    operations = {path: next(iter(methods.values())) for path, methods in made["paths"].items()}
    return operations, made["components"]


def test_without_credentials_only_management_can_refuse_and_no_scheme_is_listed() -> None:
    operations, components = described()
    assert "securitySchemes" not in components
    assert all("security" not in one for one in operations.values())
    assert {path for path, one in operations.items() if "403" in one["responses"]} == {
        "/promsnmp/inventory",
        "/promsnmp/evictCache",
    }


def test_kinds_of_credentials_are_alternatives() -> None:
    operations, components = described(token="x", users={"alice": "y"})
    assert set(components["securitySchemes"]) == {"basic", "bearer"}
    assert components["schemas"] == {"X": {}}
    for path in ("/promsnmp/inventory", "/promsnmp/devices/{id}", "/promsnmp/evictCache"):
        assert operations[path]["security"] == [{"bearer": []}, {"basic": []}]
        assert set(operations[path]["responses"]) == {"200", "401", "403", "429"}
    assert set(operations["/snmp"]["responses"]) == set(operations["/-/ready"]["responses"]) == {"200"}


def test_protected_scrapes_need_credentials_and_refuse_in_plain_text() -> None:
    operations, _ = described(token="x", protect_scrapes=True)
    assert operations["/snmp"]["security"] == [{"bearer": []}]
    assert set(operations["/snmp"]["responses"]["401"]["content"]) == {"text/plain"}
    assert "security" not in operations["/-/ready"]


def test_the_given_document_is_not_changed() -> None:
    before = repr(DOCUMENT)
    described(token="x")
    assert repr(DOCUMENT) == before


@pytest.fixture
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("secured")
    (folder / "web.yml").write_text(f"basic_auth_users:\n  alice: {hash_password('right')}\n")
    with ServiceProcess(folder, env={"API_TOKEN": "token", "WEB_CONFIG_FILE": str(folder / "web.yml")}) as server:
        yield server.client


def test_the_service_refuses_what_the_document_says(secured: httpx.Client) -> None:
    document = secured.get("/v3/api-docs").json()
    validate(document)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answer = secured.request(method, path.replace("{", "").replace("}", ""))
            assert (answer.status_code == 401) is ("security" in operation), (method, path)
