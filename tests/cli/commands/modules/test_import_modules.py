"""``promsnmp modules import datadog``."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.cli.main import run

PROFILE = """\
sysobjectid: 1.3.6.1.4.1.99999.1
metrics:
  - {MIB: ACME-MIB, symbol: {OID: 1.3.6.1.4.1.99999.1.1.0, name: acmeUsers, metric_type: gauge}}
  - {MIB: ACME-MIB, symbol: {OID: 1.3.6.1.4.1.99999.1.2.0, name: acmeCalls}}
"""
MIB = """\
ACME-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises, OBJECT-TYPE, Counter32 FROM SNMPv2-SMI;
acme OBJECT IDENTIFIER ::= { enterprises 99999 }
acmeCalls OBJECT-TYPE
  SYNTAX Counter32 MAX-ACCESS read-only STATUS current DESCRIPTION "Calls." ::= { acme 1 2 }
END
"""


def test_a_file_for_each_profile_loads_as_a_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profiles, mibs, out = tmp_path / "profiles", tmp_path / "mibs", tmp_path / "out"
    for folder in (profiles, mibs):
        folder.mkdir()
    (profiles / "acme-pbx.yaml").write_text(PROFILE)
    (profiles / "_part.yaml").write_text("metrics: []\n")
    (mibs / "ACME-MIB.txt").write_text(MIB)
    assert run(["modules", "import", "datadog", str(profiles), "-o", str(out)]) == 0
    assert "1 module; 2 of 2 metrics (100.0%)" in capsys.readouterr().out
    (file,) = out.iterdir()
    assert (file.name, "sysObjectID 1.3.6.1.4.1.99999.1" in file.read_text()) == ("datadog_acme_pbx.yml", True)
    assert file.read_text().count("type: gauge") == 2
    assert run(["modules", "check", str(file)]) == 0
    assert run(["modules", "import", "datadog", str(profiles), "-o", str(out), "--mibs", str(mibs)]) == 0
    assert "type: counter" in file.read_text()


def test_a_wrong_profile_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "acme.yaml").write_text(PROFILE)
    (tmp_path / "wrong.yaml").write_text("metrics: 3\n")
    out = tmp_path / "out"
    assert run(["modules", "import", "datadog", str(tmp_path), "-o", str(out)]) == 1
    assert "wrong.yaml:1: " in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["datadog_acme.yml"]
    assert run(["modules", "import", "datadog", str(tmp_path), "-o", str(out), "--profile", "nosuch"]) == 2
    assert run(["modules", "import", "datadog", str(tmp_path), "-o", str(tmp_path / "no" / "such")]) == 2
