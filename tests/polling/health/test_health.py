"""The health of a simulated device: detected, read, shown, and read again with few packets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.errors import SnmpTimeout
from promsnmp.inventory.modules import AUTO, HEALTH
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import switch
from promsnmp.sim.mib import Mib, Value
from promsnmp.snmp import ber, oid
from tests.support.agents.hostile import Behaviour, HostileAgent, Request
from tests.support.agents.polled_devices import mib, target_of

E = "1.3.6.1.4.1.99999"
DEFINITIONS = f"""
health:
  example:
    devices: [{E}]
    info:
      - columns: {{serial: {E}.9}}
        serial_number: "{{serial}}"
    tables:
      - name: exTemp
        label: "{{descr}}"
        columns: {{descr: {E}.2.1, value: {E}.2.2, high: {E}.2.3}}
        readings:
          - temperature: value
            limits: {{high.critical: high}}
  elsewhere:
    answers: [{E}.77]
    tables:
      - name: other
        columns: {{v: {E}.2.2}}
        readings: [{{voltage: v}}]
modules:
  with_temperature:
    walk: [{E}.2]
    metrics:
      - {{name: exHigh, oid: {E}.2.3, type: gauge, indexes: [{{labelname: i, type: gauge}}]}}
"""


def device(sensors: int = 3, value: int = 40, name: bytes = b"Sensor") -> Mib:
    objects: dict[str, Value] = {
        "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, bytes((0x2B, 6, 1, 4, 1, 0x86, 0x8D, 0x1F, 1))),
        f"{E}.9.0": ber.tlv(ber.OCTET_STRING, b"S123"),
    }
    for at in range(1, sensors + 1):
        objects[f"{E}.2.1.{at}"] = ber.tlv(ber.OCTET_STRING, name + b" %d" % at)
        objects[f"{E}.2.2.{at}"] = ber.encode_integer(value + at)
        objects[f"{E}.2.3.{at}"] = ber.encode_integer(90)
    return Mib.of(objects)


BUILTIN = builtin_catalogue()


def collector(every: int = 1) -> Collector:
    read, builtin = read_text(DEFINITIONS, source="test"), BUILTIN
    catalogue = Catalogue({**builtin.modules, **read.modules}, builtin.auths, read.health)
    return Collector(CatalogueStore(catalogue), CollectorOptions(label_refresh=every, label_age=1e9))


def deadline() -> float:
    return asyncio.get_running_loop().time() + 5


def samples(page: RenderedPage, family: str) -> dict[str, float]:
    """Samples of a family, by hw_name."""
    families = text_string_to_metric_families(page.plain(Format.TEXT).decode())
    return {
        sample.labels.get("hw_name", sample.labels.get("serial_number", sample.labels.get("module", ""))): sample.value
        for one in families
        if one.name == family
        for sample in one.samples
    }


def managed(target: Target) -> Target:
    return replace(target, managed=True, key="device/agent", health=True)


async def test_health_alone_is_a_module_of_its_own() -> None:
    async with SimulatedAgent(device()) as agent:
        page, problem = await collector().collect(target_of(agent, HEALTH), deadline=deadline())
    assert problem is None
    assert samples(page, "hw_temperature_celsius") == {"Sensor 1": 41, "Sensor 2": 42, "Sensor 3": 43}
    assert samples(page, "hw_temperature_limit_celsius") == {"Sensor 1": 90, "Sensor 2": 90, "Sensor 3": 90}
    assert samples(page, "snmp_device_info") == {"S123": 1}
    assert samples(page, "promsnmp_module_up") == {HEALTH: 1}
    assert samples(page, "hw_voltage_volts") == {}


@pytest.mark.parametrize(
    ("modules", "health", "has_health"),
    [
        (("if_mib",), False, False),
        (("if_mib",), True, True),
        (("if_mib", HEALTH), False, True),
        ((AUTO,), True, True),
        ((AUTO,), False, False),
    ],
)
async def test_health_is_on_the_page_where_it_is_wanted(
    modules: tuple[str, ...], health: bool, has_health: bool
) -> None:
    async with SimulatedAgent(device()) as agent:
        target = replace(target_of(agent, *modules), health=health)
        page, _ = await collector().collect(target, deadline=deadline())
    assert bool(samples(page, "hw_temperature_celsius")) is has_health


async def test_a_module_of_a_file_named_health_is_an_ordinary_one() -> None:
    text = f"modules: {{health: {{get: [{E}.9.0], metrics: [{{name: serial, oid: {E}.9, type: DisplayString}}]}}}}"
    read = read_text(text, source="test")
    one = Collector(CatalogueStore(Catalogue(read.modules, {})), CollectorOptions())
    async with SimulatedAgent(device()) as agent:
        page, _ = await one.collect(target_of(agent, HEALTH), deadline=deadline())
    assert b"serial" in page.plain(Format.TEXT)
    assert b"snmp_device_info" not in page.plain(Format.TEXT)


async def test_names_and_limits_are_read_seldom_and_values_at_every_poll() -> None:
    one = collector(every=10)
    async with SimulatedAgent(device(sensors=50)) as agent:
        target, sent = managed(target_of(agent, "if_mib")), []
        for at in range(1, 12):
            agent.mib = device(sensors=50, value=at)
            before = agent.requests
            page, problem = await one.collect(target, deadline=deadline())
            assert problem is None
            assert samples(page, "hw_temperature_celsius")["Sensor 50"] == at + 50
            sent.append(agent.requests - before)
    assert sent[0] > sent[1] == sent[9] < sent[10] < sent[0]


async def test_a_row_that_appears_is_found_and_one_that_goes_is_gone_at_once() -> None:
    one = collector(every=10)
    async with SimulatedAgent(device(sensors=3)) as agent:
        target = managed(target_of(agent, "if_mib"))
        await one.collect(target, deadline=deadline())
        agent.mib = device(sensors=2)
        page, _ = await one.collect(target, deadline=deadline())
        assert len(samples(page, "hw_temperature_celsius")) == 2
        agent.mib = device(sensors=4)
        page, _ = await one.collect(target, deadline=deadline())
        assert len(samples(page, "hw_temperature_celsius")) == 4  # a row was missing, so all is read again


async def test_what_a_module_walks_is_not_read_twice() -> None:
    one = collector()
    async with SimulatedAgent(device(sensors=3)) as agent:
        target = managed(target_of(agent, "with_temperature"))
        await one.collect(target, deadline=deadline())
        page, _ = await one.collect(target, deadline=deadline())
        plan = one.states.of(target).health
    assert samples(page, "hw_temperature_celsius") == {"Sensor 1": 41, "Sensor 2": 42, "Sensor 3": 43}
    assert f"{E}.2.2" not in plan.rows
    assert f"{E}.2.1" in plan.rows


async def test_other_definitions_are_chosen_when_the_device_is_another_one() -> None:
    one = collector()
    async with SimulatedAgent(device()) as agent:
        target = managed(target_of(agent, "system"))
        first, _ = await one.collect(target, deadline=deadline())
        agent.mib = mib()
        second, _ = await one.collect(target, deadline=deadline())
        agent.mib = device()
        third, _ = await one.collect(target, deadline=deadline())
    assert [bool(samples(page, "hw_temperature_celsius")) for page in (first, second, third)] == [True, False, True]


async def test_an_agent_that_does_not_answer_is_an_error() -> None:
    async with SimulatedAgent(device()) as agent:
        target = target_of(agent, HEALTH, community="other")
        with pytest.raises(SnmpTimeout):
            await collector().collect(target, deadline=deadline())


def silent_about(root: str, is_silent: list[bool]) -> Behaviour:
    """Answers no walk of something at or below ``root``, and no GET, while ``is_silent`` is not empty."""
    octets = oid.encode(root)

    def answer(request: Request) -> list[bytes]:
        is_asked = any(one.oid.startswith(octets) for one in request.requested)
        is_walk_or_get = len(request.requested) == 1 or request.pdu.type == ber.GET
        return [] if is_silent and is_asked and is_walk_or_get else [request.honest]

    return Behaviour("silent_about_a_subtree", answer)


async def test_values_that_do_not_come_are_not_shown_as_of_an_earlier_poll() -> None:
    one, is_silent = collector(every=10), list[bool]()
    async with HostileAgent(silent_about(f"{E}.2.2", is_silent), mib=device()) as agent:
        target = managed(target_of(agent, "system"))
        first, problem = await one.collect(target, deadline=deadline())
        assert problem is None
        is_silent.append(True)
        second, problem = await one.collect(target, deadline=asyncio.get_running_loop().time() + 1.5)
        assert isinstance(problem, SnmpTimeout)
    assert len(samples(first, "hw_temperature_celsius")) == 3
    assert samples(second, "hw_temperature_celsius") == {}
    assert samples(second, "promsnmp_module_up") == {"system": 1, HEALTH: 0}


async def test_a_reading_whose_name_cannot_be_read_is_left_out() -> None:
    is_silent = [True]
    async with HostileAgent(silent_about(f"{E}.2.1", is_silent), mib=device()) as agent:
        target = managed(target_of(agent, "system"))
        one = collector(every=10)
        page, problem = await one.collect(target, deadline=asyncio.get_running_loop().time() + 1.5)
        assert isinstance(problem, SnmpTimeout)
        is_silent.clear()
        later, problem = await one.collect(target, deadline=deadline())
    assert samples(page, "hw_temperature_celsius") == {}
    assert samples(later, "hw_temperature_celsius") == {"Sensor 1": 41, "Sensor 2": 42, "Sensor 3": 43}


async def test_fifty_sensors_cost_less_than_15_percent_more_packets() -> None:
    sensors = device(sensors=50).objects
    objects = {**dict(switch().mib.objects), **dict(sensors)}
    sent = {}
    for health in (False, True):
        one = collector(every=10)
        async with SimulatedAgent(Mib.of(objects)) as agent:
            target = replace(managed(target_of(agent, "system", "if_mib", "ip_mib")), health=health)
            await one.collect(target, deadline=deadline())  # which finds out what suits the device
            before = agent.requests
            for _ in range(20):
                await one.collect(target, deadline=deadline())
            sent[health] = agent.requests - before
    assert sent[True] < 1.15 * sent[False]
