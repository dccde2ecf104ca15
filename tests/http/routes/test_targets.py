"""``/targets`` over HTTP."""

from __future__ import annotations

import httpx

from tests.support.service.inventory_document import inventory_document


def test_an_empty_inventory_has_no_targets(client: httpx.Client) -> None:
    answer = client.get("/targets")
    assert (answer.status_code, answer.json()) == (200, [])
    assert answer.headers["content-type"] == "application/json"


def test_a_posted_device_is_a_target_with_the_site_s_labels(client: httpx.Client) -> None:
    answer = client.post("/promsnmp/inventory", json=inventory_document())
    assert (answer.status_code, answer.text) == (200, "Inventory imported successfully.")
    assert answer.headers["content-type"].startswith("text/plain")
    (group,) = client.get("/targets").json()
    assert group["targets"] == ["router"]
    assert group["labels"]["__meta_promsnmp_site_label"] == "Wien"


def test_targets_that_did_not_change_need_not_be_sent_again(client: httpx.Client) -> None:
    etag = client.get("/targets").headers["etag"]
    assert client.get("/targets", headers={"if-none-match": etag}).status_code == 304
    client.post("/promsnmp/inventory", json=inventory_document())
    assert client.get("/targets", headers={"if-none-match": etag}).status_code == 200
