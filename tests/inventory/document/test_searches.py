"""What the file keeps of searches: read as written, never shown, and never a reason not to read the inventory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from promsnmp.inventory.document.write import DocumentWriter, from_document, to_document
from promsnmp.inventory.model import (
    NO_SEARCHES,
    EndedSearch,
    Inventory,
    ScheduledRun,
    SearchLog,
    Seed,
    UnfinishedSearch,
)
from promsnmp.snmp.credentials import Community, SecurityLevel, User, Version

IDS = [f"6a3c1d5e-0000-4000-8000-00000000000{number}" for number in range(6)]
USER = User("monitor", SecurityLevel.AUTH_PRIV, auth_passphrase="secret-auth", priv_passphrase="secret-priv")
SEED = Seed(IDS[0], ("10.0.0.0/12", "core1"), (Community(Version.V1, "secret-community"), USER), 1161, ("10.0.0.1",),
            (("site", "a"),), ("if_mib",), ("10.0.0.0/8",), force=True)  # fmt: skip
SEARCHES = SearchLog(
    run=ScheduledRun("0 0 2 * * * UTC", "2026-06-02T02:00:00Z", None, (IDS[0], IDS[1])),
    unfinished=(
        UnfinishedSearch(IDS[2], SEED, "2026-06-02T02:00:00.125Z", "2026-06-02T02:01:00Z", "2026-06-02T02:00:01Z",
                         "somebody", is_saved=True, remove_lost=True, done=4711, size=1_048_575),
        UnfinishedSearch(IDS[3], SEED, "2026-06-02T02:00:00Z", "2026-06-02T02:00:00Z"),
    ),
    ended=(EndedSearch(IDS[4], json.dumps({"id": IDS[4], "state": "finished", "targets": ["10.0.0.0/12"]})),),
)  # fmt: skip
INVENTORY = Inventory(seeds=(SEED,), revision=7, fencing_token=3, request_ids=("a",), searches=SEARCHES)


def test_searches_are_read_as_they_were_written() -> None:
    text = DocumentWriter(mask=False).json(INVENTORY)
    assert json.loads(text) == json.loads(json.dumps(to_document(INVENTORY, mask=False)))
    assert from_document(json.loads(text)) == INVENTORY


def test_documents_of_the_api_neither_show_nor_change_them() -> None:
    shown = DocumentWriter(mask=True).json(INVENTORY)
    assert b"searches" not in shown
    assert b"secret" not in shown
    assert from_document(json.loads(shown), previous=INVENTORY).searches == SEARCHES
    others = {**json.loads(shown), "searches": {"run": {"dueAt": "2020-01-01T00:00:00Z"}}}
    assert from_document(others, previous=INVENTORY).searches == SEARCHES


def test_a_file_without_searches_has_no_such_key() -> None:
    """Nor has one of an earlier version."""
    plain = to_document(Inventory(), mask=False)
    assert "searches" not in plain
    assert from_document(plain).searches == NO_SEARCHES


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {"run": "text", "unfinished": {}, "ended": 7},
        {"run": {"dueAt": "yesterday"}, "unfinished": ["text", {}, {"id": "no UUID"}], "ended": [7, {"id": 7}]},
        {"unfinished": [{"id": IDS[2], "createdAt": "2026-06-02T02:00:00Z", "savedAt": "2026-06-02T02:00:00Z"}]},
    ],
)
def test_searches_that_cannot_be_read_are_left_out(value: object) -> None:
    assert from_document({"devices": [], "searches": value}).searches == NO_SEARCHES


@pytest.mark.parametrize(
    "damage",
    [{"done": -1}, {"size": 1 << 60}, {"savedAt": 0.5e300}, {"seed": {"potentialTargets": []}}, {"isSaved": "yes"}],
)
def test_one_damaged_search_does_not_take_the_others(damage: dict[str, Any]) -> None:
    document = json.loads(json.dumps(to_document(INVENTORY, mask=False)))
    document["searches"]["unfinished"][0].update(damage)
    read = from_document(document).searches
    assert (read.run, read.unfinished, read.ended) == (SEARCHES.run, SEARCHES.unfinished[1:], SEARCHES.ended)
