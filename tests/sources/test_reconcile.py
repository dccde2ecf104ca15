"""What sources do to an inventory, and what they may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promsnmp.inventory.index import Index
from promsnmp.inventory.model import (
    Agent,
    AgentEndpoint,
    Device,
    Inventory,
    NamedCredentials,
    PollOverrides,
    SourceMark,
)
from promsnmp.snmp.credentials import Community, Version
from promsnmp.sources.model import Reading, SourceDevice, SourceInput, SourceResult, SourceRules, Unusable
from promsnmp.sources.reconcile import reconcile

PUBLIC = Community(version=Version.V2C, community="public")
CAMPUS = NamedCredentials("campus", Community(version=Version.V2C, community="s3cret"))
EMPTY = Inventory(named_credentials=(CAMPUS,))


def wanted(number: int, *, key: str = "", name: str = "", port: int = 161, **more: object) -> SourceDevice:
    """The device with the address 192.0.2.``number``."""
    endpoint = AgentEndpoint(str(ip_address("192.0.2.0") + number), port)
    known = {"credentials_name": "campus"} | more
    return SourceDevice(key or f"k{number}", endpoint, name or f"sw{number}", **known)  # type: ignore[arg-type]


def by_hand(number: int, **more: object) -> Device:
    agent = Agent(f"a{number}", wanted(number).endpoint, PUBLIC)
    return Device(f"d{number}", f"hand{number}", agents=(agent,), primary=agent, **more)  # type: ignore[arg-type]


def source(name: str, devices: Sequence[SourceDevice] | None, confirmed: int = 0, **rules: object) -> SourceInput:
    """A source with these devices; None: it could not be read."""
    reading = None if devices is None else Reading(tuple(devices))
    return SourceInput(SourceRules(name, **rules), reading, confirmed)  # type: ignore[arg-type]


def once(old: Inventory, *sources: SourceInput) -> tuple[Inventory, SourceResult]:
    """The inventory, and the result of the first source."""
    new, results = reconcile(old, sources, lambda: {"if_mib"})
    assert Index(new.devices).conflicts == []
    again, _ = reconcile(new, sources, lambda: {"if_mib"})
    assert again is new, "the same readings change nothing more"
    return new, results[sources[0].rules.name]


def names(inventory: Inventory) -> list[str]:
    return [device.sys_name for device in inventory.devices]


def test_devices_are_added_with_their_source_and_named_credentials() -> None:
    one = wanted(1, labels=(("site", "ber"),), modules=("if_mib",), overrides=PollOverrides(interval=10_000), retries=0)
    new, result = once(EMPTY, source("cmdb", [one]))
    (device,) = new.devices
    assert (result.added, result.changed, result.removed, result.devices) == (1, 0, 0, 1)
    assert (device.sys_name, device.modules, device.labels) == ("sw1", ("if_mib",), (("site", "ber"),))
    assert device.overrides.interval == 10_000
    assert device.primary is not None
    assert (device.primary.credentials, device.primary.credentials_name) == (CAMPUS.credentials, "campus")
    assert (device.primary.retries, device.primary.timeout) == (0, 1500)
    assert device.source is not None
    assert (device.source.name, device.source.key) == ("cmdb", "k1")
    assert once(EMPTY, source("cmdb", [one]))[0].devices[0].id == device.id, "the same id whenever it is added"


def test_what_a_source_gives_is_its_own_and_the_rest_stays() -> None:
    first, _ = once(EMPTY, source("cmdb", [wanted(1, labels=(("site", "ber"), ("rack", "7")), modules=("if_mib",))]))
    edited = replace(first.devices[0], labels=(("site", "mine"), ("rack", "7"), ("own", "x")), sys_location="cellar")
    edited = replace(edited, overrides=PollOverrides(interval=5000), sys_name="renamed")
    second, result = once(replace(first, devices=(edited,)), source("cmdb", [wanted(1, labels=(("site", "muc"),))]))
    (device,) = second.devices
    assert (result.changed, result.added) == (1, 0)
    assert dict(device.labels) == {"site": "muc", "own": "x"}
    assert (device.sys_name, device.modules, device.sys_location) == ("sw1", (), "cellar")
    assert device.overrides.interval == 5000


def test_a_new_address_is_the_same_device() -> None:
    first, _ = once(EMPTY, source("cmdb", [wanted(1, key="7"), wanted(2, key="8")]))
    second, result = once(first, source("cmdb", [wanted(2, key="7"), wanted(1, key="8")]))
    assert (result.changed, result.added, result.removed) == (2, 0, 0)
    assert [str(one.primary.endpoint) for one in second.devices if one.primary] == ["192.0.2.2:161", "192.0.2.1:161"]
    assert [one.id for one in second.devices] == [one.id for one in first.devices]


def test_a_device_without_a_source_is_neither_changed_nor_removed() -> None:
    old = replace(EMPTY, devices=(by_hand(1), by_hand(2)))
    new, result = once(old, source("cmdb", [wanted(1), wanted(3)]))
    assert new.devices[:2] == old.devices
    assert (result.added, len(result.conflicts)) == (1, 1)
    assert "hand1" in result.conflicts[0]


def test_a_device_can_be_handed_over() -> None:
    marked = by_hand(1, source=SourceMark("cmdb"))
    new, result = once(replace(EMPTY, devices=(marked,)), source("cmdb", [wanted(1)]))
    assert (result.changed, new.devices[0].id, new.devices[0].sys_name) == (1, "d1", "sw1")
    new, result = once(replace(EMPTY, devices=(by_hand(1),)), source("cmdb", [wanted(1)], adopt=True))
    assert (result.changed, new.devices[0].id, result.conflicts) == (1, "d1", ())
    kept, _ = once(replace(EMPTY, devices=(marked,)), source("cmdb", [wanted(9)]))
    assert kept.devices[0] == marked, "a device that its new source does not have yet stays"


def test_of_two_sources_the_first_has_the_device() -> None:
    first, second = source("a", [wanted(1, key="x")]), source("b", [wanted(1, name="other"), wanted(2)])
    new, results = reconcile(EMPTY, [first, second])
    assert names(new) == ["sw1", "sw2"]
    assert len(results["b"].conflicts) == 1
    turned, _ = reconcile(new, [second, first])
    assert (names(turned), [one.source.name for one in turned.devices if one.source]) == (["other", "sw2"], ["b", "b"])
    assert [one.id for one in turned.devices] == [one.id for one in new.devices], "it stays the same device"
    passed, results = reconcile(new, [source("a", [wanted(5)]), second])
    assert names(passed) == ["other", "sw2", "sw5"]
    assert results["a"].removed == 0


def test_a_source_that_cannot_be_read_keeps_its_devices_and_their_addresses() -> None:
    old, _ = once(EMPTY, source("a", [wanted(1)]))
    new, results = reconcile(old, [source("a", None), source("b", [wanted(1), wanted(2)])])
    assert [one.source.name for one in new.devices if one.source] == ["a", "b"]
    assert len(results["b"].conflicts) == 1


def test_a_few_devices_may_go_and_many_wait_for_confirmation() -> None:
    old, _ = once(EMPTY, source("a", [wanted(number) for number in range(1, 41)]))
    fewer = [wanted(number) for number in range(1, 36)]
    new, result = once(old, source("a", fewer))
    assert (result.removed, len(new.devices)) == (5, 35), "five are never held back"
    new, result = once(old, source("a", [wanted(number) for number in range(1, 33)]))
    assert result.removed == 8, "eight of forty are 20 per cent"
    few = [wanted(number) for number in range(1, 32)]
    new, result = once(old, source("a", few))
    assert (result.removed, len(result.held), len(new.devices)) == (0, 9, 40)
    assert "9 of 40" in result.held_why
    assert once(old, source("a", few, confirmed=8))[1].removed == 0
    assert reconcile(old, [source("a", few, confirmed=9)])[1]["a"].removed == 9
    assert once(old, source("a", few, max_removals=9))[1].removed == 9


def test_a_source_without_devices_and_one_with_nameless_entries_removes_nothing() -> None:
    old, _ = once(EMPTY, source("a", [wanted(1), wanted(2)]))
    assert once(old, source("a", []))[0] is old
    assert len(reconcile(old, [source("a", [], confirmed=2)])[0].devices) == 0
    nameless = SourceInput(SourceRules("a"), Reading((wanted(1),), (Unusable("", "[1]: no object"),)))
    new, result = once(old, nameless)
    assert (new is old, len(result.held), result.problems) == (True, 1, ("[1]: no object",))
    known = SourceInput(SourceRules("a"), Reading((wanted(1),), (Unusable("k2", "k2: no address"),)))
    new, result = once(old, known)
    assert (new is old, result.held) == (True, ())


@pytest.mark.parametrize(
    ("device", "problem"),
    [
        (wanted(1, credentials_name="nosuch"), "nosuch"),
        (wanted(1, credentials_name=""), "credentials"),
        (wanted(1, modules=("nosuch",)), "nosuch"),
    ],
)
def test_a_device_that_cannot_be_polled_is_told_and_not_added(device: SourceDevice, problem: str) -> None:
    new, result = once(EMPTY, source("a", [device, wanted(2)]))
    assert names(new) == ["sw2"]
    assert problem in result.problems[0]


def test_repeated_keys_and_addresses_are_told() -> None:
    new, result = once(EMPTY, source("a", [wanted(1), wanted(1, port=1161), wanted(1, key="other")]))
    assert (len(new.devices), len(result.problems)) == (1, 2)


def test_an_address_that_another_device_has_is_left_to_it() -> None:
    moved, _ = once(replace(EMPTY, devices=(by_hand(9),)), source("a", [wanted(1, key="x")]))
    new, result = once(moved, source("a", [wanted(9, key="x"), wanted(2)]))
    assert [str(one.primary.endpoint) for one in new.devices if one.primary] == [
        "192.0.2.9:161", "192.0.2.1:161", "192.0.2.2:161",
    ]  # fmt: skip
    assert len(result.conflicts) == 1


def test_devices_of_a_source_that_is_gone_stay_until_another_has_them() -> None:
    old, _ = once(EMPTY, source("old", [wanted(1), wanted(2)]))
    new, _ = once(old, source("new", [wanted(1)]))
    assert [one.source.name for one in new.devices if one.source] == ["new", "old"]


_DEVICES = st.lists(
    st.builds(
        lambda number, key, port: wanted(number, key=key, port=port),
        st.integers(1, 6), st.sampled_from("abcdef"), st.sampled_from([161, 1161]),
    ),
    max_size=6,
)  # fmt: skip
_SOURCES = st.lists(st.one_of(st.none(), _DEVICES), min_size=2, max_size=2)


@settings(max_examples=50)
@given(st.lists(_SOURCES, min_size=1, max_size=5), st.booleans(), st.sets(st.integers(1, 6), max_size=3))
def test_whatever_sources_say_no_two_devices_share_an_address(
    rounds: list[list[list[SourceDevice] | None]], adopt: bool, hand: set[int]
) -> None:
    inventory = replace(EMPTY, devices=tuple(by_hand(number) for number in sorted(hand)))
    for readings in rounds:
        inputs = [source(name, one, adopt=adopt) for name, one in zip("ab", readings, strict=True)]
        inventory, _ = reconcile(inventory, inputs)
        assert Index(inventory.devices).conflicts == []
        assert {f"d{number}" for number in hand} <= {one.id for one in inventory.devices} or adopt
