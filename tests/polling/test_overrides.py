"""What the inventory says of a device comes before what its modules say: repetitions, varbinds, encoding, sender."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.errors import SnmpTimeout
from promsnmp.inventory.model import NO_OVERRIDES, PollOverrides
from promsnmp.modules.catalogue import Catalogue, CatalogueStore, builtin_catalogue
from promsnmp.modules.model import Module
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.polling.collector import Collector
from promsnmp.polling.device_state import DeviceState
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.overrides import aged_by_sleep, is_unconnected
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.agents.hostile import Behaviour, HostileAgent, Reply, Request
from tests.support.agents.polled_devices import collector, mib, target_of

MODULE = """
modules:
  texts:
    walk: [1.3.6.1.2.1.2.2.1.2, 1.3.6.1.4.1.32473.5]
    get: [1.3.6.1.2.1.1.6.0]
    metrics:
    - {name: sysLocation, oid: 1.3.6.1.2.1.1.6, type: DisplayString}
    - {name: rawLocation, oid: 1.3.6.1.2.1.1.6.0, type: OctetString}
    - name: volume
      oid: 1.3.6.1.4.1.32473.5.1
      type: gauge
      indexes: [{labelname: volume, type: DisplayString}]
    - name: portName
      oid: 1.3.6.1.2.1.2.2.1.2
      type: OctetString
      indexes: [{labelname: ifIndex, type: gauge}]
      lookups: [{labels: [ifIndex], labelname: port, oid: 1.3.6.1.2.1.2.2.1.2, type: DisplayString}]
"""
FILTER = """    filters:
      - {oid: 1.3.6.1.2.1.2.2.1.2, targets: [1.3.6.1.2.1.2.2.1.2], values: [机房]}
"""
MANY = """
modules:
  many:
    walk: [1.3.6.1.2.1.2]
    get: [GETS]
    max_repetitions: 20
    metrics: [{name: ifInOctets, oid: 1.3.6.1.2.1.2.2.1.10, type: counter}]
""".replace("GETS", ", ".join(f"1.3.6.1.2.1.1.{at}.0" for at in range(1, 31)))


def deadline() -> float:
    return asyncio.get_running_loop().time() + 5


def collector_of(text: str) -> Collector:
    read = read_text(text, source="a.yml")
    return Collector(CatalogueStore(Catalogue(read.modules, builtin_catalogue().auths)), CollectorOptions())


def with_overrides(agent: SimulatedAgent | HostileAgent, module: str, overrides: PollOverrides) -> Target:
    endpoint = SnmpEndpoint("127.0.0.1", agent.port)
    return Target("device/agent", "device", endpoint, Community(), (module,), 0.5, 0, overrides=overrides)


class Requests:
    """What an honest agent was asked: the repetitions of each GETBULK, and the number of objects of each GET."""

    def __init__(self) -> None:
        self.repetitions: set[int] = set()
        self.varbinds: list[int] = []
        self.behaviour = Behaviour("recording", self._answer)

    def _answer(self, request: Request) -> Iterable[bytes]:
        if request.pdu.type == ber.GET_BULK:
            self.repetitions.add(request.pdu.index)
        else:
            self.varbinds.append(len(request.requested))
        return [request.honest]


@pytest.mark.parametrize(
    ("overrides", "repetitions", "varbinds"),
    [
        (NO_OVERRIDES, 20, [20, 10]),
        (PollOverrides(max_repetitions=5), 5, [5] * 6),
        (PollOverrides(max_repetitions=40, max_varbinds=15), 40, [15, 15]),
        (PollOverrides(max_varbinds=30), 20, [30]),
    ],
)
async def test_a_device_is_asked_for_as_much_as_the_inventory_says(
    overrides: PollOverrides, repetitions: int, varbinds: list[int]
) -> None:
    asked = Requests()
    async with HostileAgent(asked.behaviour) as agent:
        await collector_of(MANY).collect(with_overrides(agent, "many", overrides), deadline=deadline())
    assert asked.repetitions == {repetitions}
    assert asked.varbinds == varbinds


async def test_detection_asks_for_no_more_objects_at_once_either() -> None:
    asked = Requests()
    async with HostileAgent(asked.behaviour) as agent:
        await collector().collect(with_overrides(agent, "auto", PollOverrides(max_varbinds=3)), deadline=deadline())
    assert max(asked.varbinds) == 3


# --------------------------------------------------------------------------------------------------------- encodings


def texts(encoding: str, text: str) -> Mib:
    octets = text.encode(encoding)
    index = ".".join(map(str, (len(octets), *octets)))
    return Mib.of(
        {
            "1.3.6.1.2.1.1.6.0": ber.tlv(ber.OCTET_STRING, octets),
            "1.3.6.1.2.1.2.2.1.2.1": ber.tlv(ber.OCTET_STRING, octets),
            f"1.3.6.1.4.1.32473.5.1.{index}": ber.encode_integer(1, ber.GAUGE32),
        }
    )


async def page_of(one: Collector, target: Target) -> dict[str, dict[str, str]]:
    page, problem = await one.collect(target, deadline=deadline())
    assert problem is None
    families = text_string_to_metric_families(page.plain(Format.TEXT).decode())
    return {sample.name: sample.labels for family in families for sample in family.samples}


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("gbk", "机房 7"), ("latin-1", "Zürich\\süd"), ("utf-16", "Łódź"), ("utf-16-be", "Łódź"), ("cp1251", "Москва")],
)
async def test_texts_of_labels_indexes_and_values_have_the_encoding_of_the_device(encoding: str, text: str) -> None:
    async with SimulatedAgent(texts(encoding, text)) as agent:
        target = replace(with_overrides(agent, "texts", PollOverrides(text_encoding=encoding)), managed=True)
        found = await page_of(collector_of(MODULE), target)
    assert found["sysLocation"] == {"sysLocation": text}
    assert found["volume"] == {"volume": text}
    assert found["portName"]["port"] == text
    assert found["portName"]["portName"] == f"0x{text.encode(encoding).hex().upper()}"


async def test_octets_that_are_not_of_the_encoding_become_the_replacement_character() -> None:
    async with SimulatedAgent(texts("latin-1", "a\xff\xff")) as agent:
        found = await page_of(collector_of(MODULE), with_overrides(agent, "texts", PollOverrides(text_encoding="gbk")))
    assert found["sysLocation"] == {"sysLocation": "a\ufffd\ufffd"}


async def test_another_encoding_counts_from_the_next_poll_on() -> None:
    one = collector_of(MODULE)
    async with SimulatedAgent(texts("cp1251", "Москва")) as agent:
        without = await page_of(one, with_overrides(agent, "texts", NO_OVERRIDES))
        found = await page_of(one, with_overrides(agent, "texts", PollOverrides(text_encoding="cp1251")))
        again = await page_of(one, with_overrides(agent, "texts", NO_OVERRIDES))
    assert without["sysLocation"] == again["sysLocation"] == {"sysLocation": "\ufffd"}
    assert found["sysLocation"] == {"sysLocation": "Москва"}
    assert found["volume"] == {"volume": "Москва"}


async def test_filters_and_the_detection_read_texts_in_the_encoding_of_the_device() -> None:
    filtered = MODULE.replace("    metrics:\n", f"{FILTER}    metrics:\n", 1)
    descr = {oid.encode("1.3.6.1.2.1.1.1.0"): ber.tlv(ber.OCTET_STRING, "机".encode("gbk"))}
    async with SimulatedAgent(Mib.of(texts("gbk", "机房").objects | descr)) as agent:
        found = {
            encoding: await page_of(
                collector_of(filtered), with_overrides(agent, "texts", PollOverrides(text_encoding=encoding))
            )
            for encoding in ("", "gbk")
        }
        target = with_overrides(agent, "auto", PollOverrides(text_encoding="gbk"))
        identity = await collector().identify(target, deadline=deadline())
    assert [encoding for encoding, page in found.items() if "portName" in page] == ["gbk"]
    assert identity.sys_descr == "机"


# ------------------------------------------------------------------------------------------ answers from elsewhere


def elsewhere(request: Request) -> Iterable[Reply]:
    return [Reply(request.honest, another=True)]


async def test_answers_from_another_port_are_accepted_where_the_inventory_allows_it() -> None:
    async with HostileAgent(Behaviour("elsewhere", elsewhere)) as agent:
        allowed = with_overrides(agent, "if_mib", PollOverrides(unconnected=True))
        _, problem = await collector().collect(allowed, deadline=deadline())
        assert problem is None
        with pytest.raises(SnmpTimeout):
            await collector().collect(replace(allowed, overrides=NO_OVERRIDES), deadline=deadline())


@pytest.mark.parametrize(
    ("device", "module", "expected"),
    [(None, False, False), (None, True, True), (False, True, False), (True, False, True)],
)
def test_the_device_comes_before_its_modules(device: bool | None, module: bool, expected: bool) -> None:
    modules = [Module("m", use_unconnected_udp_socket=module)]
    overrides = PollOverrides(unconnected=device)
    target = Target("key", "name", SnmpEndpoint("192.0.2.1", 161), Community(), (), overrides=overrides)
    assert is_unconnected(modules, target) is expected


def test_what_is_learned_of_an_agent_never_exceeds_what_the_inventory_allows() -> None:
    state = DeviceState()
    state.use_overrides(PollOverrides(max_repetitions=5, max_varbinds=3))
    limits = state.limits
    limits.use_for("an agent")
    limits.use_for("another agent")
    limits.max_repetitions, limits.max_get_oids = 20, 20
    assert (limits.repetitions_of(25), limits.objects_of(25), limits.batch_size) == (5, 3, 5)
    limits.max_repetitions, limits.max_get_oids = 2, 1
    assert (limits.repetitions_of(25), limits.objects_of(25), limits.batch_size) == (2, 1, 2)


# ---------------------------------------------------------------------------------------------------------- intervals


async def test_the_page_of_a_device_with_an_interval_of_its_own_says_so() -> None:
    async with SimulatedAgent(mib()) as agent:
        target = target_of(agent, managed=True)
        page, _ = await collector().collect(target, deadline=deadline())
        assert b"promsnmp_poll_interval_seconds" not in page.plain(Format.TEXT)
        target = replace(target, overrides=PollOverrides(interval=300_000))
        page, _ = await collector().collect(target, deadline=deadline())
        assert b"\npromsnmp_poll_interval_seconds 300\n" in page.plain(Format.TEXT)


def test_a_sleep_makes_pages_too_old_by_the_interval_of_each_device() -> None:
    usual = Target("usual", "usual", SnmpEndpoint("192.0.2.1", 161), Community(), ())
    often = replace(usual, key="often", overrides=PollOverrides(interval=5_000))
    seldom = replace(usual, key="seldom", overrides=PollOverrides(interval=600_000))
    aged = {
        seconds: [one.key for one in aged_by_sleep((usual, often, seldom), seconds, interval=30.0)]
        for seconds in (2.0, 3.0, 16.0, 301.0)
    }
    assert aged == {2.0: [], 3.0: ["often"], 16.0: ["usual", "often"], 301.0: ["usual", "often", "seldom"]}
