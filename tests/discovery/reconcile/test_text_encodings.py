"""The texts of an agent are read in the encoding of the device that it turns out to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from promsnmp.discovery.reconcile.identity import Facts
from promsnmp.discovery.reconcile.merge import NewDeviceDefaults, SightingKind, merge
from promsnmp.inventory.model import AgentEndpoint, Device, Inventory, PollOverrides
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.text_encodings import line_of

NOW, BOOTED = 1_750_000_000.0, 1_740_000_000.0
NAME, PLACE = "机房-1", "Zürich"


def facts(
    address: str = "192.0.2.1", *, encoding: str = "gbk", name: str = NAME, after: float = 0.0, **more: object
) -> Facts:
    """A sighting as the examination has it: texts as UTF-8, and their octets."""
    octets = {"sys_name": name.encode(encoding), "sys_location": PLACE.encode(encoding, "replace")}
    texts = {field: line_of(one) for field, one in octets.items()}
    return Facts(AgentEndpoint(address), Community(), NOW + after, octets=octets, **{**texts, **more})  # type: ignore[arg-type]


def with_encoding(inventory: Inventory, encoding: str) -> Inventory:
    """The inventory after an operator gave its only device an encoding."""
    (device,) = inventory.devices
    return replace(inventory, devices=(replace(device, overrides=PollOverrides(text_encoding=encoding)),))


def found(*sightings: Facts, start: Inventory | None = None, encoding: str = "") -> Inventory:
    defaults = NewDeviceDefaults(overrides=PollOverrides(text_encoding=encoding))
    inventory = start or Inventory()
    for one in sightings:
        inventory, _ = merge(inventory, [one], new_device_defaults=defaults)
    return inventory


def texts_of(device: Device) -> tuple[str, str, str]:
    return device.sys_name, device.identifiers.sys_name, device.sys_location


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252"])
def test_a_new_device_is_read_in_the_encoding_that_its_seed_gives_it(encoding: str) -> None:
    (device,) = found(facts(encoding=encoding, name="Zürich-1"), encoding=encoding).devices
    assert texts_of(device) == ("Zürich-1", "Zürich-1", PLACE)


def test_without_one_texts_are_utf_8() -> None:
    (device,) = found(facts(encoding="utf-8")).devices
    assert texts_of(device) == (NAME, NAME, PLACE)


def test_a_known_device_is_read_in_its_own_encoding_whatever_the_seed_says() -> None:
    before = with_encoding(found(facts()), "gbk")
    after = found(facts(after=60.0), start=before, encoding="cp1251")
    assert [texts_of(device)[:2] for device in after.devices] == [(NAME, NAME)]
    assert after.devices[0].overrides == PollOverrides(text_encoding="gbk")


@pytest.mark.parametrize("engine", ["", "80001f8880aabbccddee0011"])
def test_a_device_that_was_seen_before_it_had_an_encoding_is_still_the_same(engine: str) -> None:
    seen = facts(engine_id=engine, booted=BOOTED)
    before = with_encoding(found(seen), "gbk")
    assert before.devices[0].sys_name != NAME
    later = facts(after=86_400.0, engine_id=engine, booted=BOOTED + 20_000.0)  # another start: only the name is left
    after, (outcome,) = merge(before, [later])
    assert outcome.sighting_kind is SightingKind.SEEN
    assert [texts_of(device)[:2] for device in after.devices] == [(NAME, NAME)]


def test_a_device_is_found_at_another_address_by_its_name_in_its_encoding() -> None:
    known: dict[str, Any] = {"booted": BOOTED, "local_mac_addresses": frozenset({"525400000001"})}
    before = with_encoding(found(facts(**known)), "gbk")
    named = found(facts(after=60.0, **known), start=before)
    after, (outcome,) = merge(named, [facts("192.0.2.2", after=120.0, **known)])
    assert outcome.sighting_kind is SightingKind.ANOTHER_ADDRESS
    (device,) = after.devices
    assert texts_of(device)[:2] == (NAME, NAME)
    assert len(device.agents) == 2


def test_another_name_in_the_same_encoding_is_another_device() -> None:
    named = found(facts(booted=BOOTED), encoding="gbk")
    assert len(found(facts("192.0.2.2", name="机房-2", booted=BOOTED), start=named).devices) == 2
