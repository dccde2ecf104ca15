"""When two sightings are of one device, identifier by identifier; see the table in docs/how-to/discovery.md."""

from __future__ import annotations

from itertools import product

import pytest

from promsnmp.discovery.reconcile.distinctive import is_distinctive
from promsnmp.discovery.reconcile.identity import (
    WRAP,
    Traits,
    Verdict,
    compare,
    runs_on,
)

DAY = 86_400.0
SAME, DIFFERENT, UNKNOWN = Verdict
KNOWN = Traits(
    name="core-1", object_id="1.3.6.1.4.1.9.1.1", engines=frozenset({"8000e1"}), serials=frozenset({"FOC1111"}),
    macs=frozenset({"001b54000001", "001b54000002"}), booted=0.0, seen=10 * DAY,
)  # fmt: skip


def sighting(**identifiers: object) -> Traits:
    """The same device a day later, with other ``identifiers``; those that are not named are not known."""
    every = {"name": "", "object_id": "", "engines": frozenset(), "serials": frozenset(), "macs": frozenset()}
    return Traits(**{**every, "booted": None, "seen": 11 * DAY, **identifiers})  # type: ignore[arg-type]  # names are Traits'


def some(*texts: str) -> frozenset[str]:
    return frozenset(texts)


MACS, OTHER_MACS = some("001b54000002", "001b54000009"), some("001b54ff0001")
SERIAL, OTHER_SERIAL = some("FOC1111", "FOC1112"), some("FOC9999")
ENGINE, OTHER_ENGINE = some("8000e1"), some("8000e2")

CASES = [
    # hardware
    (sighting(macs=MACS, name="core-1"), SAME),
    (sighting(macs=MACS), SAME),
    (sighting(serials=SERIAL), SAME),
    (sighting(serials=SERIAL, macs=MACS, name="core-1", engines=OTHER_ENGINE), SAME),  # the other supervisor's engine
    (sighting(macs=MACS, name="core-1", engines=OTHER_ENGINE), UNKNOWN),  # two agents of one host
    (sighting(macs=MACS, name="core-9"), UNKNOWN),  # renamed, or another context of the chassis
    (sighting(serials=SERIAL, macs=OTHER_MACS, name="core-1"), DIFFERENT),  # virtual devices of one chassis
    (sighting(serials=OTHER_SERIAL, macs=MACS, name="core-1", engines=ENGINE), DIFFERENT),  # members of one cluster
    (sighting(macs=OTHER_MACS, name="core-1", engines=ENGINE, booted=0.0), DIFFERENT),  # a copied configuration
    (sighting(serials=OTHER_SERIAL), DIFFERENT),
    # no hardware
    (sighting(name="core-1"), UNKNOWN),
    (sighting(name="core-1", booted=0.0), UNKNOWN),  # perhaps a clone that started at the same time
    (sighting(name="core-1", booted=11 * DAY - 50), UNKNOWN),  # it may have restarted
    (sighting(name="core-1", booted=5 * DAY), UNKNOWN),  # it never restarted: another one, but which?
    (sighting(name="core-9", booted=5 * DAY), DIFFERENT),
    (sighting(name="core-9", booted=0.0), UNKNOWN),
    (sighting(name="core-9"), UNKNOWN),
    (sighting(name="core-9", engines=OTHER_ENGINE), DIFFERENT),
    (sighting(name="core-9", engines=ENGINE), UNKNOWN),
    (sighting(name="core-1", engines=ENGINE), UNKNOWN),  # perhaps a copied disk image
    (sighting(name="core-1", engines=ENGINE, booted=5 * DAY), UNKNOWN),  # surely one
    (sighting(name="core-1", engines=ENGINE, booted=11 * DAY - 50), UNKNOWN),  # restarted, or a clone that just started
    (sighting(name="core-1", engines=ENGINE, booted=0.0), UNKNOWN),  # clones keep the engine id, too
    (sighting(name="core-1", engines=OTHER_ENGINE, booted=0.0), UNKNOWN),
    (sighting(engines=ENGINE), UNKNOWN),
    (sighting(engines=OTHER_ENGINE), UNKNOWN),
    (sighting(booted=0.0), UNKNOWN),
    (sighting(), UNKNOWN),
    (sighting(name="core-1", booted=0.0, object_id="1.3.6.1.4.1.11.2"), DIFFERENT),
    (sighting(name="core-1", engines=ENGINE, object_id="1.3.6.1.4.1.11.2"), UNKNOWN),  # new firmware
    (sighting(object_id="1.3.6.1.4.1.11.2"), DIFFERENT),
]  # fmt: skip


@pytest.mark.parametrize(("new", "verdict"), CASES, ids=[str(number) for number in range(len(CASES))])
def test_the_identifiers_decide(new: Traits, verdict: Verdict) -> None:
    assert compare(KNOWN, new) is verdict, new


VIRTUAL = sighting(
    name="app-1", engines=ENGINE, local_macs=some("525400aaaa01", "0242ac110001"), booted=0.0, seen=10 * DAY
)
"""A virtual machine: all of its MAC addresses were assigned by software."""


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (sighting(name="app-1", engines=ENGINE, booted=2.0, local_macs=some("525400aaaa01")), SAME),
        (sighting(name="app-1", engines=ENGINE, booted=2.0, local_macs=some("525400bbbb01")), DIFFERENT),  # both ran
        (sighting(name="app-1", engines=ENGINE, booted=90.0, local_macs=some("525400bbbb01")), DIFFERENT),
        (sighting(name="app-1", booted=2.0, local_macs=some("525400bbbb01")), DIFFERENT),
        (sighting(name="app-1", engines=ENGINE, booted=10.5 * DAY, local_macs=some("525400bbbb01")), UNKNOWN),
        (sighting(name="app-1", engines=ENGINE, booted=None, local_macs=some("525400bbbb01")), UNKNOWN),
        (sighting(name="app-1", engines=ENGINE, booted=2.0, macs=some("001b54000001")), DIFFERENT),
        (sighting(name="app-1", booted=None, local_macs=some("0242ac110001")), UNKNOWN),  # every Docker has that one
        (sighting(name="app-1", engines=ENGINE, booted=2.0), UNKNOWN),  # no MAC address to compare
        (sighting(name="app-1", engines=ENGINE, booted=2.0, local_macs=some("0242ac110001")), UNKNOWN),
        (sighting(name="app-1", booted=2.0, local_macs=some("525400aaaa01", "525400aaaa02")), SAME),  # one more
        (sighting(name="app-1", booted=None, local_macs=some("525400aaaa01")), UNKNOWN),
        (sighting(name="app-2", booted=2.0, local_macs=some("525400aaaa01")), UNKNOWN),
        (sighting(name="app-1", engines=OTHER_ENGINE, booted=2.0, local_macs=some("525400aaaa01")), UNKNOWN),
    ],
)
def test_mac_addresses_assigned_by_software_count_for_a_device_only_where_all_else_agrees(
    new: Traits, verdict: Verdict
) -> None:
    assert compare(VIRTUAL, new) is verdict


@pytest.mark.parametrize("days", [1, 7, 90])
def test_machines_that_started_within_minutes_of_each_other_are_not_one(days: int) -> None:
    known = sighting(name="core-1", booted=0.0, seen=10 * DAY)
    later = sighting(name="core-1", booted=40.0, seen=(10 + days) * DAY)
    assert compare(known, later) is not SAME


def test_one_mac_address_among_many_is_one_that_several_devices_share() -> None:
    first, second = (some("001b54ffffff", *(f"001b5400{number}{port:03x}" for port in range(7))) for number in (1, 2))
    assert compare(sighting(macs=first), sighting(macs=second)) is UNKNOWN
    assert compare(sighting(macs=first), sighting(macs=second, name="core-1", booted=0.0)) is UNKNOWN
    assert compare(sighting(macs=first), sighting(macs=some("001b54ffffff"))) is SAME


@pytest.mark.parametrize("name", ["switch", "MikroTik", "localhost", "", "(none)", "Debian."])
def test_a_factory_default_name_identifies_nothing(name: str) -> None:
    known = sighting(name=name.lower().removesuffix("."), booted=0.0, engines=ENGINE, seen=10 * DAY)
    assert compare(known, sighting(name=known.name, booted=0.0, engines=ENGINE)) is UNKNOWN
    assert compare(known, sighting(name=known.name, booted=0.0)) is UNKNOWN
    assert not is_distinctive(name)


def test_a_name_set_by_hand_counts_for_a_match_and_never_against_it() -> None:
    by_hand = sighting(name="rack-7", booted=0.0, seen=10 * DAY)
    assert compare(by_hand, sighting(name="core-1", engines=ENGINE, booted=5 * DAY)) is DIFFERENT
    by_hand = Traits(name="rack-7", is_own_name=False, booted=0.0, seen=10 * DAY)
    assert compare(by_hand, sighting(name="core-1", engines=ENGINE, booted=5 * DAY)) is UNKNOWN
    assert runs_on(by_hand, sighting(name="rack-7", booted=0.0))


@pytest.mark.parametrize(
    ("booted", "same"),
    [(3.0, True), (-3.0, True), (11.0, True), (13.0, False), (WRAP, True), (WRAP - 5.0, True), (-2 * WRAP, True)],
)  # fmt: skip
def test_clocks_may_differ_a_little_and_uptime_wraps(booted: float, same: bool) -> None:
    assert runs_on(KNOWN, sighting(name="core-1", booted=booted)) is same


def test_only_the_agent_at_its_address_is_known_by_name_and_start() -> None:
    for new in every_sighting():
        if runs_on(KNOWN, new):
            assert (new.name, new.booted) == (KNOWN.name, 0.0)
            assert compare(KNOWN, new) is not DIFFERENT


ANY: dict[str, list[object]] = {
    "name": ["", "core-1", "core-9", "switch"],
    "object_id": ["", "1.3.6.1.4.1.9.1.1", "1.3.6.1.4.1.11.2"],
    "engines": [some(), ENGINE, OTHER_ENGINE],
    "serials": [some(), SERIAL, OTHER_SERIAL],
    "macs": [some(), MACS, OTHER_MACS],
    "booted": [None, 0.0, 5 * DAY, 11 * DAY - 50],
}


def every_sighting(**also: object) -> list[Traits]:
    columns: list[list[object]] = [list(values) for values in ANY.values()]
    return [sighting(**dict(zip(ANY, row, strict=True)), **also) for row in product(*columns)]


def test_names_engines_and_starts_never_make_one_device() -> None:
    """One device needs equal hardware, and no hardware identifier may differ."""
    for new in every_sighting():
        if compare(KNOWN, new) is not SAME:
            continue
        assert not new.serials or new.serials & KNOWN.serials
        assert not new.macs or new.macs & KNOWN.macs
        assert new.serials or new.macs
        assert new.name in ("", KNOWN.name)


def test_of_all_combinations_only_hardware_kind_or_two_marks_make_two_devices() -> None:
    for new in every_sighting():
        if compare(KNOWN, new) is not DIFFERENT:
            continue
        reasons = (
            bool(new.serials) and not new.serials & KNOWN.serials,
            bool(new.macs) and not new.macs & KNOWN.macs,
            new.object_id not in ("", KNOWN.object_id),
            new.name not in ("", KNOWN.name) and (new.engines == OTHER_ENGINE or new.booted == 5 * DAY),
        )
        assert any(reasons)


def test_the_verdict_does_not_depend_on_the_order_within_one_search() -> None:
    many = every_sighting(seen=11 * DAY)
    for one in many[::7]:
        for other in many[::11]:
            assert (compare(one, other) is SAME) is (compare(other, one) is SAME)
