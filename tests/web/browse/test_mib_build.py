"""Modules that are built from MIB files in a process of its own: what it is given, its bounds, and its end."""

from __future__ import annotations

import asyncio
import sys

import pytest

from promsnmp.errors import ModuleError
from promsnmp.web.browse import mib_build
from promsnmp.web.browse.mib_build import BuildBusy, MibBuilder


def builder(program: str) -> MibBuilder:
    """One whose command is a small program in Python."""
    return MibBuilder(["mibs", "more"], (sys.executable, "-I", "-c", f"import sys, time\n{program}"))


async def test_the_command_gets_folders_name_and_objects() -> None:
    found = await builder("print(sys.argv[1:])").build("mine", ["1.3.6.1.2.1.2.2.1.10"])
    assert found.decode().strip() == str(
        ["modules", "build", "--mibs", "mibs", "--mibs", "more", "--name", "mine", "--", "1.3.6.1.2.1.2.2.1.10"]
    )


async def test_what_could_not_be_read_is_told() -> None:
    incomplete = builder("print('modules: {}'); print('X.mib:3: unknown', file=sys.stderr); sys.exit(3)")
    assert (await incomplete.build("mine", ["1.3"])).decode() == "# X.mib:3: unknown\nmodules: {}\n"
    partial = builder("print('modules: {}'); print('1.3 is in no MIB', file=sys.stderr); sys.exit(1)")
    assert (await partial.build("mine", ["1.3"])).startswith(b"# 1.3 is in no MIB\n")
    with pytest.raises(ModuleError, match="in no MIB"):
        await builder("print('1.3 is in no MIB', file=sys.stderr); sys.exit(1)").build("mine", ["1.3"])


async def test_time_and_output_are_bounded_and_one_is_built_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mib_build, "MOST_OUTPUT", 1_000)
    with pytest.raises(ModuleError, match="more than"):
        await builder("print('x' * 500_000)").build("mine", ["1.3"])
    monkeypatch.setattr(mib_build, "MOST_SECONDS", 0.3)
    slow = builder("time.sleep(60)")
    first = asyncio.create_task(slow.build("mine", ["1.3"]))
    await asyncio.sleep(0)
    with pytest.raises(BuildBusy):
        await slow.build("mine", ["1.3"])
    with pytest.raises(ModuleError, match="MIB_FOLDERS"):
        await first
