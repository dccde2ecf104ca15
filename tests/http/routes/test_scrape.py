"""GET /snmp of the real service, over simulated devices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import User
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.service.service_process import ServiceProcess
from tests.support.tools import free_udp_port, wait_until

OPENMETRICS = "application/openmetrics-text"


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(mib())
    with running(made):
        yield made


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that polls any address, at every scrape."""
    env = {"COLLECTION_INTERVAL": "0", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
    with ServiceProcess(tmp_path_factory.mktemp("live"), env=env) as server:
        yield server


@pytest.fixture(scope="module")
def closed(agent: SimulatedAgent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service that polls only devices of its inventory."""
    endpoint = {"address": "127.0.0.1", "port": agent.port}
    one = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}
    with ServiceProcess(tmp_path_factory.mktemp("closed"), env={"COLLECTION_INTERVAL": "0"}) as server:
        document = {"devices": [{"sysName": "Sw-1.example.net", "agents": [one]}]}
        assert server.client.post("/promsnmp/inventory", json=document).status_code == 200
        yield server


def scrape(server: ServiceProcess, headers: dict[str, str] | None = None, **query: object) -> httpx.Response:
    return server.client.get("/snmp", params={key: str(value) for key, value in query.items()}, headers=headers)


def test_a_name_of_several_devices_is_404_and_lists_their_addresses(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "0", "SNMP_ALLOW_ADHOC_TARGETS": "true"}) as server:
        for address in ("192.0.2.1", "192.0.2.2"):
            one = {"type": "snmp-community", "endpoint": {"address": address}, "version": 1, "readCommunity": "public"}
            server.client.post("/promsnmp/devices", json={"sysName": "twin", "agents": [one]})
        answer = scrape(server, target="TWIN")
        assert answer.status_code == 404
        assert "2 devices have the name 'TWIN'" in answer.text
        assert "192.0.2.1:161, 192.0.2.2:161" in answer.text


def test_an_address_is_polled_with_the_builtin_module_and_auth(live: ServiceProcess, agent: SimulatedAgent) -> None:
    answer = scrape(live, target=agent.target)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'ifInOctets{ifAlias="",ifDescr="port 1",ifIndex="1",ifName=""} 1000\n' in answer.text


def test_both_builtin_auths_work(live: ServiceProcess, agent: SimulatedAgent) -> None:
    for auth in ("public_v1", "public_v2"):
        assert scrape(live, target=agent.target, auth=auth).status_code == 200


def test_modules_are_chosen_by_parameter_in_both_spellings(live: ServiceProcess, agent: SimulatedAgent) -> None:
    joined = scrape(live, target=agent.target, module="system,if_mib,system").text
    repeated = live.client.get(f"/snmp?target={agent.target}&module=system&module=if_mib").text
    for page in (joined, repeated):
        assert "sysDescr{" in page
        assert "ifInOctets{" in page
        assert page.count('promsnmp_module_up{module="system"} 1') == 1


def test_openmetrics_is_served_when_asked_for(live: ServiceProcess, agent: SimulatedAgent) -> None:
    answer = scrape(live, {"Accept": OPENMETRICS}, target=agent.target)
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["ifInOctets"].type == "unknown"
    assert families["interface_utilization"].type == "histogram"


def test_pages_are_compressed_only_when_accepted(live: ServiceProcess, agent: SimulatedAgent) -> None:
    plain = scrape(live, {"Accept-Encoding": "identity"}, target=agent.target)
    packed = scrape(live, {"Accept-Encoding": "gzip"}, target=agent.target)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert "ifInOctets" in packed.text
    assert {"Accept", "Accept-Encoding"} == {one.strip() for one in packed.headers["vary"].split(",")}


def test_simultaneous_scrapes_share_one_poll(live: ServiceProcess, agent: SimulatedAgent) -> None:
    scrape(live, target=agent.target)
    before = agent.requests
    scrape(live, target=agent.target)
    one_poll = agent.requests - before
    agent.delay = 0.05
    try:
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: scrape(live, target=agent.target), range(10)))
    finally:
        agent.delay = 0.0
    assert {answer.status_code for answer in answers} == {200}
    assert agent.requests - before <= 3 * one_poll


def test_a_scrape_answers_before_prometheus_gives_up(live: ServiceProcess) -> None:
    began = time.monotonic()
    silent = SimulatedAgent(mib(), community="another")
    with running(silent):
        answer = scrape(live, {"X-Prometheus-Scrape-Timeout-Seconds": "2"}, target=silent.target)
    assert answer.status_code == 504
    assert "within the 1.5 s" in answer.text
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("", 400, "'target' is missing"),
        ("?target=", 400, "'target' is missing"),
        ("?target=a&target=b", 400, "'target' must be given once"),
        ("?target=127.0.0.1&auth=a&auth=b", 400, "'auth' must be given once"),
        ("?target=127.0.0.1&module=nope", 400, "unknown module 'nope'; known: "),
        ("?target=127.0.0.1&auth=nope", 400, "unknown auth 'nope'; known: "),
        ("?target=127.0.0.1:99999", 400, "is not a port"),
        ("?target=http://a/b", 400, "is not a port"),
        ("?target=1.2.3", 400, "not an IPv4 address"),
        ("?target=[::1", 400, "brackets"),
        ("?target=no-such-name.invalid", 400, "does not resolve"),
        ("?target=%00", 400, "neither an address nor a name"),
    ],
)
def test_a_wrong_request_gets_the_reason(live: ServiceProcess, query: str, status: int, says: str) -> None:
    answer = live.client.get(f"/snmp{query}")
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_nothing_listening_is_a_bad_gateway_with_the_reason(live: ServiceProcess) -> None:
    answer = scrape(live, target=f"127.0.0.1:{free_udp_port()}")
    assert answer.status_code == 502
    assert "connection refused" in answer.text


def test_only_get_and_head_are_allowed(live: ServiceProcess, agent: SimulatedAgent) -> None:
    answer = live.client.post("/snmp", params={"target": agent.target})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    head = live.client.head("/snmp", params={"target": agent.target})
    assert head.status_code == 200
    assert head.content == b""


@pytest.mark.parametrize("spelling", ["Sw-1.example.net", "sw-1.EXAMPLE.net", "127.0.0.1", "127.0.0.1:{port}"])
def test_a_device_is_found_by_name_address_and_port(
    closed: ServiceProcess, agent: SimulatedAgent, spelling: str
) -> None:
    answer = scrape(closed, target=spelling.format(port=agent.port))
    assert answer.status_code == 200
    assert "sysDescr{" in answer.text
    assert "ifInOctets{" in answer.text


def test_an_address_outside_the_inventory_is_not_polled(closed: ServiceProcess) -> None:
    other = SimulatedAgent(mib())
    with running(other):
        answer = scrape(closed, target=other.target)
        assert answer.status_code == 404
        assert "SNMP_ALLOW_ADHOC_TARGETS" in answer.text
        assert other.requests == 0


@pytest.mark.parametrize(
    "spelling", ["localhost:{port}", "udp://127.0.0.1:{port}", "127.0.0.2:{port}", "[::ffff:127.0.0.1]:{port}"]
)
def test_no_spelling_of_an_address_opens_the_inventory(closed: ServiceProcess, spelling: str) -> None:
    other = SimulatedAgent(mib())
    with running(other):
        for path in ("/snmp", "/metrics"):
            query = {"target": spelling.format(port=other.port), "auth": "public_v2"}
            assert closed.client.get(path, params=query).status_code == 404
        assert other.requests == 0


def test_a_device_of_the_inventory_is_asked_with_its_own_credentials_only(
    closed: ServiceProcess, agent: SimulatedAgent
) -> None:
    for auth in ("public_v1", "no_such_auth"):
        assert scrape(closed, target="sw-1.example.net", auth=auth).status_code == 200


def test_other_addresses_may_be_limited_to_networks(
    agent: SimulatedAgent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    env = {
        "COLLECTION_INTERVAL": "0",
        "SNMP_ALLOW_ADHOC_TARGETS": "true",
        "SNMP_ADHOC_NETWORKS": "127.0.0.0/30, 2001:db8::/32",
    }
    with ServiceProcess(tmp_path_factory.mktemp("networks"), env=env) as server:
        for host in ("127.0.0.1", "localhost"):
            assert scrape(server, target=f"{host}:{agent.port}").status_code == 200
        for host in ("127.0.0.4", "192.0.2.1", "[::1]", "[::ffff:192.0.2.1]", "169.254.169.254"):
            answer = scrape(server, target=f"{host}:{agent.port}")
            assert answer.status_code == 400
            assert "outside the allowed networks" in answer.text


def test_the_cache_is_counted_and_can_be_emptied(
    agent: SimulatedAgent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    env = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "60000", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
    with ServiceProcess(tmp_path_factory.mktemp("cached"), env=env) as server:
        for _ in range(3):
            scrape(server, target=agent.target)
        asked = agent.requests
        own = server.client.get("/metrics").text
        assert 'cache_gets_total{cache="metrics",result="hit"} 2.0' in own
        assert 'cache_gets_total{cache="metrics",result="miss"} 1.0' in own
        assert 'cache_size{cache="metrics"} 1.0' in own
        server.client.get("/promsnmp/evictCache")
        scrape(server, target=agent.target)
        assert agent.requests > asked


def test_a_page_older_than_its_lifetime_is_never_served(
    agent: SimulatedAgent, tmp_path_factory: pytest.TempPathFactory
) -> None:
    env = {"COLLECTION_INTERVAL": "0", "CACHE_EXP_MILLIS": "200", "SNMP_ALLOW_ADHOC_TARGETS": "true"}
    with ServiceProcess(tmp_path_factory.mktemp("short"), env=env) as server:
        scrape(server, target=agent.target)
        asked = agent.requests
        time.sleep(0.25)  # the lifetime itself
        scrape(server, target=agent.target)
        assert agent.requests > asked


def test_module_auto_picks_the_modules_that_fit_an_address(live: ServiceProcess, agent: SimulatedAgent) -> None:
    page = scrape(live, target=agent.target, module="auto").text
    assert 'promsnmp_module_up{module="system"} 1' in page
    assert 'promsnmp_module_up{module="if_mib"} 1' in page


def test_other_modules_than_the_polled_ones_are_as_fresh_as_those(agent: SimulatedAgent, tmp_path: Path) -> None:
    endpoint = {"address": "127.0.0.1", "port": agent.port}
    one = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "400"}) as server:
        document = {"devices": [{"sysName": "a", "agents": [one]}]}
        assert server.client.post("/promsnmp/inventory", json=document).status_code == 200
        first = scrape(server, target="a", module="system").text
        assert "ifInOctets" not in first
        wait_until(lambda: scrape(server, target="a", module="system").text != first, what="another poll")


def test_detected_modules_reach_the_inventory_and_the_targets(agent: SimulatedAgent, tmp_path: Path) -> None:
    endpoint = {"address": "127.0.0.1", "port": agent.port}
    one = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public"}
    with ServiceProcess(tmp_path, env={"COLLECTION_INTERVAL": "1000"}) as server:

        def labels() -> dict[str, str]:
            (group,) = server.client.get("/targets").json()
            return dict(group["labels"])

        document = {"devices": [{"sysName": "a", "agents": [one]}]}
        assert server.client.post("/promsnmp/inventory", json=document).status_code == 200
        assert "__meta_promsnmp_module" not in labels()
        wait_until(lambda: labels().get("__meta_promsnmp_module") == "system,if_mib", what="the finding", deadline=60)
        assert "__param_module" not in labels()
        (device,) = server.client.get("/promsnmp/inventory").json()["devices"]
        assert (device["sysDescr"], device["detectedModules"]) == ("a small device", ["system", "if_mib"])
        asked = agent.requests
        page = scrape(server, target="a").text
        wait_until(lambda: scrape(server, target="a").text != page, what="another poll", deadline=60)
        assert agent.requests > asked


V3 = """
auths:
  v3: {version: 3, username: reader, context_name: ""}
modules:
  name:
    walk: [1.3.6.1.2.1.1.5]
    timeout: 300ms
    retries: 0
    metrics: [{name: n, oid: 1.3.6.1.2.1.1.5, type: DisplayString}]
"""


@pytest.mark.parametrize("value", ["", ",", "%20"])
def test_an_empty_module_parameter_is_refused_and_counted(
    live: ServiceProcess, agent: SimulatedAgent, value: str
) -> None:
    def errors() -> float:
        page = live.client.get("/metrics", headers={"Accept": "text/plain"}).text
        return float(page.split("\nsnmp_request_errors_total ")[1].split("\n")[0])

    before = errors()
    answer = live.client.get(f"/snmp?target={agent.target}&module={value}")
    assert answer.status_code == 400
    assert "'module' names no module" in answer.text
    assert errors() == before + 1


@pytest.mark.parametrize("parameter", ["snmp_context=a&snmp_context=b", "snmp_engineid=80&snmp_engineid=80"])
def test_context_parameters_are_given_once(live: ServiceProcess, agent: SimulatedAgent, parameter: str) -> None:
    answer = live.client.get(f"/snmp?target={agent.target}&{parameter}")
    assert answer.status_code == 400
    assert "must be given once" in answer.text


@pytest.mark.parametrize("text", ["80", "xyz", "80" * 33])
def test_an_engine_id_is_octets_in_hexadecimal(live: ServiceProcess, agent: SimulatedAgent, text: str) -> None:
    answer = scrape(live, target=agent.target, snmp_engineid=text)
    assert answer.status_code == 400
    assert "5 to 32 octets" in answer.text


def test_each_context_has_a_page_of_its_own(tmp_path: Path) -> None:
    objects = {"1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, b"one")}
    engine = bytes.fromhex("8000000001020304")
    file = tmp_path / "snmp.yml"
    file.write_text(V3)
    env = {"SNMP_CONFIG_FILES": str(file), "SNMP_ALLOW_ADHOC_TARGETS": "true", "COLLECTION_INTERVAL": "0"}
    device = SimulatedAgent(Mib.of(objects), users=[User("reader")], engine_id=engine)
    assert device.usm is not None
    device.usm.contexts = ["", "vrf-1"]
    with running(device), ServiceProcess(tmp_path, env=env) as server:

        def status(**query: str) -> int:
            asked = {"target": device.target, "auth": "v3", "module": "name", **query}
            return server.client.get("/snmp", params=asked).status_code

        assert status() == 200
        assert status(snmp_context="vrf-1") == 200
        assert status(snmp_context="vrf-2") >= 500
        assert status(snmp_engineid=engine.hex()) == 200
        assert status(snmp_engineid="8000000099999999") >= 500
        assert status() == 200
