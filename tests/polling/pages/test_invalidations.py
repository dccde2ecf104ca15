"""Which polls may still be shown."""

from __future__ import annotations

import pytest

from promsnmp.polling.pages import invalidations
from promsnmp.polling.pages.invalidations import Invalidations
from tests.support.cluster.members import Clock


def test_an_earlier_poll_of_a_device_is_not_shown_and_those_of_others_are() -> None:
    clock = Clock()
    found = Invalidations(clock)
    assert found.allow("a", 0.0)
    found.add("a")
    assert not found.allow("a", clock.now - 1)
    assert found.allow("a", clock.now)
    assert found.allow("b", clock.now - 1)


def test_all_devices_can_be_concerned() -> None:
    clock = Clock()
    found = Invalidations(clock)
    found.add(None)
    assert not found.allow("a", clock.now - 1)
    assert found.revoked_at("a") == clock.now


def test_an_unknown_past_is_no_revocation() -> None:
    clock = Clock()
    found = Invalidations(clock)
    found.add_unknown_past()
    assert not found.allow("a", clock.now - 1)
    assert found.revoked_at("a") < clock.now


def test_too_many_devices_count_as_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invalidations, "MAX_DEVICES", 2)
    clock = Clock()
    found = Invalidations(clock)
    for device in ("a", "b", "c"):
        clock.now += 1
        found.add(device)
    assert not found.allow("d", clock.now - 1)
