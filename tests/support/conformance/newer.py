"""Polls the cases of keys that snmp_exporter 0.30.1 does not have, and compares the pages with what they must have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.support.agents.threads import running
from tests.support.exposition.cases_newer import NewerCase
from tests.support.exposition.reference import agent_of, ours, parse


def newer_differences(cases: Sequence[NewerCase]) -> dict[str, list[str]]:
    """By name of the case: the samples that are missing (``-``), and those that should not be there (``+``)."""
    plain = [newer.case for newer in cases]
    agent = agent_of(plain)
    with running(agent) as loop:
        pages = asyncio.run_coroutine_threadsafe(ours(plain, agent), loop).result(60)
    found = {}
    for newer in cases:
        wanted = parse("".join(f"{line}\n" for line in newer.lines)).samples
        mine = pages[newer.case.name].samples
        missing = [f"- {series} {value}" for series, value in wanted.items() if mine.get(series) != value]
        found[newer.case.name] = [*missing, *(f"+ {series}" for series in mine if series not in wanted)]
    return found
