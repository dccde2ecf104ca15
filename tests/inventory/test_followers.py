from __future__ import annotations

import pytest

from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.followers import Followers
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from tests.support.inventory.samples import document


def test_what_is_made_is_used_when_told_and_before_the_listeners() -> None:
    followers, now, events = Followers(), Snapshot.of(from_document(document())), list[object]()
    followers.derive(lambda snapshot: len(snapshot.inventory.devices), events.append, Snapshot.of(Inventory()))
    end = followers.subscribe(lambda inventory: events.append(inventory.revision))
    shown = followers.compute(now)
    assert events == [0]
    followers.notify(now.inventory, shown)
    assert events == [0, 2, 0]
    end()
    followers.notify(now.inventory, shown)
    assert events == [0, 2, 0, 2]


def test_a_failure_is_logged_and_does_not_concern_the_others(caplog: pytest.LogCaptureFixture) -> None:
    followers, empty, events = Followers(), Snapshot.of(Inventory()), list[object]()

    def broken(_: object) -> None:
        raise RuntimeError("listener")

    followers.subscribe(broken)
    followers.subscribe(events.append)
    followers.derive(lambda now: 1 // (1 - len(now.inventory.devices) // 2), events.append, empty)
    followers.derive(lambda now: now.inventory.revision, lambda made: broken(made) if len(events) > 1 else None, empty)
    full = Snapshot.of(from_document(document()))
    followers.notify(full.inventory, followers.compute(full))
    assert events == [1, full.inventory]
    assert caplog.text.count("Traceback") == 2
