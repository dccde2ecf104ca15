"""From a device to its page, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.errors import ErrorStatus, ModuleError, SnmpRefused, SnmpTimeout, StrictFailure
from promsnmp.inventory.modules import AUTO
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.observe.exporter_counts import ExporterCounts
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.poll import PollResult
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Version
from promsnmp.snmp.traffic import Traffic
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.behaviours import status, too_big_above
from tests.support.agents.hostile import Behaviour, HostileAgent, Reply, Request, after
from tests.support.agents.polled_devices import collector, mib, target_of
from tests.support.tools import free_udp_port


def samples(page: RenderedPage) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(page.plain(Format.TEXT).decode()):
        for sample in family.samples:
            name = sample.name.removesuffix("_total")  # which the parser adds to counters
            found.setdefault(name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def _constant(octets: int) -> Callable[[int], int]:
    return lambda _: octets


def deadline() -> float:
    return asyncio.get_running_loop().time() + 5


async def test_a_page_has_the_devices_samples_with_their_labels() -> None:
    async with SimulatedAgent(mib()) as agent:
        page, problem = await collector().collect(target_of(agent), deadline=deadline())
    assert problem is None
    found = samples(page)
    labels = {"ifIndex": "2", "ifDescr": "port 2", "ifName": "", "ifAlias": ""}
    assert found["ifInOctets"][frozenset(labels.items())] == 2000
    assert found["sysUpTime"][frozenset()] == 4711
    assert found["promsnmp_module_up"][frozenset({("module", "if_mib")})] == 1
    assert found["snmp_scrape_pdus_returned"][frozenset({("module", "if_mib")})] == 12


async def test_a_v1_agent_gives_the_same_samples_as_a_v2c_agent() -> None:
    one = collector()
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        second, _ = await one.collect(target, deadline=deadline())
        v1 = replace(target, key="v1", credentials=Community(Version.V1))
        first, problem = await one.collect(v1, deadline=deadline())
    assert problem is None
    assert samples(first)["ifInOctets"] == samples(second)["ifInOctets"]


async def test_several_modules_share_one_page_and_no_subtree_is_walked_twice() -> None:
    async with SimulatedAgent(mib()) as agent:
        page, problem = await collector().collect(target_of(agent, "system", "if_mib"), deadline=deadline())
    assert problem is None
    found = samples(page)
    assert {dict(labels)["module"] for labels in found["promsnmp_module_up"]} == {"system", "if_mib"}
    assert page.plain(Format.TEXT).count(b"\nsysUpTime ") == 1
    assert "promsnmp_page_dropped_values" not in found


async def test_the_histogram_grows_from_poll_to_poll() -> None:
    one = collector()
    async with SimulatedAgent(mib()) as agent:
        target, pages = target_of(agent), list[RenderedPage]()
        for octets in (1000, 5000, 9000):
            agent.mib = mib(octets=_constant(octets))
            pages.append((await one.collect(target, deadline=deadline()))[0])
    counts = samples(pages[-1])["interface_utilization_count"]
    assert set(counts.values()) == {2.0}


async def test_a_device_that_refuses_is_an_error_that_says_so() -> None:
    port = free_udp_port()
    async with SimulatedAgent(mib()) as agent:
        target = replace(target_of(agent), endpoint=SnmpEndpoint("127.0.0.1", port))
        with pytest.raises(SnmpRefused, match=f"127.0.0.1:{port}: connection refused"):
            await collector().collect(target, deadline=deadline())


async def test_a_wrong_community_is_an_error_and_not_an_empty_page() -> None:
    async with SimulatedAgent(mib()) as agent:
        with pytest.raises(SnmpTimeout, match="community"):
            await collector().collect(target_of(agent, community="wrong"), deadline=deadline())


async def test_an_unknown_module_names_those_that_exist() -> None:
    async with SimulatedAgent(mib()) as agent:
        with pytest.raises(ModuleError, match=r"unknown module 'nope'; known: .*if_mib"):
            await collector().collect(target_of(agent, "nope"), deadline=deadline())


async def test_a_walk_that_ends_early_is_reported_and_the_rest_served() -> None:
    async with HostileAgent(after(2, status(5))) as agent:
        target = Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("if_mib",), 0.2, 1)
        page, problem = await collector().collect(target, deadline=deadline())
    assert "genErr" in str(problem)
    found = samples(page)
    assert found["promsnmp_module_up"][frozenset({("module", "if_mib")})] == 0
    assert "ifIndex" in found


async def test_too_big_is_remembered_for_the_next_poll() -> None:
    one = collector()
    async with HostileAgent(too_big_above(7)) as agent:
        target = Target("k", "n", SnmpEndpoint(agent.address, agent.port), Community(), ("if_mib",), 0.2, 1)
        page, problem = await one.collect(target, deadline=deadline())
        assert problem is None
        assert len(samples(page)["ifInOctets"]) == 40
        first = len(agent.requests)
        await one.collect(target, deadline=deadline())
        assert len(agent.requests) - first < first
    assert one.states.of(target).limits.max_repetitions <= 7


async def test_values_that_are_not_numbers_are_left_out_and_counted() -> None:
    one = collector()
    objects = {
        "1.3.6.1.2.1.2.2.1.10.1": ber.tlv(ber.OCTET_STRING, b"many"),
        "1.3.6.1.2.1.2.2.1.10.2": ber.encode_integer(5, ber.COUNTER32),
    }
    async with SimulatedAgent(Mib.of(objects)) as agent:
        page, problem = await one.collect(target_of(agent), deadline=deadline())
    assert problem is None
    found = samples(page)
    assert list(found["ifInOctets"].values()) == [5]
    assert found["promsnmp_page_dropped_values"] == {frozenset({("reason", "not_a_number")}): 1}
    assert one.dropped == {"not_a_number": 1}


FILTERED = """
modules:
  filtered:
    walk: [1.3.6.1.2.1.2.2.1.2, 1.3.6.1.2.1.2.2.1.10]
    filters: [{oid: 1.3.6.1.2.1.2.2.1.2, targets: [1.3.6.1.2.1.2.2.1.10], values: ["2$"]}]
    metrics:
      - {name: octets, oid: 1.3.6.1.2.1.2.2.1.10, type: counter, indexes: [{labelname: port}]}
      - {name: name, oid: 1.3.6.1.2.1.2.2.1.2, type: DisplayString, indexes: [{labelname: port}]}
"""


async def test_a_filter_leaves_the_rows_that_match_and_walks_nothing_twice() -> None:
    read = read_text(FILTERED, source="filtered.yml")
    one = Collector(CatalogueStore(Catalogue(read.modules, read.auths)), CollectorOptions())
    async with SimulatedAgent(mib(4)) as agent:
        page, problem = await one.collect(target_of(agent, "filtered"), deadline=deadline())
    assert problem is None
    found = samples(page)
    assert found["octets"] == {frozenset({("port", "2")}): 2000}
    assert len(found["name"]) == 4
    labels = frozenset({("module", "filtered")})
    assert found["promsnmp_module_up"][labels] == 1
    assert found["snmp_scrape_pdus_returned"][labels] == 5
    assert found["snmp_scrape_packets_sent"][labels] == 2


def _module(text: str) -> CatalogueStore:
    found = read_text(f"modules: {{m: {text}}}", source="test").modules
    return CatalogueStore(Catalogue(dict(found), {}))


OCTETS = "oid: 1.3.6.1.2.1.2.2.1.10, type: counter, help: h"
TWICE = f"{{walk: [1.3.6.1.2.1.2], metrics: [{{name: a, {OCTETS}}}]}}"
TWO_HELPS = (
    f"{{walk: [1.3.6.1.2.1.2], metrics: [{{name: a, {OCTETS}, indexes: [{{labelname: row}}]}}, "
    "{name: a, oid: 1.3.6.1.2.1.2.1, type: counter, help: other}]}"
)


@pytest.mark.parametrize(("text", "says"), [(TWICE, "duplicate series: 1 "), (TWO_HELPS, "types or help texts: a")])
async def test_a_strict_page_has_no_duplicates(text: str, says: str) -> None:
    catalogue_store = _module(text)
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent, "m")
        page, problem = await Collector(catalogue_store, CollectorOptions()).collect(target, deadline=deadline())
        assert problem is None
        assert samples(page)["a"]
        with pytest.raises(StrictFailure, match=says):
            await Collector(catalogue_store, CollectorOptions(strict=True)).collect(target, deadline=deadline())


async def test_a_strict_page_is_complete_except_for_walks_ended_by_an_error_status() -> None:
    strict = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(strict=True))
    async with HostileAgent(after(1, status(5))) as agent:
        target = Target(
            "d", "d", SnmpEndpoint(agent.address, agent.port), Community(), ("if_mib",), timeout=0.2, retries=0
        )
        with pytest.raises(StrictFailure, match=r"incomplete poll: .*genErr"):  # if_mib also fetches an object
            await strict.collect(target, deadline=deadline())
        walk_only = replace(target, modules=("bridge",))
        agent.requests.clear()
        page, problem = await strict.collect(walk_only, deadline=deadline())
        assert isinstance(problem, ErrorStatus)
        assert samples(page)["promsnmp_module_up"] == {frozenset({("module", "bridge")}): 0}


async def test_without_own_metrics_a_page_has_snmp_exporters_families_only() -> None:
    plain = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(own_metrics=False))
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        await plain.collect(target, deadline=deadline())
        page, _ = await plain.collect(target, deadline=deadline())
        assert plain.states.of(target).render_state.utilization.current_series()
    names = set(samples(page))
    assert {name for name in names if name.startswith("snmp_scrape_")} == {
        f"snmp_scrape_{name}"
        for name in ("walk_duration_seconds", "packets_sent", "packets_retried", "pdus_returned", "duration_seconds")
    }
    assert not any(name.startswith(("promsnmp_", "interface_utilization")) for name in names)


async def test_requests_are_sent_from_the_configured_address() -> None:
    collector = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(source_address="192.0.2.1"))
    async with SimulatedAgent(mib()) as agent:
        with pytest.raises(SnmpRefused, match=r"source address 192\.0\.2\.1 "):
            await collector.collect(target_of(agent), deadline=deadline())


@dataclass
class Observed:
    """An observer that counts."""

    requests: int = 0
    responses: int = 0
    result: PollResult | None = None
    sent: int = 0

    def on_request(self, pdu: bytes) -> None:
        self.requests += 1

    def on_response(self, buffer: bytes, pdu: ber.Pdu) -> None:
        self.responses += 1

    def on_poll_end(self, result: PollResult, traffic: Traffic) -> None:
        self.result, self.sent = result, traffic.sent


async def test_an_observer_sees_every_request_and_response_of_the_poll_and_not_of_detection() -> None:
    observed = Observed()
    async with SimulatedAgent(mib()) as agent:
        await collector().collect(target_of(agent, AUTO), deadline=deadline(), observer=observed)
        assert agent.requests > observed.requests == observed.responses == observed.sent > 0
    assert observed.result is not None
    assert observed.result.error is None


async def test_an_observer_sees_the_end_of_a_poll_that_failed() -> None:
    observed = Observed()
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent, community="wrong")
        with pytest.raises(SnmpTimeout):
            await collector().collect(target, deadline=deadline(), observer=observed)
    assert (observed.requests, observed.responses, observed.sent) == (2, 0, 2)
    assert observed.result is not None
    assert isinstance(observed.result.error, SnmpTimeout)


async def test_modules_that_are_reloaded_during_a_poll_leave_no_old_labels() -> None:
    def modules(label: str) -> Catalogue:
        text = f"{{walk: [1.3.6.1.2.1.2], metrics: [{{name: a, {OCTETS}, indexes: [{{labelname: {label}}}]}}]}}"
        return _module(text).current

    catalogue_store = CatalogueStore(modules("old"))
    one = Collector(catalogue_store, CollectorOptions())

    def reload(request: Request) -> list[Reply | bytes]:
        if not catalogue_store.generation:
            catalogue_store.replace(modules("new"))
            one.plan(("m",))  # as a poll of another target does
        return [request.honest]

    async with HostileAgent(Behaviour("reloads", reload)) as agent:
        target = Target("d", "d", SnmpEndpoint(agent.address, agent.port), Community(), ("m",), timeout=1)
        pages = [(await one.collect(target, deadline=deadline()))[0] for _ in range(2)]
    names = [{name for labels in samples(page)["a"] for name, _ in labels} for page in pages]
    assert names == [{"old"}, {"new"}]


async def test_polls_count_packets_and_modules_as_snmp_exporter_does() -> None:
    counts = ExporterCounts()
    polls = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(), counts=counts)
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent)
        await polls.collect(target, deadline=deadline())
    assert counts.packets == counts.packet_seconds.count > 0
    assert counts.collections["if_mib"].count == 1
    closed = replace(target, endpoint=SnmpEndpoint("127.0.0.1", free_udp_port()))
    with pytest.raises(SnmpRefused):
        await polls.collect(closed, deadline=deadline())
    assert counts.packets > counts.packet_seconds.count
    assert counts.collections["if_mib"].count == 2
