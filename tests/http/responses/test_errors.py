"""Errors, HEAD and wrong methods, which are the same for every path."""

from __future__ import annotations

import httpx
import pytest


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
