"""The OpenAPI document, and the page that shows it."""

from __future__ import annotations

import re

import httpx
import pytest
from openapi_spec_validator import validate

LOADS = re.compile(r"""(?:src|href)\s*=\s*["']([^"']*)["']|url\(([^)]*)\)|@import\s+([^;]*)""")


def test_the_document_is_valid_openapi(client: httpx.Client) -> None:
    document = client.get("/v3/api-docs").json()
    assert document["openapi"].startswith("3.0.")  # what the bundled Swagger UI can show
    validate(document)


def test_every_path_of_the_api_is_described(client: httpx.Client) -> None:
    paths = client.get("/v3/api-docs").json()["paths"]
    for path in ("/snmp", "/targets", "/metrics", "/actuator/health", "/actuator/metrics/{name}", "/-/ready"):
        assert "get" in paths[path]
    assert set(paths["/promsnmp/inventory"]) == {"get", "post"}


def test_no_operation_claims_to_answer_422(client: httpx.Client) -> None:
    for operations in client.get("/v3/api-docs").json()["paths"].values():
        for operation in operations.values():
            assert "422" not in operation["responses"]


@pytest.mark.parametrize("path", ["/", "/swagger-ui.html", "/swagger-ui/index.html"])
def test_pages_load_only_what_this_server_has(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    found = [next(filter(None, groups)) for groups in LOADS.findall(page.text)]
    assert found
    for link in found:
        assert not re.match(r"(?:https?:)?//", link)
        target = httpx.URL(str(client.base_url)).join(path).join(link)
        assert client.get(target).status_code == 200


def test_the_swagger_script_reads_this_server_s_document_and_asks_no_validator(client: httpx.Client) -> None:
    script = client.get("/swagger-ui/start.js").text
    assert "../v3/api-docs" in script
    assert "validatorUrl: null" in script
    assert "http" not in script


def test_the_style_sheet_loads_nothing_from_elsewhere(client: httpx.Client) -> None:
    sheet = client.get("/swagger-ui/swagger-ui.css")
    assert sheet.headers["content-type"].startswith("text/css")
    for groups in LOADS.findall(sheet.text):
        assert next(filter(None, groups)).strip("\"'").startswith("data:")


@pytest.mark.parametrize("name", ["index.js", "..%2f__init__.py", "%2e%2e/%2e%2e/__init__.py", "swagger-ui.css.map"])
def test_only_the_listed_files_are_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/swagger-ui/{name}").status_code == 404
