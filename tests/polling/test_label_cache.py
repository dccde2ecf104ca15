"""Label columns are read less often than counters, and at once when there is a reason: over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.inventory.model import PollOverrides
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.model import Module
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community, Version
from tests.support.agents.polled_devices import target_of
from tests.support.tools import require_shared

IF_ENTRY, IF_X_ENTRY = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
UP_TIME, NUMBER, TABLE_CHANGE, STACK_CHANGE = (
    *("1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.2.1.0"),
    *("1.3.6.1.2.1.31.1.5.0", "1.3.6.1.2.1.31.1.6.0"),
)
PORTS = range(1, 101)
EVERY = 10
OWN = (b"snmp_scrape_", b"promsnmp_", b"# HELP snmp_scrape_")


def text(value: str) -> bytes:
    return ber.tlv(ber.OCTET_STRING, value.encode())


def ticks(value: int) -> bytes:
    return ber.encode_integer(value, ber.TIME_TICKS)


class Switch:
    """A device whose objects can be changed between polls; counters grow with each poll."""

    def __init__(self, ports: range = PORTS) -> None:
        self.ports = list(ports)
        self.alias = dict.fromkeys(ports, "spare")
        self.indicators: dict[str, bytes] = {
            UP_TIME: ticks(5000),
            NUMBER: ber.encode_integer(len(ports)),
            TABLE_CHANGE: ticks(100),
            STACK_CHANGE: ticks(100),
        }
        self.polls = 0

    def mib(self) -> Mib:
        self.polls += 1
        objects = dict(self.indicators)
        for port in self.ports:
            count = ber.encode_integer(self.polls * 1000 + port, ber.COUNTER32)
            for column in (3, 5, 8, 10, 16):
                objects[f"{IF_ENTRY}.{column}.{port}"] = count
            for column in (2, 3, 4, 5, 15):
                objects[f"{IF_X_ENTRY}.{column}.{port}"] = count
            objects[f"{IF_ENTRY}.1.{port}"] = ber.encode_integer(port)
            objects[f"{IF_ENTRY}.2.{port}"] = text(f"port {port}")
            objects[f"{IF_X_ENTRY}.1.{port}"] = text(f"p{port}")
            objects[f"{IF_X_ENTRY}.18.{port}"] = text(self.alias.get(port, ""))
        return Mib.of(objects)


LABELS = 3 * len(PORTS)
"""Varbinds of all label columns."""


class Polls:
    """One device of the inventory that is polled repeatedly."""

    def __init__(self, agent: SimulatedAgent, switch: Switch, **options: object) -> None:
        self.agent = agent
        self.switch = switch
        self.catalogue_store = CatalogueStore(options.pop("catalogue", None) or builtin_catalogue())  # type: ignore[arg-type]
        self.collector = Collector(self.catalogue_store, CollectorOptions(label_refresh=EVERY, **options))  # type: ignore[arg-type]
        self.target: Target = replace(target_of(agent, "if_mib", managed=True), timeout=5.0)
        self.varbinds = 0
        self.requests = 0

    async def poll(self) -> Mapping[str, dict[str, Mapping[str, str]]]:
        """The page's labels: by family, then by ifIndex."""
        self.agent.mib = self.switch.mib()
        varbinds, requests = self.agent.varbinds, self.agent.requests
        deadline = asyncio.get_running_loop().time() + 20
        page, problem = await self.collector.collect(self.target, deadline=deadline)
        assert problem is None
        self.varbinds, self.requests = self.agent.varbinds - varbinds, self.agent.requests - requests
        found: dict[str, dict[str, Mapping[str, str]]] = {}
        for family in text_string_to_metric_families(page.plain(Format.TEXT).decode()):
            for sample in family.samples:
                name = sample.name.removesuffix("_total")
                found.setdefault(name, {})[sample.labels.get("ifIndex", "")] = {
                    **sample.labels,
                    "=": f"{sample.value:g}",
                }
        return found

    async def label(self, port: int, name: str = "ifAlias") -> str:
        """A label of a port's counter, after one more poll."""
        return (await self.poll())["ifInOctets"][str(port)][name]


@pytest.fixture
async def polls() -> AsyncIterator[Polls]:
    async with SimulatedAgent(Mib.of({})) as agent:
        yield Polls(agent, Switch())


async def test_labels_are_read_at_every_tenth_poll_and_counters_at_each(polls: Polls) -> None:
    sizes, values = [], []
    for _ in range(2 * EVERY + 1):
        page = await polls.poll()
        sizes.append(polls.varbinds)
        values.append(page["ifInOctets"]["7"])
    whole = sizes[0]
    assert [at for at, size in enumerate(sizes) if size == whole] == [0, EVERY, 2 * EVERY]
    assert all(whole - LABELS - 4 <= size <= whole - len(PORTS) for size in sizes if size != whole)
    assert [one["="] for one in values] == [f"{(at + 1) * 1000 + 7}" for at in range(2 * EVERY + 1)]
    assert {(one["ifDescr"], one["ifName"], one["ifAlias"]) for one in values} == {("port 7", "p7", "spare")}


async def test_a_poll_with_cached_labels_has_the_same_page_as_a_full_one(polls: Polls) -> None:
    await polls.poll()
    lean = await polls.poll()
    assert polls.varbinds < 10_000
    polls.collector = Collector(polls.catalogue_store, CollectorOptions())
    polls.switch.polls -= 1
    full = await polls.poll()
    own = ("snmp_scrape_", "promsnmp_", "interface_utilization")
    assert {name: rows for name, rows in lean.items() if not name.startswith(own)} == {
        name: rows for name, rows in full.items() if not name.startswith(own)
    }


async def test_a_changed_alias_without_an_indicator_is_seen_by_the_tenth_poll(polls: Polls) -> None:
    await polls.poll()
    polls.switch.alias[7] = "uplink"
    assert [await polls.label(7) for _ in range(EVERY)] == ["spare"] * (EVERY - 1) + ["uplink"]


def _table_changed(switch: Switch) -> None:
    switch.indicators[TABLE_CHANGE] = ticks(4000)


def _stack_changed(switch: Switch) -> None:
    switch.indicators[STACK_CHANGE] = ticks(4000)


def _number_changed(switch: Switch) -> None:
    switch.indicators[NUMBER] = ber.encode_integer(99)


def _rebooted(switch: Switch) -> None:
    switch.indicators[UP_TIME] = ticks(10)


def _row_added(switch: Switch) -> None:
    switch.ports.append(150)


def _row_gone(switch: Switch) -> None:
    switch.ports.remove(20)


def _row_exchanged(switch: Switch) -> None:
    switch.ports = [*switch.ports[:-1], 150]


@pytest.mark.parametrize(
    "change",
    [_table_changed, _stack_changed, _number_changed, _rebooted, _row_added, _row_gone, _row_exchanged],
)
async def test_labels_are_read_at_once_when_there_is_a_reason(polls: Polls, change: Callable[[Switch], None]) -> None:
    await polls.poll()
    polls.switch.alias[7] = "old"
    assert await polls.label(7) == "spare"
    polls.switch.alias |= {7: "uplink", 150: "new"}
    change(polls.switch)
    page = await polls.poll()
    assert page["ifInOctets"]["7"]["ifAlias"] == "uplink"
    assert set(page["ifInOctets"]) == {str(port) for port in polls.switch.ports}
    if 150 in polls.switch.ports:
        assert page["ifInOctets"]["150"]["ifDescr"] == "port 150"
        assert page["ifType_info"]["150"]["ifAlias"] == "new"
    await polls.poll()
    polls.switch.alias[7] = "again"
    assert await polls.label(7) == "uplink"


async def test_growing_uptime_does_not_reread_labels(polls: Polls) -> None:
    await polls.poll()
    polls.switch.alias[7] = "uplink"
    polls.switch.indicators[UP_TIME] = ticks(6000)
    assert await polls.label(7) == "spare"


async def test_after_an_incomplete_poll_everything_is_read(polls: Polls) -> None:
    await polls.poll()
    await polls.poll()
    polls.switch.alias[7] = "uplink"
    polls.agent.close()
    deadline = asyncio.get_running_loop().time() + 20
    with pytest.raises(Exception, match="connection refused"):
        await polls.collector.collect(polls.target, deadline=deadline)
    await polls.agent.start(port=polls.target.endpoint.port)
    assert await polls.label(7) == "uplink"


async def test_after_a_reload_everything_is_read(polls: Polls) -> None:
    await polls.poll()
    polls.switch.alias[7] = "uplink"
    polls.catalogue_store.replace(builtin_catalogue())
    assert await polls.label(7) == "uplink"


async def test_after_a_change_of_the_target_everything_is_read(polls: Polls) -> None:
    await polls.poll()
    polls.switch.alias[7] = "uplink"
    polls.target = replace(polls.target, credentials=Community(Version.V1))
    assert await polls.label(7) == "uplink"
    polls.switch.alias[7] = "downlink"
    assert await polls.label(7) == "uplink"


async def test_labels_have_a_maximum_age_however_seldom_a_device_is_polled(polls: Polls) -> None:
    polls.collector = Collector(polls.catalogue_store, CollectorOptions(label_refresh=EVERY, label_age=0.0))
    await polls.poll()
    polls.switch.alias[7] = "uplink"
    assert await polls.label(7) == "uplink"


@pytest.mark.parametrize("managed", [True, False])
async def test_ad_hoc_targets_and_a_refresh_of_1_read_everything(polls: Polls, managed: bool) -> None:
    polls.target = replace(polls.target, managed=managed)
    polls.collector = Collector(polls.catalogue_store, CollectorOptions(label_refresh=1 if managed else EVERY))
    await polls.poll()
    whole = polls.varbinds
    polls.switch.alias[7] = "uplink"
    assert await polls.label(7) == "uplink"
    assert polls.varbinds == whole


async def test_a_table_whose_rows_change_is_read_completely_until_it_is_stable(polls: Polls) -> None:
    await polls.poll()
    seen = []
    for number, last in enumerate((99, 98, 97, 97, 97)):
        polls.switch.ports = list(range(1, last + 1))
        polls.switch.alias[7] = f"v{number}"
        seen.append(await polls.label(7))
    assert seen == ["v0", "v1", "v2", "v3", "v3"]


async def test_a_device_without_change_indicators_is_not_asked_for_them_at_every_poll(polls: Polls) -> None:
    del polls.switch.indicators[TABLE_CHANGE], polls.switch.indicators[STACK_CHANGE]
    await polls.poll()
    first = polls.varbinds
    await polls.poll()
    assert polls.varbinds < first - 2
    polls.switch.ports.append(150)
    assert await polls.label(150, "ifDescr") == "port 150"


async def test_a_small_table_is_read_completely_as_that_costs_no_more(polls: Polls) -> None:
    polls.switch = Switch(range(1, 4))
    await polls.poll()
    polls.switch.alias[2] = "uplink"
    assert await polls.label(2) == "uplink"
    cost = polls.varbinds, polls.requests
    polls.collector = Collector(polls.catalogue_store, CollectorOptions())
    await polls.poll()
    assert cost == (polls.varbinds, polls.requests)


def catalogue(text_of_module: str) -> Catalogue:
    modules: dict[str, Module] = dict(read_text(f"modules: {{if_mib: {text_of_module}}}", source="test").modules)
    return Catalogue(modules, {})


CHAIN = """
{walk: [1.3.6.1.4.1.1.1, 1.3.6.1.4.1.1.2, 1.3.6.1.4.1.1.3], max_repetitions: 1, metrics: [
  {name: ifInOctets, oid: 1.3.6.1.4.1.1.1, type: gauge, indexes: [{labelname: ifIndex}], lookups: [
    {labels: [ifIndex], labelname: unit, oid: 1.3.6.1.4.1.1.2},
    {labels: [unit], labelname: ifAlias, oid: 1.3.6.1.4.1.1.3, type: DisplayString}]}%s]}
"""


class Units(Switch):
    """A table whose labels are found through another column."""

    def __init__(self) -> None:
        super().__init__(range(1, 3))
        self.unit = 1

    def mib(self) -> Mib:
        self.polls += 1
        objects = {UP_TIME: ticks(1)}
        for row in (1, 2):
            objects[f"1.3.6.1.4.1.1.1.{row}"] = ber.encode_integer(self.polls)
            objects[f"1.3.6.1.4.1.1.2.{row}"] = ber.encode_integer(self.unit)
            objects[f"1.3.6.1.4.1.1.3.{row}"] = text(f"unit {row} {self.alias[row]}")
        return Mib.of(objects)


async def test_walks_of_labels_only_are_omitted_and_chains_stay_complete(polls: Polls) -> None:
    chained = Polls(polls.agent, Units(), catalogue=catalogue(CHAIN % ""))
    assert await chained.label(2) == "unit 1 spare"
    whole = chained.requests
    chained.switch.unit = 2  # type: ignore[attr-defined]
    assert await chained.label(2) == "unit 1 spare"
    assert chained.requests == whole - 6
    seen = [await chained.label(2) for _ in range(EVERY - 1)]
    assert seen == [*["unit 1 spare"] * (EVERY - 2), "unit 2 spare"]


async def test_a_label_column_that_is_a_metric_too_is_read_at_every_poll(
    polls: Polls,
) -> None:
    metric = ", {name: unit, oid: 1.3.6.1.4.1.1.2, type: gauge, indexes: [{labelname: ifIndex}]}"
    chained = Polls(polls.agent, Units(), catalogue=catalogue(CHAIN % metric))
    await chained.label(2)
    chained.switch.alias = {1: "busy", 2: "busy"}
    assert await chained.label(2) == "unit 1 spare"
    chained.switch.unit = 2  # type: ignore[attr-defined]
    page = await chained.poll()
    assert page["unit"]["2"]["="] == "2"
    assert page["ifInOctets"]["2"]["ifAlias"] == "unit 2 busy"


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
async def test_every_version_caches_labels(polls: Polls, version: Version) -> None:
    polls.target = replace(polls.target, credentials=Community(version))
    await polls.poll()
    whole = polls.requests
    polls.switch.alias[7] = "uplink"
    assert await polls.label(7) == "spare"
    assert polls.requests < whole


MODULES = ("system", "if_mib", "entity_sensor", "lldp", "host_resources", "cisco", "ip_mib", "bridge", "poe")


async def test_polls_with_cached_labels_of_recorded_devices_give_the_same_page_for_less() -> None:
    whole, lean = 0, 0
    for path in sorted(require_shared("recordings").glob("*.snmprec")):
        async with SimulatedAgent(read_recording(path).mib) as agent:
            collector = Collector(
                CatalogueStore(builtin_catalogue()), CollectorOptions(utilization=False, label_refresh=EVERY)
            )
            target = replace(target_of(agent, *MODULES, managed=True), timeout=20.0)
            requests, pages = [0], []
            for _ in range(3):
                deadline = asyncio.get_running_loop().time() + 60
                page, problem = await collector.collect(target, deadline=deadline)
                assert problem is None
                pages.append({one for one in page.plain(Format.TEXT).splitlines() if not one.startswith(OWN)})
                requests.append(agent.requests)
        assert pages[1] == pages[2] == pages[0], path.name
        assert requests[3] - requests[2] <= requests[1]
        whole, lean = whole + requests[1], lean + requests[3] - requests[2]
    assert lean < 0.92 * whole


@pytest.mark.parametrize("ports", [25, 80, 90, 100, 200])
async def test_where_a_get_asks_for_one_object_the_cache_never_costs_packets(ports: int) -> None:
    switch = Switch(range(1, ports + 1))
    async with SimulatedAgent(switch.mib()) as agent:
        polls = Polls(agent, switch)
        polls.target = replace(polls.target, overrides=PollOverrides(max_varbinds=1))
        for _ in range(3):
            await polls.poll()
        with_cache = polls.requests
        polls.collector = Collector(polls.catalogue_store, CollectorOptions(label_refresh=1))
        await polls.poll()
    assert with_cache <= polls.requests
