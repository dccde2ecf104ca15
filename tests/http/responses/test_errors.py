"""Errors, HEAD and wrong methods, which are the same for every path."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from promsnmp.errors import MAX_PROBLEM_LENGTH, MAX_PROBLEMS, InventoryConflict, InventoryInvalid, OutcomeUnknown
from promsnmp.http.responses.errors import install_error_handlers, inventory_refusal
from promsnmp.http.route_policy import AccessLevel, RouteTable, access


@pytest.mark.parametrize("path", ["/targets", "/", "/metrics", "/actuator/health", "/promsnmp/inventory", "/-/ready"])
def test_head_answers_as_get_without_the_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/targets", "GET, HEAD"),
        ("DELETE", "/promsnmp/inventory", "GET, HEAD, POST"),
        ("PUT", "/actuator/health/ping", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("OPTIONS", "/targets", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["status"] == 405


@pytest.mark.parametrize("path", ["/nowhere", "/promsnmp", "/targets/", "/%2e%2e/etc/passwd", "/nowhere%0a%22"])
def test_an_unknown_path_is_404_as_json(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "status", "path"}


def test_headers_do_not_reveal_the_source_of_a_page(client: httpx.Client) -> None:
    assert "server" not in client.get("/-/healthy").headers


# --- changes


def failing(error: Exception) -> httpx.AsyncClient:
    """A client of an application whose handlers fail: one that changes something at the leader, and one that reads."""
    app = FastAPI()
    install_error_handlers(app)

    @access(AccessLevel.MANAGEMENT, leader_only=True)
    async def handler() -> None:
        raise error

    app.add_api_route("/change", handler, methods=["POST", "DELETE"])
    app.add_api_route("/read", handler, methods=["GET"])
    transport = httpx.ASGITransport(RouteTable(app.routes).wrap(app), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_an_unknown_outcome_is_504_and_never_a_refusal() -> None:
    async with failing(OutcomeUnknown("the folder cannot be synced")) as client:
        for method in ("POST", "DELETE"):
            answer = await client.request(method, "/change")
            assert answer.status_code == 504
            assert answer.json()["error"] == "outcome unknown: the folder cannot be synced"


async def test_an_unexpected_error_leaves_the_outcome_of_a_change_open() -> None:
    async with failing(RuntimeError("after the write")) as client:
        answer = await client.post("/change")
        assert (answer.status_code, "outcome unknown" in answer.text) == (504, True)
        assert (await client.get("/read")).status_code == 500


@pytest.mark.parametrize("kind", [InventoryInvalid, InventoryConflict])
def test_a_refusal_lists_some_of_many_problems_and_says_how_many_there_are(kind: type[InventoryInvalid]) -> None:
    refusal = inventory_refusal(kind([f"problem {number} {'x' * 5000}" for number in range(7000)]), "not changed")
    assert refusal.detail == "not changed: 7000 problems"
    assert len(refusal.problems) == MAX_PROBLEMS + 1
    assert refusal.problems[-1] == "and 6900 more"
    assert max(map(len, refusal.problems)) == MAX_PROBLEM_LENGTH
