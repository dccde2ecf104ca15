"""Simulated 48-port switches on every address of 127.0.0.0/8, until it is ended.

    python -m bench.comparison.switches PORT

The benchmarks use these where the faster agent in C of the folder ``shared`` is missing. All addresses are one device.
"""

from __future__ import annotations

import asyncio
import sys

from promsnmp.sim.agent import SimulatedAgent
from promsnmp.sim.devices import switch
from promsnmp.sim.field import Field


class _Everywhere(dict[bytes, SimulatedAgent]):
    """The same agent at every address."""

    def __init__(self, agent: SimulatedAgent) -> None:
        super().__init__()
        self._agent = agent

    def get(self, _: object, default: object = None) -> SimulatedAgent:  # type: ignore[override]
        return self._agent


async def serve(port: int) -> None:
    """Answers until the task is cancelled."""
    field = Field({})
    field.devices = _Everywhere(SimulatedAgent(switch().mib))
    async with await field.start(port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
