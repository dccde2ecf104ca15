"""Helpers for tests of searches: a context with its inventory in memory, plans, and devices to find."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from promsnmp.discovery.examine.examine import Examiner, Identify
from promsnmp.discovery.jobs import Job, SearchPlan
from promsnmp.discovery.scan.rate import ScanLimits, SharedRate
from promsnmp.discovery.scan.target_syntax import read_networks, read_scope
from promsnmp.discovery.search import SearchContext, SearchRun
from promsnmp.discovery.unsaved_inventory import UnsavedInventory
from promsnmp.inventory.model import Device
from promsnmp.sim.mib import Mib, Value
from promsnmp.snmp import ber
from promsnmp.snmp.credentials import Credentials
from promsnmp.snmp.operations.base import AgentLimits
from promsnmp.snmp.session import Session
from promsnmp.snmp.v3.keys import KeyCache
from tests.support.discovery.simulated_network import PUBLIC

SCAN_LIMITS = ScanLimits(timeout=0.3, retries=1)
SLOW_MACHINE = ScanLimits(timeout=0.3, retries=3)
"""For slow machines: an answer may take up to 1.2 s, which each silent address then takes."""


def device_mib(
    name: str, *, macs: Sequence[str] = (), serial: str = "", more: Mapping[str, Value] | None = None
) -> Mib:
    """The system group of a device that has run for 1,000 s, its identifiers, and ``more``."""
    objects: dict[str, Value] = {
        "1.3.6.1.2.1.1.1.0": ber.tlv(ber.OCTET_STRING, b"a switch"),
        "1.3.6.1.2.1.1.2.0": ber.tlv(ber.OBJECT_IDENTIFIER, b"\x2b\x06\x01\x04\x01\x09\x01\x01"),
        "1.3.6.1.2.1.1.3.0": ber.encode_integer(100_000, ber.TIME_TICKS),
        "1.3.6.1.2.1.1.4.0": ber.tlv(ber.OCTET_STRING, b"noc"),
        "1.3.6.1.2.1.1.5.0": ber.tlv(ber.OCTET_STRING, name.encode()),
        "1.3.6.1.2.1.1.6.0": ber.tlv(ber.OCTET_STRING, b"rack 7"),
    }
    for number, mac in enumerate(macs, 1):
        objects[f"1.3.6.1.2.1.2.2.1.6.{number}"] = ber.tlv(ber.OCTET_STRING, bytes.fromhex(mac))
    if serial:
        objects["1.3.6.1.2.1.47.1.1.1.1.5.1"] = ber.encode_integer(3)
        objects["1.3.6.1.2.1.47.1.1.1.1.5.2"] = ber.encode_integer(9)
        objects["1.3.6.1.2.1.47.1.1.1.1.11.1"] = ber.tlv(ber.OCTET_STRING, serial.encode())
        objects["1.3.6.1.2.1.47.1.1.1.1.11.2"] = ber.tlv(ber.OCTET_STRING, b"a module's")
    return Mib.of({**objects, **(more or {})})


class FixedIdentity:
    """A detector that returns the same result for every device."""

    def __init__(self, vendor: str = "", model: str = "", *modules: str, problem: str = "") -> None:
        self.match = self
        self.vendor, self.model, self.names, self.problem = vendor, model, modules, problem

    async def __call__(self, session: Session, *, limits: AgentLimits) -> FixedIdentity:
        return self


def search_context(
    memory: Any, *, scan_limits: ScanLimits = SCAN_LIMITS, identify: Identify | None = None, lost_after: float = 0.0
) -> SearchContext:
    """A context whose inventory is ``memory``."""
    keys = KeyCache()
    examiner = Examiner(
        keys=keys,
        timeout=scan_limits.timeout,
        retries=scan_limits.retries,
        identify=identify or FixedIdentity(),
        clock=lambda: 1_750_000_000.0,
    )
    return SearchContext(
        inventory=lambda: memory.current,
        update=memory.update,
        scan_limits=scan_limits,
        keys=keys,
        examiner=examiner,
        lost_after=lost_after,
    )


def plan_for(
    *targets: str,
    port: int,
    credentials: Sequence[Credentials] = (PUBLIC,),
    exclude: Sequence[str] = (),
    neighbours: Sequence[str] = (),
    **more: Any,
) -> SearchPlan:
    scope, problems = read_scope(targets, exclude)
    assert not problems
    near, problems = read_networks(neighbours, "neighbours")
    assert not problems
    return SearchPlan(targets=targets, scope=scope, credentials=tuple(credentials), port=port, neighbours=near, **more)


async def search(plan: SearchPlan, memory: UnsavedInventory, **options: Any) -> Job:
    """Runs a search until it ends."""
    job = Job(plan, 0.0)
    context = search_context(memory, **options)
    async with asyncio.timeout(60):
        await SearchRun(job, context, SharedRate(context.scan_limits.packets_per_second).share()).run()
    return job


def by_name(memory: UnsavedInventory) -> dict[str, Device]:
    return {device.sys_name: device for device in memory.current.devices}
