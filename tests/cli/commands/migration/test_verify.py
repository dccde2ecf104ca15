"""``promsnmp migrate verify`` with the real snmp_exporter, a running service and a simulated device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from promsnmp.cli.main import run
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Version
from tests.support.agents.threads import running
from tests.support.exporter import Exporter, require_exporter
from tests.support.service.service_process import ServiceProcess

SNMP = """\
auths:
  lab: {version: 2, community: s3cret-c}
modules:
  lab:
    walk: [1.3.6.1.4.1.99.1]
    metrics:
      - {name: labOctets, oid: 1.3.6.1.4.1.99.1.1, type: counter, help: h, indexes: [{labelname: i, type: gauge}]}
      - {name: labLevel, oid: 1.3.6.1.4.1.99.1.2, type: gauge, help: h, indexes: [{labelname: i, type: gauge}]}
"""
PROMETHEUS = """\
scrape_configs:
  - job_name: lab
    metrics_path: /snmp
    params: {{auth: [lab], module: [lab]}}
    static_configs: [{{targets: ["{target}"]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "exporter:9116"}}
"""


def counter(start: int) -> Callable[[float], bytes]:
    return lambda uptime: ber.encode_integer(start + int(uptime * 1000), tag=ber.COUNTER64)


def mib(level: int) -> Mib:
    objects: dict[str, bytes | Callable[[float], bytes]] = {}
    for row in (1, 2):
        objects[f"1.3.6.1.4.1.99.1.1.{row}"] = counter(row * 10**6)
        objects[f"1.3.6.1.4.1.99.1.2.{row}"] = ber.encode_integer(level)
    return Mib.of(objects)


@dataclass(frozen=True)
class Both:
    agent: SimulatedAgent
    folder: Path
    old: str
    new: str

    def verify(self, *arguments: str) -> int:
        files = ["--prometheus", str(self.folder / "prometheus.yml"), "--snmp", str(self.folder / "snmp.yml")]
        options = ["--old", self.old, "--url", self.new, "--rounds", "2", "--interval", "0.2s"]
        return run(["migrate", "verify", *files, *options, *arguments])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    program = require_exporter()
    folder = tmp_path_factory.mktemp("verify")
    agent = SimulatedAgent(mib(5), community="s3cret-c", versions=(Version.V2C,))
    (folder / "snmp.yml").write_text(SNMP)
    env = {"COLLECTION_INTERVAL": "0", "SNMP_CONFIG_FILES": str(folder / "snmp.yml")}
    with (
        running(agent),
        Exporter(program, folder / "snmp.yml", log=folder / "exporter.log") as exporter,
        ServiceProcess(folder, env=env) as service,
    ):
        (folder / "prometheus.yml").write_text(PROMETHEUS.format(target=agent.target))
        both = Both(agent, folder, exporter.url, service.url)
        files = ["--prometheus", str(folder / "prometheus.yml"), "--snmp", str(folder / "snmp.yml")]
        assert run(["migrate", "snmp-exporter", *files, "--url", service.url]) == 0
        yield both


def test_the_same_device_is_the_same(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    report = both.folder / "report.html"
    assert both.verify("-o", str(report)) == 0
    out = capsys.readouterr().out
    assert "the same: 1 of 1; 4 series equal" in out
    assert both.old in report.read_text()
    assert "s3cret" not in out + report.read_text()


def test_a_difference_is_found_and_the_exit_code_is_1(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    text = (both.folder / "snmp.yml").read_text()
    other = both.folder / "other.yml"
    other.write_text(
        text.replace("labLevel", "labDepth").replace("oid: 1.3.6.1.4.1.99.1.1", "scale: 3, oid: 1.3.6.1.4.1.99.1.1")
    )
    with Exporter(require_exporter(), other, log=both.folder / "other.log") as exporter:
        assert Both(both.agent, both.folder, exporter.url, both.new).verify() == 1
    out = capsys.readouterr().out
    for what in ("only old labDepth", "only new labLevel", "value labOctets"):
        assert f"LOOK AT: {what}: 2 series" in out


def test_an_exporter_that_does_not_answer_is_a_failure(both: Both, capsys: pytest.CaptureFixture[str]) -> None:
    assert Both(both.agent, both.folder, "http://127.0.0.1:9", both.new).verify() == 1
    assert "the same: 0 of 1" in capsys.readouterr().out
    assert run(["migrate", "verify", "--prometheus", "x", "--snmp", "y"]) == 2
