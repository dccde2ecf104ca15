"""Names of MIB files: what is read of them, that a broken one is reported, and the bounds."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import pytest

from promsnmp.modules.catalogue import builtin_catalogue
from promsnmp.snmp import oid
from promsnmp.web.browse import list_mib_names, mib_names
from promsnmp.web.browse.mib_names import MibNameReader, names_from
from promsnmp.web.browse.names import Names

EXAMPLE = """EXAMPLE-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises, OBJECT-TYPE, Integer32 FROM SNMPv2-SMI;
example OBJECT IDENTIFIER ::= { enterprises 32473 }
exampleTable OBJECT-TYPE SYNTAX SEQUENCE OF ExampleEntry MAX-ACCESS not-accessible STATUS current
  DESCRIPTION "x" ::= { example 9 }
exampleEntry OBJECT-TYPE SYNTAX ExampleEntry MAX-ACCESS not-accessible STATUS current DESCRIPTION "x"
  INDEX { exampleIndex } ::= { exampleTable 1 }
ExampleEntry ::= SEQUENCE { exampleIndex Integer32, exampleState INTEGER }
exampleIndex OBJECT-TYPE SYNTAX Integer32 (1..9) MAX-ACCESS not-accessible STATUS current
  DESCRIPTION "x" ::= { exampleEntry 1 }
exampleState OBJECT-TYPE SYNTAX INTEGER { asleep(42), awake(43) } MAX-ACCESS read-only STATUS current
  DESCRIPTION "x" ::= { exampleEntry 2 }
END
"""
BROKEN = "BROKEN-MIB DEFINITIONS ::= BEGIN broken OBJECT-TYPE SYNTAX"
STATE = oid.encode("1.3.6.1.4.1.32473.9.1.2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "EXAMPLE-MIB").write_text(EXAMPLE)
    (tmp_path / "BROKEN-MIB").write_text(BROKEN)
    return tmp_path


def listed(*folders: object, most: int = 1_000) -> mib_names.MibNames:
    out = io.StringIO()
    list_mib_names.main([str(most), *map(str, folders)], out)
    return names_from(out.getvalue().encode())


def test_objects_have_names_and_broken_files_are_reported(folder: Path) -> None:
    found = listed(folder, "/no/such/folder")
    names = Names(builtin_catalogue(), found)
    assert names.find("exampleTable") == oid.encode("1.3.6.1.4.1.32473.9")
    assert names.find("EXAMPLE-MIB::exampleState.3") == oid.encode("1.3.6.1.4.1.32473.9.1.2.3")
    column = names.columns[STATE]
    assert (column.name, dict(column.enum_values)) == ("exampleState", {42: "asleep", 43: "awake"})
    assert [one.labelname for one in column.indexes] == ["exampleIndex"]
    assert names.columns[names.find("ifDescr")].modules, "modules come first"
    assert any("BROKEN-MIB" in one for one in found.problems)
    assert any("/no/such/folder" in one for one in found.problems)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "..", "EXAMPLE-MIB", "\x00"])
def test_what_is_entered_is_no_path(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no loaded module or MIB file"):
        Names(builtin_catalogue(), listed(folder)).find(name)


def test_there_are_not_too_many(folder: Path) -> None:
    found = listed(folder, most=3)
    assert len(found.objects) == 3
    assert "only the first 3" in found.problems[0]


async def test_a_process_reads_them_once_for_each_generation(folder: Path) -> None:
    reader = MibNameReader([str(folder)])
    first = await reader.current(0)
    assert "exampleState" in [one.name for one in first.objects]
    assert await reader.current(0) is first
    (folder / "EXAMPLE-MIB").unlink()
    again = await reader.current(1)
    assert "exampleState" not in [one.name for one in again.objects]


async def test_what_goes_wrong_is_a_problem_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def reader(program: str) -> MibNameReader:
        return MibNameReader(["x"], (sys.executable, "-I", "-c", program))

    for program, problem in (
        ("raise SystemExit(4)", "exit code 4"), ("print('no JSON')", "Expecting value"),
        ("print('x' * 2_000_000)", "more than 1,000 bytes"), ("print('{}')", "problems"),
    ):  # fmt: skip
        monkeypatch.setattr(mib_names, "MOST_OUTPUT", 1_000)
        found = await reader(program).current(0)
        assert found.problem_count == 1
        assert problem in found.problems[0]
    monkeypatch.setattr(mib_names, "PATIENCE", 0.01)
    slow = reader("import time; time.sleep(60)")
    assert (await slow.current(0)).is_reading
    for task in asyncio.all_tasks():
        if task.get_name() == "names of MIB files":
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert await MibNameReader([]).current(0) is mib_names.NO_MIB_NAMES
