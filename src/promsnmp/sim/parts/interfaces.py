"""ifTable and ifXTable of a simulated device (RFC 2863): every column, with traffic that fits the interface.

All counters of one direction follow one flow, so that packets match octets, the 32-bit counters are the 64-bit ones
modulo 2^32, and no interface carries more than its speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from promsnmp.sim.mib import MovingValue, Value
from promsnmp.sim.moving import Curve, Flow, counter32, counter64
from promsnmp.sim.parts.objects import Objects, integer, object_id, octets, table, text, time_ticks, unsigned

IF_ENTRY = "1.3.6.1.2.1.2.2.1"
IF_X_ENTRY = "1.3.6.1.2.1.31.1.1.1"
ETHERNET, LOOPBACK, L2_VLAN = 6, 24, 135
UP, DOWN = 1, 2
_MAX_GAUGE32 = 4_294_967_295
_PACKET = 700.0  # octets of a mean packet
_LAST_CHANGE = 1_500  # hundredths of a second after the start


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One row. ``speed`` in Mbit/s; ``load_in`` and ``load_out`` are its mean utilisation, 0 to 1."""

    index: int
    name: str
    descr: str
    alias: str = ""
    type: int = ETHERNET
    mtu: int = 1500
    speed: int = 1000
    mac: bytes = b""
    admin: int = UP
    oper: int = UP
    load_in: float = 0.0
    load_out: float = 0.0
    errors: float = 0.0
    """Input errors per second."""


def interfaces(device: str, rows: Iterable[Interface], *, extended: bool = True) -> Objects:
    """ifNumber, ifTable and (``extended``) ifXTable. ``device`` seeds the traffic: the same name, the same traffic."""
    known = list(rows)
    objects: Objects = {"1.3.6.1.2.1.2.1.0": integer(len(known))}
    for row in known:
        traffic_in, traffic_out = _flow(device, row, "in"), _flow(device, row, "out")
        objects |= table(IF_ENTRY, {(row.index,): _if_row(row, traffic_in, traffic_out)})
        if extended:
            objects |= table(IF_X_ENTRY, {(row.index,): _if_x_row(row, traffic_in, traffic_out)})
    if extended:
        objects["1.3.6.1.2.1.31.1.5.0"] = time_ticks(0)  # ifTableLastChange
    return objects


def _flow(device: str, row: Interface, direction: str) -> Flow:
    """Octets of one direction; swings less when the mean is close to the speed."""
    load = row.load_in if direction == "in" else row.load_out
    is_up = row.oper == UP and row.admin == UP
    swing = min(0.85, 0.98 / load - 1) if load > 0 else 0.0
    rate = row.speed * 1e6 / 8 * load if is_up else 0.0
    return Flow(rate, swing=max(swing, 0.0), seed=f"{device} {row.index} {direction}")


def _packets(flow: Flow, share: float) -> Curve:
    return flow.scaled(share / _PACKET)


def _steady(rate: float) -> MovingValue:
    return counter32(lambda uptime: rate * uptime)


def _if_row(row: Interface, flow_in: Flow, flow_out: Flow) -> dict[int, Value]:
    return {
        1: integer(row.index),
        2: text(row.descr),
        3: integer(row.type),
        4: integer(row.mtu),
        5: unsigned(min(row.speed * 1_000_000, _MAX_GAUGE32)),
        6: octets(row.mac),
        7: integer(row.admin),
        8: integer(row.oper),
        9: time_ticks(_LAST_CHANGE if row.oper == UP else 0),
        10: counter32(flow_in),
        11: counter32(_packets(flow_in, 0.96)),
        12: counter32(_packets(flow_in, 0.04)),
        13: _steady(row.errors / 5),
        14: _steady(row.errors),
        15: _steady(0),
        16: counter32(flow_out),
        17: counter32(_packets(flow_out, 0.96)),
        18: counter32(_packets(flow_out, 0.04)),
        19: _steady(row.errors / 3),
        20: _steady(0),
        21: unsigned(0),
        22: object_id("0.0"),
    }


def _if_x_row(row: Interface, flow_in: Flow, flow_out: Flow) -> dict[int, Value]:
    return {
        1: text(row.name),
        2: counter32(_packets(flow_in, 0.03)),
        3: counter32(_packets(flow_in, 0.01)),
        4: counter32(_packets(flow_out, 0.03)),
        5: counter32(_packets(flow_out, 0.01)),
        6: counter64(flow_in),
        7: counter64(_packets(flow_in, 0.96)),
        8: counter64(_packets(flow_in, 0.03)),
        9: counter64(_packets(flow_in, 0.01)),
        10: counter64(flow_out),
        11: counter64(_packets(flow_out, 0.96)),
        12: counter64(_packets(flow_out, 0.03)),
        13: counter64(_packets(flow_out, 0.01)),
        14: integer(1 if row.type == ETHERNET else 2),
        15: unsigned(row.speed),
        16: integer(2),
        17: integer(1 if row.type == ETHERNET else 2),
        18: text(row.alias),
        19: time_ticks(0),
    }
