"""The hardware inside a simulated device: ENTITY-MIB, ENTITY-SENSOR-MIB and ENTITY-STATE-MIB of a chassis with power
supplies, fans and sensors, and optics in its ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from promsnmp.sim.mib import Value
from promsnmp.sim.moving import gauge
from promsnmp.sim.parts.objects import Objects, TableRows, integer, object_id, octets, table, text
from promsnmp.snmp import ber

ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
ALIASES = "1.3.6.1.2.1.47.1.3.2.1"
SENSOR = "1.3.6.1.2.1.99.1.1.1"
STATE = "1.3.6.1.2.1.131.1.1.1"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1"
CHASSIS, POWER_SUPPLY, FAN, SENSOR_CLASS, MODULE, PORT = 3, 6, 7, 8, 9, 10  # PhysicalClass (RFC 6933)
VOLTS_DC, WATTS, CELSIUS, RPM = 4, 6, 8, 10  # EntitySensorDataType (RFC 3433)
MICRO, MILLI, UNITS = 7, 8, 9  # EntitySensorDataScale
_ENABLED, _DISABLED, _UNLOCKED = 3, 2, 4  # EntityOperState and EntityAdminState (RFC 4268)
_CRITICAL = bytes((0b00100000,))  # EntityAlarmStatus: bit 2
_NO_ALARM = bytes((0,))


@dataclass(frozen=True, slots=True)
class _Sensor:
    """A sensor: what it measures, its unit, and how far it wanders."""

    kind: int
    scale: int
    precision: int
    low: float
    high: float


def chassis(
    seed: str, *, model: str, serial: str, software: str, optics: Mapping[int, str], failed_fan: int = 0
) -> Objects:
    """A chassis with two power supplies and three fans; ``optics`` are ports with transceivers, ifIndex to name.

    The fan ``failed_fan`` (1 to 3) stands still.
    """
    entities: TableRows = {(1,): _entity("Chassis", 0, CHASSIS, "Chassis", model, serial, software)}
    sensors: TableRows = {}
    states: TableRows = {(1,): _state(is_failed=False)}
    aliases: Objects = {}

    def add(index: int, name: str, parent: int, kind: int) -> None:
        entities[(index,)] = _entity(name, parent, kind, name)

    def measure(index: int, name: str, parent: int, sensor: _Sensor) -> None:
        add(index, name, parent, SENSOR_CLASS)
        sensors[(index,)] = _reading(f"{seed} {name}", sensor)

    for number in (1, 2):
        at = 10 * number
        add(at, f"Power supply {number}", 1, POWER_SUPPLY)
        states[(at,)] = _state(is_failed=False)
        measure(at + 1, f"PSU {number} output", at, _Sensor(VOLTS_DC, MILLI, 0, 11_900, 12_150))
        measure(at + 2, f"PSU {number} temperature", at, _Sensor(CELSIUS, UNITS, 1, 330, 410))
    for number in (1, 2, 3):
        at, is_failed = 30 + 2 * number, number == failed_fan
        add(at, f"Fan {number}", 1, FAN)
        states[(at,)] = _state(is_failed=is_failed)
        speed = _Sensor(RPM, UNITS, 0, 0, 0) if is_failed else _Sensor(RPM, UNITS, 0, 5200, 6400)
        measure(at + 1, f"Fan {number} speed", at, speed)
    measure(50, "Inlet temperature", 1, _Sensor(CELSIUS, UNITS, 1, 221, 246))
    measure(51, "Processor temperature", 1, _Sensor(CELSIUS, UNITS, 1, 480, 590))
    for position, (if_index, name) in enumerate(optics.items()):
        at = 1000 + 10 * position
        add(at, name, 1, PORT)
        add(at + 1, f"{name} transceiver", at, MODULE)
        measure(at + 2, f"{name} receive power", at + 1, _Sensor(WATTS, MICRO, 1, 3800, 5200))
        measure(at + 3, f"{name} transmit power", at + 1, _Sensor(WATTS, MICRO, 1, 5600, 6300))
        measure(at + 4, f"{name} temperature", at + 1, _Sensor(CELSIUS, UNITS, 1, 360, 440))
        aliases |= table(ALIASES, {(at, 0): {2: object_id(f"{IF_INDEX}.{if_index}")}})
    return {**table(ENTITY, entities), **table(SENSOR, sensors), **table(STATE, states), **aliases}


def _entity(
    name: str, parent: int, kind: int, descr: str, model: str = "", serial: str = "", software: str = ""
) -> dict[int, Value]:
    return {
        2: text(descr),
        3: object_id("0.0"),
        4: integer(parent),
        5: integer(kind),
        6: integer(1),
        7: text(name),
        10: text(software),
        11: text(serial),
        13: text(model),
        16: integer(1 if kind in (POWER_SUPPLY, FAN) else 2),
    }


def _reading(seed: str, sensor: _Sensor) -> dict[int, Value]:
    return {
        1: integer(sensor.kind),
        2: integer(sensor.scale),
        3: integer(sensor.precision),
        4: gauge(sensor.low, sensor.high, tag=ber.INTEGER, seed=seed),
        5: integer(1),
    }


def _state(*, is_failed: bool) -> dict[int, Value]:
    return {
        2: integer(_UNLOCKED),
        3: integer(_DISABLED if is_failed else _ENABLED),
        5: octets(_CRITICAL if is_failed else _NO_ALARM),
    }


def processors(seed: str, count: int = 1) -> Objects:
    """hrProcessorTable (RFC 2790) with ``count`` processors."""
    cores: Iterable[int] = range(1, count + 1)
    loads: TableRows = {
        (core,): {1: object_id("0.0"), 2: gauge(8, 46, tag=ber.INTEGER, seed=f"{seed} processor {core}")}
        for core in cores
    }
    return table("1.3.6.1.2.1.25.3.3.1", loads)


def memory(seed: str, mebibytes: int) -> Objects:
    """hrStorageTable (RFC 2790) with memory and a flash drive."""
    pools = {1: ("2", "Memory", 0.62), 2: ("9", "flash:", 0.35)}
    rows: TableRows = {
        (row,): {
            1: integer(row),
            2: object_id(f"1.3.6.1.2.1.25.2.1.{kind}"),
            3: text(name),
            4: integer(1024),
            5: integer(mebibytes * 1024),
            6: gauge(mebibytes * 1000 * share, mebibytes * 1048 * share, tag=ber.INTEGER, seed=f"{seed} {name}"),
        }
        for row, (kind, name, share) in pools.items()
    }
    return table("1.3.6.1.2.1.25.2.3.1", rows)
