"""Polls of an address that another device has taken say so, and those of a device that only changed do not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from promsnmp.discovery.examine.check_identity import check_identity
from promsnmp.discovery.reconcile.merge import instant
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, PollOverrides, SeenIdentity
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.detection import identity_state
from promsnmp.polling.detection.seen_identities import SeenIdentities, with_identity
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.pages.page import Format
from promsnmp.polling.target import Target, device_target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib, Value
from promsnmp.sim.moving import ticks
from promsnmp.sim.parts.objects import integer, object_id, octets, text
from promsnmp.snmp import oid
from promsnmp.snmp.credentials import Community, Credentials, Version
from tests.support.discovery.simulated_network import MONITOR

CHASSIS, SERIAL = "1.3.6.1.2.1.47.1.1.1.1.5.", "1.3.6.1.2.1.47.1.1.1.1.11."
SYS_NAME = oid.encode("1.3.6.1.2.1.1.5.0")
ENGINE_ID = "1.3.6.1.6.3.10.2.1.1.0"


def box(
    name: str = "core-1",
    *,
    serials: tuple[str, ...] = ("FOC1111",),
    macs: tuple[str, ...] = ("001b54000001", "001b54000002"),
    kind: str = "1.3.6.1.4.1.9.1.1",
    engine: str = "80000009030000001b540001",
    descr: str = "version 15",
) -> Mib:
    """A device with its identifiers."""
    objects: dict[str, Value] = {
        "1.3.6.1.2.1.1.1.0": text(descr),
        "1.3.6.1.2.1.1.2.0": object_id(kind),
        "1.3.6.1.2.1.1.3.0": ticks,
        "1.3.6.1.2.1.1.5.0": text(name),
        ENGINE_ID: octets(bytes.fromhex(engine)),
    }
    for number, mac in enumerate(macs, 1):
        objects |= {f"1.3.6.1.2.1.2.2.1.1.{number}": integer(number)}
        objects |= {f"1.3.6.1.2.1.2.2.1.6.{number}": octets(bytes.fromhex(mac))}
    for number, serial in enumerate(serials, 1):
        objects |= {f"{CHASSIS}{number}": integer(3), f"{SERIAL}{number}": text(serial)}
    return Mib.of(objects)


class Polls:
    """A device of the inventory at an address where devices come and go."""

    def __init__(self, agent: SimulatedAgent, credentials: Credentials, *modules: str) -> None:
        self.agent = agent
        one = Agent("agent", AgentEndpoint(agent.address, agent.port), credentials, timeout=300)
        self.device = Device("one", "core-1", agents=(one,), primary=one)
        self.modules = modules or ("system",)
        self.collector = Collector(
            CatalogueStore(builtin_catalogue()),
            CollectorOptions(utilization=False),
            check_identity=check_identity,
            on_identity=self._store,
        )
        self.checks = 0
        self.pending = SeenIdentities()
        self.stores = True
        """Whether the inventory is written after each check."""

    def _store(self, target: Target, seen: SeenIdentity) -> None:
        self.checks += 1
        self.pending.add(target, seen)
        if self.stores:
            self.write()

    def write(self) -> None:
        """Writes what is pending, as the leader does every few seconds."""
        for seen in self.pending._pending.values():
            self.device = with_identity(self.device, seen)
        self.pending._pending.clear()

    async def poll(self) -> tuple[bool, int]:
        """Whether the page says that another device answers, and how many packets the poll took."""
        assert self.device.primary is not None
        before = self.agent.requests
        deadline = asyncio.get_running_loop().time() + 10
        target = device_target(self.device, self.device.primary, self.modules)
        page, _ = await self.collector.collect(target, deadline=deadline)
        state = self.collector.states.of(target)
        is_changed = "\npromsnmp_identity_changed 1\n" in page.plain(Format.TEXT).decode()
        assert is_changed == bool(state.identity.differences)
        assert not self.stores or is_changed == (self.device.identity_change is not None)
        return is_changed, self.agent.requests - before

    def replace_by(self, mib: Mib, *, uptime: float = 500.0) -> None:
        """Another device, or the same after a change, answers from now on."""
        self.agent.mib = mib
        self.agent._started = self.agent._clock() - uptime


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks may follow each other at once."""
    monkeypatch.setattr(identity_state, "MIN_SECONDS", 0.0)


@pytest.fixture
async def polls() -> AsyncIterator[Polls]:
    """A device that is known by an earlier check."""
    async with SimulatedAgent(box(), uptime=9000) as agent:
        made = Polls(agent, Community(Version.V2C))
        for _ in range(3):
            assert not (await made.poll())[0]
        assert made.device.identifiers.serial_numbers == ("FOC1111",)
        yield made


SAME: Mapping[str, Mib] = {
    "restarted": box(),
    "new firmware": box(descr="version 16", kind="1.3.6.1.4.1.9.1.2"),
    "renamed": box("core-9"),
    "another supervisor": box(engine="80000009030000001b54ffff", serials=("FOC2222",)),
    "all line cards replaced": box(macs=("001b54990001", "001b54990002"), engine="80000009030000001b54ffff"),
    "a stack without its first member": box(serials=("FOC1111", "FOC3333"), macs=("001b54000002",)),
    "no entity table": box(serials=()),
    "neither hardware nor engine": box(serials=(), macs=(), engine="00"),
}
OTHER: Mapping[str, tuple[Mib, str]] = {
    "replaced after a failure": (
        box(serials=("FOC9999",), macs=("001b54ff0001",), engine="80000009030000001b54ff01"),
        "serial number FOC1111, now FOC9999",
    ),
    "the other one of a pair": (box("core-2", serials=("FOC9999",), macs=("001b54ff0001",)), "MAC address"),
    "another kind": (
        box("ups", serials=(), macs=(), kind="1.3.6.1.4.1.534.1", engine="00"),
        "sysObjectID 1.3.6.1.4.1.9.1.1, now 1.3.6.1.4.1.534.1",
    ),
    "without hardware": (box(serials=(), macs=(), engine="80001f8880aabbccddee0011"), "engine id"),
}


@pytest.mark.parametrize("name", SAME)
async def test_a_device_that_only_changed_is_the_same(
    polls: Polls, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    checks = polls.checks
    polls.replace_by(SAME[name])
    for _ in range(3):
        assert not (await polls.poll())[0]
    assert polls.checks > checks
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


@pytest.mark.parametrize("name", OTHER)
async def test_another_device_is_seen_at_its_first_poll_and_logged_once(
    polls: Polls, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    mib, difference = OTHER[name]
    polls.replace_by(mib)
    for _ in range(3):
        assert (await polls.poll())[0]
    assert polls.device.identity_change is not None
    assert difference in "; ".join(polls.device.identity_change.differences)
    assert len([one for one in caplog.records if one.levelno >= logging.WARNING]) == 1
    assert polls.device.identifiers.serial_numbers == ("FOC1111",)  # it is not taken for the known one
    polls.replace_by(box(), uptime=90_000)
    with caplog.at_level(logging.INFO):
        assert not (await polls.poll())[0]
    assert "the known one again" in caplog.text


@pytest.mark.parametrize(
    ("known", "other", "difference"),
    [
        (box("fw-1"), OTHER["replaced after a failure"][0], "serial number FOC1111, now FOC9999"),
        (
            box("fw-1", serials=(), macs=(), engine="00"),
            box("fw-2", serials=(), macs=(), engine="00"),
            "sysName fw-1, now fw-2",
        ),
    ],
)
async def test_another_device_that_comes_before_the_first_identifiers_are_written_is_seen(
    known: Mib, other: Mib, difference: str
) -> None:
    async with SimulatedAgent(known, uptime=9000) as agent:
        polls = Polls(agent, Community(Version.V2C))
        polls.stores = False
        assert [(await polls.poll())[0] for _ in range(2)] == [False, False]
        polls.replace_by(other, uptime=20_000)
        assert [(await polls.poll())[0] for _ in range(2)] == [True, True]
        polls.stores = True
        polls.write()
        assert polls.device.identity_change is not None
        assert difference in polls.device.identity_change.differences
        assert polls.device.identifiers.sys_name == "fw-1"
        assert [(await polls.poll())[0] for _ in range(2)] == [True, True]
        polls.replace_by(known, uptime=9000)
        assert [(await polls.poll())[0] for _ in range(2)] == [False, False]


async def test_a_v3_device_is_seen_by_its_engine() -> None:
    async with SimulatedAgent(box(), users=[MONITOR], versions=[Version.V3], uptime=9000) as agent:
        polls = Polls(agent, MONITOR)
        for _ in range(3):
            assert not (await polls.poll())[0]
        assert polls.device.primary is not None
        assert agent.usm is not None
        assert polls.device.primary.engine_id == agent.usm.engine_id.hex()
        port = agent.port
        agent.close()
        other = box(serials=("FOC9999",), macs=("001b54ff0001",))
        async with await SimulatedAgent(other, users=[MONITOR], versions=[Version.V3], uptime=9000).start(
            "127.0.0.1", port
        ) as another:
            polls.agent = another
            assert (await polls.poll())[0]


async def test_a_check_costs_one_packet_when_nothing_changed_and_none_between(polls: Polls) -> None:
    _, packets = await polls.poll()
    assert [(await polls.poll())[1] for _ in range(5)] == [packets] * 5
    polls.collector = Collector(
        CatalogueStore(builtin_catalogue()), CollectorOptions(utilization=False), check_identity=check_identity
    )
    assert [(await polls.poll())[1] for _ in range(3)] == [packets + 1, packets, packets]  # after a restart


async def test_a_device_that_refuses_the_check_is_polled_as_before() -> None:
    async with SimulatedAgent(box(), uptime=9000) as agent:
        polls = Polls(agent, Community(Version.V2C))
        await polls.poll()
        whole, answer = agent.requests, agent.answer
        agent.answer = lambda datagram: None if b"\x2f\x01\x01" in datagram else answer(datagram)  # type: ignore[method-assign]
        polls.replace_by(box(serials=("FOC9999",), macs=()))
        polls.device = replace(polls.device, primary=replace(polls.device.agents[0], timeout=50, retries=0))
        assert not (await polls.poll())[0]
        assert agent.requests > whole


@pytest.mark.parametrize("credentials", [Community(Version.V1), Community(Version.V2C)])
async def test_polls_that_read_no_uptime_are_checked_all_the_same(
    credentials: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_state, "UNSEEN_SECONDS", 0.0)
    async with SimulatedAgent(box(), uptime=9000) as agent:
        polls = Polls(agent, credentials, "entity")
        assert not (await polls.poll())[0]
        polls.replace_by(OTHER["replaced after a failure"][0])
        assert (await polls.poll())[0]


async def test_a_name_is_compared_in_the_encoding_of_the_device_and_as_it_was_read_before() -> None:
    name = "机房-1"
    mib = Mib.of(box(serials=(), macs=(), engine="00").objects | {SYS_NAME: octets(name.encode("gbk"))})
    async with SimulatedAgent(mib, uptime=9000) as agent:
        made = Polls(agent, Community(Version.V2C))
        await made.poll()
        for known in (name, name.encode("gbk").decode(errors="replace")):
            seen = replace(made.device.identifiers, sys_name=known, booted_at="2020-01-01T00:00:00Z")
            made.device = replace(
                made.device,
                identifiers=seen,
                last_seen=instant(time.time()),
                overrides=PollOverrides(text_encoding="gbk"),
            )
            assert not (await made.poll())[0]
        other = replace(made.device.identifiers, sys_name="机房-2", booted_at="2020-01-01T00:00:00Z")
        made.device = replace(made.device, identifiers=other, last_seen=instant(time.time()))
        assert (await made.poll())[0]
