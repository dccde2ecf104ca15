from __future__ import annotations

import pytest

from promsnmp.inventory.document import from_document
from promsnmp.inventory.index import Index
from tests.inventory.samples import COMMUNITY_AGENT, document


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
def test_what_is_not_there_is_not_found(index: Index, target: str) -> None:
    assert index.find(target) is None
