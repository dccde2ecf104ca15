from __future__ import annotations

import random

from promsnmp.inventory.model import Device
from promsnmp.inventory.per_device_cache import PerDeviceCache, differing


def test_a_value_is_made_once_per_device_wherever_it_stands() -> None:
    made: list[str] = []

    def make(device: Device) -> str | None:
        made.append(device.id)
        return None if device.id == "7" else f"<{device.id}>"

    fragments, chance, count = PerDeviceCache(make), random.Random(3), 0
    devices = tuple(Device(str(number)) for number in range(50))
    for _ in range(100):
        values = fragments.of(devices)
        assert values == [None if device.id == "7" else f"<{device.id}>" for device in devices]
        assert len(made) == (count := max(count, len(made)))
        assert len(set(made)) == len(made)
        changed = list(devices)
        for _ in range(chance.randrange(4)):
            changed.pop(chance.randrange(len(changed))) if chance.random() < 0.4 else changed.insert(
                chance.randrange(len(changed)), Device(str(chance.random()))
            )
        if chance.random() < 0.3:
            first, second = chance.randrange(len(changed)), chance.randrange(len(changed))
            changed[first], changed[second] = changed[second], changed[first]
        devices = tuple(changed)


def test_another_object_of_an_equal_device_is_computed_again_and_removed_ones_are_dropped() -> None:
    fragments = PerDeviceCache(lambda device: [device.id])
    (one,) = fragments.of((Device("1"),))
    (other,) = fragments.of((Device("1"),))
    assert other is not one
    fragments.of(())
    assert fragments.last == ((), [])


def test_the_difference_lies_between_equal_ends() -> None:
    a, b, c, d = (Device(name) for name in "abcd")
    assert differing((a, b, c), (a, d, c)) == ((b,), (d,))
    assert differing((a, b), (a, b)) == ((), ())
    assert differing((a, a), (a,)) == ((a,), ())
    assert differing((), (a,)) == ((), (a,))
