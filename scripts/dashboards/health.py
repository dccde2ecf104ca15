"""The panels and the dashboard of the devices' health: the same queries for every vendor."""

from __future__ import annotations

from scripts.dashboards.panels import GREEN, RED, YELLOW, Dashboard, Panel
from scripts.dashboards.selectors import BAD, DEVICES, JOB, ODD, OF, ONE, SHARE, TOP

BY = "instance, hw_name, hw_type"
STATES = {"0": "ok", "1": "degraded", "2": "failed"}
DEGREES = ((GREEN, None), (YELLOW, 60.0), (RED, 75.0))
CHARGE = ((RED, None), (YELLOW, 0.5), (GREEN, 0.9))


def state(labels: str, by: str) -> str:
    """0 ok, 1 degraded, 2 failed, by component; the worst where several have the same name."""
    inner = labels[1:-1]
    failed = f'max by ({by}) (hw_status{{{inner}, hw_state="failed"}}) * 2'
    degraded = f'max by ({by}) (hw_status{{{inner}, hw_state="degraded"}})'
    return f"{failed} + {degraded}"


OF_DEVICE = (
    Panel(
        title="Components", kind="table", height=10, names={"State": STATES},
        text="Fans, power supplies, modules and the like as the device reports them, those that failed first.",
        queries={"State": f"sort_desc({state(ONE, 'hw_name, hw_type')})"},
    ),
    Panel(
        title="Temperatures", unit="celsius", height=10,
        queries={"{{hw_name}}": f"max by (hw_name) (hw_temperature_celsius{ONE})"},
    ),
    Panel(
        title="CPU", unit="percentunit", maximum=1,
        queries={"{{cpu}}": f"max by (cpu) (system_cpu_utilization_ratio{ONE})"},
    ),
    Panel(
        title="Memory", unit="percentunit", maximum=1,
        queries={"{{pool}}": f"max by (pool) (system_memory_utilization_ratio{ONE})"},
    ),
    Panel(
        title="File systems", kind="bargauge", unit="percentunit", maximum=1, steps=SHARE,
        queries={"{{mountpoint}}": f"max by (mountpoint) (system_filesystem_utilization_ratio{ONE})"},
    ),
    Panel(
        title="Fans", unit="rotrpm",
        queries={"{{hw_name}}": f"max by (hw_name) (hw_fan_speed_rpm{ONE})"},
    ),
    Panel(
        title="Optical power", unit="dBm",
        queries={
            "{{hw_name}} {{direction}}": f"max by (hw_name, direction) (hw_optical_power_dbm{ONE})",
        },
    ),
    Panel(
        title="Voltages", unit="volt",
        queries={"{{hw_name}}": f"max by (hw_name) (hw_voltage_volts{ONE})"},
    ),
)  # fmt: skip
"""Panels of the dashboard of one device."""

FLEET = Dashboard(
    title="Fleet health",
    text="The health of all devices, of any vendor, the worst first.",
    file="fleet-health",
    variables=(JOB, DEVICES, TOP),
    panels=(
        Panel(
            title="Failed components", kind="stat", width=4, height=4, steps=BAD,
            queries={"": f'count(hw_status{{{OF[1:-1]}, hw_state="failed"}} == 1) or vector(0)'},
        ),
        Panel(
            title="Degraded components", kind="stat", width=4, height=4, steps=ODD,
            queries={"": f'count(hw_status{{{OF[1:-1]}, hw_state="degraded"}} == 1) or vector(0)'},
        ),
        Panel(
            title="Hottest", kind="stat", unit="celsius", width=4, height=4, steps=DEGREES,
            queries={"": f"max(hw_temperature_celsius{OF})"},
        ),
        Panel(
            title="Busiest CPU", kind="stat", unit="percentunit", width=4, height=4, steps=SHARE,
            queries={"": f"max(avg by (instance) (system_cpu_utilization_ratio{OF}))"},
        ),
        Panel(
            title="Fullest memory", kind="stat", unit="percentunit", width=4, height=4, steps=SHARE,
            queries={"": f"max(system_memory_utilization_ratio{OF})"},
        ),
        Panel(
            title="Lowest battery", kind="stat", unit="percentunit", width=4, height=4, steps=CHARGE,
            queries={"": f"min(hw_battery_charge_ratio{OF})"},
        ),
        Panel(
            title="Components that are not ok", kind="table", width=24, height=10, names={"State": STATES},
            queries={"State": f"sort_desc(({state(OF, BY)}) > 0)"},
        ),
        Panel(
            title="Top $top CPU", kind="bargauge", unit="percentunit", height=10, maximum=1, steps=SHARE,
            queries={"{{instance}}": f"topk($top, avg by (instance) (system_cpu_utilization_ratio{OF}))"},
        ),
        Panel(
            title="Top $top memory", kind="bargauge", unit="percentunit", height=10, maximum=1, steps=SHARE,
            queries={
                "{{instance}} {{pool}}": f"topk($top, max by (instance, pool) (system_memory_utilization_ratio{OF}))"
            },
        ),
        Panel(
            title="Top $top temperatures", kind="bargauge", unit="celsius", height=10, steps=DEGREES,
            queries={
                "{{instance}} {{hw_name}}": f"topk($top, max by (instance, hw_name) (hw_temperature_celsius{OF}))"
            },
        ),
        Panel(
            title="Top $top file systems", kind="bargauge", unit="percentunit", height=10, maximum=1, steps=SHARE,
            queries={
                "{{instance}} {{mountpoint}}": (
                    f"topk($top, max by (instance, mountpoint) (system_filesystem_utilization_ratio{OF}))"
                )
            },
        ),
        Panel(
            title="Lowest $top received optical power", kind="bargauge", unit="dBm", height=10,
            queries={
                "{{instance}} {{hw_name}}": (
                    f"bottomk($top, min by (instance, hw_name) "
                    f'(hw_optical_power_dbm{{{OF[1:-1]}, direction="receive"}}))'
                )
            },
        ),
        Panel(
            title="Batteries", kind="table", height=10, units={"Charge": "percentunit", "Time left": "s"},
            queries={
                "Charge": f"max by (instance) (hw_battery_charge_ratio{OF})",
                "Time left": f"max by (instance) (hw_battery_time_left_seconds{OF})",
            },
        ),
        Panel(
            title="What the devices are", kind="table", width=24, height=12, hide=("Value", "is"),
            queries={
                "is": (
                    f"max by (instance, vendor, model, os, os_version, serial_number) (snmp_device_info{OF})"
                )
            },
        ),
    ),
)  # fmt: skip

BOARDS = (FLEET,)
