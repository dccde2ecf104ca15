"""``/promsnmp/discovery`` over HTTP: the original's requests and responses, and jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from promsnmp.discovery.service import MAX_WAITING_JOBS
from promsnmp.errors import DiscoveryBusy, InventoryUnavailable
from promsnmp.http.routes.discovery import start_search
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import Snmpd, wait_until

PATH = "/promsnmp/discovery"
JOBS = f"{PATH}/jobs"
SECRETS = ("geheim-1", "geheim-auth", "geheim-priv")
COMMUNITY = {"agentType": "snmp-community", "version": "v2c", "port": 161, "readCommunity": SECRETS[0]}
USER = {
    "agentType": "snmp-user", "version": "v3", "port": 161, "securityName": "monitor", "securityLevel": 3,
    "authProtocol": "SHA256", "authPassphrase": SECRETS[1], "privProtocol": "AES256", "privPassphrase": SECRETS[2],
}  # fmt: skip
SILENT = ["127.90.0.1"]


def post(client: httpx.Client, body: object, **query: object) -> httpx.Response:
    return client.post(PATH, json=body, params={key: str(value).lower() for key, value in query.items()})


def job_of(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """The job of an accepted request, once it is over."""
    assert answer.status_code == 202, answer.text
    shown: dict[str, Any] = {}

    def over() -> bool:
        shown.update(client.get(answer.headers["location"]).json())
        return shown["state"] not in ("queued", "running")

    wait_until(over, deadline=60, what="the end of the job")
    return shown


# ------------------------------------------------------------------------------------------------------ requests


def test_the_original_s_body_starts_a_search_that_can_be_followed(
    client: httpx.Client, snmpd: Callable[..., Snmpd]
) -> None:
    agent = snmpd(communities=[SECRETS[0]], extra_conf="sysName alpha\nsysLocation cellar")
    answer = post(client, COMMUNITY | {"potentialTargets": ["127.0.0.1"], "port": agent.port})
    body = answer.json()
    assert body["message"] == "Discovery request accepted."
    assert answer.headers["location"] == body["location"] == f"{JOBS}/{body['jobId']}"
    assert "seedId" not in body
    job = job_of(client, answer)
    assert (job["state"], job["addresses"], job["probed"], job["answered"], job["found"]) == ("finished", 1, 1, 1, 1)
    assert (job["added"], job["errors"], job["targets"]) == (1, {}, ["127.0.0.1"])
    (device,) = job["devices"]
    assert (device["sysName"], device["change"], device["version"]) == ("alpha", "added", "v2c")
    assert device["addresses"] == [f"127.0.0.1:{agent.port}"]
    assert client.get(JOBS).json()[0]["id"] == job["id"]
    shown = client.get(f"/promsnmp/devices/{device['id']}").json()
    assert (shown["sysName"], shown["sysLocation"], shown["vendor"]) == ("alpha", "cellar", "net-snmp")
    assert "ucd_snmp" in shown["detectedModules"]
    assert [group["targets"] for group in client.get("/targets").json()] == [["alpha"]]
    assert post(client, COMMUNITY | {"potentialTargets": ["127.0.0.1"], "port": agent.port}).status_code == 202


def test_the_readme_s_body_and_version_1_mean_v2c(client: httpx.Client, snmpd: Callable[..., Snmpd]) -> None:
    agent = snmpd(extra_conf="sysName beta")
    body = {"snmpConfig": {"version": 1, "readCommunity": "public", "port": agent.port}, "targets": ["127.0.0.1"]}
    (device,) = job_of(client, post(client, body))["devices"]
    assert (device["sysName"], device["version"]) == ("beta", "v2c")


def test_several_credentials_labels_and_modules_go_with_a_request(
    client: httpx.Client, snmpd: Callable[..., Snmpd]
) -> None:
    users = [("monitor", "priv", "SHA-256", SECRETS[1], "AES-256", SECRETS[2])]
    agent = snmpd(communities=[], users=users, extra_conf="sysName gamma")
    body = {
        "potentialTargets": ["127.0.0.1-2"], "port": agent.port, "exclude": ["127.0.0.2"],
        "credentials": [{"readCommunity": SECRETS[0]}, {key: USER[key] for key in USER if key != "port"}],
        "labels": {"site": "a"}, "modules": ["if_mib"],
    }  # fmt: skip
    (found,) = job_of(client, post(client, body))["devices"]
    assert found["version"] == "v3"
    device = client.get(f"/promsnmp/devices/{found['id']}").json()
    assert (device["labels"], device["modules"]) == ({"site": "a"}, ["if_mib"])
    assert device["primaryAgent"]["authPassphrase"] == "******"


BAD = [
    ({}, "potentialTargets: is empty"),
    (COMMUNITY, "potentialTargets: is empty"),
    (COMMUNITY | {"potentialTargets": ["10.0.0.300"]}, "potentialTargets[0]: '10.0.0.300' is not an address"),
    (COMMUNITY | {"potentialTargets": ["10.0.0.0/8"]}, "potentialTargets[0]: '10.0.0.0/8' has 16,777,214 addresses"),
    (COMMUNITY | {"potentialTargets": ["::/64"], "force": True}, "the limit is"),
    (COMMUNITY | {"potentialTargets": SILENT, "exclude": SILENT}, "leaves nothing"),
    (
        COMMUNITY | {"potentialTargets": SILENT, "excludes": SILENT},
        "excludes: is not a key of a request; did you mean exclude",
    ),
    (COMMUNITY | {"potentialTargets": SILENT, "exclude": ["printer"]}, "exclude[0]: 'printer' is a name"),
    (COMMUNITY | {"potentialTargets": SILENT, "port": 0}, "port: must be between 1 and 65535"),
    (COMMUNITY | {"potentialTargets": SILENT, "readCommunity": None}, "readCommunity: is missing"),
    (COMMUNITY | {"potentialTargets": SILENT, "agentType": "snmp-robot"}, "agentType: 'snmp-robot' is neither"),
    (COMMUNITY | {"potentialTargets": SILENT, "version": "v9"}, "version: 'v9' is not a version"),
    (COMMUNITY | {"potentialTargets": SILENT, "targets": SILENT}, "targets: is another name of potentialTargets"),
    (COMMUNITY | {"potentialTargets": SILENT, "neighbours": ["x y"]}, "neighbours[0]"),
    (USER | {"potentialTargets": SILENT, "authPassphrase": "short"}, "authPassphrase: is shorter than 8"),
    ({"targets": SILENT, "snmpConfig": 7}, "snmpConfig: must be an object"),
    ({"targets": SILENT, "snmpConfig": {"readComunity": "x"}}, "snmpConfig.readComunity: is not a key"),
    (
        {"targets": SILENT, "port": 1, "snmpConfig": {"port": 2, "readCommunity": "x"}},
        "snmpConfig.port: is also given as port",
    ),
    ([], "the request must be an object"),
]


@pytest.mark.parametrize(("body", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_a_wrong_request_gets_the_reason_and_changes_nothing(client: httpx.Client, body: object, problem: str) -> None:
    before = [job["id"] for job in client.get(JOBS).json()]
    for query in ({}, {"saveSeed": True}, {"scheduleNow": False}):
        answer = post(client, body, **query)
        assert answer.status_code == 400
        document = answer.json()
        assert problem in document["error"] or any(problem in one for one in document["problems"])
        assert not any(secret in answer.text for secret in SECRETS)
    assert client.get(PATH).json() == []
    assert [job["id"] for job in client.get(JOBS).json()] == before


@pytest.mark.parametrize(("content", "status"), [(b"{", 400), (b"", 400), (b"\xff", 400), (b" " * (9 << 20), 413)])
def test_a_body_that_is_not_a_request_is_refused(client: httpx.Client, content: bytes, status: int) -> None:
    assert client.post(PATH, content=content).status_code == status


def test_all_problems_of_a_request_are_listed_at_once(client: httpx.Client) -> None:
    answer = post(
        client, {"potentialTargets": ["10.0.0.0/4", "x y"], "agentType": "snmp-community", "labels": {"1": "a"}}
    )
    assert answer.status_code == 400
    assert len(answer.json()["problems"]) == 2  # wrong fields; targets are checked later
    answer = post(client, COMMUNITY | {"potentialTargets": ["10.0.0.0/4", "x y"]})
    assert len(answer.json()["problems"]) == 2


# --------------------------------------------------------------------------------------------------------- seeds


def test_a_request_for_later_is_saved_and_shown_without_secrets(client: httpx.Client, serving: ServiceProcess) -> None:
    jobs = [job["id"] for job in client.get(JOBS).json()]
    answer = post(client, USER | {"potentialTargets": SILENT, "credentials": [COMMUNITY_ONLY]}, scheduleNow=False)
    assert answer.status_code == 202
    seed_id = answer.json()["seedId"]
    assert answer.headers["location"] == f"{PATH}/{seed_id}"
    (seed,) = client.get(PATH).json()
    assert client.get(f"{PATH}/{seed_id}").json() == client.get(f"{PATH}/{seed_id.upper()}").json() == seed
    assert (seed["potentialTargets"], seed["version"], seed["securityName"]) == (SILENT, "v3", "monitor")
    assert (seed["authPassphrase"], seed["credentials"][0]["readCommunity"]) == ("******", "******")
    assert [job["id"] for job in client.get(JOBS).json()] == jobs
    assert not any(secret in serving.output() for secret in SECRETS)


COMMUNITY_ONLY = {key: value for key, value in COMMUNITY.items() if key != "port"}


def test_a_seed_is_saved_once_changed_by_its_id_and_deleted(client: httpx.Client) -> None:
    body = COMMUNITY | {"potentialTargets": SILENT}
    first = post(client, body, scheduleNow=False).json()["seedId"]
    assert post(client, body, scheduleNow=False).json()["seedId"] == first
    shown = client.get(f"{PATH}/{first}").json()
    answer = post(client, shown | {"labels": {"site": "b"}}, scheduleNow=False)
    assert answer.json()["seedId"] == first
    (seed,) = client.get(PATH).json()
    assert seed == shown | {"labels": {"site": "b"}}
    exported = client.get("/promsnmp/inventory").json()["discoverySeeds"]
    assert exported == [seed]
    answer = client.delete(f"{PATH}/{first}")
    assert (answer.status_code, answer.text) == (200, f"Seed deleted: {first}")
    assert client.delete(f"{PATH}/{first}").status_code == client.get(f"{PATH}/{first}").status_code == 404


def test_deleting_all_seeds_leaves_devices(client: httpx.Client) -> None:
    client.post(
        "/promsnmp/inventory",
        json={"devices": [{"sysName": "a"}], "discoverySeeds": [COMMUNITY | {"potentialTargets": SILENT}]},
    )
    answer = client.delete(PATH)
    assert (answer.status_code, answer.text) == (200, "All discovery seeds deleted.")
    assert client.get(PATH).json() == []
    assert client.get("/promsnmp/devices").json()["total"] == 1


def test_the_job_of_a_saved_seed_names_the_seed(client: httpx.Client, snmpd: Callable[..., Snmpd]) -> None:
    agent = snmpd()
    answer = post(client, COMMUNITY | {"potentialTargets": ["127.0.0.1"], "port": agent.port}, saveSeed=True)
    assert job_of(client, answer)["seedId"] == answer.json()["seedId"]


# ---------------------------------------------------------------------------------------------------------- jobs


def test_a_search_shows_its_progress_and_can_be_stopped(client: httpx.Client) -> None:
    answer = post(client, COMMUNITY | {"potentialTargets": ["127.92.0.0/14"], "port": 9})
    location = answer.headers["location"]
    wait_until(lambda: client.get(location).json()["probed"] > 100, deadline=60, what="progress")
    job = client.get(location).json()
    assert (job["state"], job["addresses"], job["found"]) == ("running", 2**18 - 2, 0)
    assert job["rate"] > 0
    assert job["timeLeft"] > 1
    assert set(job["errors"]) == {"refused"}
    pools = client.get("/promsnmp/threadPools").json()["snmpDiscoveryExecutor"]
    assert (pools["maxPoolSize"], pools["queueSize"] > 1000) == (5000, True)
    stopped = client.delete(location)
    assert (stopped.status_code, stopped.json()["state"]) == (200, "cancelled")
    assert client.delete(location).json()["state"] == "cancelled"
    assert "timeLeft" not in client.get(location).json()


@pytest.mark.parametrize(
    "path", [f"{JOBS}/x", f"{JOBS}/6a3c1d5e-0000-4000-8000-000000000001", f"{PATH}/x", f"{PATH}/jobs/a/b"]
)
def test_an_unknown_path_or_id_is_404(client: httpx.Client, path: str) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, path)
        assert answer.status_code == 404
        assert answer.json()["path"] == path


def test_searches_are_counted_in_the_metrics(client: httpx.Client, snmpd: Callable[..., Snmpd]) -> None:
    def value(name: str) -> float:
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    agent = snmpd(extra_conf="sysName counted")
    before = value('promsnmp_discovery_devices_total{change="added"}')
    job_of(
        client, post(client, {"targets": ["127.0.0.1"], "snmpConfig": {"readCommunity": "public", "port": agent.port}})
    )
    assert value('promsnmp_discovery_devices_total{change="added"}') == before + 1
    assert value("promsnmp_last_discovery_timestamp") > 1_700_000_000
    assert value("promsnmp_discovery_duration_seconds_count") >= 1
    assert value("promsnmp_discovery_addresses_total") >= 1
    for name in ("promsnmp_discovery_jobs_total", "promsnmp_devices_lost"):
        assert name in client.get("/metrics").text


def test_the_openapi_document_describes_every_discovery_path(client: httpx.Client) -> None:
    document = json.loads(client.get("/v3/api-docs").text)
    assert set(document["paths"][PATH]) == {"get", "post", "delete"}
    assert set(document["paths"][JOBS + "/{job_id}"]) == {"get", "delete"}
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"potentialTargets", "targets", "snmpConfig", "exclude", "credentials"} <= set(body["properties"])
    assert [one["name"] for one in document["paths"][PATH]["post"]["parameters"]] == ["scheduleNow", "saveSeed"]


def test_a_full_queue_is_a_refusal_only_as_long_as_no_seed_is_saved(client: httpx.Client) -> None:
    request = COMMUNITY | {"potentialTargets": ["127.80.0.0/14"]}
    places = []
    while (answer := post(client, request)).status_code == 202:
        places.append(answer.headers["location"])
    try:
        assert len(places) > MAX_WAITING_JOBS
        assert post(client, request, saveSeed=True).status_code == answer.status_code == 503
        assert client.get(PATH).json() == []
    finally:
        for place in reversed(places):
            client.delete(place)


@pytest.mark.parametrize("error", [DiscoveryBusy("full"), InventoryUnavailable("the disk is full")])
async def test_a_search_that_cannot_start_is_a_refusal_only_without_a_saved_seed(error: Exception) -> None:
    assert await start_search(Refusing(error), None, is_saved=True, request_id="") is None  # type: ignore[arg-type]
    with pytest.raises(type(error)):
        await start_search(Refusing(error), None, is_saved=False, request_id="")  # type: ignore[arg-type]


class Refusing:
    """A Discovery that has no room for a search, or cannot write it, since a seed was saved."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def start_durably(self, _: object, *, request_id: str) -> None:
        raise self._error
