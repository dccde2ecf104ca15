"""Small simulated devices, and targets for them, for the tests of polling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.target import Target, adhoc_target
from promsnmp.sim.mib import Mib
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint


def mib(ports: int = 2, octets: Callable[[int], int] = lambda port: port * 1000) -> Mib:
    """A system group and an interface table."""
    objects = {
        "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a small device"),
        "1.3.6.1.2.1.1.3.0": ber.encode_integer(4711, ber.TIME_TICKS),
        "1.3.6.1.2.1.2.1.0": ber.encode_integer(ports),
    }
    for port in range(1, ports + 1):
        objects[f"1.3.6.1.2.1.2.2.1.1.{port}"] = ber.encode_integer(port)
        objects[f"1.3.6.1.2.1.2.2.1.2.{port}"] = ber.tlv(ber.OCTET_STRING, b"port %d" % port)
        objects[f"1.3.6.1.2.1.2.2.1.5.{port}"] = ber.encode_integer(1_000_000_000, ber.GAUGE32)
        objects[f"1.3.6.1.2.1.2.2.1.10.{port}"] = ber.encode_integer(octets(port), ber.COUNTER32)
        objects[f"1.3.6.1.2.1.2.2.1.16.{port}"] = ber.encode_integer(octets(port), ber.COUNTER32)
    return Mib.of(objects)


class Agent(Protocol):
    """An agent that listens."""

    @property
    def address(self) -> str: ...

    @property
    def port(self) -> int: ...


def target_of(agent: Agent, *modules: str, managed: bool = False, community: str = "public") -> Target:
    """A target for a simulated agent, with short timeouts."""
    endpoint = SnmpEndpoint(agent.address, agent.port)
    target = adhoc_target(endpoint, Community(community=community), "test", modules or ("if_mib",))
    return replace(target, timeout=0.2, retries=1, managed=managed)


def collector() -> Collector:
    return Collector(CatalogueStore(builtin_catalogue()), CollectorOptions())
