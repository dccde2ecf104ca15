"""Every device has one owner, all members agree on it, and few devices ever move."""

from __future__ import annotations

import time
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from promsnmp.cluster.members.hash_ring import HashRing

NAMES = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=10, unique=True)
KEYS = st.lists(st.text(max_size=40), max_size=50)


@given(names=NAMES, keys=KEYS, data=st.data())
def test_all_members_agree_whatever_the_order_of_members(
    names: list[str], keys: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(names))
    for key in keys:
        owner = HashRing(names, names[0]).owner(key)
        assert owner in names
        assert HashRing(shuffled, names[-1]).owner(key) == owner
        assert [name for name in names if HashRing(names, name).is_mine(key)] == [owner]


@given(names=NAMES, newcomer=st.text(min_size=1), keys=KEYS)
def test_only_devices_of_the_member_that_comes_or_goes_move(names: list[str], newcomer: str, keys: list[str]) -> None:
    others = [name for name in names if name != newcomer]
    without, with_it = HashRing(others, "me"), HashRing([*others, newcomer], "me")
    for key in keys:
        if with_it.owner(key) != newcomer and others:
            assert with_it.owner(key) == without.owner(key)


@given(names=NAMES, keys=KEYS)
def test_the_next_owner_is_the_one_without_the_present_owner(names: list[str], keys: list[str]) -> None:
    for key in keys:
        owner = HashRing(names, "").owner(key)
        rest = [name for name in names if name != owner]
        assert HashRing(names, owner).successor(key) == (HashRing(rest, "").owner(key) if rest else None)


def test_devices_are_spread_evenly_however_alike_the_names_are() -> None:
    for count in (2, 3, 10):
        ring = HashRing([f"promsnmp-{number}" for number in range(count)], "promsnmp-0")
        shares = Counter(ring.owner(f"10.0.{number // 250}.{number % 250}") for number in range(20_000))
        fair = 20_000 / count
        assert len(shares) == count
        assert all(0.9 * fair < share < 1.1 * fair for share in shares.values()), shares


def test_a_tenth_member_takes_a_tenth_evenly_from_the_others() -> None:
    nine = [f"promsnmp-{number}" for number in range(9)]
    keys = [f"device-{number}" for number in range(20_000)]
    before, after = HashRing(nine, ""), HashRing([*nine, "promsnmp-9"], "")
    moved = Counter(before.owner(key) for key in keys if after.owner(key) != before.owner(key))
    assert 0.09 < moved.total() / len(keys) < 0.11
    assert all(180 < count < 260 for count in moved.values()), moved


def test_alone_or_unknown_to_all_one_owns_everything() -> None:
    assert HashRing(["a"], "a").is_mine("device")
    assert HashRing([], "a").is_mine("device")
    assert not HashRing(["b"], "a").is_mine("device")
    assert HashRing(["a"], "a").successor("device") is None


def test_twenty_thousand_devices_are_assigned_to_ten_members_quickly() -> None:
    ring = HashRing([f"promsnmp-{number}" for number in range(10)], "promsnmp-0")
    keys = [f"device-{number}" for number in range(20_000)]
    began = time.process_time()
    assert 1800 < sum(map(ring.is_mine, keys)) < 2200
    assert time.process_time() - began < 2.0  # 0.1 s on an idle machine
