"""``promsnmp scrape``: the metrics of one device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from promsnmp.cli.main import cli
from promsnmp.sim.agent import SimulatedAgent
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.tools import free_udp_port


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(mib())
    with running(made):
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["scrape", *arguments])


def test_the_metrics_are_printed(agent: SimulatedAgent) -> None:
    result = run(agent.target)
    assert result.exit_code == 0
    assert 'ifInOctets{ifAlias="",ifDescr="port 1",ifIndex="1",ifName=""} 1000\n' in result.stdout
    assert 'sysDescr{sysDescr="a small device"} 1\n' in result.stdout


def test_modules_and_format_are_chosen(agent: SimulatedAgent) -> None:
    result = run(agent.target, "-m", "system", "--openmetrics")
    assert "ifInOctets" not in result.stdout
    assert result.stdout.endswith("# EOF\n")


def test_a_file_of_modules_and_auths_is_used(agent: SimulatedAgent, tmp_path: Path) -> None:
    file = tmp_path / "snmp.yml"
    metric = "{name: up_time, oid: 1.3.6.1.2.1.1.3, type: gauge, help: Ticks.}"
    file.write_text(
        f"auths: {{mine: {{community: public}}}}\nmodules: {{one: {{get: [1.3.6.1.2.1.1.3.0], metrics: [{metric}]}}}}\n"
    )
    result = run(agent.target, "--config.file", str(file), "--auth", "mine", "-m", "one")
    assert "up_time 4711\n" in result.stdout
    assert 'promsnmp_module_up{module="one"} 1\n' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("127.0.0.1:{closed}",), "connection refused"),
        (("{open}", "-m", "nope"), "unknown module 'nope'"),
        (("{open}", "--auth", "nope"), "unknown auth 'nope'"),
        (("a/b",), "neither an address nor a name"),
        (("{open}", "--config.file", "/nowhere/snmp.yml"), "cannot be read"),
    ],
)
def test_problems_are_reported(agent: SimulatedAgent, arguments: tuple[str, ...], says: str) -> None:
    result = run(*(one.format(closed=free_udp_port(), open=agent.target) for one in arguments))
    assert result.exit_code != 0
    assert says in f"{result.output}{result.exception}"
    assert result.stdout == "" or "Usage" in result.output
