"""The Debian package: its contents, its scripts, and that it starts; ``make deb-test`` installs the real one."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from promsnmp import __version__
from scripts import deb
from tests.support.tools import PROJECT, require_tool

TARGET = deb.Target("all", (sys.version_info[0], sys.version_info[1]))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package, packed and unpacked by dpkg-deb, whose environment is that of the tests."""
    folder = tmp_path_factory.mktemp("deb")
    root = folder / "root"
    environment = root / deb.PREFIX / "bin"
    environment.mkdir(parents=True)
    python = environment / "python"
    paths = f"{PROJECT / 'src'}:{sysconfig.get_path('purelib')}"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={paths} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    deb.add_files(root)
    package = deb.pack(root, TARGET, folder / "dist")
    program = require_tool("dpkg-deb", package="dpkg")
    for option, name in (("--extract", "tree"), ("--control", "control")):
        subprocess.run([program, option, str(package), str(folder / name)], check=True)
    return folder


def test_the_control_file_names_the_version_and_the_python(extracted: Path) -> None:
    control = (extracted / "control" / "control").read_text()
    assert f"Version: {__version__}\n" in control
    major, minor = TARGET.python
    assert f"python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1})" in control
    assert (extracted / "control" / "conffiles").read_text().split() == [f"/{deb.CONFIG}", f"/{deb.DEFAULTS}"]


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_a_maintainer_script_works_where_systemd_does_not_run(extracted: Path, script: str) -> None:
    path = extracted / "control" / script
    assert path.stat().st_mode & 0o777 == 0o755
    for argument in ("configure", "remove", "purge", "upgrade"):
        subprocess.run(["sh", "-eu", "-n", str(path), argument], check=True)
    text = path.read_text()
    assert "systemctl" not in text or "/run/systemd/system" in text


def test_the_configuration_is_valid_and_private(extracted: Path) -> None:
    path = extracted / "tree" / deb.CONFIG
    assert path.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(path.read_text())["inventory"] == {"prom_inv_file": deb.INVENTORY}


def test_the_units_run_what_the_package_has(extracted: Path) -> None:
    tree = extracted / "tree"
    unit = (tree / "lib/systemd/system/promsnmp.service").read_text()
    assert "ExecStart=/usr/bin/promsnmp serve\n" in unit
    assert f"PROM_INV_FILE={deb.INVENTORY}" in unit
    assert (tree / "lib/systemd/system/promsnmp.socket").exists()
    assert (tree / "usr/share/doc/promsnmp/examples/promsnmp-traps.conf").exists()
    launcher = (tree / "usr/bin/promsnmp").read_text()
    assert f"/{deb.PREFIX}/bin/python -m promsnmp" in launcher


def test_the_program_starts_from_where_it_was_unpacked(extracted: Path) -> None:
    tree = extracted / "tree"
    config = tree / deb.CONFIG
    command = [str(tree / deb.PREFIX / "bin/python"), "-m", "promsnmp", "config", "check", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert ran.returncode == 0, ran.stderr
    assert f"{config}: 1 setting" in ran.stdout
