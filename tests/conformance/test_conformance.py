"""A few modules on a few recorded and generated devices; ``make conformance`` compares all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.conformance.generated import case
from tests.support.conformance.pages import Difference
from tests.support.conformance.programs import BothPrograms
from tests.support.conformance.run import Result, generated, recorded, summary
from tests.support.exporter import require_exporter
from tests.support.tools import require_shared

MODULES = ("if_mib", "hrDevice", "hrStorage", "juniper", "system", "ucd_la_table")
DEVICES = ("junos_qfx5100", "windows_svr_2019_1809", "arista_eos_vrf")
CASES = 300


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothPrograms]:
    with BothPrograms(require_exporter(), tmp_path_factory.mktemp("beside")) as both_programs:
        yield both_programs


@pytest.mark.parametrize("seeds", [(), (1,)], ids=["as they are", "mangled"])
def test_modules_of_snmp_exporter_give_its_samples_on_recorded_devices(
    programs: BothPrograms, seeds: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    snmp_yml = programs.load(require_shared("snmp_exporter", "snmp.yml").read_text(encoding="utf-8"))
    recordings = [require_shared("recordings", f"{device}.snmprec") for device in DEVICES]
    results = list(recorded(programs, snmp_yml, MODULES, recordings, seeds=seeds))
    assert summary(results, print), capsys.readouterr().out
    assert len(results) == len(MODULES) * len(DEVICES)
    assert sum(result.samples for result in results) > 1000


def test_generated_modules_and_devices_give_the_same_samples(
    programs: BothPrograms, capsys: pytest.CaptureFixture[str]
) -> None:
    results = list(generated(programs, [case(number, seed=0) for number in range(CASES)]))
    assert summary(results, print), capsys.readouterr().out
    assert sum(not result.known and result.samples > 0 for result in results) > CASES / 2


def test_an_unexplained_difference_fails_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result("m", "device", 3, unknown=[Difference("another value", "a 1 and not 2")])
    assert not summary([result], print)
    assert "device: another value: a 1 and not 2" in capsys.readouterr().out
