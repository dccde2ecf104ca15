"""Whole searches over simulated networks, real snmpd and recorded devices, into an inventory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from promsnmp.discovery.jobs import Job
from promsnmp.discovery.reconcile.merge import NewDeviceDefaults
from promsnmp.discovery.scan.rate import SharedRate
from promsnmp.discovery.search import SearchRun
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.model import LOST, Agent, AgentEndpoint, Device, Inventory, PollOverrides
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.field import Field, populate, spread_over
from promsnmp.sim.mib import Value
from promsnmp.sim.recording import read_recording
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import AuthProtocol, Community, Credentials, PrivProtocol, SecurityLevel, User, Version
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.session import Session
from tests.support.agents.behaviours import BEHAVIOURS
from tests.support.agents.hostile import HostileAgent
from tests.support.agents.silent import ElsewhereAgent
from tests.support.discovery.searches import (
    SLOW_MACHINE,
    FixedIdentity,
    by_name,
    device_mib,
    plan_for,
    search,
    search_context,
)
from tests.support.discovery.simulated_network import MONITOR, PUBLIC
from tests.support.tools import Snmpd, require_shared

MACS = ["001b54000001", "001b54000002"]


def agent(name: str, number: int = 0, **options: object) -> SimulatedAgent:
    macs = [f"001b5400{number:02x}{port:02x}" for port in range(1, 4)] if number else []
    return SimulatedAgent(device_mib(name, macs=macs), **options)  # type: ignore[arg-type]  # as SimulatedAgent takes them


def hand_made(name: str, address: str, port: int, credentials: Community = PUBLIC) -> Device:
    one = Agent(f"6a3c1d5e-0000-4000-8000-0000000000{len(name):02x}", AgentEndpoint(address, port), credentials)
    return Device(f"6a3c1d5e-0000-4000-8000-0000000001{len(name):02x}", name, agents=(one,), primary=one)


async def test_found_devices_are_in_the_inventory_with_all_their_values() -> None:
    mib = device_mib("sw1", macs=["001b54000001", "00005e000101"], serial="FOC1234")
    memory = UnsavedInventory()
    async with await SimulatedAgent(mib).start("127.71.0.1") as one:
        plan = plan_for(
            "127.71.0.1",
            port=one.port,
            new_device_defaults=NewDeviceDefaults(labels=(("site", "a"),), modules=("if_mib",)),
            who="somebody",
        )

        known = FixedIdentity("Cisco", "C2960", "system", "cisco")
        job = await search(plan, memory, scan_limits=SLOW_MACHINE, identify=known)
        endpoint = AgentEndpoint("127.71.0.1", one.port)
    (device,) = memory.current.devices
    assert (device.sys_name, device.sys_descr, device.sys_contact, device.sys_location) == (
        "sw1",
        "a switch",
        "noc",
        "rack 7",
    )
    assert (device.sys_object_id, device.vendor, device.detected_modules) == (
        "1.3.6.1.4.1.9.1.1",
        "Cisco",
        ("system", "cisco"),
    )
    assert (device.labels, device.modules) == ((("site", "a"),), ("if_mib",))
    assert device.identifiers.mac_addresses == ("001b54000001",)
    assert device.identifiers.serial_numbers == ("FOC1234",)
    assert device.identifiers.booted_at == "2025-06-15T14:50:00Z"
    assert device.primary is not None
    assert (device.primary.endpoint, device.primary.credentials) == (endpoint, PUBLIC)
    assert dict(job.change_counts) == {"added": 1}
    assert (job.progress.probed, job.progress.found) == (1, 1)


async def test_an_incomplete_identification_does_not_change_the_modules() -> None:
    memory = UnsavedInventory()
    async with await agent("sw1").start("127.71.0.1") as one:
        plan = plan_for("127.71.0.1", port=one.port)
        for problem, expected in (("no answer", ()), ("", ("system", "cisco")), ("no answer", ("system", "cisco"))):
            names = ("system",) if problem else ("system", "cisco")
            await search(
                plan,
                memory,
                scan_limits=SLOW_MACHINE,
                identify=FixedIdentity("Cisco", "C2960", *names, problem=problem),
            )
            (device,) = memory.current.devices
            assert (device.vendor, device.detected_modules) == ("Cisco", expected)


async def test_v2c_and_v3_devices_are_found_side_by_side_with_the_first_credentials_that_work() -> None:
    devices = {
        "127.71.1.1": agent("both", 1, users=[MONITOR]),
        "127.71.1.2": agent("community", 2),
        "127.71.1.3": agent("user", 3, users=[MONITOR], versions=[Version.V3]),
        "127.71.1.4": agent("other", 4, community="other"),
        "127.71.1.5": agent("refuses", 5, community="x", users=[replace(MONITOR, name="x")]),
    }
    memory = UnsavedInventory()
    async with await Field(devices).start() as field:
        tried: list[Credentials] = [MONITOR, PUBLIC, Community(Version.V2C, "other")]
        job = await search(
            plan_for("127.71.1.0/28", port=field.port, credentials=tried), memory, scan_limits=SLOW_MACHINE
        )
    credentials = {name: device.primary.credentials for name, device in by_name(memory).items() if device.primary}
    assert credentials == {"both": MONITOR, "community": PUBLIC, "user": MONITOR, "other": tried[2]}
    assert all(device.identifiers.mac_addresses for device in memory.current.devices)
    assert (job.progress.answered, list(job.refusing)) == (5, ["127.71.1.5"])
    assert job.progress.errors["authentication"] == 1
    (v3,) = by_name(memory)["user"].agents
    assert v3.engine_id == devices["127.71.1.3"].usm.engine_id.hex()  # type: ignore[union-attr]  # it has users


async def test_a_thousand_siblings_are_a_thousand_devices_and_finding_them_again_changes_nothing() -> None:
    memory = UnsavedInventory()
    mib = device_mib("switch", macs=MACS, serial="FOC1")
    async with await populate([mib], spread_over("127.72.0.0/22", 300)).start() as field:
        plan = plan_for("127.72.0.0/22", port=field.port)
        job = await search(plan, memory, scan_limits=SLOW_MACHINE)
        assert (len(memory.current.devices), dict(job.change_counts)) == (300, {"added": 300})
        before = {device.id: device for device in memory.current.devices}
        job = await search(plan, memory, scan_limits=SLOW_MACHINE)
    assert +job.change_counts == {"unchanged": 300}
    assert {device.id for device in memory.current.devices} == before.keys()


async def test_one_device_on_several_addresses_is_one_and_strangers_of_one_name_are_not() -> None:
    router = agent("switch", 1)
    devices = {"127.71.2.1": router, "127.71.2.2": router, "127.71.2.3": router, "127.71.2.4": agent("switch", 2)}
    memory = UnsavedInventory()
    async with await Field(devices).start() as field:
        job = await search(plan_for("127.71.2.0/29", port=field.port), memory, scan_limits=SLOW_MACHINE)
    assert sorted(len(device.agents) for device in memory.current.devices) == [1, 3]
    assert (len(job.discovered_devices), +job.change_counts) == (2, {"added": 2})
    assert sorted(len(discovered.endpoints) for discovered in job.discovered_devices.values()) == [1, 3]


async def test_an_excluded_address_gets_no_packet() -> None:
    devices = {"127.71.3.1": agent("a", 1), "127.71.3.2": agent("b", 2)}
    memory = UnsavedInventory()
    async with await Field(devices).start() as field:
        await search(
            plan_for("127.71.3.0/29", port=field.port, exclude=["127.71.3.2"]), memory, scan_limits=SLOW_MACHINE
        )
    assert list(by_name(memory)) == ["a"]
    assert devices["127.71.3.2"].requests == devices["127.71.3.2"].ignored == 0


async def test_names_are_resolved_and_one_that_does_not_resolve_is_only_counted() -> None:
    memory = UnsavedInventory()
    async with await SimulatedAgent(device_mib("sw1")).start("127.0.0.1") as one:
        job = await search(
            plan_for("localhost", "no.such.host.invalid", port=one.port), memory, scan_limits=SLOW_MACHINE
        )
        again = await search(plan_for("localhost", port=one.port, exclude=["127.0.0.0/8"]), UnsavedInventory())
    assert [device.agents[0].endpoint.address for device in memory.current.devices] == ["127.0.0.1"]
    assert (job.progress.errors["unresolved"], job.progress.addresses, job.progress.probed) == (1, 1, 1)
    assert (again.progress.addresses, again.progress.packets) == (0, 0)


# --------------------------------------------------------------------------------------------------- known devices


async def test_a_known_device_that_refuses_the_credentials_is_still_there_by_its_own() -> None:
    own = Community(Version.V2C, "own")
    devices = {"127.71.4.1": agent("a", 1, community="own"), "127.71.4.2": agent("b", 2)}
    async with await Field(devices).start() as field:
        memory = UnsavedInventory(Inventory((hand_made("named by hand", "127.71.4.1", field.port, own),)))
        await search(plan_for("127.71.4.0/29", port=field.port), memory, scan_limits=SLOW_MACHINE)
    first = memory.current.devices[0]
    assert (first.sys_name, first.sys_descr, first.missed_since) == ("named by hand", "a switch", None)
    assert first.agents[0].credentials == own


@pytest.mark.parametrize("accepts", [True, None])
@pytest.mark.parametrize("is_known", [True, False])
async def test_a_device_without_authentication_may_answer_from_elsewhere_where_a_setting_says_so(
    accepts: bool | None, is_known: bool
) -> None:
    overrides = PollOverrides(unconnected=accepts)
    async with await ElsewhereAgent().start("127.71.24.1") as one:
        known = replace(hand_made("sw1", "127.71.24.1", one.port), overrides=overrides)
        memory = UnsavedInventory(Inventory((known,) if is_known else ()))
        defaults = NewDeviceDefaults() if is_known else NewDeviceDefaults(overrides=overrides)
        plan = plan_for("127.71.24.1", port=one.port, new_device_defaults=defaults)
        job = await search(plan, memory, scan_limits=SLOW_MACHINE)
    assert (job.progress.found, bool(job.progress.errors["elsewhere"])) == ((1, False) if accepts else (0, True))
    seen = [device.last_seen is not None for device in memory.current.devices]
    assert seen == ([True] if accepts else [False] if is_known else [])


async def test_a_device_that_is_gone_is_lost_and_removed_only_on_request() -> None:
    async with await Field({"127.71.5.1": agent("here", 1)}).start() as field:
        start = Inventory(
            (hand_made("gone", "127.71.5.2", field.port), hand_made("elsewhere", "192.0.2.1", field.port))
        )
        memory = UnsavedInventory(start)
        job = await search(plan_for("127.71.5.0/29", port=field.port), memory, scan_limits=SLOW_MACHINE)
        assert [device.sys_name for device in job.missed_devices.lost] == ["gone"]
        assert by_name(memory)["gone"].status == LOST
        assert by_name(memory)["elsewhere"].missed_since is None
        await search(plan_for("127.71.5.0/29", port=field.port, remove_lost=True), memory, scan_limits=SLOW_MACHINE)
    assert set(by_name(memory)) == {"here", "elsewhere"}


async def test_a_device_with_a_host_name_is_not_added_twice() -> None:
    async with await SimulatedAgent(device_mib("sw1", macs=MACS)).start("127.0.0.1") as one:
        memory = UnsavedInventory(Inventory((hand_made("by-name", "localhost", one.port),)))
        await search(plan_for("127.0.0.0/30", port=one.port), memory, scan_limits=SLOW_MACHINE)
    (device,) = memory.current.devices
    assert (device.sys_name, device.identifiers.sys_name, device.agents[0].endpoint.address) == (
        "by-name",
        "sw1",
        "localhost",
    )


# ------------------------------------------------------------------------------------------------------ neighbours


def lldp(*addresses: str) -> dict[str, Value]:
    """Rows of lldpRemManAddrTable."""
    return {
        f"1.0.8802.1.1.2.1.4.2.1.3.0.{number}.1.1.4.{address}": ber.encode_integer(2)
        for number, address in enumerate(addresses, 1)
    }


def cdp(address: str) -> dict[str, Value]:
    return {"1.3.6.1.4.1.9.9.23.1.2.1.1.4.1.1": ber.tlv(ber.OCTET_STRING, socket.inet_aton(address))}


async def test_neighbours_are_followed_only_in_the_allowed_networks() -> None:
    devices = {
        "127.73.0.1": SimulatedAgent(device_mib("first", macs=["001b54000001"], more=lldp("127.73.1.1", "127.74.0.1"))),
        "127.73.1.1": SimulatedAgent(device_mib("second", macs=["001b54000002"], more=cdp("127.73.1.2"))),
        "127.73.1.2": SimulatedAgent(device_mib("third", macs=["001b54000003"], more=lldp("127.73.0.1", "127.73.1.9"))),
        "127.73.1.9": SimulatedAgent(device_mib("excluded", macs=["001b54000009"])),
        "127.74.0.1": SimulatedAgent(device_mib("elsewhere", macs=["001b54000004"])),
    }
    memory = UnsavedInventory()
    async with await Field(devices).start() as field:
        plan = plan_for("127.73.0.1", port=field.port, neighbours=["127.73.0.0/16"], exclude=["127.73.1.9"])
        job = await search(plan, memory, scan_limits=SLOW_MACHINE)
        alone = UnsavedInventory()
        await search(plan_for("127.73.0.1", port=field.port), alone, scan_limits=SLOW_MACHINE)
    assert set(by_name(memory)) == {"first", "second", "third"}
    assert (job.neighbours_probed, job.progress.addresses) == (2, 3)
    assert set(by_name(alone)) == {"first"}
    assert devices["127.74.0.1"].requests == devices["127.73.1.9"].requests == 0


# --------------------------------------------------------------------------------------------- stopping and failing


async def test_a_search_that_is_stopped_keeps_what_it_found() -> None:
    memory = UnsavedInventory()
    async with await populate([device_mib("switch", macs=MACS)], spread_over("127.72.0.0/20", 20)).start() as field:
        job = Job(plan_for("127.72.0.0/20", port=field.port), 0.0)
        context = search_context(memory, scan_limits=SLOW_MACHINE)
        running = asyncio.ensure_future(SearchRun(job, context, SharedRate(500).share()).run())
        async with asyncio.timeout(30):
            while job.progress.found < 3:
                await asyncio.sleep(0.01)
        job.stop_requested = True
        await asyncio.wait_for(running, 30)
    assert 3 <= len(memory.current.devices) == job.progress.found < 20
    assert not job.missed_devices.count


async def test_a_stopped_search_keeps_agents_that_are_being_examined() -> None:
    class Endless(FixedIdentity):
        async def __call__(self, session: Session, *, limits: AgentLimits) -> FixedIdentity:
            asked.set()
            return await asyncio.Future()

    asked, memory = asyncio.Event(), UnsavedInventory()
    async with await agent("sw1").start("127.71.0.1") as one:
        job = Job(plan_for("127.71.0.1", port=one.port), 0.0)
        context = search_context(memory, scan_limits=SLOW_MACHINE, identify=Endless())
        running = asyncio.ensure_future(SearchRun(job, context, SharedRate(500).share()).run())
        await asyncio.wait_for(asked.wait(), 30)
        job.stop_requested = True
        await asyncio.wait_for(running, 30)
    assert [device.sys_name for device in memory.current.devices] == ["sw1"]


async def test_a_failed_write_is_retried_and_an_error_at_the_end() -> None:
    class Full(UnsavedInventory):
        failures = 1

        async def update(
            self, change: Callable[[Inventory], Inventory], *, who: str = "", request_id: str = ""
        ) -> Inventory:
            if self.failures:
                self.failures -= 1
                raise InventoryUnavailable("the disk is full")
            return await super().update(change, who=who, request_id=request_id)

    memory = Full()
    async with await SimulatedAgent(device_mib("sw1")).start("127.71.6.1") as one:
        with pytest.raises(InventoryUnavailable):
            await search(plan_for("127.71.6.1", port=one.port), memory, scan_limits=SLOW_MACHINE)
        assert not memory.current.devices
        await search(plan_for("127.71.6.1", port=one.port), memory, scan_limits=SLOW_MACHINE)
    assert list(by_name(memory)) == ["sw1"]


@pytest.mark.parametrize("start", range(0, len(BEHAVIOURS), 25))
async def test_no_misdeed_keeps_honest_devices_from_being_found(start: int) -> None:
    hostile = [HostileAgent(one) for one in BEHAVIOURS[start : start + 25]]
    devices = {"127.75.0.1": agent("honest", 1)}
    answering = {f"127.75.1.{number}": _Hostile(one) for number, one in enumerate(hostile, 1)}
    memory = UnsavedInventory()
    async with await Field({**devices, **answering}).start() as field:
        await search(plan_for("127.75.0.0/23", port=field.port), memory)
    assert "honest" in by_name(memory)
    for device in memory.current.devices:
        for text in (device.sys_name, device.sys_descr):
            assert text.isprintable()
            assert len(text) <= 255


class _Hostile:
    """The first of what a hostile agent sends."""

    def __init__(self, one: HostileAgent) -> None:
        self._agent = one

    def answer(self, datagram: bytes) -> bytes | None:
        return next((reply.datagram for reply in self._agent.replies(datagram)), None)


# -------------------------------------------------------------------------------------------------------- real ones


async def test_snmpd_is_found_on_its_addresses_by_community_and_user(snmpd: Callable[..., Snmpd]) -> None:
    user = ("monitor", "priv", "SHA-256", "authenticate", "AES-256", "keep-private")
    monitor = User(
        "monitor", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA256, "authenticate", PrivProtocol.AES256, "keep-private"
    )
    first = snmpd(address="127.76.0.1", extra_conf="sysName alpha", communities=["secret"])
    port = first.port
    snmpd(address="127.76.0.2", port=port, extra_conf="sysName beta", users=[user], communities=[])
    snmpd(address="127.76.0.3", port=port, extra_conf="sysName beta", users=[user], communities=[])
    memory = UnsavedInventory()
    tried: list[Credentials] = [PUBLIC, monitor, Community(Version.V2C, "secret")]
    await search(plan_for("127.76.0.0/29", port=port, credentials=tried), memory, scan_limits=SLOW_MACHINE)
    found = sorted((device.sys_name, str(device.agents[0].credentials)) for device in memory.current.devices)
    assert found == [
        ("alpha", str(tried[2])),
        ("beta", str(monitor)),
        ("beta", str(monitor)),
    ]  # two engines, two agents
    assert all(device.agents[0].engine_id and device.identifiers.booted_at for device in memory.current.devices)
    again = {device.id for device in memory.current.devices}
    await search(plan_for("127.76.0.0/29", port=port, credentials=tried), memory, scan_limits=SLOW_MACHINE)
    assert {device.id for device in memory.current.devices} == again


async def test_recorded_devices_that_all_have_one_name_are_all_found() -> None:
    files = sorted(require_shared("recordings").glob("*.snmprec"))
    recordings = [read_recording(path) for path in files]
    devices = {f"127.76.1.{number}": SimulatedAgent(one.mib) for number, one in enumerate(recordings, 1)}
    memory = UnsavedInventory()
    async with await Field(devices).start() as field:
        plan = plan_for("127.76.1.0/26", port=field.port)
        job = await search(plan, memory, scan_limits=SLOW_MACHINE)
        assert (len(memory.current.devices), job.progress.found) == (len(files), len(files))
        ids = {device.id for device in memory.current.devices}
        await search(plan, memory, scan_limits=SLOW_MACHINE)
    assert {device.id for device in memory.current.devices} == ids
