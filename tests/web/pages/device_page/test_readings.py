"""Readings from the samples of a page: state, limits, the worst first."""

from __future__ import annotations

import pytest

from promsnmp.web.pages.device_page.readings import ReadingRow, reading_rows
from promsnmp.web.scrape_text import samples

PAGE = """hw_temperature_celsius{hw_id="a",hw_name="Inlet",hw_sensor_location="inlet"} 23.5
hw_temperature_celsius{hw_id="b",hw_name="CPU"} 81
hw_temperature_limit_celsius{hw_id="b",hw_name="CPU",limit_type="high.degraded"} 75
hw_temperature_limit_celsius{hw_id="b",hw_name="CPU",limit_type="high.critical"} 90
hw_status{hw_id="c",hw_name="Fan 1",hw_state="ok",hw_type="fan"} 1
hw_status{hw_id="c",hw_name="Fan 1",hw_state="failed",hw_type="fan"} 0
hw_status{hw_id="d",hw_name="Fan 2",hw_state="ok",hw_type="fan"} 0
hw_status{hw_id="d",hw_name="Fan 2",hw_state="failed",hw_type="fan"} 1
system_cpu_utilization_ratio{cpu="1"} 0.18
system_filesystem_usage_bytes{mountpoint="/",state="used"} 100
system_filesystem_utilization_ratio{mountpoint="/"} 0.84
snmp_device_info{model="ER-200",os_version="12.4"} 1
"""


def read(page: str) -> tuple[list[ReadingRow], dict[str, str]]:
    rows, count, info = reading_rows(samples([page], ("hw_", "system_", "snmp_device_info")))
    assert len(rows) == count
    return list(rows), dict(info)


def test_the_worst_readings_come_first_with_their_limits() -> None:
    rows, info = read(PAGE)
    assert [(row.name, row.state) for row in rows] == [
        ("Fan 2", "failed"), ("CPU", "degraded"), ("1", ""), ("/", ""), ("Inlet", ""), ("Fan 1", "ok"),
    ]  # fmt: skip
    assert rows[1].shown == "81 °C"
    assert rows[1].shown_limits == "max 90 °C, warn 75 °C"
    assert (rows[2].shown, rows[2].share) == ("18 %", 0.18)
    assert rows[4].where == "inlet"
    assert info == {"model": "ER-200", "os_version": "12.4"}


@pytest.mark.parametrize(
    ("value", "state"), [(91, "failed"), (90, "failed"), (75, "degraded"), (50, "ok"), (5, "degraded"), (-1, "failed")]
)
def test_limits_decide_the_state_of_a_reading(value: float, state: str) -> None:
    limits = {"high.critical": 90, "high.degraded": 75, "low.degraded": 10, "low.critical": 0}
    lines = [f'hw_temperature_limit_celsius{{hw_name="x",limit_type="{key}"}} {at}' for key, at in limits.items()]
    rows, _ = read("\n".join([f'hw_temperature_celsius{{hw_name="x"}} {value}', *lines]))
    assert [row.state for row in rows] == [state]
