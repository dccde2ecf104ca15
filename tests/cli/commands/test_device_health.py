"""``promsnmp health TARGET`` and ``promsnmp explain --health TARGET``: the health of a device, as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from promsnmp.cli.main import cli
from promsnmp.errors import SnmpError
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import switch
from promsnmp.snmp import ber
from tests.support.agents.polled_devices import mib
from tests.support.agents.threads import running
from tests.support.tools import free_udp_port


@pytest.fixture(scope="module")
def agent() -> Iterator[SimulatedAgent]:
    made = SimulatedAgent(switch().mib)
    with running(made):
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def address(agent: SimulatedAgent) -> str:
    return f"{agent.address}:{agent.port}"


def test_the_table_begins_with_what_has_failed(agent: SimulatedAgent) -> None:
    result = run("health", address(agent))
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    assert "EN-4800" in lines[0]
    assert "EN48A0117" in lines[0]
    first = lines[3]
    assert "Fan 2" in first
    assert "failed" in first
    assert any("Inlet temperature" in line and "°C" in line for line in lines)
    assert any("Memory" in line and "GiB" in line for line in lines)


def test_the_json_has_every_sample(agent: SimulatedAgent) -> None:
    result = run("health", "--json", address(agent))
    read = json.loads(result.stdout)
    families = {one["family"] for one in read["samples"]}
    assert {"hw_status", "hw_temperature_celsius", "hw_optical_power_dbm", "system_cpu_utilization_ratio"} <= families
    assert read["info"]["serial_number"] == "EN48A0117"
    assert read["complete"] is True


def test_the_explanation_says_where_readings_come_from_and_why_others_are_missing(agent: SimulatedAgent) -> None:
    result = run("explain", "--health", address(agent))
    assert result.exit_code == 0, result.output
    assert "entity_sensor" in result.stdout
    assert "hw_fan_speed_rpm" in result.stdout
    read = json.loads(run("explain", "--health", "--json", address(agent)).stdout)
    assert "battery_charge" in read["missing"]
    assert "temperature" not in read["missing"]
    assert [one["name"] for one in read["definitions"]]


def test_a_file_adds_a_definition(agent: SimulatedAgent, tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(
        "health:\n  mine:\n    answers: [1.3.6.1.2.1.1.7]\n    tables:\n      - name: services\n"
        "        columns: {v: 1.3.6.1.2.1.1.7}\n        readings: [{voltage: v, name: Services}]\n"
    )
    result = run("health", "--config.file", str(file), "--json", address(agent))
    samples = json.loads(result.stdout)["samples"]
    assert [one["value"] for one in samples if one["labels"].get("hw_name") == "Services"] == [2]


def test_a_device_without_health_says_so_and_how_to_find_out_why() -> None:
    made = SimulatedAgent(mib())
    with running(made):
        result = run("health", address(made))
        why = run("explain", "--health", address(made))
    assert result.exit_code == 0
    assert "explain --health" in result.stdout
    assert "temperature" in why.stdout


def test_what_a_device_says_cannot_control_the_terminal() -> None:
    objects = dict(switch().mib.objects)
    name = next(one for one in objects if one == b"\x2b\x06\x01\x02\x01\x2f\x01\x01\x01\x01\x07\x32")
    objects[name] = ber.tlv(ber.OCTET_STRING, b"\x1b[31mred\x07")
    made = SimulatedAgent(type(switch().mib).of(objects))
    with running(made):
        result = run("health", address(made))
    assert "\x1b" not in result.stdout
    assert "red" in result.stdout


def test_a_device_that_does_not_answer_is_an_error() -> None:
    result = run("health", "--deadline", "1s", f"127.0.0.1:{free_udp_port()}")
    assert isinstance(result.exception, SnmpError)


def test_health_is_explained_without_modules(agent: SimulatedAgent) -> None:
    assert run("explain", "--health", "-m", "if_mib", address(agent)).exit_code == 2
