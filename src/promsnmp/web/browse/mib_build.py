"""Builds a module from MIB files, as ``promsnmp modules build`` does, in a process of its own.

Reading a large collection takes seconds and hundreds of megabytes, which must neither stop polls nor stay.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from promsnmp.errors import ModuleError, PromSnmpError

MOST_SECONDS = 120.0
MOST_OUTPUT = 8 * 1024 * 1024
"""Bytes of a module."""
MOST_MESSAGES = 4_000
"""Characters of messages about MIB files: the last ones, which are about the module."""
NOT_FOUND, INCOMPLETE = 1, 3
"""Exit codes of the command: some objects are in no MIB, or a part of the MIBs could not be read. It makes the rest."""


class BuildBusy(PromSnmpError):
    """Another module is being built."""


class MibBuilder:
    """Builds modules from the MIB files of ``folders``, one at a time. ``command``: the program, for tests."""

    def __init__(self, folders: Sequence[str], command: Sequence[str] = (sys.executable, "-m", "promsnmp")) -> None:
        self.folders = tuple(folders)
        self._command = tuple(command)
        self._is_busy = False

    async def build(self, name: str, objects: Sequence[str]) -> bytes:
        """An snmp.yml with the module ``name`` of these OIDs. Raises BuildBusy, and ModuleError when nothing could be
        built."""
        if self._is_busy:
            raise BuildBusy("another module is being built from MIB files; retry in a moment")
        self._is_busy = True
        try:
            return await self._build(name, objects)
        finally:
            self._is_busy = False

    async def _build(self, name: str, objects: Sequence[str]) -> bytes:
        folders = [part for folder in self.folders for part in ("--mibs", folder)]
        process = await asyncio.create_subprocess_exec(
            *self._command, "modules", "build", *folders, "--name", name, "--", *objects,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(MOST_SECONDS):
                assert process.stdout is not None
                assert process.stderr is not None
                content, messages = await asyncio.gather(_read(process.stdout), _read(process.stderr))
                code = await process.wait()
        except TimeoutError:
            raise ModuleError(
                f"reading the MIB files took longer than {MOST_SECONDS:.0f} s; give MIB_FOLDERS fewer of them"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        text = messages.decode(errors="replace")[-MOST_MESSAGES:].strip()
        if len(content) > MOST_OUTPUT:
            raise ModuleError(f"the module has more than {MOST_OUTPUT:,} bytes; choose fewer columns")
        if code not in (0, NOT_FOUND, INCOMPLETE) or not content:
            raise ModuleError(text or f"promsnmp modules build ended with exit code {code}")
        notes = "".join(f"# {line}\n" for line in text.splitlines()) if code else ""
        return notes.encode() + content


async def _read(stream: asyncio.StreamReader) -> bytes:
    """What a stream has, to its end; of much only the first part."""
    found = bytearray()
    while part := await stream.read(65_536):
        if len(found) <= MOST_OUTPUT:
            found += part
    return bytes(found)
