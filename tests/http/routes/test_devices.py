"""Single devices over HTTP: added, read, changed, removed, by several operators at once."""

from __future__ import annotations

import contextlib
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.service.service_process import ServiceProcess
from tests.support.tools import PLAIN, start_snmpd, wait_until

SECRETS = ("geheime-gemeinschaft", "geheimes-wort-1", "geheimes-wort-2", "geheim-neu")
DEVICES = "/promsnmp/devices"


def agent(address: str = "192.0.2.1", port: int = 161, **more: object) -> dict[str, Any]:
    endpoint = {"address": address, "port": port}
    return {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": SECRETS[0], **more}


def user(address: str) -> dict[str, Any]:
    return {
        "type": "snmp-user", "endpoint": {"address": address}, "version": 3, "securityName": "reader",
        "securityLevel": 3, "authProtocol": "SHA256", "authPassphrase": SECRETS[1], "privProtocol": "AES256",
        "privPassphrase": SECRETS[2],
    }  # fmt: skip


def add(client: httpx.Client, name: str, *agents: dict[str, Any], **more: object) -> httpx.Response:
    answer = client.post(DEVICES, json={"sysName": name, "agents": list(agents) or [agent()], **more})
    assert answer.status_code == 201, answer.text
    return answer


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [device["sysName"] for device in answer.json()["devices"]]


def secret_of(client: httpx.Client, serving: ServiceProcess) -> str:
    """The inventory with its secrets, read from its file as at the next start."""
    from promsnmp.inventory.document.write import to_document
    from promsnmp.inventory.storage.key import load_key
    from promsnmp.inventory.store import InventoryStore

    path = serving.folder / "inventory.json"
    return json.dumps(to_document(InventoryStore(path, load_key(path, None)).load(), mask=False))


def test_an_added_device_is_durable_a_target_and_found_by_all_its_names(
    client: httpx.Client, serving: ServiceProcess
) -> None:
    answer = add(client, "edge 1", agent("2001:DB8::1"), user("192.0.2.7"), labels={"region": "eu"})
    device = answer.json()
    assert answer.headers["location"] == f"{DEVICES}/{device['id']}"
    assert device["agents"][0]["endpoint"] == {"address": "2001:db8::1", "port": 161}
    assert device["primaryAgent"] == device["agents"][0]
    assert device["polling"] == {"state": "unknown"}
    assert '"edge 1"' in secret_of(client, serving)
    for name in (device["id"], device["id"].upper(), "edge%201", "EDGE 1", "2001:db8::1", "192.0.2.7:161"):
        found = client.get(f"{DEVICES}/{name}")
        assert (found.status_code, found.json()) == (200, device)
        assert found.headers["etag"] == answer.headers["etag"]
    (target,) = client.get("/targets").json()
    assert target["targets"] == ["2001:db8::1"]
    assert not any(secret in answer.text for secret in SECRETS)


def test_a_wrong_device_is_refused_with_all_its_problems(client: httpx.Client) -> None:
    bad = {"sysname": "x", "agents": [agent(port=70000, community="y"), {"version": 9}], "labels": {"a-b": 1}}
    answer = client.post(DEVICES, json=bad)
    assert answer.status_code == 400
    assert sorted(answer.json()["problems"]) == sorted([
        "sysname: is not a key of a device; did you mean sysName?",
        "agents[0].community: is not a key of an agent; did you mean readCommunity?",
        "agents[0].endpoint.port: must be between 1 and 65535, not 70000",
        'agents[1].endpoint: is missing, like {"address": "192.0.2.1", "port": 161}',
        "agents[1].version: 9 is not a version: 0 is v1, 1 is v2c, 3 is v3",
        "labels.a-b: is not a label name: use letters, digits and _, and do not begin with a digit",
    ])  # fmt: skip
    assert names(client.get(DEVICES)) == []


@pytest.mark.parametrize(
    ("body", "hint"),
    [(b"", "not valid JSON"), (b"[]", "must be an object"),
     (b"{}", "needs a sysName or an agent"), (b'{"sysName', "line 1"),
     (b'{"agents": [{"endpoint": {"address": "192.0.2.1"}, "version": 1, "readCommunity": "******"}]}', "is masked"),
     (b'{"sysName": "x", "id": "7"}', "id: is"), (b'{"sysName": "\\ud800"}', "not valid Unicode"),
     (b'{"agents": {"0": 1}}', "agents: must be a list"), (b'{"sysName": "x", "agents": 7}', "must be a list")],
)  # fmt: skip
def test_a_body_that_is_not_a_device_is_400(client: httpx.Client, body: bytes, hint: str) -> None:
    for method, path in (("POST", DEVICES), ("PUT", f"{DEVICES}/{uuid.uuid4()}")):
        answer = client.request(method, path, content=body)
        assert answer.status_code == 400
        assert hint in answer.json()["error"]


def test_a_body_above_the_limit_is_413(client: httpx.Client) -> None:
    body = {"sysName": "x", "sysDescr": "y" * 2_000_000}
    assert client.post(DEVICES, json=body).status_code == 413


def test_a_shared_endpoint_or_id_is_a_conflict_and_a_shared_name_is_not(client: httpx.Client) -> None:
    first = add(client, "twin").json()
    taken = client.post(DEVICES, json={"sysName": "other", "agents": [agent()]})
    assert taken.status_code == 409
    assert f"192.0.2.1:161 is also that of twin ({first['id']})" in taken.json()["problems"][0]
    assert client.post(DEVICES, json={"id": first["id"], "sysName": "other"}).status_code == 409
    second = add(client, "TWIN", agent("192.0.2.2")).json()
    both = client.get(f"{DEVICES}/twin")
    assert both.status_code == 409
    assert first["id"] in both.json()["error"]
    assert second["id"] in both.json()["error"]
    assert [group["targets"] for group in client.get("/targets").json()] == [["192.0.2.1"], ["192.0.2.2"]]
    assert client.get(f"{DEVICES}/192.0.2.2").json()["id"] == second["id"]


def test_two_operators_do_not_overwrite_each_other_unnoticed(client: httpx.Client) -> None:
    add(client, "shared")
    read = client.get(f"{DEVICES}/shared")
    mine, theirs = {**read.json(), "sysContact": "mine"}, {**read.json(), "sysContact": "theirs"}
    condition = {"If-Match": read.headers["etag"]}
    first = client.put(f"{DEVICES}/shared", json=theirs, headers=condition)
    assert (first.status_code, first.json()["sysContact"]) == (200, "theirs")
    assert first.headers["etag"] != read.headers["etag"]
    for method, body in (("PUT", mine), ("PATCH", {"sysContact": "mine"}), ("DELETE", None)):
        late = client.request(method, f"{DEVICES}/shared", json=body, headers=condition)
        assert late.status_code == 412
        assert "read it again" in late.json()["error"]
    assert client.get(f"{DEVICES}/shared").json()["sysContact"] == "theirs"
    now = {"If-Match": f'"other", {first.headers["etag"]}'}
    assert client.patch(f"{DEVICES}/shared", json={"sysContact": "mine"}, headers=now).status_code == 200
    weak = {"If-Match": "W/" + client.get(f"{DEVICES}/shared").headers["etag"]}
    assert client.patch(f"{DEVICES}/shared", json={"sysContact": "x"}, headers=weak).status_code == 412
    assert client.patch(f"{DEVICES}/shared", json={"sysContact": "x"}, headers={"If-Match": "*"}).status_code == 200
    assert client.delete(f"{DEVICES}/shared").status_code == 204


def test_the_etag_changes_with_secrets_and_does_not_reveal_them(client: httpx.Client) -> None:
    before = add(client, "x").headers["etag"]
    patched = client.patch(f"{DEVICES}/x", json={"primaryAgent": {"readCommunity": SECRETS[3]}})
    assert patched.headers["etag"] != before
    assert client.patch(f"{DEVICES}/x", json={}).headers["etag"] == patched.headers["etag"]


def test_put_replaces_and_keeps_masked_secrets(client: httpx.Client, serving: ServiceProcess) -> None:
    shown = add(client, "kept", agent(), user("192.0.2.7"), sysContact="noc").json()
    shown.pop("sysContact")
    shown["agents"][1]["authPassphrase"] = "ein-neues-wort"
    answer = client.put(f"{DEVICES}/kept", json=shown)
    assert answer.status_code == 200
    assert answer.json()["sysContact"] == ""
    file = secret_of(client, serving)
    assert all(secret in file for secret in (SECRETS[0], SECRETS[2], "ein-neues-wort"))
    assert SECRETS[1] not in file
    assert "polling" not in file


def test_put_with_a_new_id_adds_and_with_a_new_name_does_not(client: httpx.Client) -> None:
    new = str(uuid.uuid4())
    only_new = {"If-None-Match": "*"}
    answer = client.put(f"{DEVICES}/{new}", json={"sysName": "put", "agents": [agent()]}, headers=only_new)
    assert (answer.status_code, answer.json()["id"], answer.headers["location"]) == (201, new, f"{DEVICES}/{new}")
    again = client.put(f"{DEVICES}/{new}", json={"sysName": "put"}, headers=only_new)
    assert again.status_code == 412
    assert client.put(f"{DEVICES}/nobody", json={"sysName": "nobody"}).status_code == 404
    assert client.put(f"{DEVICES}/{uuid.uuid4()}", json={"sysName": "y"}, headers={"If-Match": "*"}).status_code == 412
    other = client.put(f"{DEVICES}/{new}", json={"id": str(uuid.uuid4()), "sysName": "put"})
    assert (other.status_code, "leave it out" in other.json()["error"]) == (400, True)
    assert len(client.get(DEVICES).json()["devices"]) == 1


def test_patch_merges_as_rfc_7396_says(client: httpx.Client, serving: ServiceProcess) -> None:
    add(client, "p", labels={"region": "eu", "role": "core"}, modules=["if_mib"], sysLocation="rack 7")
    patch = {"labels": {"region": None, "rack": "7"}, "modules": None, "sysLocation": "rack 8", "sysContact": "noc"}
    answer = client.patch(
        f"{DEVICES}/p", content=json.dumps(patch), headers={"content-type": "application/merge-patch+json"}
    )
    found = answer.json()
    assert (answer.status_code, found["labels"], found["sysLocation"], found["sysContact"]) == (
        200, {"role": "core", "rack": "7"}, "rack 8", "noc",
    )  # fmt: skip
    assert "modules" not in found
    assert SECRETS[0] in secret_of(client, serving)


def test_a_patch_of_the_primary_agent_goes_to_that_agent(client: httpx.Client, serving: ServiceProcess) -> None:
    device = add(client, "p", agent("192.0.2.1"), agent("192.0.2.2")).json()
    one = client.patch(f"{DEVICES}/p", json={"primaryAgent": {"endpoint": {"address": "192.0.2.9"}}}).json()
    assert [found["endpoint"]["address"] for found in one["agents"]] == ["192.0.2.9", "192.0.2.2"]
    assert one["primaryAgent"]["id"] == device["agents"][0]["id"]
    two = client.patch(f"{DEVICES}/p", json={"primaryAgent": {"id": device["agents"][1]["id"], "retries": 5}}).json()
    assert (two["primaryAgent"]["endpoint"]["address"], two["agents"][1]["retries"]) == ("192.0.2.2", 5)
    three = client.patch(f"{DEVICES}/p", json={"agents": [agent("192.0.2.3", readCommunity=SECRETS[3])]}).json()
    assert three["primaryAgent"] == three["agents"][0]
    assert len(three["agents"]) == 1
    assert SECRETS[0] not in secret_of(client, serving)
    four = client.patch(f"{DEVICES}/p", json={"primaryAgent": {**agent("192.0.2.4"), "id": str(uuid.uuid4())}}).json()
    assert [found["endpoint"]["address"] for found in four["agents"]] == ["192.0.2.3", "192.0.2.4"]
    assert four["primaryAgent"] == four["agents"][1]


@pytest.mark.parametrize("patch", [[], 7, None, "x", {"agents": None, "sysName": None}, {"labels": 7}, {"nonsense": 1}])
def test_a_body_that_is_not_a_patch_changes_nothing(client: httpx.Client, patch: object) -> None:
    before = add(client, "p").headers["etag"]
    assert client.patch(f"{DEVICES}/p", content=json.dumps(patch)).status_code == 400
    assert client.get(f"{DEVICES}/p").headers["etag"] == before


def test_another_media_type_of_patch_is_415_with_accept_patch(client: httpx.Client) -> None:
    add(client, "p")
    answer = client.patch(f"{DEVICES}/p", content="[]", headers={"content-type": "application/json-patch+json"})
    assert (answer.status_code, answer.headers["accept-patch"]) == (415, "application/merge-patch+json")


def test_every_method_on_an_unknown_device_is_404(client: httpx.Client) -> None:
    for name in (str(uuid.uuid4()), "nobody", "192.0.2.77", "%00", "a%2Fb"):
        assert client.get(f"{DEVICES}/{name}").status_code == 404
        assert client.patch(f"{DEVICES}/{name}", json={}).status_code == 404
        assert client.delete(f"{DEVICES}/{name}").status_code == 404


def test_a_removed_device_is_no_target_and_gone_from_the_file(client: httpx.Client, serving: ServiceProcess) -> None:
    add(client, "gone/with a slash")
    assert client.delete(f"{DEVICES}/GONE%2Fwith%20a%20slash").status_code == 204
    assert client.get("/targets").json() == []
    assert "gone" not in secret_of(client, serving)


def test_devices_are_listed_in_pages_by_name_and_chosen_by_a_query(client: httpx.Client) -> None:
    for number in (3, 1, 2):
        add(client, f"dev{number}", agent(f"192.0.2.{number}"), labels={"region": "eu" if number > 1 else "us"})
    whole = client.get(DEVICES)
    assert names(whole) == ["dev1", "dev2", "dev3"]
    assert {key: whole.json()[key] for key in ("page", "size", "pages", "total")} == {
        "page": 1, "size": 100, "pages": 1, "total": 3,
    }  # fmt: skip
    assert "link" not in whole.headers
    assert not any(secret in whole.text for secret in SECRETS)
    second = client.get(DEVICES, params={"size": 2, "page": 2, "query": "dev"})
    assert (names(second), second.json()["pages"]) == (["dev3"], 2)
    assert second.headers["link"] == f'<{DEVICES}?size=2&query=dev&page=1>; rel="prev"'
    assert 'rel="next"' in client.get(DEVICES, params={"size": 2}).headers["link"]
    assert names(client.get(DEVICES, params={"page": 9})) == []
    assert names(client.get(DEVICES, params={"query": "label.region=EU -dev3"})) == ["dev2"]
    assert names(client.get(DEVICES, params={"label.region": "us"})) == ["dev1"]
    for bad in ({"page": 0}, {"size": 0}, {"size": 1001}, {"page": "x"}, {"lable.region": "eu"}, {"query": '"'}):
        answer = client.get(DEVICES, params=bad)
        assert answer.status_code == 400
        assert answer.json()["error"]


def test_a_hundred_writers_at_once_lose_nothing(client: httpx.Client, serving: ServiceProcess) -> None:
    def write(number: int) -> int:
        address = f"198.51.{number // 250}.{number % 250 + 1}"
        with httpx.Client(base_url=serving.url, timeout=60, verify=PLAIN) as own:
            return own.post(DEVICES, json={"sysName": f"w{number:03}", "agents": [agent(address)]}).status_code

    with ThreadPoolExecutor(40) as threads:
        assert set(threads.map(write, range(100))) == {201}
    found = client.get(DEVICES, params={"size": 1000})
    assert names(found) == [f"w{number:03}" for number in range(100)]
    file = secret_of(client, serving)
    assert all(f'"w{number:03}"' in file for number in range(100))
    assert len(client.get("/targets").json()) == 100


def test_counting_up_a_label_with_if_match_counts_every_time(client: httpx.Client, serving: ServiceProcess) -> None:
    add(client, "counter", labels={"n": "0"})

    def count(_: int) -> None:
        with httpx.Client(base_url=serving.url, timeout=60, verify=PLAIN) as own:
            while True:
                read = own.get(f"{DEVICES}/counter")
                labels = {"n": str(int(read.json()["labels"]["n"]) + 1)}
                condition = {"If-Match": read.headers["etag"]}
                answer = own.patch(f"{DEVICES}/counter", json={"labels": labels}, headers=condition)
                if answer.status_code == 200:
                    return
                assert answer.status_code == 412

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(24)))
    assert client.get(f"{DEVICES}/counter").json()["labels"]["n"] == "24"


def test_every_change_is_an_audit_line_without_secrets(client: httpx.Client, serving: ServiceProcess) -> None:
    device = add(client, "audit-me").json()
    client.patch(f"{DEVICES}/audit-me", json={"sysContact": SECRETS[1], "primaryAgent": {"readCommunity": SECRETS[3]}})
    client.delete(f"{DEVICES}/audit-me")
    lines = [line for line in serving.output().splitlines() if device["id"] in line]
    events = ["added", "changed", "removed"]
    assert [f'what="device {what}" device=audit-me' in line for what, line in zip(events, lines, strict=True)] == [
        True
    ] * 3
    assert "fields=sysContact,agents" in lines[1]
    assert all("@127.0.0.1" in line for line in lines)
    assert not any(secret in serving.output() for secret in SECRETS)


def test_the_audit_log_names_a_token_s_caller_without_the_token(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0", "API_TOKEN": "geheimes-zeichen-123"}) as server:
        signed = {"Authorization": "Bearer geheimes-zeichen-123"}
        assert server.client.post(DEVICES, json={"sysName": "x"}).status_code == 401
        assert server.client.post(DEVICES, json={"sysName": "named"}, headers=signed).status_code == 201
        (line,) = [line for line in server.output().splitlines() if "device=named" in line]
        assert "who=anonymous" not in line
        assert "@127.0.0.1" in line
        assert "geheimes" not in server.output()


def test_an_answered_change_survives_a_kill(tmp_path: Path) -> None:
    env = {"COLLECTION_INTERVAL": "0"}
    with ServiceProcess(tmp_path, env=env) as server, ThreadPoolExecutor(8) as threads:
        url, answered = server.url, []

        def write(number: int) -> None:
            with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=url, timeout=30, verify=PLAIN) as own:
                if own.post(DEVICES, json={"sysName": f"k{number:03}"}).status_code == 201:
                    answered.append(f"k{number:03}")
                    if len(answered) == 20:
                        server.process.kill()

        list(threads.map(write, range(60)))
    assert len(answered) >= 20
    with ServiceProcess(tmp_path, env=env) as again:
        assert set(answered) <= set(names(again.client.get(DEVICES, params={"size": 1000})))


def test_a_full_disk_is_503_with_retry_after_and_changes_nothing(tmp_path: Path) -> None:
    limited = ("bash", "-c", 'ulimit -f 8 && exec "$@"', "limited")
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0"}, prefix=limited) as server:
        answer = server.client.post(DEVICES, json={"sysName": "big", "sysDescr": "x" * 20_000})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert names(server.client.get(DEVICES)) == []
        assert server.client.post(DEVICES, json={"sysName": "small"}).status_code == 201


def test_an_added_device_is_polled_at_once_and_shows_its_polling_state(tmp_path: Path) -> None:
    """The interval is an hour, so a regular poll would come too late for this test."""
    folder = tmp_path / "agent"
    folder.mkdir()
    with (
        start_snmpd(folder, communities=(SECRETS[0],)) as snmpd,
        ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "3600000"}) as server,
    ):

        def polling() -> dict[str, str]:
            found = server.client.get(f"{DEVICES}/live").json()["polling"]
            assert isinstance(found, dict)
            return found

        add(server.client, "live", agent("127.0.0.1", snmpd.port))
        wait_until(lambda: polling()["state"] == "up", deadline=30, what="the first poll")
        assert polling()["lastPoll"].endswith("Z")
        patch = {"primaryAgent": {"readCommunity": "wrong", "timeout": 50, "retries": 0}}
        assert server.client.patch(f"{DEVICES}/live", json=patch).status_code == 200
        wait_until(lambda: polling()["state"] == "down", deadline=30, what="the poll with a wrong community")
        assert "answer" in polling()["problem"]
        assert "wrong" not in polling()["problem"]
