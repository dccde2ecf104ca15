"""Savings of reading label columns only at every tenth poll: packets on recorded devices, CPU on simulated ones."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import uvloop

from bench.parts import SIMULATOR_PORT, devices, folder, progress, shared
from promsnmp.modules.catalogue import CatalogueStore, builtin_catalogue
from promsnmp.polling.collector import Collector
from promsnmp.polling.options import CollectorOptions
from promsnmp.polling.target import Target, adhoc_target
from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.recording import read_recording
from promsnmp.snmp.credentials import Community
from promsnmp.snmp.transport import SnmpEndpoint

MODULES = ("system", "if_mib", "entity_sensor", "lldp", "host_resources", "cisco", "ip_mib", "bridge", "poe")
EVERY, ROUNDS, SWITCHES = 10, 20, 50


def main() -> None:
    """Prints packets and varbinds of polls with and without labels, and the CPU of a poll for either setting."""
    progress("CPU of polls")
    with folder() as where, devices(where):
        uvloop.run(_cpu())
    progress("packets of recorded devices")
    uvloop.run(_packets())
    print()


def _target(host: str, port: int, modules: Sequence[str]) -> Target:
    return replace(adhoc_target(SnmpEndpoint(host, port), Community(), "test", tuple(modules)), managed=True)


async def _poll(collector: Collector, target: Target) -> None:
    await collector.collect(target, deadline=asyncio.get_running_loop().time() + 60)


async def _packets() -> None:
    whole, lean = [0, 0], [0, 0]
    paths = sorted(shared("recordings").glob("*.snmprec"))
    for path in paths:
        async with SimulatedAgent(read_recording(path).mib) as agent:
            collector = Collector(CatalogueStore(builtin_catalogue()), CollectorOptions(label_refresh=EVERY))
            for counts in (whole, [0, 0], lean):
                before = agent.requests, agent.varbinds
                await _poll(collector, _target(agent.address, agent.port, MODULES))
                counts[0] += agent.requests - before[0]
                counts[1] += agent.varbinds - before[1]
    print(f"{len(paths)} recorded devices, {len(MODULES)} modules")
    print(f"  with labels: {whole[0]} packets, {whole[1]} varbinds; without: {lean[0]}, {lean[1]}")


async def _cpu() -> None:
    targets = [_target(f"127.9.0.{number}", SIMULATOR_PORT, ("system", "if_mib")) for number in range(1, SWITCHES + 1)]
    settings = {every: CollectorOptions(label_refresh=every) for every in (1, EVERY)}
    collectors = {every: Collector(CatalogueStore(builtin_catalogue()), options) for every, options in settings.items()}
    figures: dict[int, list[float]] = {every: [] for every in collectors}
    for _ in range(ROUNDS):
        for every, collector in collectors.items():
            began = time.process_time()
            for target in targets:
                await _poll(collector, target)
            figures[every].append((time.process_time() - began) / SWITCHES * 1e6)
    for every, found in figures.items():
        print(f"a poll of a 48-port switch, labels at every {every}: {statistics.median(found):.0f} us CPU")
