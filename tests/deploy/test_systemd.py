"""The units of deploy/systemd, by systemd's own judgement where it is installed."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from promsnmp.settings.group import is_secret
from promsnmp.settings.settings import Settings
from tests.support.tools import PROJECT

UNITS = PROJECT / "deploy" / "systemd"
MOST_EXPOSED = 1.5
"""Of systemd-analyze security, from 0 (safe) to 10; the service is at 1.3 without traps."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a program that is there, in the place of PromSNMP."""
    for unit in UNITS.iterdir():
        shutil.copy(unit, tmp_path)
        path = tmp_path / unit.name
        path.write_text(path.read_text().replace("/usr/bin/promsnmp", "/bin/true"))
    for drop_in in ("promsnmp-traps.conf", "promsnmp-socket.conf"):
        (tmp_path / "promsnmp.service.d").mkdir(exist_ok=True)
        (tmp_path / drop_in).rename(tmp_path / "promsnmp.service.d" / drop_in)
    return tmp_path


def analyze(*words: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    ran = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_systemd_finds_nothing_to_mend(units: Path) -> None:
    paths = [str(units / name) for name in ("promsnmp.service", "promsnmp.socket")]
    assert "promsnmp" not in analyze("verify", *paths)


def test_the_service_is_hardened(units: Path) -> None:
    shutil.rmtree(units / "promsnmp.service.d")
    said = analyze("security", "--offline=true", str(units / "promsnmp.service"))
    level = re.search(r"Overall exposure level for promsnmp\.service: ([0-9.]+)", said)
    assert level is not None
    assert float(level[1]) <= MOST_EXPOSED


def test_only_traps_get_a_capability() -> None:
    text = (UNITS / "promsnmp.service").read_text()
    assert re.findall(r"^(?:Ambient|.*Bounding).*=(.*)$", text, re.MULTILINE) == ["", ""]
    traps = (UNITS / "promsnmp-traps.conf").read_text()
    assert set(re.findall(r"CAP_\w+", re.sub(r"^#.*$", "", traps, flags=re.MULTILINE))) == {"CAP_NET_BIND_SERVICE"}


def test_credentials_are_secrets_of_the_settings() -> None:
    named = re.findall(
        r"^LoadCredential=(\w+):promsnmp\.(\w+)$", (UNITS / "promsnmp.service").read_text(), re.MULTILINE
    )
    assert named
    assert all(one == other and is_secret(Settings.model_fields[one]) for one, other in named)


def test_the_socket_is_the_default_port_of_the_service() -> None:
    parsed = configparser.ConfigParser()
    parsed.read(UNITS / "promsnmp.socket")
    assert parsed["Socket"]["ListenStream"] == str(Settings.model_fields["server_port"].default)
