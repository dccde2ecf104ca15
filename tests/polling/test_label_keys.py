"""No counter stands under the name of another interface, however a device renumbers and renames its interfaces."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from promsnmp.exposition.plan import make_plan
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.label_keys import LabelColumn, LabelKeys
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.sim.parts.interfaces import IF_ENTRY, IF_X_ENTRY
from promsnmp.sim.parts.objects import integer, text, time_ticks
from promsnmp.snmp import ber, oid
from promsnmp.snmp.credentials import Community, Version
from promsnmp.support.steps import run_steps
from tests.support.agents.polled_devices import target_of

UP_TIME, NUMBER, TABLE_CHANGE = "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.2.1.0", "1.3.6.1.2.1.31.1.5.0"
BRIDGE_PORT = "1.3.6.1.2.1.17.1.4.1"
COUNTERS = ("ifInOctets", "ifOutOctets", "ifHCInOctets")
PORTS = 70
LINE = "line {} to the other end of a large building"
"""Long enough for labels to be worth caching."""


@dataclass(slots=True)
class Interface:
    """What an interface is (``serial``, which its counters show), and what it is called now."""

    serial: int
    name: str
    descr: str
    alias: str


class Device:
    """A device that gives its interfaces other indexes and names; ``signals`` are the indicators that it has."""

    def __init__(self, *, signals: bool, extended: bool = True, equal_descr: bool = False) -> None:
        self.extended = extended
        descr = "Ethernet Interface" if equal_descr else "port {}"
        self.rows = {at: Interface(at, f"p{at}", descr.format(at), LINE.format(at)) for at in range(1, PORTS + 1)}
        self.signals = signals
        self.changes = 0
        self.polls = 0

    def mib(self) -> Mib:
        self.polls += 1
        objects: dict[str, bytes] = {UP_TIME: time_ticks(1000 + self.polls), NUMBER: integer(len(self.rows))}
        if self.signals:
            objects[TABLE_CHANGE] = time_ticks(self.changes)
        for at, row in self.rows.items():
            count = ber.encode_integer(row.serial * 1_000_000 + self.polls, ber.COUNTER32)
            objects |= {f"{IF_ENTRY}.{column}.{at}": count for column in (10, 16)}
            objects |= {f"{IF_ENTRY}.1.{at}": integer(at), f"{IF_ENTRY}.2.{at}": text(row.descr)}
            if self.extended:
                objects |= {f"{IF_X_ENTRY}.1.{at}": text(row.name), f"{IF_X_ENTRY}.18.{at}": text(row.alias)}
                objects[f"{IF_X_ENTRY}.6.{at}"] = count
        return Mib.of(objects)

    def swap(self, one: int, other: int) -> None:
        """Two interfaces change their indexes."""
        self.rows[one], self.rows[other] = self.rows[other], self.rows[one]

    def rotate(self) -> None:
        """All interfaces get other indexes: a line card was put in front."""
        ats = list(self.rows)
        self.rows = dict(zip(ats, [self.rows[at] for at in (*ats[1:], ats[0])], strict=True))

    def swap_names(self, one: int, other: int) -> None:
        """Two interfaces are renamed to each other's names, and keep their indexes."""
        first, second = self.rows[one], self.rows[other]
        names = first.name, first.descr, first.alias
        first.name, first.descr, first.alias = second.name, second.descr, second.alias
        second.name, second.descr, second.alias = names

    def rename(self, at: int, name: str) -> None:
        row = self.rows[at]
        row.name, row.descr, row.alias = name, f"port {name}", LINE.format(name)

    def replace(self, at: int, serial: int) -> None:
        """Another interface takes an index."""
        self.rows[at] = Interface(serial, f"p{serial}", f"port {serial}", LINE.format(serial))


class Polls:
    """A device of the inventory, polled again and again."""

    def __init__(self, agent: SimulatedAgent, device: Device) -> None:
        self.agent = agent
        self.device = device
        self.collector = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(label_refresh=10))
        self.target = replace(target_of(agent, "if_mib", managed=True), timeout=5.0)

    async def poll(self) -> list[tuple[int, Mapping[str, str]]]:
        """The serial number that each counter of the page shows, and its labels."""
        self.agent.mib = self.device.mib()
        deadline = asyncio.get_running_loop().time() + 20
        page, problem = await self.collector.collect(self.target, deadline=deadline)
        assert problem is None
        return counters(page.plain(Format.TEXT))

    async def check(self) -> None:
        """Polls, and compares each counter's labels with the names of its interface."""
        names = {row.serial: row for row in self.device.rows.values()}
        found = await self.poll()
        assert {serial for serial, _ in found} == names.keys()
        for serial, labels in found:
            row = names[serial]
            assert labels["ifDescr"] == row.descr
            if self.device.extended:
                assert (labels["ifName"], labels["ifAlias"]) == (row.name, row.alias)


def counters(page: bytes) -> list[tuple[int, Mapping[str, str]]]:
    families = text_string_to_metric_families(page.decode())
    samples = [sample for family in families for sample in family.samples]
    return [(int(one.value) // 1_000_000, one.labels) for one in samples if one.name.removesuffix("_total") in COUNTERS]


KINDS = [
    {"signals": True},
    {"signals": False},
    {"signals": False, "extended": False},
    {"signals": False, "equal_descr": True},
]


@pytest.mark.parametrize("kind", KINDS, ids=["indicators", "none", "only ifTable", "equal ifDescr"])
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_a_device_renumbers_and_renames_each_counter_has_the_names_of_its_interface(
    kind: Mapping[str, bool], seed: int
) -> None:
    rng = random.Random(seed)
    device = Device(**kind)
    async with SimulatedAgent(Mib.of({})) as agent:
        polls = Polls(agent, device)
        for number in range(12):
            await polls.check()
            one, other = rng.sample(range(1, PORTS + 1), 2)
            match rng.randrange(6):
                case 0:
                    device.swap(one, other)
                case 1:
                    device.rotate()
                case 2 if device.extended:
                    device.swap_names(one, other)
                case 3 if not kind.get("equal_descr"):
                    device.rename(one, f"renamed {number}")
                case 4 if not kind.get("equal_descr"):
                    device.replace(one, 1000 + number)


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
async def test_the_names_of_unchanged_interfaces_cost_one_column_in_each_poll(version: Version) -> None:
    async with SimulatedAgent(Mib.of({})) as agent:
        polls = Polls(agent, Device(signals=False))
        polls.target = replace(polls.target, credentials=Community(version))
        await polls.poll()
        whole = agent.varbinds
        await polls.poll()
        assert agent.varbinds - whole <= whole - PORTS


async def test_names_that_change_during_a_poll_are_right_at_the_next() -> None:
    device = Device(signals=False)
    async with SimulatedAgent(Mib.of({})) as agent:
        polls = Polls(agent, device)
        for _ in range(3):
            await polls.check()
        answered = agent.answer

        def change_half_way(datagram: bytes) -> bytes | None:
            if agent.requests == half_way:
                device.rotate()
                agent.mib = device.mib()
            return answered(datagram)

        half_way = agent.requests + 4
        agent.answer = change_half_way  # type: ignore[method-assign]
        await polls.poll()
        await polls.check()


@pytest.mark.parametrize("answers", [2, 6, 8, 10])
async def test_a_poll_that_ends_before_the_names_are_compared_does_not_use_the_old_ones(answers: int) -> None:
    device = Device(signals=False)
    async with SimulatedAgent(Mib.of({})) as agent:
        polls = Polls(agent, device)
        polls.target = replace(polls.target, timeout=0.05, retries=0)
        for _ in range(2):
            await polls.check()
        device.rotate()
        agent.mib = device.mib()
        answer, last = agent.answer, agent.requests + answers
        agent.answer = lambda datagram: answer(datagram) if agent.requests < last else None  # type: ignore[method-assign]
        deadline = asyncio.get_running_loop().time() + 20
        page, problem = await polls.collector.collect(polls.target, deadline=deadline)
        assert problem is not None
        names = {row.serial: row for row in device.rows.values()}
        for serial, labels in counters(page.plain(Format.TEXT)):
            assert labels["ifDescr"] in ("", names[serial].descr)
            assert labels["ifName"] in ("", names[serial].name)
            assert labels["ifAlias"] in ("", names[serial].alias)
        agent.answer = answer  # type: ignore[method-assign]
        await polls.check()


def column(name: str, values: Mapping[int, str]) -> LabelColumn:
    rows = (ber.encode_varbind(oid.encode(f"{name}.{at}"), text(value)) for at, value in values.items())
    return run_steps(LabelColumn.of(b"".join(rows), oid.encode(name)))


DESCR, NAME, ALIAS = f"{IF_ENTRY}.2", f"{IF_X_ENTRY}.1", f"{IF_X_ENTRY}.18"


@pytest.mark.parametrize(
    ("descr", "name", "alias", "keys"),
    [
        ({1: "one", 2: "two"}, {1: "a", 2: "b"}, {1: "", 2: ""}, {DESCR}),  # reading the middle of a walk costs less
        ({1: "same", 2: "same"}, {1: "a", 2: "b"}, {1: "", 2: ""}, {NAME}),
        ({1: "one", 2: "two"}, {1: "a"}, {1: "x"}, {DESCR}),  # ifName has not all rows
        ({1: "same", 2: "same"}, {1: "a", 2: "a"}, {1: "", 2: ""}, {DESCR, NAME, ALIAS}),
        ({1: "same", 2: "same"}, {}, {}, {DESCR, NAME, ALIAS}),
        ({}, {}, {}, None),
    ],
)
def test_the_key_tells_all_rows_apart(
    descr: dict[int, str], name: dict[int, str], alias: dict[int, str], keys: set[str] | None
) -> None:
    plan = make_plan([builtin_catalogue().module("if_mib")])
    contents = {DESCR: descr, NAME: name, ALIAS: alias}
    columns = {plan.by_oid[one].at: column(one, values) for one, values in contents.items()}
    chosen = {oid.to_text(plan.columns[at]) for at in LabelKeys(plan).choose(columns)}
    assert chosen == keys if keys is not None else len(chosen) == 1


def test_a_table_reached_through_another_has_a_key_in_both() -> None:
    plan = make_plan([builtin_catalogue().module("ospf")])
    columns = {at: column(oid.to_text(plan.columns[at]), {}) for at in plan.label_columns}
    chosen = {oid.to_text(plan.columns[at]) for at in LabelKeys(plan).choose(columns)}
    assert {"1.3.6.1.2.1.4.20.1.2", NAME} <= chosen  # ipAdEntIfIndex, then ifName


def test_tables_of_gauges_have_no_key() -> None:
    plan = make_plan([builtin_catalogue().module("entity_sensor")])
    columns = {at: column(oid.to_text(plan.columns[at]), {}) for at in plan.label_columns}
    assert columns
    assert not LabelKeys(plan).choose(columns)
