"""Clones: machines made of one image have the same name and engine id, and often start together; none may be lost."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from promsnmp.discovery.reconcile.distinctive import local_macs
from promsnmp.discovery.reconcile.identity import Facts
from promsnmp.discovery.reconcile.merge import merge
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.inventory.model import AgentEndpoint, Inventory
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.parts.objects import octets
from promsnmp.snmp.credentials import Community
from tests.support.discovery.searches import SLOW_MACHINE, device_mib, plan_for, search

NOW, DAY = 1_750_000_000.0, 86_400.0
ENGINE = "80001f8880aabbccddeeff0011"
SNMP_ENGINE_ID = "1.3.6.1.6.3.10.2.1.1.0"


def clone(number: int, *, started: float = NOW - 9 * DAY, day: float = 0.0, **more: object) -> Facts:
    """A sighting of a virtual machine made of an image."""
    said: dict[str, object] = {"sys_name": "template", "sys_object_id": "1.3.6.1.4.1.8072.3.2.10", "engine_id": ENGINE}
    macs = frozenset({f"5254000000{number:02x}"})
    both = {**said, "local_mac_addresses": macs, "booted": started, **more}
    return Facts(AgentEndpoint(f"192.0.2.{number}"), Community(), NOW + day * DAY, **both)  # type: ignore[arg-type]


def addresses(inventory: Inventory) -> list[list[str]]:
    """The addresses of each device."""
    return sorted([agent.endpoint.address for agent in device.agents] for device in inventory.devices)


@pytest.mark.parametrize("apart", [0.0, 2.0, 50.0, 300.0])
@pytest.mark.parametrize("engine_id", [ENGINE, ""])
@pytest.mark.parametrize("shows_macs", [True, False])
def test_clones_that_start_together_are_as_many_devices(apart: float, engine_id: str, shows_macs: bool) -> None:
    shown: dict[str, Any] = {} if shows_macs else {"local_mac_addresses": frozenset()}
    clones = [clone(number, started=NOW - DAY + apart * number, engine_id=engine_id, **shown) for number in (1, 2, 3)]
    for sightings in itertools.permutations(clones):
        inventory, _ = merge(Inventory(), sightings)
        assert addresses(inventory) == [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.3"]]
        again, _ = merge(inventory, [replace(one, seen=one.seen + DAY) for one in sightings[::-1]])
        assert addresses(again) == addresses(inventory)


def test_a_clone_made_today_of_a_machine_known_since_yesterday_is_another_device() -> None:
    start, _ = merge(Inventory(), [clone(1)])
    for shown in (frozenset(), frozenset({"525400000002"})):  # agents may show their system group only
        made = clone(2, started=NOW + 0.9 * DAY, day=1, local_mac_addresses=shown)
        assert addresses(merge(start, [made])[0]) == [["192.0.2.1"], ["192.0.2.2"]]


def test_clones_that_an_earlier_version_merged_are_told_apart_by_the_next_search() -> None:
    (device,) = merge(Inventory(), [clone(1)])[0].devices
    other = merge(Inventory(), [clone(2)])[0].devices[0].agents
    merged = replace(
        device,
        agents=(*device.agents, *other),
        labels=(("rack", "7"),),
        identifiers=replace(device.identifiers, local_mac_addresses=()),
    )
    for sightings in itertools.permutations([clone(1, day=1), clone(2, day=1, started=NOW - 9 * DAY + 90)]):
        inventory, _ = merge(Inventory((merged,)), sightings)
        again, _ = merge(inventory, [replace(one, seen=one.seen + DAY) for one in sightings])
        assert addresses(again) == [["192.0.2.1"], ["192.0.2.2"]]
        assert sorted(one.labels for one in again.devices) == [(), (("rack", "7"),)]


def test_copies_of_a_virtual_machine_with_its_serial_number_are_as_many_devices() -> None:
    clones = [clone(number, serial_numbers=frozenset({"9ABCDEF0123"})) for number in (1, 2, 3)]
    for sightings in itertools.permutations(clones):
        inventory, _ = merge(Inventory(), sightings)
        assert addresses(inventory) == [["192.0.2.1"], ["192.0.2.2"], ["192.0.2.3"]]
        again, _ = merge(inventory, [replace(one, seen=one.seen + DAY) for one in sightings[::-1]])
        assert addresses(again) == addresses(inventory)


@pytest.mark.parametrize("shared", ["eeeeeeeeeeee", "feffffffffff", "0a0027000000", "02004c4f4f50"])
def test_clones_that_show_only_mac_addresses_that_all_hosts_have_are_as_many_devices(shared: str) -> None:
    clones = [clone(number, local_mac_addresses=local_macs([bytes.fromhex(shared)])) for number in (1, 2)]
    inventory, _ = merge(Inventory(), clones)
    assert addresses(inventory) == [["192.0.2.1"], ["192.0.2.2"]]


def test_two_addresses_of_an_entry_that_an_operator_named_stay_together() -> None:
    (device,) = merge(Inventory(), [clone(1)])[0].devices
    other = merge(Inventory(), [clone(2)])[0].devices[0].agents
    named = replace(device, sys_name="our pair", agents=(*device.agents, *other))
    inventory, _ = merge(Inventory((named,)), [clone(1, day=1), clone(2, day=1)])
    assert [(one.sys_name, len(one.agents)) for one in inventory.devices] == [("our pair", 2)]


def test_a_replaced_box_with_two_addresses_keeps_its_entry() -> None:
    old = [clone(1), replace(clone(1), endpoint=AgentEndpoint("192.0.2.2"))]
    start, _ = merge(Inventory(), old)
    assert addresses(start) == [["192.0.2.1", "192.0.2.2"]]
    box = clone(7, started=NOW + 0.5 * DAY, day=1, engine_id="80001f8880ffffffffffff0022")
    new = [replace(box, endpoint=one.endpoint, mac_addresses=frozenset({"001b54000001"})) for one in old]
    known = replace(start.devices[0].identifiers, mac_addresses=("001b54000009",))
    inventory, _ = merge(Inventory((replace(start.devices[0], identifiers=known),)), new)
    assert addresses(inventory) == [["192.0.2.1", "192.0.2.2"]]
    assert inventory.devices[0].id == start.devices[0].id


async def test_a_search_finds_clones_on_the_network() -> None:
    memory = UnsavedInventory()
    engine = {SNMP_ENGINE_ID: octets(bytes.fromhex(ENGINE))}
    mibs = [device_mib("template", macs=[f"52540000000{number}"], more=engine) for number in (1, 2, 3)]
    places = ("127.71.21.1", "127.71.21.2", "127.71.21.3")
    async with (
        await SimulatedAgent(mibs[0]).start(places[0]) as first,
        await SimulatedAgent(mibs[1]).start(places[1], first.port),
        await SimulatedAgent(mibs[2]).start(places[2], first.port),
    ):
        for _ in range(2):
            await search(plan_for(*places, port=first.port), memory, scan_limits=SLOW_MACHINE)
            assert addresses(memory.current) == [[place] for place in places]
    assert {one.identifiers.local_mac_addresses for one in memory.current.devices} == {
        (f"52540000000{number}",) for number in (1, 2, 3)
    }
