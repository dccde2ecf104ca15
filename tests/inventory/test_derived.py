from __future__ import annotations

import pytest

from promsnmp.inventory.derived import Derivations, use_derived
from promsnmp.inventory.document.write import from_document
from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Inventory
from tests.support.inventory.samples import document


def test_a_value_is_used_when_it_is_added_and_later_only_on_request() -> None:
    derivations, now, used = Derivations(), Snapshot.of(from_document(document())), list[int]()
    derivations.add(lambda snapshot: len(snapshot.inventory.devices), used.append, Snapshot.of(Inventory()))
    values = derivations.compute(now)
    assert used == [0]
    use_derived(values)
    assert used == [0, 2]


def test_a_failure_is_logged_and_the_others_still_run(caplog: pytest.LogCaptureFixture) -> None:
    derivations, empty, used = Derivations(), Snapshot.of(Inventory()), list[object]()

    def fail_after_the_first_time(_: object) -> None:
        if len(used) > 2:
            raise RuntimeError("use")

    derivations.add(lambda now: 1 // (1 - len(now.inventory.devices) // 2), used.append, empty)
    derivations.add(lambda now: now.inventory.devices, used.append, empty)
    derivations.add(lambda now: now.inventory.revision, fail_after_the_first_time, empty)
    full = Snapshot.of(from_document(document()))
    use_derived(derivations.compute(full))
    assert used == [1, (), full.inventory.devices]
    assert caplog.text.count("Traceback") == 2
