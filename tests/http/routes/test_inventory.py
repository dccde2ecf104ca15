"""``/promsnmp/inventory`` over HTTP."""

from __future__ import annotations

import json
import re
import socket

import httpx
import pytest

from tests.support.service.inventory_document import SECRETS, inventory_document
from tests.support.service.service_process import ServiceProcess


def test_an_import_is_in_the_audit_log_with_its_caller(client: httpx.Client, serving: ServiceProcess) -> None:
    assert client.post("/promsnmp/inventory", json=inventory_document("audited")).status_code == 200
    (line,) = [line for line in serving.output().splitlines() if "device=audited " in line]
    audit_line = r'what="device added" device=audited id=\S+ address=192\.0\.2\.1:161 revision=\d+ who=anonymous@127'
    assert re.search(audit_line, line)


def test_the_inventory_is_shown_without_secrets_and_posting_that_back_keeps_them(
    client: httpx.Client, serving: ServiceProcess
) -> None:
    client.post("/promsnmp/inventory", json=inventory_document())
    shown = client.get("/promsnmp/inventory")
    assert not any(secret in shown.text for secret in SECRETS)
    assert client.post("/promsnmp/inventory", content=shown.content).status_code == 200
    again = client.get("/promsnmp/inventory").json()
    assert again["devices"] == shown.json()["devices"]
    assert not any(secret in serving.output() for secret in SECRETS)


def test_a_bad_inventory_is_refused_with_all_its_problems_and_changes_nothing(client: httpx.Client) -> None:
    client.post("/promsnmp/inventory", json=inventory_document())
    bad = inventory_document("other")
    bad["devices"][0]["agents"][0]["endpoint"]["port"] = 70000  # type: ignore[index]  # the document's shape is known
    bad["devices"][0]["agents"][1]["authProtocol"] = "ROT13"  # type: ignore[index]  # likewise
    answer = client.post("/promsnmp/inventory", json=bad)
    assert answer.status_code == 400
    body = answer.json()
    assert body["status"] == 400
    assert body["path"] == "/promsnmp/inventory"
    assert any("port" in problem for problem in body["problems"])
    assert any("authProtocol" in problem for problem in body["problems"])
    assert not any(secret in answer.text for secret in SECRETS)
    assert client.get("/promsnmp/inventory").json()["devices"][0]["sysName"] == "router"


def test_a_document_full_of_problems_gets_a_short_answer(client: httpx.Client) -> None:
    for item in (b"{}", b'{"sysName":"a","agents":[{"version":9}]}', b"7"):
        body = b'{"devices":[' + b",".join([item] * (1_000_000 // len(item))) + b"]}"
        answer = client.post("/promsnmp/inventory", content=body)
        assert (answer.status_code, len(answer.content) < 20_000) == (400, True)
        assert "was not checked" in answer.json()["problems"][-1]
        assert "at least" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"", "line 1"),
        (b'{"devices": [\n}', "line 2"),
        (b"\xff\xfe\xfd{", "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b'{"devices": {}}', "devices"),
    ],
)
def test_a_body_that_is_not_an_inventory_is_400_with_the_place(client: httpx.Client, body: bytes, hint: str) -> None:
    answer = client.post("/promsnmp/inventory", content=body)
    assert answer.status_code == 400
    assert hint in answer.json()["error"]
    assert answer.json()["problems"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json", ""])
def test_json_is_accepted_with_any_content_type(client: httpx.Client, content_type: str) -> None:
    body = json.dumps(inventory_document())
    answer = client.post("/promsnmp/inventory", content=body, headers={"content-type": content_type})
    assert answer.status_code == 200


def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(serving: ServiceProcess) -> None:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
        connection.sendall(b"POST /promsnmp/inventory HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_turns_out_too_large_is_refused(client: httpx.Client) -> None:
    def endless() -> object:
        for _ in range(66):
            yield b" " * (1 << 20)

    answer = client.post("/promsnmp/inventory", content=endless())  # type: ignore[arg-type]  # an iterator of bytes
    assert answer.status_code == 413
    assert answer.json()["status"] == 413
