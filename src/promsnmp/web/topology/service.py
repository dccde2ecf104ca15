"""The topology of all devices: facts from pages, also those of other replicas, and the places of nodes.

A page is read again when it is REREAD seconds older than the one that was read, and reading stops after MOST_READING
seconds of a thread: the next map has more. A map is shown for so long that maps take at most MOST_SHARE of a core.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.cluster.peers.client import NEIGHBOURS_PATH
from promsnmp.inventory.model import Device, Inventory
from promsnmp.observe.tasks import SharedTask
from promsnmp.polling.pages.page import RenderedPage
from promsnmp.web.device_table.rows import Row
from promsnmp.web.device_table.table import DeviceTable
from promsnmp.web.peers.asking import PeersAsker
from promsnmp.web.peers.neighbour_messages import PeerDevice, PortRates, read_part, write_part
from promsnmp.web.scrape_text import blocks
from promsnmp.web.sources import Sources
from promsnmp.web.topology.device_finder import identifiers_of
from promsnmp.web.topology.graph import Graph, Link, Node, build_graph
from promsnmp.web.topology.layout import Point, place
from promsnmp.web.topology.neighbours import NO_FACTS, PageFacts, facts_of, octets_of

REFRESH = 5.0
"""Seconds, at least, for which a map is shown to everybody."""
MOST_SHARE = 0.02
REREAD = 120.0
MOST_READING = 2.0
MOST_ALONE = 200
"""Devices without neighbours that get a place; more of them are only counted."""
PEER_TIMEOUT = 5.0
MOST_PART = 16 * 1024 * 1024
"""Bytes that another replica may answer."""
MOST_OF_DEVICE, MOST_FACTS = 4 * 1024 * 1024, 256 * 1024 * 1024
"""Octets of memory of what is kept of one device, and of all: further devices have no neighbours."""
_BATCH = 50
"""Devices whose rates are read between two pauses for the event loop."""


@dataclass(frozen=True, slots=True)
class LinkRates:
    """Bit/s from ``a`` to ``b`` and back; None: unknown."""

    forth: float | None = None
    back: float | None = None


NO_RATES = LinkRates()


@dataclass(slots=True)
class Topology:
    """Nodes, links, places and rates at one moment."""

    graph: Graph
    places: Mapping[str, Point]
    rates: Mapping[Link, LinkRates]
    made_at: float
    """Seconds, monotonic."""
    unread: int = 0
    """Devices of this replica whose pages have not been read yet."""
    omitted: int = 0
    """Devices that say more than is kept."""
    silent: Sequence[str] = ()
    """Replicas that did not answer."""
    lifetime: float = REFRESH


@dataclass(slots=True)
class _Read:
    taken_at: float
    facts: PageFacts
    octets: int
    """Of memory."""


@dataclass(slots=True)
class _Known:
    """What the map is made of."""

    nodes: list[Node] = field(default_factory=list)
    facts: dict[str, PageFacts] = field(default_factory=dict)
    unread: int = 0
    omitted: int = 0


class TopologyService:
    """Keeps the topology. ``table``: how all devices are; ``clock``: seconds, monotonic."""

    def __init__(
        self, sources: Sources, table: Callable[[], Awaitable[DeviceTable]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sources = sources
        self._table = table
        self._clock = clock
        self._read: dict[str, _Read] = {}
        self._places: dict[str, Point] = {}
        self._topology: Topology | None = None
        self._part: tuple[DeviceTable | None, bytes] = (None, b"")
        """What another replica got, made of which table."""
        self._asker: PeersAsker[Mapping[str, PeerDevice]] = PeersAsker(
            sources.cluster,
            NEIGHBOURS_PATH,
            read=lambda body, _: read_part(body),
            timeout=PEER_TIMEOUT,
            max_answer=MOST_PART,
        )
        self._making = SharedTask[Topology]("topology of all devices")
        self._making_part = SharedTask[bytes]("part of the map for replicas")

    async def topology(self) -> Topology:
        """The present topology; those who ask at the same time share the work."""
        topology = self._topology
        if topology is not None and self._clock() - topology.made_at < topology.lifetime:
            return topology
        self._topology = await self._making.result(self._make)
        return self._topology

    async def part(self) -> bytes:
        """What this replica knows of the devices that it polls, for another one; those who ask at the same time share
        the work."""
        table = await self._table()
        if self._part[0] is table:
            return self._part[1]
        return await self._making_part.result(lambda: self._make_part(table))

    async def _make_part(self, table: DeviceTable) -> bytes:
        rows = [row for row in table.rows if row.status.state != "elsewhere"]
        known, _ = await asyncio.to_thread(self._collect, rows, {})
        rates = await self._rates(table.inventory, known.facts)
        self._part = table, await asyncio.to_thread(write_part, known.nodes, known.facts, rates)
        return self._part[1]

    async def _make(self) -> Topology:
        table = await self._table()
        others, silent = await self._ask_others()
        known, spent = await asyncio.to_thread(self._collect, table.rows, others)
        rates = await self._rates(table.inventory, known.facts)
        rates.update({key: dict(device.rates) for key, device in others.items()})
        topology, more = await asyncio.to_thread(self._draw, known, rates)
        topology.unread, topology.omitted, topology.silent = known.unread, known.omitted, silent
        topology.lifetime = max(REFRESH, (spent + more) / MOST_SHARE)
        return topology

    async def _ask_others(self) -> tuple[Mapping[str, PeerDevice], Sequence[str]]:
        """What the other replicas know of the devices that they poll, and the names of those that do not answer."""
        answers, ring = await self._asker.ask(), self._sources.cluster.members.ring
        found: dict[str, PeerDevice] = {}
        for name, devices in answers.known.items():
            found.update((key, device) for key, device in devices.items() if ring.owner(key) == name)
        return found, tuple(answers.problems)

    # ---------------------------------------------------------------------------------------------------- in a thread

    def _collect(self, rows: Sequence[Row], others: Mapping[str, PeerDevice]) -> tuple[_Known, float]:
        began, known, read, left = time.thread_time(), _Known(), dict[str, _Read](), MOST_FACTS
        for row in rows:
            other = others.get(row.device.id)
            state, reason = (row.status.state, row.reason) if other is None else (other.state, other.reason)
            known.nodes.append(_node(row, state, reason))
            if other is not None:
                known.facts[row.device.id] = other.facts
                continue
            page = None if row.status.state == "elsewhere" else self._sources.last_page(row.device)
            before = self._read.get(row.device.id)
            if page is not None and (before is None or page.taken_at - before.taken_at >= REREAD):
                if time.thread_time() - began < MOST_READING:
                    before = _read(page)
                else:
                    known.unread += before is None
            if before is not None:
                if before.octets > left:
                    before = replace(before, facts=NO_FACTS, octets=0)
                left -= before.octets
                known.omitted += not before.octets
                read[row.device.id] = before
                known.facts[row.device.id] = before.facts
        self._read = read
        return known, time.thread_time() - began

    def _draw(self, known: _Known, rates: Mapping[str, PortRates]) -> tuple[Topology, float]:
        began = time.thread_time()
        graph = build_graph(known.nodes, known.facts)
        shown, alone = list(graph.degrees()), graph.alone()
        if len(alone) <= MOST_ALONE:
            shown += alone
        places = place(shown, ((one.a, one.b) for one in graph.links), self._places)
        kept = {key: point for key, point in self._places.items() if key in graph.nodes}
        self._places = {**kept, **places}
        link_rates = {link: found for link in graph.links if (found := _link_rates(link, rates)) is not NO_RATES}
        return Topology(graph, places, link_rates, self._clock()), time.thread_time() - began

    # ----------------------------------------------------------------------------------------------- on the event loop

    async def _rates(self, inventory: Inventory, facts: Mapping[str, PageFacts]) -> dict[str, PortRates]:
        """Rates of ports with neighbours, by device and by the labels of the port."""
        found: dict[str, PortRates] = {}
        for number, device in enumerate(one for one in inventory.devices if _ports(facts.get(one.id, NO_FACTS))):
            if number % _BATCH == _BATCH - 1:
                await asyncio.sleep(0)
            found[device.id] = self._rates_of(device, facts[device.id])
        return found

    def _rates_of(self, device: Device, facts: PageFacts) -> PortRates:
        rates = self._sources.interface_rates(device)
        return {key: rates[key] for key in _ports(facts) if key in rates}


def _ports(facts: PageFacts) -> set[str]:
    """The labels of the ports that have neighbours."""
    keys = {one.port.key for one in facts.neighbours} | {one.port.key for one in facts.learned}
    return keys - {""}


def _read(page: RenderedPage) -> _Read:
    facts = facts_of(blocks(page.any_parts()))
    octets = octets_of(facts)
    return _Read(page.taken_at, facts, octets) if octets <= MOST_OF_DEVICE else _Read(page.taken_at, NO_FACTS, 0)


def _node(row: Row, state: str, reason: str) -> Node:
    known = identifiers_of(row.device)
    return Node(
        id=row.device.id,
        name=row.name or row.device.id,
        state="lost" if row.is_lost else state,
        address=row.address,
        vendor=" ".join(filter(None, (row.vendor, row.model))),
        reason=reason,
        addresses=known.addresses,
        own=known.digits,
    )


def _link_rates(link: Link, rates: Mapping[str, PortRates]) -> LinkRates:
    """By the counters of ``a``, else by those of ``b``."""
    if (at_a := rates.get(link.a, {}).get(link.a_port.key)) is not None:
        return LinkRates(at_a[1], at_a[0])
    if (at_b := rates.get(link.b, {}).get(link.b_port.key)) is not None:
        return LinkRates(at_b[0], at_b[1])
    return NO_RATES
