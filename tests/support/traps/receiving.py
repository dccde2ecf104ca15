"""A receiver on a free port of loopback, with an inventory that a test gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from promsnmp.inventory.index import Snapshot
from promsnmp.inventory.model import Agent, AgentEndpoint, Device, Inventory
from promsnmp.settings.reading.parsing import networks
from promsnmp.snmp.credentials import Community, Credentials
from promsnmp.traps.identify import DeviceFinder, engine_ids
from promsnmp.traps.model import Notification
from promsnmp.traps.receive.accepted import accepted_of
from promsnmp.traps.receive.counts import Dropped, TrapCounts
from promsnmp.traps.receive.listener import TrapListener
from promsnmp.traps.receive.own_engine import OwnEngine
from promsnmp.traps.receive.receiver import ReceiverOptions, TrapReceiver
from promsnmp.traps.receive.usm import TrapReceiverModel


def device(
    name: str, address: str, *credentials: Credentials, engine_id: str = "", number: int = 1, port: int = 161
) -> Device:
    """A device of an inventory, with one agent for each of the credentials."""
    agents = tuple(
        Agent(f"agent-{name}-{at}", AgentEndpoint(address, port + at), one, engine_id=engine_id)
        for at, one in enumerate(credentials or (Community(),))
    )
    return Device(f"{number:08d}-0000-0000-0000-000000000000", name, agents=agents, primary=agents[0])


@dataclass
class Receiving:
    """What a receiver got; ``failing``: its sink accepts nothing."""

    receiver: TrapReceiver
    listener: TrapListener
    usm: TrapReceiverModel
    counts: TrapCounts
    got: list[Notification] = field(default_factory=list)
    failing: bool = False

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def dropped(self) -> dict[Dropped, int]:
        """Those reasons for which something was dropped."""
        return {reason: count for reason, count in self.counts.dropped.items() if count}

    async def sink(self, notification: Notification) -> None:
        await asyncio.sleep(0)
        if self.failing:
            raise OSError("no room")
        self.got.append(notification)


def make(
    devices: Sequence[Device], *, proxies: str = "", engine: OwnEngine | None = None, **options: object
) -> Receiving:
    """A receiver whose listener is not open; ``options`` as for ReceiverOptions."""
    snapshot = Snapshot.of(Inventory(devices=tuple(devices)))
    finder = DeviceFinder(lambda: snapshot, proxies=networks(proxies))
    finder.engines = engine_ids(devices)
    usm, counts = TrapReceiverModel(engine or OwnEngine(None)), TrapCounts()
    usm.accepted = accepted_of(snapshot.inventory)
    made: list[Receiving] = []

    async def sink(notification: Notification) -> None:
        await made[0].sink(notification)

    receiver = TrapReceiver(usm, finder, sink, counts, ReceiverOptions(**options))  # type: ignore[arg-type]
    made.append(Receiving(receiver, TrapListener(receiver.take, counts), usm, counts))
    return made[0]


@asynccontextmanager
async def receiving(
    *devices: Device, address: str = "127.0.0.1", proxies: str = "", engine: OwnEngine | None = None, **options: object
) -> AsyncIterator[Receiving]:
    """A receiver that runs."""
    made = make(devices, proxies=proxies, engine=engine, **options)
    made.listener.open(address, 0)
    made.listener.start()
    made.receiver.start()
    try:
        yield made
    finally:
        made.listener.stop()
        await made.receiver.stop()
