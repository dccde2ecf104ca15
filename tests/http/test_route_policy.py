"""What routes declare, and that the real application needs exactly the access that docs/how-to/access.md promises."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from promsnmp import app
from promsnmp.http.app import ROUTERS, create_fastapi
from promsnmp.http.middleware.peer_auth import peer_routes
from promsnmp.http.route_policy import (
    UNDECLARED,
    AccessLevel,
    PlainRoute,
    RoutePolicy,
    RouteTable,
    access,
    declared_policy,
    policy_of,
)
from promsnmp.http.routes.scrape import SNMP_PATH, SNMP_POLICY
from promsnmp.http.security.auth import AccessControl
from promsnmp.settings import load_settings

TOKEN = "a-token-for-tests"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
METHODS = (*SAFE, "POST", "PUT", "PATCH", "DELETE", "PROPFIND")
PAGES = (
    "/devices", "/devices/x", "/devices.csv", "/credentials", "/replicas", "/modules", "/traps", "/map",
    "/map.svg", "/map.json", "/discovery", "/discovery/check", "/discovery/events", "/browse",
)  # fmt: skip
"""Pages for people, and their parts and files."""
PEER_PATHS = (
    "/-/peer", "/-/peer/challenge", "/-/findings", "/-/read-lease", "/-/handover", "/-/poll-status", "/-/neighbours",
    "/-/sessions", "/-/traps", "/-/recent-traps",
)  # fmt: skip
SOME_ID = "00000000-0000-4000-8000-000000000001"
FORMS = (
    "/add-device", f"/devices/{SOME_ID}/edit", f"/devices/{SOME_ID}/remove",
    "/add-credentials", "/credentials/x/change", "/credentials/x/remove",
)  # fmt: skip
"""Pages that are a form for a change."""
RESTRICTED = (AccessLevel.DETAILS, AccessLevel.READING, AccessLevel.MANAGEMENT)
"""Levels that need credentials where there are some."""
POST_ONLY = ("/promsnmp/sources/x/accept", "/promsnmp/sources/x/sync")
"""Paths where GET is answered with 405 to everybody."""
OPEN_BELOW_PROMSNMP = [f"/promsnmp/{name}" for name in ("hello", "authProtocols", "privProtocols", "threadPools")]


async def answers(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("only its declaration is used")


PLAIN = [
    PlainRoute(SNMP_PATH, answers, SNMP_POLICY),
    *peer_routes(
        on_status=bytes,
        on_detected_modules=bytes,
        on_challenge=bytes,
        on_read_lease=bytes,
        on_handover=bytes,
        on_poll_status=bytes,
        on_neighbours=bytes,
        on_session=bytes,
        on_traps=bytes,
        on_recent_traps=bytes,
    ),
]
TABLE = RouteTable(chain.from_iterable(router.routes for router in ROUTERS), PLAIN)


def example(path: str) -> str:
    """A path of a route; forms of a device have its ID, all other paths take anything."""
    made = re.sub(r"\{[^}]*\}", "x", path)
    return made.replace("/x/", f"/{SOME_ID}/") if made.startswith("/devices/x/") else made


ROUTES = [(method, example(path), policy) for method, path, policy in TABLE.declared()]
PATHS = sorted({path for _, path, _ in ROUTES})


def promised(method: str, path: str) -> AccessLevel:
    """The access level of a request in docs/how-to/access.md."""
    if path in PEER_PATHS:
        return AccessLevel.PEER
    if (path in ("/login", "/logout") and method == "POST") or (path in ("/login", "/web/x") and method in SAFE):
        return AccessLevel.LOGIN
    is_secret = path.startswith(("/actuator/env", "/actuator/loggers"))
    if method not in SAFE or path == "/promsnmp/evictCache" or path in FORMS or is_secret:
        return AccessLevel.MANAGEMENT
    if path in ("/-/healthy", "/-/ready", "/actuator/health") or path.startswith("/actuator/health/"):
        return AccessLevel.HEALTH
    if path in ("/config", "/actuator/caches", "/actuator/scheduledtasks") or (
        path.startswith("/promsnmp/") and path not in OPEN_BELOW_PROMSNMP and path not in POST_ONLY
    ):
        return AccessLevel.DETAILS
    if path in PAGES or path.startswith("/devices/"):  # below: of a form, read as the name of a device
        return AccessLevel.READING
    return AccessLevel.OPEN


def resolved(method: str, path: str, table: RouteTable = TABLE) -> RoutePolicy:
    return table.resolve({"type": "http", "method": method, "path": path, "headers": []})


# -------------------------------------------------------------------------------------------------------- declarations


def test_every_route_declares_its_access() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, Route)]
    assert routes
    assert [route.path for route in routes if declared_policy(route.endpoint) is None] == []


async def undeclared() -> None: ...


@access(AccessLevel.OPEN)
async def opens() -> None: ...


def test_a_route_that_declares_nothing_is_management() -> None:
    table = RouteTable([Route("/new", undeclared)])
    assert resolved("GET", "/new", table).access is AccessLevel.MANAGEMENT


def test_a_request_that_no_table_has_seen_is_management() -> None:
    assert policy_of({"type": "http"}) == UNDECLARED
    assert UNDECLARED.access is AccessLevel.MANAGEMENT


def test_a_route_that_changes_something_cannot_be_declared_open() -> None:
    with pytest.raises(ValueError, match="POST /new"):
        RouteTable([Route("/new", opens, methods=["POST"])])


@pytest.mark.parametrize("path", PATHS)
def test_every_method_of_a_path_needs_what_the_documentation_promises(path: str) -> None:
    for method in METHODS:
        assert resolved(method, path).access is promised(method, path), method


@pytest.mark.parametrize("path", ["/nowhere", "/promsnmp/nothing", "/-/healthy/", "/actuator/healthy", "*"])
def test_a_path_without_a_route_is_open_to_read_and_management_to_change(path: str) -> None:
    assert {resolved(method, path).access for method in SAFE} == {AccessLevel.OPEN}
    assert resolved("POST", path).access is AccessLevel.MANAGEMENT


def test_only_the_leader_changes_anything_below_promsnmp_and_knows_searches_and_sources() -> None:
    for method, path, policy in ROUTES:
        below = path.startswith("/promsnmp/")
        expected = below and (method not in SAFE or path.startswith(("/promsnmp/discovery", "/promsnmp/sources")))
        if policy.is_page and method not in SAFE:
            changes = ("/add-device", *FORMS, "/bulk/apply", "/replicas/step-down")
            expected = path in changes or path.startswith("/discovery/")
        assert policy.leader_only is expected, (method, path)


def test_the_owner_of_a_target_answers_metrics_and_prometheus_reads_errors_as_text() -> None:
    assert {path for _, path, policy in ROUTES if policy.owner_first} == {
        "/metrics", "/actuator/prometheus", "/filteredMetrics",
    }  # fmt: skip
    assert {path for _, path, policy in ROUTES if policy.plain_errors} == {"/metrics", "/snmp", "/filteredMetrics"}


# ------------------------------------------------------------------------------------------------- the real application


@pytest.fixture(scope="module", params=["", TOKEN], ids=["no credentials", "token"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ASGIApp, bool]:
    """The application as ``serve`` builds it, and whether it has credentials; nothing listens."""
    sockets: list[socket.socket] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "listen_all", lambda *_: sockets)
        folder: Path = tmp_path_factory.mktemp("routing")
        built = app.build(load_settings(prom_inv_file=folder / "inventory.json", api_token=request.param or None))
    return built.asgi_app, bool(request.param)


@pytest_asyncio.fixture
async def remote(service: tuple[ASGIApp, bool]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(service[0], client=("192.0.2.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://promsnmp") as client:
        yield client


@pytest_asyncio.fixture
async def local(service: tuple[ASGIApp, bool]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(service[0], client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


LIVE = [(method, path) for method, path, policy in ROUTES if policy.access is not AccessLevel.PEER]


@pytest.mark.parametrize(("method", "path"), LIVE)
async def test_each_caller_gets_in_where_promised(
    service: tuple[ASGIApp, bool], remote: httpx.AsyncClient, local: httpx.AsyncClient, method: str, path: str
) -> None:
    level, has_credentials = promised(method, path), service[1]
    signed = {"authorization": f"Bearer {TOKEN}"}
    is_form = method == "POST" and resolved(method, path).is_page
    from_remote = {"form_token": await form_token(remote)} if is_form else {}
    from_local = {"form_token": await form_token(local)} if is_form else {}
    statuses = {
        "nobody": (await remote.request(method, path, data=from_remote)).status_code,
        "local": (await local.request(method, path, data=from_local)).status_code,
        "token": (await remote.request(method, path, data=from_remote, headers=signed)).status_code,
    }
    if level is AccessLevel.LOGIN and is_form:  # what is entered there is wrong: nothing
        expected_status = 401 if path == "/login" else 303
        asked = ("nobody", "local", "token") if has_credentials else ("local",) if path == "/logout" else ()
        assert [statuses[caller] for caller in asked] == [expected_status] * len(asked)
        return
    refused = {caller for caller, status in statuses.items() if status in (401, 403)}
    if has_credentials:
        expected = {"nobody", "local"} if level in RESTRICTED else set()
    else:
        expected = {"nobody", "token"} if level is AccessLevel.MANAGEMENT else set()
    assert refused == expected, statuses


async def form_token(client: httpx.AsyncClient) -> str:
    """The token of the forms of a client, which keeps the cookie for it; empty for one that gets no form."""
    pages = [(await client.get(path)).text for path in ("/login", "/devices")]
    found = re.search('name="form_token" value="([0-9a-f]{64})"', "".join(pages))
    return found[1] if found else ""


CHANGING_PAGES = [(method, path) for method, path, policy in ROUTES if policy.is_page and method not in SAFE]


@pytest.mark.parametrize(("method", "path"), CHANGING_PAGES)
async def test_no_form_is_accepted_that_no_page_has_made(local: httpx.AsyncClient, method: str, path: str) -> None:
    signed = {"authorization": f"Bearer {TOKEN}"}
    token = await form_token(local)
    for cookies, sent in (({}, token), (dict(local.cookies), "0" * 64), ({}, "")):
        local.cookies = httpx.Cookies(cookies)
        answer = await local.request(method, path, data={"form_token": sent}, headers=signed)
        assert answer.status_code == 403
        assert "form" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/targets", "/-/reload", "/promsnmp/hello", "/nowhere"])
async def test_a_wrong_method_is_405_for_those_who_get_in(
    service: tuple[ASGIApp, bool], remote: httpx.AsyncClient, local: httpx.AsyncClient, path: str
) -> None:
    expected = 404 if path == "/nowhere" else 405
    options = await remote.options(path)
    assert options.status_code == expected
    assert ("allow" in options.headers) is (expected == 405)
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert (await remote.delete(path)).status_code in (401, 403)
    assert (await local.delete(path, headers=headers)).status_code == expected


async def test_a_handler_does_not_run_without_the_table() -> None:
    fastapi = create_fastapi(cast("Any", SimpleNamespace(version="1")), TABLE, AccessControl([]))
    transport = httpx.ASGITransport(fastapi, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/promsnmp/hello")).status_code == 500
