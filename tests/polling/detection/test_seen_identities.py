"""What checks of identities found goes into the inventory, from the leader and from other replicas."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from promsnmp.inventory.document.write import from_document, to_document
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, DeviceIdentifiers, Inventory, SeenIdentity
from promsnmp.polling.detection.seen_identities import SeenIdentities, with_identity
from promsnmp.polling.target import adhoc_target, device_target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint
from tests.support.inventory.memory_store import MemoryStore

AGENT = Agent("6a3c1d5e-0000-4000-8000-000000000001", AgentEndpoint("192.0.2.1"), Community())
OTHERS = Agent("6a3c1d5e-0000-4000-8000-000000000002", AgentEndpoint("192.0.2.2"), Community())
DEVICE = Device(
    "6a3c1d5e-0000-4000-8000-000000000003",
    "core",
    agents=(AGENT, OTHERS),
    primary=AGENT,
    last_seen="2026-06-01T02:00:00Z",
)
BY_HAND = replace(
    DEVICE, id="6a3c1d5e-0000-4000-8000-000000000004", sys_name="edge", last_seen=None, agents=(), primary=None
)
INVENTORY = Inventory((DEVICE, BY_HAND))
IDENTIFIERS = DeviceIdentifiers("", ("FOC1",), ("001b54000001",), "2026-06-01T00:00:00Z", ("525400000001",), "1.3.6")
SAME = SeenIdentity((), IDENTIFIERS, "80001f88aabbccdd01")
OTHER = SeenIdentity(("serial number FOC1, now FOC2",), IDENTIFIERS)


async def test_another_device_is_in_the_inventory_until_it_is_the_known_one_again() -> None:
    seen, store = SeenIdentities(), MemoryStore(INVENTORY)
    target = device_target(DEVICE, AGENT, ("auto",))
    seen.add(target, OTHER)
    await seen.store(store.update)
    change = store.current.devices[0].identity_change
    assert change is not None
    assert change.differences == OTHER.differences
    assert store.current.devices[1] is BY_HAND
    assert from_document(to_document(store.current, mask=False)) == store.current
    changed = device_target(store.current.devices[0], AGENT, ("auto",))
    seen.add(changed, OTHER)
    await seen.store(store.update)
    assert store.writes == 1
    seen.add(changed, SAME)
    await seen.store(store.update)
    assert store.current.devices[0] == DEVICE


def test_the_time_of_a_change_stays_when_the_differences_do_not() -> None:
    first = with_identity(DEVICE, OTHER)
    assert first.identity_change is not None
    first = replace(first, identity_change=replace(first.identity_change, since="2026-01-01T00:00:00Z"))
    later = with_identity(first, replace(OTHER, differences=("engine id 80aa, now 80bb",)))
    assert later.identity_change is not None
    assert later.identity_change.since == "2026-01-01T00:00:00Z"


def test_a_device_that_discovery_never_saw_is_known_by_its_first_check() -> None:
    device = replace(DEVICE, last_seen=None)
    known = with_identity(device, SAME)
    assert known.identifiers == IDENTIFIERS
    assert known.primary is not None
    assert known.primary.engine_id == SAME.engine_id
    assert known.primary in known.agents
    assert known.agents[1] is OTHERS
    assert with_identity(known, SAME) is known
    later = replace(SAME, identifiers=replace(IDENTIFIERS, serial_numbers=("FOC1", "FOC7")))
    assert with_identity(known, later) is known
    assert with_identity(DEVICE, SAME) is DEVICE  # discovery keeps its identifiers


async def test_a_message_has_all_that_is_stored() -> None:
    seen, leader, store, bodies = SeenIdentities(), SeenIdentities(), MemoryStore(INVENTORY), list[bytes]()
    unknown = replace(DEVICE, last_seen=None)
    seen.add(device_target(unknown, AGENT, ("auto",)), SAME)
    seen.add(device_target(BY_HAND, AGENT, ("auto",)), OTHER)

    async def send(body: bytes) -> bool:
        bodies.append(body)
        return True

    await seen.forward(send)
    leader.receive(json.loads(bodies[0]))
    store.current = Inventory((unknown, BY_HAND))
    await leader.store(store.update)
    first, second = store.current.devices
    assert first == with_identity(unknown, SAME)
    assert second.identity_change is not None
    assert second.identity_change.differences == OTHER.differences


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"identities": {"one": {}}},
        {"identities": {"one": {"differences": [], "identifiers": {}, "engine_id": ""}}},
        {"identities": {"one": {"differences": 7, "identifiers": {"booted_at": None}, "engine_id": ""}}},
        {"identities": {"one": {"differences": [], "identifiers": {"booted_at": "soon"}, "engine_id": ""}}},
    ],
)
def test_anything_else_is_refused(message: dict[str, object]) -> None:
    seen = SeenIdentities()
    with pytest.raises(ValueError, match=r"\S"):
        seen.receive(message)


def test_texts_of_others_are_cut() -> None:
    seen = SeenIdentities()
    identifiers = {"serial_numbers": ["x" * 5000], "mac_addresses": [], "booted_at": None,
                   "local_mac_addresses": [], "sys_object_id": ""}  # fmt: skip
    seen.receive(
        {"identities": {"one": {"differences": ["y" * 5000] * 50, "identifiers": identifiers, "engine_id": ""}}}
    )
    (one,) = seen._pending.values()
    assert sum(map(len, one.differences)) == 8 * 400
    assert len(one.identifiers.serial_numbers[0]) == 400


def test_ad_hoc_targets_are_ignored() -> None:
    seen = SeenIdentities()
    seen.add(adhoc_target(SnmpEndpoint("192.0.2.1"), Community(), "public", ("auto",)), OTHER)
    assert not seen._pending
