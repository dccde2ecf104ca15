from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Device, Inventory
from promsnmp.inventory.targets import Site, TargetList
from promsnmp.settings import load_settings
from tests.support.inventory.samples import COMMUNITY_AGENT, SECRETS, document

SITE = Site("acme", "nyc-1", "New York", "DC 1", "5th Ave", 40.7128, -74.006)


def listed(
    raw: dict[str, Any], site: Site = SITE, modules: tuple[str, ...] = ("system", "if_mib")
) -> list[dict[str, Any]]:
    found = json.loads(TargetList(site=site, modules=modules).of(Snapshot.of(from_document(raw))))
    assert isinstance(found, list)
    return found


def test_a_device_has_its_name_as_target_and_everything_known_as_labels() -> None:
    raw = document()
    raw["devices"][0] |= {"sysObjectId": "1.3.6.1.4.1.9.1.1", "labels": {"role": "core"}, "modules": ["if_mib", "bgp"]}
    assert listed(raw)[0] == {
        "targets": ["core1.example.net"],
        "labels": {
            "__meta_promsnmp_sysname": "core1.example.net",
            "__meta_promsnmp_address": "192.0.2.1",
            "__meta_promsnmp_port": "161",
            "__meta_promsnmp_sysobjectid": "1.3.6.1.4.1.9.1.1",
            "__meta_promsnmp_location": "rack 7",
            "__meta_promsnmp_contact": "noc",
            "__meta_promsnmp_descr": "a router",
            "__meta_promsnmp_status": "active",
            "__meta_promsnmp_version": "v2c",
            "__meta_promsnmp_label_role": "core",
            "__meta_promsnmp_tenant": "acme",
            "__meta_promsnmp_site_id": "nyc-1",
            "__meta_promsnmp_site_label": "New York",
            "__meta_promsnmp_site_descr": "DC 1",
            "__meta_promsnmp_site_address": "5th Ave",
            "__meta_promsnmp_site_latitude": "40.7128",
            "__meta_promsnmp_site_longitude": "-74.006",
            "__meta_promsnmp_module": "if_mib,bgp",
            "__param_module": "if_mib,bgp",
        },
    }


@pytest.mark.parametrize(
    ("interval", "written", "timeout"),
    [
        (300_000, "5m", "10s"),
        (10_000, "10s", "10s"),
        (2500, "2s500ms", "2s500ms"),
        (3_600_000, "5m", "10s"),  # Prometheus shows no older sample
    ],
)
def test_a_device_with_an_interval_of_its_own_is_scraped_by_that(interval: int, written: str, timeout: str) -> None:
    raw = document()
    raw["devices"][0]["interval"] = interval
    first, second = (group["labels"] for group in listed(raw))
    assert (first["__scrape_interval__"], first["__scrape_timeout__"]) == (written, timeout)
    assert not any(name.startswith("__scrape") for name in second)


def test_targets_may_say_that_their_native_histograms_are_scraped() -> None:
    targets = TargetList(site=Site(), modules=(), native_histograms=True)
    groups = json.loads(targets.of(Snapshot.of(from_document(document()))))
    assert [group["labels"]["__scrape_native_histograms__"] for group in groups] == ["true"] * len(groups)


def test_empty_values_have_no_label_and_nothing_presets_the_target() -> None:
    group = listed(document(), Site("acme", "nyc-1"))[1]
    assert set(group["labels"]) == {
        "__meta_promsnmp_sysname", "__meta_promsnmp_address", "__meta_promsnmp_port", "__meta_promsnmp_version",
        "__meta_promsnmp_status",
        "__meta_promsnmp_tenant", "__meta_promsnmp_site_id", "__meta_promsnmp_module", "__param_module",
    }  # fmt: skip
    assert group["labels"]["__param_module"] == "system,if_mib"


def test_detected_modules_are_shown_but_not_preset() -> None:
    raw = document()
    finding = {"vendor": "Cisco", "model": "ASR 9000", "detectedModules": ["system", "if_mib", "cisco"]}
    agent = {**COMMUNITY_AGENT, "id": None, "endpoint": {"address": "192.0.2.9"}}
    third = {"sysName": "third", "agents": [agent], "modules": ["ups"], **finding}
    raw["devices"] = [raw["devices"][0] | finding, raw["devices"][1], third]
    found, unknown, chosen = (group["labels"] for group in listed(raw, modules=("auto",)))
    assert found["__meta_promsnmp_vendor"] == "Cisco"
    assert found["__meta_promsnmp_model"] == "ASR 9000"
    assert found["__meta_promsnmp_module"] == "system,if_mib,cisco"
    assert "__param_module" not in found
    assert not {"__meta_promsnmp_module", "__meta_promsnmp_vendor", "__param_module"} & unknown.keys()
    assert (chosen["__meta_promsnmp_module"], chosen["__param_module"]) == ("ups", "ups")


@pytest.mark.parametrize("name", ["", "two words", "a/b", "a:161", "Zürich", "-x", "x.", "a\nb", "{{x}}"])
@pytest.mark.parametrize(
    ("endpoint", "target"),
    [({"address": "192.0.2.1"}, "192.0.2.1"), ({"address": "192.0.2.1", "port": 1161}, "192.0.2.1:1161"),
     ({"address": "2001:db8::1"}, "2001:db8::1"), ({"address": "2001:db8::1", "port": 1161}, "[2001:db8::1]:1161")],
)  # fmt: skip
def test_a_name_with_special_characters_gives_way_to_the_address(
    name: str, endpoint: dict[str, Any], target: str
) -> None:
    raw = {"devices": [{"sysName": name, "agents": [COMMUNITY_AGENT | {"endpoint": endpoint}]}]}
    assert listed(raw)[0]["targets"] == [target]


def test_devices_without_agents_are_left_out_and_secrets_are_not_in_the_list() -> None:
    raw = document()
    raw["devices"].append({"sysName": "bare"})
    text = json.dumps(listed(raw))
    assert "bare" not in text
    assert not [secret for secret in SECRETS if secret in text]


def test_an_empty_inventory_is_an_empty_list() -> None:
    assert json.loads(TargetList(site=SITE, modules=()).of(Snapshot.of(Inventory()))) == []


def test_the_list_follows_each_change() -> None:
    targets = TargetList(site=SITE, modules=())
    inventory = from_document(document())
    targets.of(Snapshot.of(inventory))
    core, edge = inventory.devices
    changed = replace(inventory, devices=(replace(core, sys_location="rack 8"),))
    (group,) = json.loads(targets.of(Snapshot.of(changed)))
    assert group["labels"]["__meta_promsnmp_location"] == "rack 8"
    assert len(json.loads(targets.of(Snapshot.of(replace(inventory, devices=(edge, core)))))) == 2


def test_an_ambiguous_name_is_not_used_as_target() -> None:
    targets = TargetList(site=SITE, modules=())
    before = Snapshot.of(from_document(document()))
    core, edge = before.inventory.devices

    def listed_after(*devices: Device) -> list[str]:
        found = json.loads(targets.of(Snapshot.of(replace(before.inventory, devices=devices))))
        return [target for group in found for target in group["targets"]]

    assert listed_after(core, edge) == ["core1.example.net", "edge2"]
    assert listed_after(core, replace(edge, sys_name="CORE1.example.net.")) == ["192.0.2.1", "[2001:db8::2]:1161"]
    assert listed_after(core, replace(edge, sys_name="192.0.2.1")) == ["core1.example.net", "[2001:db8::2]:1161"]
    assert listed_after(core) == ["core1.example.net"]


def test_the_site_comes_from_the_settings() -> None:
    settings = load_settings(
        prom_tenant_id="acme", prom_site_id="nyc-1", prom_site_label="New York", prom_site_descr="DC 1",
        prom_site_addr="5th Ave", prom_site_lat=40.7128, prom_site_long=-74.006,
    )  # fmt: skip
    assert Site.from_settings(settings) == SITE
