"""A few modules on a few recorded devices; ``make conformance`` compares all."""

from __future__ import annotations

from pathlib import Path

import pytest

from promsnmp.modules.reader import read_file
from tests.conformance.pages import Difference
from tests.conformance.run import Result, results, summary
from tests.exporter import Exporter, require_exporter
from tests.tools import require_shared

MODULES = ("if_mib", "hrDevice", "hrStorage", "juniper", "system", "ucd_la_table")
DEVICES = ("junos_qfx5100", "windows_svr_2019_1809", "arista_eos_vrf")


def test_modules_of_snmp_exporter_give_its_samples_on_recorded_devices(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = require_shared("snmp_exporter", "snmp.yml")
    recordings = [require_shared("recordings", f"{device}.snmprec") for device in DEVICES]
    with Exporter(require_exporter(), config, log=tmp_path / "log") as exporter:
        found = list(results(exporter, read_file(config), MODULES, recordings))
    assert summary(found, print), capsys.readouterr().out
    assert len(found) == len(MODULES) * len(DEVICES)
    assert sum(one.samples for one in found) > 1000


def test_what_is_not_explained_fails_the_comparison_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result("m", "device", 3, unknown=[Difference("another value", "a 1 and not 2")])
    assert not summary([result], print)
    assert "device: another value: a 1 and not 2" in capsys.readouterr().out
