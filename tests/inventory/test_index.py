from __future__ import annotations

from dataclasses import replace

import pytest

from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.index import Index
from promsnmp.inventory.model import Agent, AgentEndpoint, Device
from promsnmp.snmp.credentials import Community
from tests.support.inventory.samples import COMMUNITY_AGENT, document


@pytest.fixture(scope="module")
def index() -> Index:
    raw = document()
    second = {**COMMUNITY_AGENT, "id": None, "endpoint": {"address": "192.0.2.1", "port": 1161}}
    named = {**COMMUNITY_AGENT, "id": None, "endpoint": {"address": "Switch9.example.net"}}
    raw["devices"][0]["agents"].insert(0, second)
    raw["devices"] += [{"sysName": "bare"}, {"agents": [named]}]
    return Index(from_document(raw).devices)


@pytest.mark.parametrize(
    ("target", "name", "endpoint"),
    [("core1.example.net", "core1.example.net", "192.0.2.1:161"),
     ("CORE1.Example.net.", "core1.example.net", "192.0.2.1:161"),
     ("192.0.2.1", "core1.example.net", "192.0.2.1:161"), ("192.0.2.1:161", "core1.example.net", "192.0.2.1:161"),
     ("192.0.2.1:1161", "core1.example.net", "192.0.2.1:1161"), ("edge2", "edge2", "[2001:db8::2]:1161"),
     ("2001:db8::2", "edge2", "[2001:db8::2]:1161"), ("2001:DB8:0:0:0:0:0:2", "edge2", "[2001:db8::2]:1161"),
     ("[2001:0db8::0002]", "edge2", "[2001:db8::2]:1161"), ("[2001:db8::2]:1161", "edge2", "[2001:db8::2]:1161"),
     ("switch9.EXAMPLE.net:161", "", "switch9.example.net:161")],
)  # fmt: skip
def test_a_device_is_found_by_all_its_names(index: Index, target: str, name: str, endpoint: str) -> None:
    found = index.find(target)
    assert found is not None
    assert (found.device.sys_name, str(found.agent and found.agent.endpoint)) == (name, endpoint)


def test_a_device_without_agents_is_found_without_an_agent(index: Index) -> None:
    found = index.find("bare")
    assert found is not None
    assert (found.device.sys_name, found.agent) == ("bare", None)


@pytest.mark.parametrize(
    "target",
    ["", " ", "nowhere", "192.0.2.1:162", "192.0.2.2", "[2001:db8::2]:161", "[2001:db8::2", "192.0.2.1:",
     "192.0.2.1:99999",
     "a/b", ":161", "[192.0.2.1]:161", "\x00", "192.0.2.1:+161", "[2001:db8::2]1161", "\u0661"],
)  # fmt: skip
def test_an_unknown_target_is_not_found(index: Index, target: str) -> None:
    assert index.find(target) is None


def device(number: int, name: str, *endpoints: str) -> Device:
    """A device with an agent at each ``address:port``."""
    agents = tuple(
        Agent(f"agent-{number}-{order}", AgentEndpoint(address, int(port)), Community())
        for order, (address, _, port) in enumerate(one.rpartition(":") for one in endpoints)
    )
    return Device(f"device-{number}", name, agents=agents, primary=agents[0] if agents else None)


def test_a_name_of_two_devices_finds_neither_but_their_addresses_do() -> None:
    one, two = device(1, "twin", "192.0.2.1:161"), device(2, "TWIN", "192.0.2.2:161")
    index = Index([one, two])
    assert index.find("twin") is None
    assert index.named("twin") == (one, two)
    assert index.ambiguous_ids == {one.id, two.id}
    found = index.find("192.0.2.2")
    assert found is not None
    assert found.device is two
    alone = index.updated([two], [])
    assert alone.ambiguous_ids == frozenset()
    assert alone.find("twin") == (one, one.primary)


def test_an_address_finds_its_device_even_when_another_device_has_it_as_name() -> None:
    named, owner = device(1, "192.0.2.2", "192.0.2.1:161"), device(2, "owner", "192.0.2.2:161")
    index = Index([named, owner])
    assert index.find("192.0.2.2") == (owner, owner.primary)
    assert index.ambiguous_ids == {named.id}
    assert index.updated([owner], []).ambiguous_ids == frozenset()
    assert Index([named]).find("192.0.2.2") == (named, named.primary)


def test_an_address_without_port_means_port_161_else_the_lowest_port() -> None:
    three = [device(1, "a", "192.0.2.1:1162"), device(2, "b", "192.0.2.1:1161"), device(3, "c", "192.0.2.1:161")]
    for order in (three, three[::-1]):
        index = Index(order)
        assert index.find("192.0.2.1") == (three[2], three[2].primary)
        assert index.updated([three[2]], []).find("192.0.2.1") == (three[1], three[1].primary)


def test_an_updated_index_equals_a_new_one_and_leaves_the_old_one_unchanged() -> None:
    devices = [device(n, f"n{n % 5}", f"192.0.2.{n}:161", f"192.0.2.{n}:1161") for n in range(20)]
    index = Index(devices)
    changed = replace(devices[7], sys_name="other", agents=devices[7].agents[:1])
    later = index.updated([devices[7], devices[8]], [changed, device(30, "n3", "198.51.100.1:161")])
    fresh = Index([*devices[:7], changed, *devices[9:], device(30, "n3", "198.51.100.1:161")])
    targets = ["other", "n2", "n3", "192.0.2.7", "192.0.2.7:1161", "192.0.2.8", "198.51.100.1:161", "192.0.2.3"]
    assert [later.find(target) for target in targets] == [fresh.find(target) for target in targets]
    assert {one.id for one in later.named("n3")} == {one.id for one in fresh.named("n3")}
    assert index.find("192.0.2.8") is not None
    assert (later.conflicts, later.device("device-8"), later.device("device-7")) == ([], None, changed)


def test_ids_and_endpoints_of_another_device_are_conflicts() -> None:
    index = Index([device(1, "a", "192.0.2.1:161")])
    twin = replace(device(1, "b", "192.0.2.1:161"), agents=device(1, "", "192.0.2.1:161", "192.0.2.1:161").agents)
    assert index.updated([], [twin]).conflicts == [
        "b (device-1): id: device-1 is also that of a (device-1)",
        "b (device-1): agents[0].id: agent-1-0 is also an agent of a (device-1)",
        "b (device-1): agents[0].endpoint: 192.0.2.1:161 is also that of a (device-1)",
        "b (device-1): agents[1].endpoint: 192.0.2.1:161 is also that of a (device-1)",
    ]
