"""The vocabulary of health: kinds of readings, and the metric families that they become.

Names and units follow OpenTelemetry's semantic conventions (``hw.*``, ``system.*``) in the form that Prometheus gives
them: base units, ratios from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reading: its key in definitions, the families of its parts, and the label that names a reading."""

    key: str
    families: Mapping[str, str]
    """Family by part (``value``, or ``used``, ``limit`` and ``ratio``)."""
    label: str = "hw_name"
    """The label that takes the name."""
    limit: str = ""
    """The family of its limits."""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Constant labels by part."""
    low: float = -math.inf
    high: float = math.inf
    """Values outside are no readings: devices have such numbers for "not available"."""

    @property
    def is_hardware(self) -> bool:
        """Whether its samples carry ``hw_id`` and ``hw_name``."""
        return self.label == "hw_name"


ROUNDING = 1.005
"""Largest ratio that is taken for 1: devices round."""


def _reading(key: str, family: str, low: float = -math.inf, high: float = math.inf) -> Kind:
    base, _, unit = family.rpartition("_")
    return Kind(key, {"value": family}, limit=f"{base}_limit_{unit}", low=low, high=high)


def _usage(key: str, base: str, label: str) -> Kind:
    families = {
        "used": f"{base}_usage_bytes",
        "limit": f"{base}_limit_bytes",
        "ratio": f"{base}_utilization_ratio",
    }
    return Kind(key, families, label=label, labels={"used": {"state": "used"}})


_KINDS = (
    Kind("cpu", {"value": "system_cpu_utilization_ratio"}, label="cpu", low=0, high=ROUNDING),
    _usage("memory", "system_memory", "pool"),
    _usage("filesystem", "system_filesystem", "mountpoint"),
    _reading("temperature", "hw_temperature_celsius", -100, 1000),
    _reading("voltage", "hw_voltage_volts", -1e6, 1e6),
    _reading("current", "hw_current_amperes", -1e6, 1e6),
    _reading("power", "hw_power_watts", -1e9, 1e9),
    _reading("fan_speed", "hw_fan_speed_rpm", 0, 1e6),
    _reading("fan_speed_ratio", "hw_fan_speed_ratio", 0, 2),
    _reading("humidity", "hw_humidity_ratio", 0, ROUNDING),
    _reading("frequency", "hw_frequency_hertz", 0, 1e15),
    _reading("optical_power", "hw_optical_power_dbm", -100, 100),
    _reading("battery_charge", "hw_battery_charge_ratio", 0, ROUNDING),
    _reading("battery_time_left", "hw_battery_time_left_seconds", 0, 1e8),
    _reading("load", "hw_load_ratio", 0, 10),
    Kind("status", {"value": "hw_status"}),
)
KINDS: Mapping[str, Kind] = {one.key: one for one in _KINDS}
"""By key."""

HELP: Mapping[str, str] = {
    "system_cpu_utilization_ratio": "Share of a processor's time that it was busy, from 0 to 1.",
    "system_memory_usage_bytes": "Memory in use.",
    "system_memory_limit_bytes": "Size of a pool of memory.",
    "system_memory_utilization_ratio": "Share of a pool of memory that is in use, from 0 to 1.",
    "system_filesystem_usage_bytes": "Space in use on a file system.",
    "system_filesystem_limit_bytes": "Size of a file system.",
    "system_filesystem_utilization_ratio": "Share of a file system that is in use, from 0 to 1.",
    "hw_temperature_celsius": "Temperature.",
    "hw_voltage_volts": "Voltage.",
    "hw_current_amperes": "Electric current.",
    "hw_power_watts": "Electric power.",
    "hw_fan_speed_rpm": "Speed of a fan in revolutions per minute.",
    "hw_fan_speed_ratio": "Speed of a fan as a share of its highest speed.",
    "hw_humidity_ratio": "Relative humidity of the air, from 0 to 1.",
    "hw_frequency_hertz": "Frequency.",
    "hw_optical_power_dbm": "Power of light in decibels above a milliwatt.",
    "hw_battery_charge_ratio": "Charge of a battery, from 0 to 1.",
    "hw_battery_time_left_seconds": "How long a battery lasts with the present load.",
    "hw_load_ratio": "Load as a share of what the component is made for.",
    "hw_status": "State of a component: 1 for the present hw_state, 0 for the others.",
    "snmp_device_info": "What the device is; always 1.",
}
"""Help texts by family; those of limits follow from their readings (``help_text``)."""


def help_text(family: str) -> str:
    """The help text of a family."""
    if family not in HELP:
        return "Limits that the device has for its readings, by limit_type."
    return HELP[family]
