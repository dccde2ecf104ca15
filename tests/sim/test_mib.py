"""The order of objects, and how they are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber, oid

ONE = ber.encode_integer(1)
SUBIDS = st.lists(st.sampled_from([0, 1, 2, 127, 128, 255, 256, 16383, 16384, 2**32 - 1]), min_size=1, max_size=4)


def next_after(mib: Mib, name: bytes) -> bytes | None:
    at = mib.position_after(name)
    return mib.oid(at) if at < len(mib) else None


def names(*texts: str) -> list[bytes]:
    return [oid.encode(text) for text in texts]


@given(st.sets(SUBIDS.map(tuple), min_size=1), SUBIDS.map(tuple))
def test_the_next_object_is_the_smallest_greater_one_by_sub_identifiers(
    known: set[tuple[int, ...]], asked: tuple[int, ...]
) -> None:
    mib = Mib.of({oid.encode((1, 3, *subids)): ONE for subids in known})
    later = sorted(subids for subids in known if subids > asked)
    for _ in range(2):  # the second time from memory
        found = next_after(mib, oid.encode((1, 3, *asked)))
        assert (found and oid.decode(found)[2:]) == (later[0] if later else None)
    assert mib.get(oid.encode((1, 3, *asked))) == (ONE if asked in known else None)


def test_oids_that_do_not_increase_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.3\.5 does not follow 1\.3\.6"):
        Mib(names("1.3.6", "1.3.5"), [ONE, ONE])
    with pytest.raises(ValueError, match="2 OIDs, but 1 values"):
        Mib(names("1.3.5", "1.3.6"), [ONE])


def test_a_moving_value_depends_on_the_time() -> None:
    mib = Mib.of({"1.3.6.1": lambda uptime: ber.encode_integer(int(uptime))})
    assert mib.get(oid.encode("1.3.6.1"), 7.9) == ber.encode_integer(7)
    assert mib.rows(0, 1, 9.0) == [ber.encode_varbind(oid.encode("1.3.6.1"), ber.encode_integer(9))]


def test_asking_for_a_missing_object_does_not_create_it() -> None:
    mib = Mib.of({"1.3.6.1": ONE, "1.3.6.3": ONE})
    missing = oid.encode("1.3.6.2")
    assert mib.position_after(missing) == 1
    assert mib.position(missing) == -1
    assert missing not in mib
    assert oid.encode("1.3.6.3") in mib


def test_altering_a_mib_returns_a_copy() -> None:
    mib = Mib.of({"1.3.6.1": ONE, "1.3.6.3": ONE})
    other = mib.altered({oid.encode("1.3.6.3"): ber.encode_integer(2)})
    assert next_after(other, oid.encode("1.3.6.1")) == oid.encode("1.3.6.3")
    assert other.get(oid.encode("1.3.6.3")) == ber.encode_integer(2)
    assert other.rows(1, 2, 0.0) == [ber.encode_varbind(oid.encode("1.3.6.3"), ber.encode_integer(2))]
    assert mib.get(oid.encode("1.3.6.3")) == ONE
    with pytest.raises(KeyError, match=r"1\.3\.6\.2"):
        mib.altered({oid.encode("1.3.6.2"): ONE})


def test_an_empty_mib_ends_at_once() -> None:
    assert next_after(Mib([], []), b"\x2b") is None
