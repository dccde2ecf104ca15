"""Names of objects in the MIB files of MIB_FOLDERS, read by a process of its own (``list_mib_names.py``).

Reading a large collection takes seconds and hundreds of megabytes, which must neither stop polls nor stay. Only the
settings say which folders are read: what people enter is looked up in what was read, and never becomes a path.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)

MOST_OBJECTS = 100_000
"""Objects whose names are kept."""
MOST_OUTPUT = 32 * 1024 * 1024
"""Bytes that the process may write."""
MOST_SECONDS = 120.0
PATIENCE = 5.0
"""Seconds that a page waits for the names; reading goes on."""
MOST_PROBLEMS = 20
MOST_MESSAGE = 300
IndexText = tuple[str, str, int, bool, tuple[tuple[int, str], ...]]
"""Label, type, fixed size, whether it is implied, and the names of its numbers."""


@dataclass(frozen=True, slots=True)
class MibObject:
    """A name in the tree of MIBs; without values it is a group, a table or a row."""

    oid: str
    name: str
    has_values: bool
    type: str = ""
    display_hint: str = ""
    enum_values: tuple[tuple[int, str], ...] = ()
    indexes: tuple[IndexText, ...] = ()


@dataclass(frozen=True, slots=True)
class MibNames:
    """What was read."""

    objects: Sequence[MibObject] = ()
    problems: Sequence[str] = ()
    """The first MOST_PROBLEMS."""
    problem_count: int = 0
    is_reading: bool = False
    """Whether they are still being read."""


NO_MIB_NAMES = MibNames()
_READING = MibNames(is_reading=True)


class MibNameReader:
    """Reads the names in ``folders`` once for each generation of the files. ``command``: the program, for tests."""

    def __init__(
        self,
        folders: Sequence[str],
        command: Sequence[str] = (sys.executable, "-m", "promsnmp.web.browse.list_mib_names"),
    ) -> None:
        self._folders = tuple(folders)
        self._command = tuple(command)
        self._generation = -1
        self._task: asyncio.Task[MibNames] | None = None

    async def current(self, generation: int) -> MibNames:
        """The names, or that they are still being read after PATIENCE seconds."""
        if not self._folders:
            return NO_MIB_NAMES
        if self._task is None or (generation != self._generation and self._task.done()):
            self._generation = generation
            self._task = asyncio.create_task(self._read(), name="names of MIB files")
        done, _ = await asyncio.wait([self._task], timeout=PATIENCE)
        return self._task.result() if done else _READING

    async def _read(self) -> MibNames:
        """The names; with a problem in place of an exception, since pages go on without them."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                return await asyncio.to_thread(names_from, await self._output())
        except TimeoutError:
            problem = f"reading took longer than {MOST_SECONDS:.0f} s; give MIB_FOLDERS fewer files"
        except (OSError, ValueError) as error:
            problem = str(error)[:MOST_MESSAGE]
        except (KeyError, TypeError) as error:
            problem = f"the names cannot be used: {error}"[:MOST_MESSAGE]
        log.warning("no names of MIB files: %s", problem)
        return MibNames((), (problem,), 1)

    async def _output(self) -> bytes:
        """Raises OSError, and ValueError for a process that fails or writes too much."""
        process = await asyncio.create_subprocess_exec(
            *self._command, str(MOST_OBJECTS), *self._folders,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        found = bytearray()
        try:
            assert process.stdout is not None
            while part := await process.stdout.read(65_536):
                found += part
                if len(found) > MOST_OUTPUT:
                    raise ValueError(f"the names have more than {MOST_OUTPUT:,} bytes; give MIB_FOLDERS fewer files")
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            raise ValueError(f"reading the MIB files ended with exit code {code}")
        return bytes(found)


def names_from(output: bytes) -> MibNames:
    """What the process has written: a head, and an object on each line. Raises ValueError."""
    head, *lines = output.splitlines() or [b""]
    told = json.loads(head)
    problems = [str(one)[:MOST_MESSAGE] for one in told["problems"][:MOST_PROBLEMS]]
    return MibNames([_object(json.loads(line)) for line in lines], problems, int(told["count"]))


def _object(parts: Any) -> MibObject:
    oid, name, has_values, kind, hint, enums, indexes = parts
    made = tuple((label, type_, size, implied, _enums(values)) for label, type_, size, implied, values in indexes)
    return MibObject(oid, name, has_values, sys.intern(kind), sys.intern(hint), _enums(enums), made)


def _enums(pairs: Any) -> tuple[tuple[int, str], ...]:
    return tuple((number, name) for number, name in pairs)
