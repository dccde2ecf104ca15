"""Detected modules are stored in the inventory."""

from __future__ import annotations

import json

import pytest

from promsnmp.inventory.model import Agent, AgentEndpoint, Device, Inventory
from promsnmp.modules.auto_modules import Fingerprint
from promsnmp.polling.detection.detected_modules import DetectedModules
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.target import Target, adhoc_target, device_target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint as Address
from tests.support.inventory.memory_store import MemoryStore

AGENT = Agent("agent", AgentEndpoint("192.0.2.1"), Community())
DEVICE = Device("one", "core", agents=(AGENT,), primary=AGENT)
INVENTORY = Inventory((DEVICE, Device("two", "edge")))


def identity(*modules: str, problem: str = "", descr: str = "a router") -> DeviceIdentity:
    match = Fingerprint("Cisco", "ASR", tuple((name, "because") for name in modules))
    return DeviceIdentity(descr, "1.3.6.1.4.1.9.1.1", "core", match, 4, 100, problem)


def target() -> Target:
    return device_target(DEVICE, AGENT, ("auto",))


async def test_detected_modules_are_stored_with_their_device_only() -> None:
    detected_modules, store = DetectedModules(), MemoryStore(INVENTORY)
    detected_modules.add(target(), identity("system", "cisco"))
    await detected_modules.store(store.update)
    core, edge = store.current.devices
    assert (core.vendor, core.model, core.detected_modules) == ("Cisco", "ASR", ("system", "cisco"))
    assert (core.sys_object_id, core.sys_descr) == ("1.3.6.1.4.1.9.1.1", "a router")
    assert edge is INVENTORY.devices[1]


async def test_incomplete_results_and_those_of_ad_hoc_targets_are_not_stored() -> None:
    detected_modules, store = DetectedModules(), MemoryStore(INVENTORY)
    detected_modules.add(target(), identity("system", problem="no answer"))
    detected_modules.add(adhoc_target(Address("192.0.2.1", 161), Community(), "a", ("auto",)), identity("system"))
    await detected_modules.store(store.update)
    assert store.writes == 0


def test_a_description_that_the_inventory_has_stays() -> None:
    after = DetectedModules.with_finding(Device("one", "core", sys_descr="ours"), identity("system"))
    assert (after.sys_descr, after.detected_modules) == ("ours", ("system",))
    assert DetectedModules.with_finding(after, identity("system")) is after


async def test_a_message_has_all_that_is_stored() -> None:
    follower, leader, store, sent = DetectedModules(), DetectedModules(), MemoryStore(INVENTORY), list[bytes]()
    follower.add(target(), identity("system", "cisco"))

    async def send(body: bytes) -> bool:
        sent.append(body)
        return True

    await follower.forward(send)
    leader.receive(json.loads(sent[0]))
    await leader.store(store.update)
    device = store.current.devices[0]
    assert (device.vendor, device.model, device.detected_modules) == ("Cisco", "ASR", ("system", "cisco"))
    assert (device.sys_object_id, device.sys_descr) == ("1.3.6.1.4.1.9.1.1", "a router")


@pytest.mark.parametrize("message", [{"one": {}}, {"one": {"modules": 5}}, {"one": None}], ids=json.dumps)
def test_incomplete_items_are_refused(message: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a list of detected modules"):
        DetectedModules().receive(message)
