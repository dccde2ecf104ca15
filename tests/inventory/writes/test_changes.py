from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.model import Device, Inventory, PollOverrides
from promsnmp.inventory.writes.changes import audit_changes, compare
from tests.support.inventory.samples import SECRETS, document


def inventory(*names: str) -> Inventory:
    return Inventory(tuple(Device(f"id-{name[0]}", name) for name in names))


def names_of_changes(old: Inventory, new: Inventory) -> tuple[list[str], list[str], list[str]]:
    _, changes = compare(old, new)
    edits = changes.devices
    return (
        [one.sys_name for one in edits.added],
        [f"{before.sys_name}>{after.sys_name}" for before, after in edits.changed],
        [one.sys_name for one in edits.removed],
    )


@pytest.mark.parametrize(
    ("new", "expected"),
    [(["a", "b", "c"], ([], [], [])), (["a", "c"], ([], [], ["b"])), (["a", "b", "c", "d"], (["d"], [], [])),
     (["x", "a", "b", "c"], (["x"], [], [])), (["a", "b2", "c"], ([], ["b>b2"], [])), ([], ([], [], ["a", "b", "c"])),
     (["c", "b", "a"], ([], [], [])), (["c", "a2", "d"], (["d"], ["a>a2"], ["b"]))],
)  # fmt: skip
def test_changes_are_reported(new: list[str], expected: tuple[list[str], list[str], list[str]]) -> None:
    assert names_of_changes(inventory("a", "b", "c"), inventory(*new)) == expected


def test_equal_devices_stay_the_same_objects_wherever_they_moved() -> None:
    old, new = inventory("a", "b", "c"), inventory("c", "x", "b2", "a")
    merged, changes = compare(old, new)
    assert merged == new
    assert merged.devices[0] is old.devices[2]
    assert merged.devices[3] is old.devices[0]
    assert {one.sys_name for one in changes.devices.old_values} == {"b"}
    assert {one.sys_name for one in changes.devices.new_values} == {"b2", "x"}
    assert str(changes.devices) == "1 added, 1 changed, 0 removed"


def test_the_log_names_keys_as_the_document_does_and_no_values(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="promsnmp.audit")
    raw = document()
    old = from_document(raw)
    core, seed = old.devices[0], old.seeds[0]
    changed = replace(
        core, sys_object_id="1.3.6.1.4.1.9", labels=(("x", "y"),), primary=None, overrides=PollOverrides(max_varbinds=5)
    )
    new = replace(old, devices=(changed, *old.devices[1:]), seeds=(replace(seed, port=1161),))
    audit_changes(compare(old, new)[1], who="alice", revision=3)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.endswith("revision=3 fields=primaryAgent,labels,sysObjectId,maxVarbinds who=alice")
    assert 'what="seed changed"' in second
    assert second.endswith("fields=port who=alice")
    assert not any(secret in caplog.text for secret in SECRETS)
