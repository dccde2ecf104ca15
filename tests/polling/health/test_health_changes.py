"""A device whose rows change between polls: no value stands under the name of another component, nothing of an earlier
poll is shown, and a device that answers badly costs its own page only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.errors import SnmpTimeout, StrictFailure, TooMuchData
from promsnmp.exposition.health.rows import MOST_ROWS
from promsnmp.inventory.model import PollOverrides
from promsnmp.inventory.modules import HEALTH
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.health.health_state import MOST_OCTETS
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format, RenderedPage
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib, Value
from promsnmp.snmp import ber, oid
from tests.support.agents.hostile import Behaviour, HostileAgent, Request
from tests.support.agents.polled_devices import Agent, target_of

E = "1.3.6.1.4.1.99999"
DEFINITIONS = f"""
health:
  example:
    devices: [{E}]
    tables:
      - name: exTemp
        label: "{{descr}}"
        columns: {{descr: {E}.2.1, value: {E}.2.2}}
        readings: [temperature: value]
"""
BUILTIN = builtin_catalogue()
UP_TIME = "1.3.6.1.2.1.1.3.0"


def device(sensors: Mapping[int, tuple[bytes, int]], up_time: int = 1000) -> Mib:
    """Sensors by row, each with name and value."""
    objects: dict[str, Value] = {
        "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, bytes((0x2B, 6, 1, 4, 1, 0x86, 0x8D, 0x1F, 1))),
        UP_TIME: ber.encode_integer(up_time, ber.TIME_TICKS),
    }
    for row, (name, value) in sensors.items():
        objects[f"{E}.2.1.{row}"] = ber.tlv(ber.OCTET_STRING, name)
        objects[f"{E}.2.2.{row}"] = ber.encode_integer(value)
    return Mib.of(objects)


def numbered(names: str, first: int = 1) -> dict[int, tuple[bytes, int]]:
    """A sensor for each letter; its value is its code."""
    return {row: (one.encode(), ord(one)) for row, one in enumerate(names, first)}


def collector(every: int = 10) -> Collector:
    catalogue = Catalogue(BUILTIN.modules, BUILTIN.auths, read_text(DEFINITIONS, source="test").health)
    return Collector(CatalogueStore(catalogue), CollectorOptions(label_refresh=every, label_age=1e9))


def managed(agent: Agent) -> Target:
    return replace(target_of(agent, "system"), managed=True, key="device/agent", health=True)


def deadline(seconds: float = 20.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def temperatures(page: RenderedPage) -> dict[str, float]:
    families = text_string_to_metric_families(page.plain(Format.TEXT).decode())
    samples = [sample for one in families if one.name == "hw_temperature_celsius" for sample in one.samples]
    return {sample.labels["hw_name"]: sample.value for sample in samples}


def right(names: str) -> dict[str, float]:
    return {one: ord(one) for one in names}


@pytest.mark.parametrize(
    ("before", "after", "up_time"),
    [
        ("abcd", "acd", 2000),  # one is taken out, and the others move up
        ("abcd", "axbcd", 2000),  # one is put in
        ("abcd", "dcba", 2000),  # other order: the names are looked at in turn
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnoqprstuvwxyz", 500),  # two are swapped by a restart
        ("abcd", "", 2000),
        ("abcd", "wxyz", 2000),
    ],
)
async def test_rows_that_are_numbered_anew_have_their_names_in_the_same_poll(
    before: str, after: str, up_time: int
) -> None:
    one = collector()
    async with SimulatedAgent(device(numbered(before))) as agent:
        target = managed(agent)
        for _ in range(2):
            await one.collect(target, deadline=deadline())
        agent.mib = device(numbered(after), up_time)
        page, problem = await one.collect(target, deadline=deadline())
    assert problem is None
    assert temperatures(page) == right(after)


async def test_a_table_whose_rows_change_at_every_poll_is_walked_at_every_poll() -> None:
    one, names = collector(), "abcdef"
    async with SimulatedAgent(device(numbered(names))) as agent:
        target = managed(agent)
        for at in range(1, 6):
            agent.mib = device(numbered(names[at:] + names[:at], first=at))
            page, _ = await one.collect(target, deadline=deadline())
            assert temperatures(page) == right(names)
        assert one.states.of(target).health.is_stale


async def test_a_steady_device_is_walked_only_when_labels_are_due() -> None:
    one, requests = collector(), []
    async with SimulatedAgent(device(numbered("abcdef"))) as agent:
        target = managed(agent)
        for _ in range(5):
            before = agent.requests
            await one.collect(target, deadline=deadline())
            requests.append(agent.requests - before)
    assert requests[0] > requests[1] == requests[2] == requests[3] == requests[4]


async def test_what_the_modules_read_anyway_costs_no_packet() -> None:
    text = (
        DEFINITIONS.replace('label: "{descr}"', "label: sensor")
        + f"modules: {{whole: {{walk: [{E}.2], metrics: [{{name: x, oid: {E}.2.9, type: gauge}}]}}}}"
    )
    read, requests, pages = read_text(text, source="test"), [], []
    one = Collector(CatalogueStore(Catalogue(read.modules, {}, read.health)), CollectorOptions(label_refresh=10))
    async with SimulatedAgent(device(numbered("ab"))) as agent:
        for health in (False, True):
            target = replace(managed(agent), modules=("whole",), health=health, key=str(health))
            await one.collect(target, deadline=deadline())
            before = agent.requests
            pages.append((await one.collect(target, deadline=deadline()))[0])
            requests.append(agent.requests - before)
    assert [b"hw_temperature_celsius" in page.plain(Format.TEXT) for page in pages] == [False, True]
    assert requests[0] == requests[1]


def leaves_out_of_gets(root: str) -> Behaviour:
    """Answers a GET of several objects without those below ``root``."""
    octets = oid.encode(root)

    def answer(request: Request) -> Sequence[bytes]:
        if request.pdu.type != ber.GET:
            return [request.honest]
        kept = [one for one in request.honest_varbinds if not one.oid.startswith(octets)]
        encoded = b"".join(ber.encode_varbind(one.oid, ber.tlv(one.tag, one.value)) for one in kept)
        return [request.response(encoded)]

    return Behaviour("leaves_out_of_gets", answer)


async def test_a_device_that_does_not_return_by_get_what_it_returns_in_walks_is_walked() -> None:
    one = collector()
    async with HostileAgent(leaves_out_of_gets(f"{E}.2.2.3"), mib=device(numbered("abcdef"))) as agent:
        target = managed(agent)
        for _ in range(3):
            page, problem = await one.collect(target, deadline=deadline())
            assert problem is None
            assert temperatures(page) == right("abcdef")
        assert one.states.of(target).health.has_unreliable_gets


def silent_to(is_silent: list[bool], pdu_type: int) -> Behaviour:
    """Answers no request of a type for something private while ``is_silent`` is not empty."""
    private = oid.encode("1.3.6.1.4.1")

    def answer(request: Request) -> Sequence[bytes]:
        is_asked = request.pdu.type == pdu_type and any(one.oid.startswith(private) for one in request.requested)
        return [] if is_silent and is_asked else [request.honest]

    return Behaviour("silent_to_a_type", answer)


async def test_a_detection_that_failed_is_repeated_at_the_next_poll_and_is_not_called_complete() -> None:
    one, is_silent = collector(), [True]
    async with HostileAgent(silent_to(is_silent, ber.GET_NEXT), mib=device(numbered("ab"))) as agent:
        target = managed(agent)
        for _ in range(2):
            page, problem = await one.collect(target, deadline=deadline(1.5))
            assert isinstance(problem, SnmpTimeout)
            assert b'promsnmp_module_up{module="health"} 0' in page.plain(Format.TEXT)
        is_silent.clear()
        page, problem = await one.collect(target, deadline=deadline())
    assert problem is None
    assert temperatures(page) == right("ab")


async def test_a_later_detection_that_fails_keeps_the_definitions() -> None:
    one, is_silent = collector(), list[bool]()
    async with HostileAgent(silent_to(is_silent, ber.GET_NEXT), mib=device(numbered("ab"))) as agent:
        target = managed(agent)
        await one.collect(target, deadline=deadline())
        one.states.of(target).health.due = 0.0
        is_silent.append(True)
        _, problem = await one.collect(target, deadline=deadline(1.5))
        assert isinstance(problem, SnmpTimeout)
        page, problem = await one.collect(target, deadline=deadline())
    assert problem is None
    assert temperatures(page) == right("ab")


async def test_all_readings_of_a_large_device_are_shown_and_what_is_kept_of_it_is_bounded() -> None:
    sensors = {row: (b"%d " % row + b"x" * 1000, 20 + row % 50) for row in range(1, 9001)}
    one = collector()
    async with SimulatedAgent(device(sensors), max_message=60_000) as agent:
        target = replace(managed(agent), timeout=5)
        for _ in range(2):
            page, problem = await one.collect(target, deadline=deadline(60))
            assert problem is None
            assert len(temperatures(page)) == len(sensors)
            assert one.states.of(target).health.octets <= MOST_OCTETS


async def test_rows_that_are_too_many_are_counted() -> None:
    sensors = {row: (b"%d" % row, 20) for row in range(1, MOST_ROWS + 3)}
    async with SimulatedAgent(device(sensors), max_message=60_000) as agent:
        target = replace(managed(agent), timeout=5)
        page, _ = await collector().collect(target, deadline=deadline(60))
    assert len(temperatures(page)) == MOST_ROWS
    assert b'promsnmp_page_dropped_values{reason="health_rows"} 2' in page.plain(Format.TEXT)


async def test_a_table_without_end_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promsnmp.polling.health.health_run.MOST_ROWS", 50)
    one = collector()
    async with SimulatedAgent(device({row: (b"%d" % row, 20) for row in range(1, 500)})) as agent:
        for _ in range(2):
            page, problem = await one.collect(managed(agent), deadline=deadline())
            assert isinstance(problem, TooMuchData)
            assert b'promsnmp_module_up{module="health"} 0' in page.plain(Format.TEXT)
            assert b'promsnmp_module_up{module="system"} 1' in page.plain(Format.TEXT)
        assert agent.requests < 100


async def test_a_strict_page_is_not_served_without_its_health() -> None:
    catalogue = Catalogue(BUILTIN.modules, BUILTIN.auths, read_text(DEFINITIONS, source="test").health)
    one = Collector(CatalogueStore(catalogue), CollectorOptions(strict=True))
    async with HostileAgent(silent_to([True], ber.GET_NEXT), mib=device(numbered("ab"))) as agent:
        with pytest.raises(StrictFailure):
            await one.collect(managed(agent), deadline=deadline(1.5))


async def test_health_that_does_not_fit_on_the_page_is_not_called_complete() -> None:
    catalogue = Catalogue(BUILTIN.modules, BUILTIN.auths, read_text(DEFINITIONS, source="test").health)
    one = Collector(CatalogueStore(catalogue), CollectorOptions(page_octets=3000))
    async with SimulatedAgent(device({row: (b"%d" % row, 20) for row in range(1, 100)})) as agent:
        page, problem = await one.collect(managed(agent), deadline=deadline())
    assert isinstance(problem, TooMuchData)
    assert temperatures(page) == {}
    assert b'promsnmp_module_up{module="health"} 0' in page.plain(Format.TEXT)


async def test_another_encoding_of_texts_counts_at_once() -> None:
    one = collector()
    async with SimulatedAgent(device({1: ("Lüfter".encode("latin-1"), 20)})) as agent:
        target = managed(agent)
        for _ in range(2):
            await one.collect(target, deadline=deadline())
        changed = replace(target, overrides=PollOverrides(text_encoding="iso-8859-1"))
        page, _ = await one.collect(changed, deadline=deadline())
    assert temperatures(page) == {"Lüfter": 20}


async def test_what_is_kept_for_a_scrape_alone_counts_as_memory() -> None:
    one = collector()
    async with SimulatedAgent(device(dict.fromkeys(range(1, 200), (b"x" * 200, 20)))) as agent:
        target = target_of(agent, HEALTH)
        await one.collect(target, deadline=deadline())
        assert one.states.unmanaged_octets > one.states.of(target).health.octets > 199 * 200


async def test_values_do_not_stand_under_earlier_names_when_these_cannot_be_read_again() -> None:
    one, is_silent, names = collector(), list[bool](), oid.encode(f"{E}.2.1")

    def answer(request: Request) -> Sequence[bytes]:
        is_walk = request.pdu.type != ber.GET and any(each.oid.startswith(names) for each in request.requested)
        return [] if is_silent and is_walk else [request.honest]

    async with HostileAgent(Behaviour("no_names", answer), mib=device(numbered("abc"))) as agent:
        target = managed(agent)
        await one.collect(target, deadline=deadline())
        agent.mib = device(numbered("cab"), up_time=10)
        is_silent.append(True)
        for _ in range(2):
            page, problem = await one.collect(target, deadline=deadline(1.5))
            assert isinstance(problem, SnmpTimeout)
            assert temperatures(page) == {}
        is_silent.clear()
        page, _ = await one.collect(target, deadline=deadline())
    assert temperatures(page) == right("cab")
