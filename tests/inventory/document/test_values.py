"""How a device is polled where that differs: read, checked and written, for devices and seeds."""

from __future__ import annotations

from typing import Any

import pytest

from promsnmp.errors import InventoryInvalid
from promsnmp.inventory.document.merge_patch import merge_device
from promsnmp.inventory.document.parsing import duration_text
from promsnmp.inventory.document.read_device import read_device
from promsnmp.inventory.document.write import device_document, from_document, to_document
from promsnmp.inventory.model import NO_OVERRIDES, PollOverrides
from tests.support.inventory.samples import document

ALL = {
    "interval": 300_000, "maxRepetitions": 10, "maxVarbinds": 5, "textEncoding": "gbk", "unconnected": True
}  # fmt: skip


def device(**keys: object) -> dict[str, Any]:
    return {"sysName": "ups1", **keys}


def test_devices_and_seeds_keep_how_they_are_polled() -> None:
    raw = document()
    raw["devices"][0] |= ALL
    raw["discoverySeeds"][0] |= ALL
    inventory = from_document(raw)
    expected = PollOverrides(300_000, 10, 5, "gbk", unconnected=True)
    assert (inventory.devices[0].overrides, inventory.seeds[0].overrides) == (expected, expected)
    assert inventory.devices[1].overrides == NO_OVERRIDES
    for mask in (False, True):
        written: dict[str, Any] = to_document(inventory, mask=mask)
        first, second = written["devices"]
        assert ALL.items() <= first.items()
        assert ALL.items() <= written["discoverySeeds"][0].items()
        assert not ALL.keys() & second.keys()


def test_a_patch_sets_and_removes_them() -> None:
    before = device_document(read_device(device(**ALL)), mask=True)
    patch = {"interval": "10s", "maxVarbinds": None, "unconnected": False}
    after = read_device(merge_device(before, patch))
    assert after.overrides == PollOverrides(10_000, 10, 0, "gbk", unconnected=False)


@pytest.mark.parametrize(
    ("spelt", "milliseconds"),
    [("5m", 300_000), ("10s", 10_000), (10_000, 10_000), ("10000", 10_000), ("1m30s", 90_000), ("1d", 86_400_000),
     (1000, 1000), (None, 0)],
)  # fmt: skip
def test_an_interval_is_a_duration_or_milliseconds(spelt: object, milliseconds: int) -> None:
    assert read_device(device(interval=spelt)).overrides.interval == milliseconds


@pytest.mark.parametrize(
    ("spelt", "name"),
    [("GBK", "gbk"), ("Latin-1", "latin-1"), ("ISO-8859-1", "latin-1"), ("windows-1251", "cp1251"),
     ("UTF-16", "utf-16"), ("utf-16LE", "utf-16-le"), ("", "")],
)  # fmt: skip
def test_encodings_have_many_names(spelt: str, name: str) -> None:
    assert read_device(device(textEncoding=spelt)).overrides.text_encoding == name


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("interval", 300, "between 1s and 1d"), ("interval", "2d", "between 1s and 1d"),
        ("interval", "soon", "such as 5s"),
        ("interval", True, "duration"), ("interval", [], "duration"), ("maxRepetitions", 0, "between 1 and 10000"),
        ("maxRepetitions", "many", "whole number"), ("maxVarbinds", 61, "between 1 and 60"),
        ("textEncoding", "rot13", "use one of: ascii, big5"), ("textEncoding", "utf-7", "use one of"),
        ("textEncoding", "gbkk", "did you mean gbk?"), ("textEncoding", 5.5, "must be text"),
        ("unconnected", "yes", "true or false"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_problem_that_names_the_accepted_ones(key: str, value: object, says: str) -> None:
    with pytest.raises(InventoryInvalid) as error:
        read_device(device(**{key: value}))
    (problem,) = error.value.problems
    assert problem.startswith(f"{key}: ")
    assert says in problem


def test_durations_are_written_as_prometheus_reads_them() -> None:
    written = [duration_text(one) for one in (1000, 10_000, 90_000, 300_000, 5_400_000, 86_400_000, 1500)]
    assert written == ["1s", "10s", "1m30s", "5m", "1h30m", "1d", "1s500ms"]
