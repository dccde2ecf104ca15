from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from promsnmp.cli.commands.modules import build as modules_build
from promsnmp.errors import ModuleError
from promsnmp.modules.model import Filter, Module
from promsnmp.modules.snmp_yml.reader import read_text
from promsnmp.traps.names.definitions import read
from tests.support.tools import PROJECT

MIBS = PROJECT / "tests" / "modules" / "mibs" / "data"
Build = Callable[..., SimpleNamespace]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def build(cache: Path, capsys: pytest.CaptureFixture[str]) -> Build:
    """Runs ``promsnmp modules build --mibs <the MIBs of the tests> ...``."""

    def call(*arguments: object, mibs: Path = MIBS) -> SimpleNamespace:
        words = ["--mibs", str(mibs), "--cache", str(cache), *map(str, arguments)]
        code = modules_build.build.main(args=words, prog_name="build", standalone_mode=False)
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


def module(text: str, name: str) -> Module:
    return read_text(text, source="printed").modules[name]


def test_a_module_is_named_after_its_first_object(build: Build) -> None:
    done = build("IF-MIB::ifXTable", "ifNumber")
    assert done.code == 0
    found = module(done.out, "ifXTable")
    assert (found.walk, found.get) == (("1.3.6.1.2.1.31.1.1",), ("1.3.6.1.2.1.2.1.0",))
    assert len(found.metrics) == 20


def test_problems_of_mibs_go_to_stderr_and_do_not_fail_the_build(build: Build) -> None:
    done = build("ifNumber")
    assert done.code == 0
    assert f"{MIBS}/ACME-BROKEN-MIB.txt:7: imports SecretKind, secretRoot from ACME-SECRET-MIB" in done.err
    assert "ACME-BROKEN" not in done.out


def test_a_build_that_may_lack_something_exits_with_3_and_says_why(build: Build) -> None:
    done = build("acmeBroken", "--name", "mine")
    assert done.code == 3
    assert "goodFourth" in {one.name for one in module(done.out, "mine").metrics}
    (said,) = (line for line in done.err.splitlines() if line.startswith("mine: may be incomplete: "))
    assert f"{MIBS}/ACME-BROKEN-MIB.txt:19" in said
    assert said.endswith(" and 1 more; correct what is named, or get a correct file from the vendor")


def test_a_file_that_cannot_be_read_makes_every_build_exit_with_3(build: Build, tmp_path: Path) -> None:
    (tmp_path / "a.mib").write_text((MIBS / "IF-MIB.txt").read_text())
    (tmp_path / "README").write_text("About the MIBs.\n")
    assert build("ifTable", mibs=tmp_path).code == 0
    (tmp_path / "b.mib").symlink_to(tmp_path / "nowhere")
    done = build("ifTable", mibs=tmp_path)
    assert done.code == 3
    assert f"{tmp_path}/README: is not a MIB" in done.err
    assert f"{tmp_path}/b.mib: cannot be read: No such file or directory" in done.err


def test_unknown_objects_are_reported_last_and_exit_with_1(build: Build) -> None:
    done = build("ifNumber", "nowhere", "acmeBroken", "--name", "mine", "--lookup", "ifIndex=gone")
    assert done.code == 1
    assert "goodFourth" in {one.name for one in module(done.out, "mine").metrics}
    lines = done.err.splitlines()
    assert lines[-2:] == ["mine: not found: nowhere", "mine: not found: gone (lookup)"]
    assert any(line.startswith("mine: badType is left out: type SecretKind is not defined") for line in lines)


def test_without_any_known_object_nothing_is_printed(build: Build, tmp_path: Path) -> None:
    done = build("nowhere", "-o", tmp_path / "out.yml")
    assert (done.code, done.out) == (1, "")
    assert not (tmp_path / "out.yml").exists()


def test_every_option_reaches_the_module(build: Build, tmp_path: Path) -> None:
    out = tmp_path / "out.yml"
    done = build(
        "ifTable", "tDate", "--name", "mine", "--lookup", "ifIndex=ifName", "--drop-source-indexes",
        "--ignore", "ifName", "--ignore", "IF-MIB::ifMtu",
        "--type", "ifType=EnumAsInfo", "--type", "tDate=ParseDateAndTime",
        "--datetime", "tDate=%Y-%m-%d", "--scale", "ifSpeed=0.001", "--offset", "ifSpeed=-5",
        "--regex", r"IF-MIB::ifDescr:Slot=slot=(\d+)", "--regex", "IF-MIB::ifDescr:Slot=none => 0",
        "--regex", "ifDescr:Port=.*p(.*)", "--filter", "IF-MIB::ifAdminStatus:ifTable,ifInOctets=1|3",
        "--rows", "tDate=0", "-o", out,
    )  # fmt: skip
    assert (done.code, done.out) == (0, "")
    found = module(out.read_text(), "mine")
    metrics = {one.name: one for one in found.metrics}
    assert "ifMtu" not in metrics
    assert [(one.labels, one.labelname) for one in metrics["ifSpeed"].lookups] == [
        (("ifIndex",), "ifName"),
        ((), "ifIndex"),
    ]
    assert (metrics["ifSpeed"].scale, metrics["ifSpeed"].offset) == (0.001, -5.0)
    assert (metrics["ifType"].type, metrics["tDate"].type) == ("EnumAsInfo", "ParseDateAndTime")
    assert metrics["tDate"].datetime_pattern == "%Y-%m-%d"
    slot, port = metrics["ifDescr"].regex_extracts
    assert (slot.suffix, port.suffix) == ("Slot", "Port")
    assert [template for _, template in slot.patterns] == ["$1", "0"]
    assert found.filters == (Filter("1.3.6.1.2.1.2.2.1.7", ("1.3.6.1.2.1.2.2", "1.3.6.1.2.1.2.2.1.10"), ("1|3",)),)


def test_a_generator_yml_is_built_whole_or_one_module_of_it(build: Build, tmp_path: Path) -> None:
    generator = tmp_path / "generator.yml"
    generator.write_text(
        "auths: {a: {version: 2, community: hush}}\n"
        "modules:\n  one: {walk: [ifNumber], timeout: 2s}\n"
        "  two: {walk: [ifTable], overrides: {ifMtu: {ignore: true}}}\n"
    )
    whole = build("--generator", generator)
    assert whole.code == 0
    assert list(read_text(whole.out, source="x").modules) == ["one", "two"]
    assert "community: hush" in whole.out
    assert "hush" not in whole.err
    one = build("--generator", generator, "--name", "two", "--ignore", "ifSpeed")
    assert list(read_text(one.out, source="x").modules) == ["two"]
    assert not {"ifMtu", "ifSpeed"} & {metric.name for metric in module(one.out, "two").metrics}
    both = build("--generator", generator, "acmeOld")
    assert list(read_text(both.out, source="x").modules) == ["one", "two", "acmeOld"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([], click.UsageError, "OBJECT.*--generator"),
        (["ifTable", "--type", "ifMtu=Gauge"], click.UsageError, "'Gauge'.*gauge"),
        (["ifTable", "--scale", "ifMtu=inf"], click.UsageError, "'inf' is not a number"),
        (["ifTable", "--scale", "ifMtu"], click.UsageError, "write NAME=VALUE"),
        (["ifTable", "--regex", "IF-MIB::ifDescr=.*"], click.UsageError, "write OBJECT:SUFFIX=REGEX"),
        (["ifTable", "--filter", "ifDescr=.*"], click.UsageError, "write OBJECT:TARGET"),
        (["ifTable", "--rows", "ifDescr=a"], click.UsageError, "'a' is not a list of indexes"),
        (["ifTable", "--generator", "/nowhere.yml"], ModuleError, "cannot be read"),
        (["ifTable", "-o", "/nowhere/x.yml"], click.UsageError, "no folder /nowhere"),
    ],
)
def test_wrong_arguments_are_refused(build: Build, arguments: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build(*arguments)


def test_an_unknown_module_of_generator_yml_is_named(build: Build, tmp_path: Path) -> None:
    (tmp_path / "g.yml").write_text("modules: {one: {walk: [ifNumber]}}")
    with pytest.raises(ModuleError, match=r"has no module 'two'; it has: one"):
        build("--generator", tmp_path / "g.yml", "--name", "two")
    with pytest.raises(click.UsageError, match=r"already has a module 'one'.*--name"):
        build("--generator", tmp_path / "g.yml", "--name", "one", "ifTable")


def test_a_missing_folder_is_named(build: Build, tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="no such folder of MIB files"):
        build("ifTable", mibs=tmp_path / "nowhere")


def test_a_long_read_is_reported_once_without_a_terminal(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules_build, "QUIET_SECONDS", 0.0)
    assert build("ifNumber").err.count("reading 5 MIB files ...") == 1


def test_a_long_read_counts_files_on_a_terminal(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules_build, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = build("ifNumber").err
    assert "\rreading MIBs: 4 of 5 files" in said
    assert "\r\033[K" in said


def test_names_of_notifications_are_built_for_the_receiver_of_traps(build: Build) -> None:
    done = build("--traps", "ACME-OLD-MIB", "NO-MIB")
    definitions = read(done.out.encode(), source="printed")
    assert [one.name for one in definitions.notifications.values()] == ["oldTrap"]
    assert done.code == 1  # NO-MIB
    assert "NO-MIB" in done.err
    assert build("--traps").code == 0
    with pytest.raises(click.UsageError):
        build("--traps", "--ignore", "ifIndex")
