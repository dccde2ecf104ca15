"""Reads and writes what the inventory file keeps of searches: the key ``searches``, which the original ignores.

Only the file has it, never a document of the API. A part that cannot be read is left out instead of making the
inventory unreadable: a search that is forgotten can be started again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from promsnmp.inventory.document.fields import Fields
from promsnmp.inventory.document.parsing import read_instant
from promsnmp.inventory.document.previous import PreviousValues
from promsnmp.inventory.document.seeds import read_seed, seed_document
from promsnmp.inventory.document.values import read_id
from promsnmp.inventory.model import EndedSearch, ScheduledRun, SearchLog, UnfinishedSearch

MOST_ADDRESSES = 1 << 40
"""Above the size of any search."""


def read_searches(value: object) -> SearchLog:
    """The searches in a document; those that have problems are left out."""
    fields = Fields(value if isinstance(value, Mapping) else {}, "searches", [])
    unfinished = [_unfinished(item) for item in fields.items("unfinished")]
    ended = [_ended(item) for item in fields.items("ended")]
    return SearchLog(
        run=_run(fields.values.get("run")),
        unfinished=tuple({one.id: one for one in unfinished if one is not None}.values()),
        ended=tuple({one.id: one for one in ended if one is not None}.values()),
    )


def _run(value: object) -> ScheduledRun | None:
    fields = Fields(value if isinstance(value, Mapping) else {}, "run", [])
    due_at = fields.value("dueAt", read_instant)
    if due_at is None:
        return None
    return ScheduledRun(
        fields.text("schedule"), due_at, fields.value("endedAt", read_instant), fields.texts("seedsLeft")
    )


def _unfinished(item: object) -> UnfinishedSearch | None:
    problems: list[str] = []
    fields = Fields(item, "search", problems)
    search_id = read_id(fields)
    seed = read_seed(fields.values.get("seed"), "seed", problems, PreviousValues(None))
    created_at, saved_at = fields.value("createdAt", read_instant), fields.value("savedAt", read_instant)
    search = (
        UnfinishedSearch(
            id=search_id,
            seed=seed,
            created_at=created_at,
            saved_at=saved_at,
            started_at=fields.value("startedAt", read_instant),
            who=fields.text("who"),
            is_saved=fields.flag("isSaved"),
            remove_lost=fields.flag("removeLost"),
            done=fields.integer("done", default=0, low=0, high=MOST_ADDRESSES),
            size=fields.integer("size", default=0, low=0, high=MOST_ADDRESSES),
        )
        if search_id and seed is not None and created_at and saved_at
        else None
    )
    return None if problems else search


def _ended(item: object) -> EndedSearch | None:
    fields = Fields(item, "search", [])
    search_id = read_id(fields)
    return EndedSearch(search_id, json.dumps(item)) if search_id else None


def searches_document(searches: SearchLog) -> dict[str, object]:
    """What ``read_searches`` reads, with secrets."""
    document: dict[str, object] = {}
    if searches.run is not None:
        document["run"] = _run_document(searches.run)
    if searches.unfinished:
        document["unfinished"] = [_unfinished_document(one) for one in searches.unfinished]
    if searches.ended:
        document["ended"] = [json.loads(one.summary) for one in searches.ended]
    return document


def _run_document(run: ScheduledRun) -> dict[str, object]:
    document = {
        "schedule": run.schedule,
        "dueAt": run.due_at,
        "endedAt": run.ended_at,
        "seedsLeft": list(run.seeds_left),
    }
    return {key: value for key, value in document.items() if value}


def _unfinished_document(search: UnfinishedSearch) -> dict[str, object]:
    document = {
        "id": search.id,
        "seed": seed_document(search.seed, mask=False),
        "createdAt": search.created_at,
        "startedAt": search.started_at,
        "savedAt": search.saved_at,
        "who": search.who,
        "isSaved": search.is_saved,
        "removeLost": search.remove_lost,
        "done": search.done,
        "size": search.size,
    }
    return {key: value for key, value in document.items() if value}
