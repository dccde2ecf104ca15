"""How found agents change the inventory: cases from an operator's network."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from promsnmp.discovery.reconcile.identity import Facts
from promsnmp.discovery.reconcile.merge import MergeOutcome, NewDeviceDefaults, SightingKind, merge
from promsnmp.inventory.document.write import from_document, to_document
from promsnmp.inventory.index import Index, collisions
from promsnmp.inventory.model import (
    ACTIVE,
    LOST,
    Agent,
    AgentEndpoint,
    Device,
    IdentityChange,
    Inventory,
    PollOverrides,
)
from promsnmp.snmp.credentials import Community, User, Version

DAY = 86_400.0
NOW = 1_750_000_000.0
PUBLIC = Community(Version.V2C, "public")


def facts(address: str, name: str | None, number: int = 0, *, day: float = 0.0, **more: object) -> Facts:
    """A sighting of the box ``number``, with hardware identifiers; box 0 has none."""
    hardware = {"mac_addresses": frozenset({f"001b540000{number:02x}"})} if number else {}
    said = {"sys_descr": "a switch", "sys_object_id": "1.3.6.1.4.1.9.1.1", "sys_contact": "noc", "sys_location": "hall"}
    return Facts(
        AgentEndpoint(address), PUBLIC, NOW + day * DAY, **{"sys_name": name, **said, **hardware, **more}  # type: ignore[arg-type]
    )  # fmt: skip


def after(*sightings: Facts, start: Inventory | None = None, **options: object) -> tuple[Inventory, list[MergeOutcome]]:
    """The inventory after each sighting in a batch of its own; it can always be written and read."""
    inventory, outcomes = start or Inventory(), []
    for one in sightings:
        inventory, (outcome,) = merge(inventory, [one], **options)  # type: ignore[arg-type]  # as merge takes them
        assert not collisions(inventory.devices)
        assert from_document(to_document(inventory, mask=False)) == inventory
        outcomes.append(outcome)
    together, _ = merge(start or Inventory(), sightings, **options)  # type: ignore[arg-type]
    assert shape(together) == shape(inventory)
    return inventory, outcomes


def shape(inventory: Inventory) -> list[tuple[str, tuple[str, ...]]]:
    """Names and addresses."""
    return sorted((one.sys_name, tuple(str(agent.endpoint) for agent in one.agents)) for one in inventory.devices)


def events(outcomes: list[MergeOutcome]) -> list[SightingKind]:
    return [one.sighting_kind for one in outcomes]


def labelled(inventory: Inventory, **labels: str) -> Inventory:
    """The inventory after an operator labelled its first device."""
    first, *others = inventory.devices
    return replace(inventory, devices=(replace(first, labels=tuple(labels.items()), modules=("ups",)), *others))


# ----------------------------------------------------------------------------------------------------- new and known


def test_a_new_device_has_its_answers_and_the_new_device_defaults() -> None:
    overrides = PollOverrides(interval=300_000)
    new_device_defaults = NewDeviceDefaults(labels=(("site", "a"),), modules=("if_mib",), overrides=overrides)
    seen = facts(
        "192.0.2.1", "sw1", 1, engine_id="80aa", booted=NOW - 100, vendor="Cisco", model="C2960", modules=("system",)
    )
    inventory, (outcome,) = after(seen, new_device_defaults=new_device_defaults)
    (device,) = inventory.devices
    assert (outcome.sighting_kind, outcome.device, outcome.endpoint) == (
        SightingKind.ADDED,
        device,
        AgentEndpoint("192.0.2.1"),
    )
    assert (device.sys_name, device.sys_descr, device.sys_contact, device.sys_location) == (
        "sw1",
        "a switch",
        "noc",
        "hall",
    )
    assert (device.vendor, device.model, device.detected_modules) == ("Cisco", "C2960", ("system",))
    assert (device.labels, device.modules, device.overrides) == ((("site", "a"),), ("if_mib",), overrides)
    assert device.last_seen == device.discovered_at == "2025-06-15T15:06:40Z"
    assert device.primary is not None
    assert (device.primary.credentials, device.primary.engine_id) == (PUBLIC, "80aa")
    assert device.identifiers.mac_addresses == ("001b54000001",)


def test_a_known_device_is_updated_in_place_and_keeps_id_labels_and_modules() -> None:
    start = labelled(after(facts("192.0.2.1", "sw1", 1))[0], role="core")
    v3 = User("monitor")
    seen = replace(
        facts("192.0.2.1", "sw1", 1, day=1), credentials=v3, sys_descr="new firmware", sys_location="roof",
        vendor="Cisco", sys_object_id="1.3.6.1.4.1.9.1.2", modules=("system", "cisco"),
    )  # fmt: skip
    inventory, (outcome,) = after(seen, start=start, new_device_defaults=NewDeviceDefaults(labels=(("role", "other"),)))
    before, device = start.devices[0], inventory.devices[0]
    assert (outcome.sighting_kind, outcome.updated) == (SightingKind.SEEN, True)
    assert (device.id, device.labels, device.modules) == (before.id, before.labels, before.modules)
    assert (device.sys_descr, device.sys_location, device.sys_object_id) == (
        "new firmware",
        "roof",
        "1.3.6.1.4.1.9.1.2",
    )
    assert (device.vendor, device.detected_modules) == ("Cisco", ("system", "cisco"))
    assert device.primary is not None
    assert before.primary is not None
    assert (device.primary.id, device.primary.credentials) == (before.primary.id, v3)
    assert (device.discovered_at, device.last_seen) == (before.discovered_at, "2025-06-16T15:06:40Z")


def test_seeing_a_device_again_changes_only_the_time_and_is_reported() -> None:
    start, _ = after(facts("192.0.2.1", "sw1", 1, booted=NOW - 5))
    inventory, (outcome,) = after(facts("192.0.2.1", "sw1", 1, day=1, booted=NOW - 4), start=start)
    assert (outcome.sighting_kind, outcome.updated) == (SightingKind.SEEN, False)
    assert inventory.devices[0].last_seen != start.devices[0].last_seen


def test_unanswered_fields_keep_their_values_and_emptied_fields_are_empty() -> None:
    start, _ = after(facts("192.0.2.1", "sw1", 1))
    quiet = facts("192.0.2.1", None, sys_descr=None, sys_contact=None, sys_object_id=None, sys_location="", day=1)
    (device,) = after(quiet, start=start)[0].devices
    assert (device.sys_name, device.sys_descr, device.sys_location) == ("sw1", "a switch", "")
    assert device.identifiers.mac_addresses == ("001b54000001",)


def test_a_device_that_was_lost_is_back() -> None:
    start, _ = after(facts("192.0.2.1", "sw1", 1))
    gone = replace(start.devices[0], status=LOST, missed_since="2025-06-01T00:00:00Z")
    (device,) = after(facts("192.0.2.1", "sw1", 1, day=1), start=Inventory((gone,)))[0].devices
    assert (device.status, device.missed_since) == (ACTIVE, None)


# --------------------------------------------------------------------------------------------- names and strangers


@pytest.mark.parametrize("name", ["sw1", "switch", "MikroTik", "", None])
def test_strangers_that_share_a_name_are_two_devices(name: str | None) -> None:
    inventory, outcomes = after(facts("192.0.2.1", name, 1), facts("192.0.2.2", name, 2))
    assert events(outcomes) == [SightingKind.ADDED, SightingKind.ADDED]
    index = Index(inventory.devices)
    assert index.find("192.0.2.1") != index.find("192.0.2.2")
    assert index.find(name or "") is None  # a name that is not one device's is no target


def test_nothing_but_a_name_in_common_makes_no_device_of_two() -> None:
    for name in ("sw1", "switch", ""):
        assert len(after(facts("192.0.2.1", name), facts("192.0.2.2", name))[0].devices) == 2


@pytest.mark.parametrize("name", ["sw1", "switch", "", None])
def test_a_device_with_several_addresses_is_one(name: str | None) -> None:
    inventory, outcomes = after(*(facts(f"192.0.2.{number}", name, 1) for number in (1, 2, 3)))
    assert events(outcomes) == [SightingKind.ADDED, SightingKind.ANOTHER_ADDRESS, SightingKind.ANOTHER_ADDRESS]
    (device,) = inventory.devices
    assert [agent.endpoint.address for agent in device.agents] == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert device.primary is device.agents[0]
    again, outcomes = after(*(facts(f"192.0.2.{number}", name, 1, day=1) for number in (3, 1, 2)), start=inventory)
    assert set(events(outcomes)) == {SightingKind.SEEN}
    assert shape(again) == shape(inventory)


def test_devices_without_mac_addresses_are_not_one_because_of_name_and_start() -> None:
    sightings = [facts(f"192.0.2.{number}", "sw1", day=number / 1e4, booted=NOW - 9 * DAY) for number in (1, 2)]
    assert len(after(*sightings)[0].devices) == 2


def test_a_copied_engine_id_makes_no_device_of_two() -> None:
    for number in (0, 1):
        clones = [
            facts("192.0.2.1", "template", number, engine_id="80aa", booted=NOW - 9 * DAY),
            facts("192.0.2.2", "template", 2 * number, engine_id="80aa", booted=NOW - 5 * DAY),
        ]
        assert len(after(*clones)[0].devices) == 2


def test_contexts_of_one_chassis_are_devices_of_their_own() -> None:
    one, other = facts("192.0.2.1", "vdc-1", 1), facts("192.0.2.2", "vdc-2", 1)
    assert len(after(one, other)[0].devices) == 2


# ----------------------------------------------------------------------------------------------- what changes in time


def test_a_device_that_was_renamed_is_the_same_and_goes_by_its_new_name() -> None:
    start = labelled(after(facts("192.0.2.1", "old-name", 1))[0], role="core")
    inventory, (outcome,) = after(facts("192.0.2.1", "new-name", 1, day=1), start=start)
    assert (outcome.sighting_kind, outcome.device.sys_name, outcome.device.id) == (
        SightingKind.SEEN,
        "new-name",
        start.devices[0].id,
    )
    assert len(inventory.devices) == 1


def test_a_device_that_moved_to_another_address_is_the_same() -> None:
    start = labelled(after(facts("192.0.2.1", "sw1", 1))[0], role="core")
    inventory, (outcome,) = after(facts("192.0.2.9", "sw1", 1, day=1), start=start)
    assert (outcome.sighting_kind, outcome.device.id) == (SightingKind.ANOTHER_ADDRESS, start.devices[0].id)
    assert outcome.device.labels == (("role", "core"),)
    assert len(inventory.devices) == 1


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_devices_that_swapped_addresses_are_still_themselves(order: tuple[int, int]) -> None:
    start, _ = after(facts("192.0.2.1", "switch", 1), facts("192.0.2.2", "switch", 2))
    start = labelled(start, role="core")
    swapped = {1: facts("192.0.2.2", "switch", 1, day=1), 2: facts("192.0.2.1", "switch", 2, day=1)}
    inventory, _ = after(*(swapped[number] for number in order), start=start)
    first, second = (inventory.devices[0], inventory.devices[1])
    assert [agent.endpoint.address for agent in first.agents] == ["192.0.2.2"]
    assert [agent.endpoint.address for agent in second.agents] == ["192.0.2.1"]
    assert (first.id, first.labels) == (start.devices[0].id, (("role", "core"),))
    assert first.primary is first.agents[0]
    assert first.missed_since is None


def test_a_new_box_in_the_place_of_a_device_takes_its_part() -> None:
    start = labelled(after(facts("192.0.2.1", "sw1", 1, engine_id="80aa", vendor="Cisco", model="old"))[0], role="core")
    inventory, (outcome,) = after(facts("192.0.2.1", "sw1", 2, day=1), start=start)
    (device,) = inventory.devices
    assert (outcome.sighting_kind, device.id, device.labels) == (
        SightingKind.REPLACED,
        start.devices[0].id,
        (("role", "core"),),
    )
    assert (device.identifiers.mac_addresses, device.vendor) == (("001b54000002",), "")
    assert device.agents[0].engine_id == ""


@pytest.mark.parametrize("name", ["other", "switch"])
def test_a_stranger_at_the_address_of_a_device_is_another_device(name: str) -> None:
    start = labelled(after(facts("192.0.2.1", "switch", 1))[0], role="core")
    inventory, (outcome,) = after(facts("192.0.2.1", name, 2, day=1), start=start)
    old, new = inventory.devices
    assert outcome.sighting_kind is SightingKind.ADDED
    assert (old.agents, old.primary, old.labels, old.missed_since) == (
        (),
        None,
        (("role", "core"),),
        "2025-06-16T15:06:40Z",
    )
    assert (new.labels, [agent.endpoint.address for agent in new.agents]) == ((), ["192.0.2.1"])
    back, (outcome,) = after(facts("192.0.2.7", "switch", 1, day=2), start=inventory)
    assert (outcome.sighting_kind, outcome.device.id) == (SightingKind.ANOTHER_ADDRESS, start.devices[0].id)
    assert back.devices[0].primary is not None


def test_a_device_of_another_kind_at_an_address_is_another_device() -> None:
    start, _ = after(facts("192.0.2.1", "printer-1"))
    inventory, _ = after(facts("192.0.2.1", "sw1", sys_object_id="1.3.6.1.4.1.11.2", day=1), start=start)
    assert shape(inventory) == [("printer-1", ()), ("sw1", ("192.0.2.1:161",))]


def test_an_address_without_a_name_keeps_its_entry_whichever_device_has_it() -> None:
    start = labelled(after(facts("192.0.2.1", "", 1))[0], role="core")
    inventory, (outcome,) = after(facts("192.0.2.1", "", 2, day=1), start=start)
    assert (outcome.sighting_kind, len(inventory.devices), inventory.devices[0].labels) == (
        SightingKind.REPLACED,
        1,
        (("role", "core"),),
    )


def test_a_sighting_ends_the_state_of_an_address_where_polls_found_another_device() -> None:
    start, _ = after(facts("192.0.2.1", "sw1", 1))
    change = IdentityChange("2026-01-01T00:00:00Z", ("MAC address a, now b",))
    changed = Inventory((replace(start.devices[0], identity_change=change),))
    for seen in (facts("192.0.2.1", "sw1", 1, day=1), facts("192.0.2.1", "sw1", 2, day=1)):
        (device,) = after(seen, start=changed)[0].devices
        assert device.identity_change is None
    old, new = after(facts("192.0.2.1", "other", 2, day=1), start=changed)[0].devices
    assert (old.identity_change, new.identity_change) == (None, None)


def test_a_device_without_address_and_name_is_removed() -> None:
    start, _ = after(facts("192.0.2.1", "", 1), facts("192.0.2.2", "sw2", 2))
    inventory, _ = after(facts("192.0.2.1", "sw2", 2, day=1), start=start)
    assert shape(inventory) == [("sw2", ("192.0.2.2:161", "192.0.2.1:161"))]


# ------------------------------------------------------------------------------------------- what an operator wrote


def by_hand(name: str, address: str, **more: object) -> Device:
    agent = Agent(str(uuid4()), AgentEndpoint(address), Community(Version.V2C, "old"), timeout=9000)
    return Device(str(uuid4()), name, agents=(agent,), primary=agent, **more)  # type: ignore[arg-type]


def test_a_device_added_by_hand_is_completed_and_keeps_its_name() -> None:
    mine = by_hand("rack-7", "192.0.2.1", labels=(("role", "core"),))
    inventory, outcomes = after(*(facts("192.0.2.1", "sw1", 1, day=day) for day in (0, 1, 2)), start=Inventory((mine,)))
    (device,) = inventory.devices
    assert set(events(outcomes)) == {SightingKind.SEEN}
    assert (device.sys_name, device.identifiers.sys_name) == ("rack-7", "sw1")
    assert (device.id, device.labels, device.sys_descr) == (mine.id, (("role", "core"),), "a switch")
    assert (device.agents[0].timeout, device.agents[0].credentials) == (9000, PUBLIC)


def test_a_name_that_an_operator_changed_later_stays_too() -> None:
    start, _ = after(facts("192.0.2.1", "sw1", 1))
    renamed = Inventory((replace(start.devices[0], sys_name="rack-7"),))
    (device,) = after(facts("192.0.2.1", "sw1", 1, day=1), facts("192.0.2.1", "sw2", 1, day=2), start=renamed)[
        0
    ].devices
    assert (device.sys_name, device.identifiers.sys_name) == ("rack-7", "sw2")


def test_a_device_written_by_hand_that_was_also_found_elsewhere_takes_both_addresses() -> None:
    mine = by_hand("sw1", "192.0.2.1")
    inventory, outcomes = after(facts("192.0.2.9", "sw1", 1), facts("192.0.2.1", "sw1", 1), start=Inventory((mine,)))
    assert events(outcomes) == [SightingKind.ADDED, SightingKind.SEEN]
    assert shape(inventory) == [("sw1", ("192.0.2.1:161", "192.0.2.9:161"))]
    assert inventory.devices[0].id == mine.id


def test_two_entries_that_turn_out_to_be_one_device_become_one_unless_an_operator_made_something_of_both() -> None:
    two, _ = after(facts("192.0.2.1", "sw1"), facts("192.0.2.2", "sw1"))
    found = [facts("192.0.2.1", "sw1", 1, day=1), facts("192.0.2.2", "sw1", 1, day=1)]
    (one,) = after(*found, start=two)[0].devices
    assert {agent.endpoint.address for agent in one.agents} == {"192.0.2.1", "192.0.2.2"}
    mine = labelled(two, role="core")
    joined, _ = after(*reversed(found), start=mine)
    assert [(one.id, one.labels) for one in joined.devices] == [(mine.devices[0].id, (("role", "core"),))]
    first, second = mine.devices
    both = Inventory((first, replace(second, labels=(("role", "edge"),))))
    assert len(after(*found, start=both)[0].devices) == 2


def test_a_host_name_in_the_inventory_is_the_address_that_it_resolves_to() -> None:
    mine = by_hand("sw1", "switch.example.net")
    inventory, (outcome,) = after(
        facts("192.0.2.1", "sw1", 1), start=Inventory((mine,)), aliases={"192.0.2.1": "switch.example.net"}
    )
    assert outcome.sighting_kind is SightingKind.SEEN
    assert shape(inventory) == [("sw1", ("switch.example.net:161",))]


# ------------------------------------------------------------------------------------------------------ all orders


def test_the_devices_found_do_not_depend_on_the_order() -> None:
    boxes = {1: ["10.0.0.1", "10.0.0.2"], 2: ["10.0.0.3"], 3: ["10.0.0.4", "10.0.0.5"]}
    names = {1: "switch", 2: "switch", 3: "core"}
    sightings = [facts(address, names[box], box) for box, addresses in boxes.items() for address in addresses]
    outcomes = set()
    for order in itertools.permutations(sightings):
        inventory, _ = merge(Inventory(), order)
        outcomes.add(frozenset(frozenset(str(agent.endpoint) for agent in one.agents) for one in inventory.devices))
    assert outcomes == {frozenset(frozenset(f"{one}:161" for one in addresses) for addresses in boxes.values())}


def test_a_network_that_moves_all_the_time_never_doubles_or_loses_a_device() -> None:
    rng = random.Random(4)
    addresses = [f"10.0.0.{number}" for number in range(1, 31)]
    inventory = Inventory()
    for day in range(12):
        rng.shuffle(addresses)
        sightings = [facts(addresses[box], f"sw{box}" if box % 3 else "switch", box, day=day) for box in range(1, 21)]
        rng.shuffle(sightings)
        for start in range(0, 20, 7):
            inventory, _ = merge(inventory, sightings[start : start + 7])
            assert not collisions(inventory.devices)
        assert len(inventory.devices) == 20
        for box in range(1, 21):
            (device,) = [one for one in inventory.devices if one.identifiers.mac_addresses == (f"001b540000{box:02x}",)]
            assert addresses[box] in {agent.endpoint.address for agent in device.agents}
