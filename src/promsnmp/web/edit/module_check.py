"""Checks a file of modules that somebody drops in, without using it: all mistakes with file and line."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from promsnmp.modules.snmp_yml.check import CheckResult, check_text
from promsnmp.support.memory import release_memory
from promsnmp.web.edit.viewer import Form, first
from promsnmp.web.sources import Sources

MOST_LINES = 200
"""Problems, and notes, that are shown."""
MOST_PROBLEMS = 1_000
"""Problems that are looked for."""
MAX_WAITING = 3
"""Checks that may wait; one runs at a time."""


class TooManyFiles(ValueError):
    """Too many files are being checked already."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The result for a file. ``replaced``: modules that are loaded now and that it would replace."""

    name: str
    result: CheckResult
    replaced: tuple[str, ...]


class ModuleCheck:
    """Checks files one at a time, in a thread."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def view(self, sources: Sources, form: Form) -> Mapping[str, object]:
        """The values of the page. Raises TooManyFiles, and ValueError without a file."""
        name, contents = first(form, "file.filename"), first(form, "file")
        if not contents.strip():
            raise ValueError("choose a file first")
        checked = await self._check(sources, name or "file", contents)
        result = checked.result
        return {
            "file": checked.name,
            "module_count": len(result.document.modules),
            "auth_count": len(result.document.auths),
            "health_count": len(result.document.health),
            "problems": result.problems[:MOST_LINES],
            "problem_count": len(result.problems),
            "notes": result.notes[:MOST_LINES],
            "note_count": len(result.notes),
            "replaced": checked.replaced,
        }

    async def _check(self, sources: Sources, name: str, contents: str) -> CheckedFile:
        if self._waiting >= MAX_WAITING:
            raise TooManyFiles("other files are being checked; try again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                result = await asyncio.to_thread(
                    check_text, contents, source=name, options=sources.read_options, most_problems=MOST_PROBLEMS
                )
        finally:
            self._waiting -= 1
        release_memory()
        loaded = sources.catalogue_store.current.modules
        return CheckedFile(name, result, tuple(sorted(one for one in result.document.modules if one in loaded)))
