"""Detected modules are stored in the inventory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promsnmp.errors import InventoryUnavailable
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, Inventory
from promsnmp.modules.auto_modules import Fingerprint
from promsnmp.polling.detection.detected_modules import DetectedModules, with_detected_modules
from promsnmp.polling.detection.identify import DeviceIdentity
from promsnmp.polling.target import Target, adhoc_target, device_target
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint as Address

AGENT = Agent("agent", AgentEndpoint("192.0.2.1"), Community())
DEVICE = Device("one", "core", agents=(AGENT,), primary=AGENT)
INVENTORY = Inventory((DEVICE, Device("two", "edge")))


def identity(*modules: str, problem: str = "", descr: str = "a router") -> DeviceIdentity:
    match = Fingerprint("Cisco", "ASR", tuple((name, "because") for name in modules))
    return DeviceIdentity(descr, "1.3.6.1.4.1.9.1.1", "core", match, 4, 100, problem)


def target() -> Target:
    return device_target(DEVICE, AGENT, ("auto",))


class Store:
    """Applies changes as the inventory's store does."""

    def __init__(self) -> None:
        self.current = INVENTORY
        self.writes = 0
        self.fails = False

    async def update(self, change: Callable[[Inventory], Inventory]) -> Inventory:
        if self.fails:
            raise InventoryUnavailable("not now")
        after = change(self.current)
        self.writes += after is not self.current
        self.current = after
        return after


async def test_detected_modules_are_stored_with_their_device_only() -> None:
    detected_modules, store = DetectedModules(), Store()
    detected_modules.add(target(), identity("system", "cisco"))
    await detected_modules.store(store.update)
    core, edge = store.current.devices
    assert (core.vendor, core.model, core.detected_modules) == ("Cisco", "ASR", ("system", "cisco"))
    assert (core.sys_object_id, core.sys_descr) == ("1.3.6.1.4.1.9.1.1", "a router")
    assert edge is INVENTORY.devices[1]


async def test_modules_that_are_stored_already_are_not_written_again() -> None:
    detected_modules, store = DetectedModules(), Store()
    for _ in range(3):
        detected_modules.add(target(), identity("system", "cisco"))
        await detected_modules.store(store.update)
    await detected_modules.store(store.update)
    assert store.writes == 1


async def test_incomplete_results_and_those_of_ad_hoc_targets_are_not_stored() -> None:
    detected_modules, store = DetectedModules(), Store()
    detected_modules.add(target(), identity("system", problem="no answer"))
    detected_modules.add(adhoc_target(Address("192.0.2.1", 161), Community(), "a", ("auto",)), identity("system"))
    await detected_modules.store(store.update)
    assert store.writes == 0


async def test_results_that_cannot_be_written_are_kept_for_later() -> None:
    detected_modules, store = DetectedModules(), Store()
    detected_modules.add(target(), identity("system", "ups"))
    store.fails = True
    await detected_modules.store(store.update)
    store.fails = False
    await detected_modules.store(store.update)
    assert store.current.devices[0].detected_modules == ("system", "ups")


def test_a_description_that_the_inventory_has_stays() -> None:
    found = with_detected_modules(
        Inventory((Device("one", "core", sys_descr="ours"),)), {"one": identity("system"), "gone": identity("system")}
    )
    assert found.devices[0].sys_descr == "ours"
    assert len(found.devices) == 1


async def test_a_replica_that_may_not_write_sends_its_results_to_the_leader() -> None:
    follower, leader, store, sent = DetectedModules(), DetectedModules(), Store(), list[bytes]()
    follower.add(target(), identity("system", "cisco"))

    async def send(body: bytes) -> bool:
        sent.append(body)
        return len(sent) > 1

    for _ in range(3):
        await follower.forward(send)
    assert len(sent) == 2  # the first was not accepted, and there is nothing more to report
    leader.receive(sent[1])
    await leader.store(store.update)
    device = store.current.devices[0]
    assert (device.vendor, device.model, device.detected_modules) == ("Cisco", "ASR", ("system", "cisco"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"one": {}}', b'{"one": {"modules": 5}}', b'{"one": null}'])
def test_other_content_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever json says is one, too
        DetectedModules().receive(body)
