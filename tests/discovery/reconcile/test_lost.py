"""Devices that searches no longer find: marked first, lost after a while, removed only when the operator wants that."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from promsnmp.discovery.reconcile.lost import MissedDevices, SearchCoverage, mark_lost
from promsnmp.inventory.model import ACTIVE, LOST, Agent, AgentEndpoint, Device, Inventory
from promsnmp.snmp.credentials import Community

DAY = 86_400.0
NOW = 1_750_000_000.0


def device(name: str, *addresses: str, missed_since: str | None = None, status: str = ACTIVE) -> Device:
    agents = tuple(Agent(f"{name}-{one}", AgentEndpoint(one), Community()) for one in addresses)
    primary = agents[0] if agents else None
    return Device(name, name, agents=agents, primary=primary, missed_since=missed_since, status=status)


def search(*answered: str, asked: Collection[str] = (), day: float = 0.0) -> SearchCoverage:
    """A search of 10.0.0.0/8 or of what was ``asked``."""
    return SearchCoverage(
        asked=lambda endpoint: endpoint.address in asked if asked else endpoint.address.startswith("10."),
        answered=frozenset(map(AgentEndpoint, answered)),
        ended=NOW + day * DAY,
    )


def settled(
    devices: list[Device], what: SearchCoverage, *, days: float = 3, remove: bool = False
) -> tuple[list[Device], MissedDevices]:
    inventory, missed_devices = mark_lost(Inventory(tuple(devices)), what, lost_after=days * DAY, remove=remove)
    return list(inventory.devices), missed_devices


def test_a_device_that_does_not_answer_is_missed_first_and_lost_after_a_while() -> None:
    devices = [device("here", "10.0.0.1"), device("gone", "10.0.0.2")]
    for day in range(3):
        devices, missed_devices = settled(devices, search("10.0.0.1", day=day))
        assert (missed_devices.count, missed_devices.lost) == (1, ())
        assert (devices[1].status, devices[1].missed_since) == (ACTIVE, "2025-06-15T15:06:40Z")
    devices, missed_devices = settled(devices, search("10.0.0.1", day=3))
    assert [one.id for one in missed_devices.lost] == ["gone"]
    assert devices[1].status == LOST
    devices, missed_devices = settled(devices, search("10.0.0.1", day=4))
    assert (missed_devices, len(devices)) == (MissedDevices(1), 2)  # reported as lost once
    assert devices[0] == device("here", "10.0.0.1")


def test_a_lost_device_is_removed_only_when_the_operator_says_so() -> None:
    devices = [device("here", "10.0.0.1"), device("gone", "10.0.0.2", missed_since="2025-06-01T00:00:00Z")]
    remaining, missed_devices = settled(devices, search("10.0.0.1"))
    assert (len(remaining), missed_devices.removed) == (2, ())
    left, missed_devices = settled(devices, search("10.0.0.1"), remove=True)
    assert ([one.id for one in left], [one.id for one in missed_devices.removed]) == (["here"], ["gone"])


def test_a_device_that_was_not_searched_is_not_missed() -> None:
    devices = [device("here", "10.0.0.1"), device("elsewhere", "192.0.2.1"), device("name", "switch.example.net")]
    assert settled(devices, search("10.0.0.1")) == (devices, MissedDevices())


def test_a_search_without_any_answer_marks_nothing() -> None:
    devices = [device("one", "10.0.0.1"), device("other", "10.0.0.2", missed_since="2025-06-01T00:00:00Z")]
    assert settled(devices, search(), remove=True) == (devices, MissedDevices())


def test_an_address_that_is_silent_while_the_device_answers_elsewhere_is_no_longer_its_own() -> None:
    moved = device("moved", "10.0.0.1", "10.0.0.2", "192.0.2.1")
    (now,), missed_devices = settled([moved], search("10.0.0.2"))
    assert [agent.endpoint.address for agent in now.agents] == ["10.0.0.2", "192.0.2.1"]
    assert now.primary is now.agents[0]
    assert missed_devices.count == 0
    (same,), _ = settled([moved], search("10.0.0.1", asked=["10.0.0.1"]))
    assert same == moved


def test_a_device_whose_primary_address_was_not_probed_is_not_missed() -> None:
    two = device("two", "192.0.2.1", "10.0.0.2")
    here = device("here", "10.0.0.1")
    assert settled([two, here], search("10.0.0.1")) == ([two, here], MissedDevices())


def test_a_device_whose_address_was_taken_is_missed_until_it_is_found() -> None:
    taken = replace(device("taken"), missed_since="2025-06-14T00:00:00Z")
    never = device("never")
    devices, missed_devices = settled([taken, never, device("here", "10.0.0.1")], search("10.0.0.1", day=2))
    assert [one.id for one in missed_devices.lost] == ["taken"]
    assert (devices[0].status, devices[1]) == (LOST, never)
