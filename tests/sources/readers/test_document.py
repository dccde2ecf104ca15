"""Documents with devices: our short form, the inventory's, and Prometheus's target groups."""

from __future__ import annotations

import json

import pytest

from promsnmp.errors import SourceError
from promsnmp.inventory.model import AgentEndpoint, PollOverrides
from promsnmp.snmp.credentials import Community, User
from promsnmp.sources.model import MAX_DEVICES, Reading
from promsnmp.sources.readers.document import Defaults, parse_document, read_devices
from promsnmp.support import yaml_nodes
from tests.support.inventory.samples import SECRETS, document

DEFAULTS = Defaults(credentials="campus", labels=(("site", "ber"),), interval=60_000)


def read(text: str, defaults: Defaults = DEFAULTS) -> Reading:
    return read_devices(parse_document(text.encode(), is_yaml=True), defaults)


def test_the_short_form() -> None:
    first, second = read(
        """
        - {name: "007", address: 192.0.2.1}
        - id: cmdb-17
          name: core1
          address: 2001:DB8::1
          port: 1161
          credentials: core
          modules: [if_mib, auto]
          labels: {site: muc, rack: 7}
          interval: 30s
          timeout: 2500
          retries: 0
          unconnected: true
        """
    ).devices
    assert (first.key, first.name, first.endpoint) == ("007", "007", AgentEndpoint("192.0.2.1"))
    assert (first.credentials_name, first.labels, first.timeout) == ("campus", (("site", "ber"),), None)
    assert first.overrides.interval == 60_000
    assert (second.key, second.endpoint, second.credentials_name) == (
        "cmdb-17",
        AgentEndpoint("2001:db8::1", 1161),
        "core",
    )
    assert (second.modules, dict(second.labels)) == (("if_mib", "auto"), {"site": "muc", "rack": "7"})
    assert (second.overrides, second.timeout, second.retries) == (PollOverrides(30_000, unconnected=True), 2500, 0)


def test_credentials_of_a_device_itself() -> None:
    (device,) = read('[{"address": "192.0.2.1", "credentials": {"version": 1, "readCommunity": "s3cret"}}]').devices
    assert isinstance(device.credentials, Community)
    assert (device.credentials.community, device.credentials_name) == ("s3cret", "")
    assert "s3cret" not in repr(device)


def test_devices_as_the_inventory_has_them() -> None:
    first, second = read_devices(parse_document(json.dumps(document()).encode(), is_yaml=False), Defaults()).devices
    assert (first.name, first.endpoint) == ("core1.example.net", AgentEndpoint("192.0.2.1"))
    assert isinstance(first.credentials, Community)
    assert isinstance(second.credentials, User)
    assert (second.endpoint, second.timeout, second.retries) == (AgentEndpoint("2001:db8::2", 1161), 3000, 2)


def test_target_groups_of_prometheus() -> None:
    groups = read(
        """
        - targets: [192.0.2.1, "192.0.2.2:1161", host.example.net]
          labels:
            site: muc
            __param_module: if_mib,ups
            __param_auth: core
            __meta_x: dropped
            __scrape_interval__: 2m
            job: snmp
        - targets: ["[2001:db8::1]:161"]
          labels: {instance: edge1}
        """
    ).devices
    assert [one.key for one in groups[:3]] == ["192.0.2.1", "192.0.2.2:1161", "host.example.net"]
    assert groups[1].endpoint == AgentEndpoint("192.0.2.2", 1161)
    assert (groups[0].modules, groups[0].credentials_name) == (("if_mib", "ups"), "core")
    assert (groups[0].labels, groups[0].overrides.interval) == ((("site", "muc"),), 120_000)
    assert (groups[3].name, groups[3].endpoint) == ("edge1", AgentEndpoint("2001:db8::1"))


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("[5]", "", "must be an object"),
        ("[{name: a}]", "a", "address: is missing"),
        ("[{name: a, adress: 192.0.2.1}]", "a", "did you mean 'address'"),
        ("[{name: a, address: 'a b'}]", "a", "neither an address nor a host name"),
        ("[{id: x, address: 192.0.2.1, port: 0}]", "x", "between 1 and 65535"),
        ("[{name: a, address: 192.0.2.1, labels: {1a: b}}]", "a", "not a label name"),
        ("[{name: a, address: 192.0.2.1, interval: 1ms}]", "a", "between 1s and 1d"),
        ("[{name: a, address: 192.0.2.1, credentials: 'a b'}]", "a", "letters, digits"),
        ("[{sysName: a, agents: 5}]", "a", "address: is missing"),
        ("[{targets: ['a b']}]", "a b", "neither an address nor a host name"),
        ("[{targets: [192.0.2.1], labels: {'a-b': c}}]", "192.0.2.1", "not a label name"),
        ("[{targets: [[1]]}]", "", "must be text"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why_and_which_it_is(text: str, key: str, reason: str) -> None:
    reading = read(text)
    assert reading.devices == ()
    assert reading.unusable[0].key == key
    assert reason in reading.unusable[0].reason


def test_secrets_are_in_no_problem() -> None:
    broken = document()
    for device in broken["devices"]:
        device["agents"][0]["version"] = 9
        device["primaryAgent"] = None
    reading = read_devices(broken, Defaults())
    assert len(reading.unusable) == 2
    assert not any(secret in one.reason for one in reading.unusable for secret in SECRETS)


@pytest.mark.parametrize(
    ("text", "is_yaml"),
    [
        ("", True), ("a: [", True), ("{}", True), ("5", True), ('"x"', False), ("{", False), ("[[[[", False),
        ("[" * 5000, False), ("[" * 5000, True), ("\x00", True), ("a: &a [*a]", True), ("!!python/object:x {}", True),
        ('{"devices": 5}', False), ("\xff", False),
    ],
)  # fmt: skip
def test_what_is_no_list_of_devices_is_refused_as_a_whole(text: str, is_yaml: bool) -> None:
    with pytest.raises(SourceError):
        read_devices(parse_document(text.encode("latin-1"), is_yaml=is_yaml), Defaults())


def test_documents_have_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MOST_VALUES", 20_000)
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    with pytest.raises(SourceError, match="values"):
        parse_document(bomb.encode(), is_yaml=True)
    with pytest.raises(SourceError, match="more than"):
        read_devices([{"targets": ["192.0.2.1"] * (MAX_DEVICES + 1)}], Defaults())
