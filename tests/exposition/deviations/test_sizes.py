"""Sizes beyond 2^31, which agents send as negative numbers."""

from __future__ import annotations

import pytest

from promsnmp.exposition.deviations.sizes import is_size, unsigned
from promsnmp.snmp import ber, oid
from tests.support.exposition.polls import ROW, Device, integer, module

STORAGE_SIZE = "1.3.6.1.2.1.25.2.3.1.5"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"-1294967296", b"3000000000"),
        (b"-1", b"4294967295"),
        (b"-2147483648", b"2147483648"),
        (b"-2147483649", b"-2147483649"),
        (b"-1.5", b"-1.5"),
        (b"7", b"7"),
    ],
)
def test_a_negative_size_is_the_low_32_bits_of_one(sent: bytes, shown: bytes) -> None:
    assert unsigned([sent]) == [shown]


def test_only_objects_that_are_sizes_count() -> None:
    assert is_size(oid.encode(STORAGE_SIZE))
    assert is_size(oid.encode("1.3.6.1.4.1.2021.9.1.6"))
    assert not is_size(oid.encode("1.3.6.1.2.1.2.2.1.10"))


@pytest.mark.parametrize(("option", "size"), [(False, "-1294967296"), (True, "3000000000")])
def test_a_setting_decides(option: bool, size: str) -> None:
    metrics = [{"oid": STORAGE_SIZE, "type": "gauge", "indexes": [ROW]}, {"oid": "1.3.1", "type": "gauge"}]
    objects = {f"{STORAGE_SIZE}.1": integer(-1294967296), "1.3.1.0": integer(-5)}
    device = Device(module(metrics=metrics), unsigned_sizes=option)
    assert device.samples(objects) == [f'm0{{row="1"}} {size}', "m1 -5"]


def test_numbers_that_are_large_already_stay() -> None:
    metrics = [{"oid": STORAGE_SIZE, "type": "gauge"}]
    objects = {f"{STORAGE_SIZE}.1": ber.encode_integer(3_000_000_000)}
    assert Device(module(metrics=metrics), unsigned_sizes=True).samples(objects) == ["m0 3000000000"]
