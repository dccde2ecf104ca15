"""A device with one interface that is always equally busy."""

from __future__ import annotations

from promsnmp.sim.mib import Mib, Value
from promsnmp.sim.moving import counter32, ticks
from promsnmp.snmp import ber

LABELS = {"ifIndex": "1", "ifDescr": 'port "1"', "ifName": "", "ifAlias": ""}
SPEED = 100_000_000
"""Bits per second."""
PERCENT = 37
"""The utilization of the interface."""


def busy_mib() -> Mib:
    """A device whose interface has a constant utilization of PERCENT: 20 percent in, the rest out."""
    row = "1.3.6.1.2.1.2.2.1"
    second = SPEED / 8 / 100
    objects: dict[str, Value] = {
        "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a busy device"),
        "1.3.6.1.2.1.1.3.0": ticks,
        f"{row}.1.1": ber.encode_integer(1),
        f"{row}.2.1": ber.tlv(ber.OCTET_STRING, LABELS["ifDescr"].encode()),
        f"{row}.5.1": ber.encode_integer(SPEED, ber.GAUGE32),
        f"{row}.10.1": counter32(lambda uptime: uptime * second * 20),
        f"{row}.16.1": counter32(lambda uptime: uptime * second * (PERCENT - 20)),
    }
    return Mib.of(objects)


def device(name: str, port: int) -> dict[str, object]:
    endpoint = {"address": "127.0.0.1", "port": port}
    agent = {"type": "snmp-community", "endpoint": endpoint, "version": 1, "readCommunity": "public", "timeout": 200}
    return {"sysName": name, "agents": [agent]}
