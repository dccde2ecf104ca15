"""Devices and their links, put together from what all devices say about their neighbours. Pure.

``device_finder.py`` says which device of the inventory a neighbour is. Others are nodes of their own. Two devices that
both see a link show one link. A forwarding table counts only at a port that shows one known device, and no neighbour by
LLDP or CDP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from promsnmp.web.topology.device_finder import DeviceFinder, Identifiers
from promsnmp.web.topology.neighbours import FORWARDING, NO_FACTS, Neighbour, PageFacts, Port

FOREIGN = "foreign"
"""State of a node that is not in the inventory."""
MOST_FOREIGN = 20_000
MOST_BETWEEN = 200
"""Links that one device may see to another: the ports of both are compared with each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A device on the map. ``id`` is that of the inventory; of others their identifier, after a colon."""

    id: str
    name: str
    state: str
    address: str = ""
    """Address and port of the primary agent."""
    addresses: frozenset[str] = frozenset()
    """Of all agents, without ports."""
    vendor: str = ""
    reason: str = ""
    own: frozenset[str] = frozenset()
    """MAC addresses that the inventory has of it, in hexadecimal digits."""

    @property
    def is_foreign(self) -> bool:
        return self.state == FOREIGN


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of ``a`` and ``b`` (ids; a < b), with the port of each and the ways in which it was seen."""

    a: str
    b: str
    a_port: Port
    b_port: Port
    sources: tuple[str, ...]

    @property
    def speed(self) -> float:
        """Bit/s: that of the slower port; 0 when unknown."""
        return min((port.speed for port in (self.a_port, self.b_port) if port.speed), default=0.0)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and links, sorted."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    links: Sequence[Link] = ()

    def degrees(self) -> Mapping[str, int]:
        """Numbers of links by node; nodes without links are left out."""
        found: defaultdict[str, int] = defaultdict(int)
        for link in self.links:
            found[link.a] += 1
            found[link.b] += 1
        return found

    def alone(self) -> list[str]:
        """The nodes without links."""
        linked = self.degrees()
        return [key for key in self.nodes if key not in linked]

    def around(self, wanted: Iterable[str]) -> Graph:
        """The part with the nodes ``wanted`` and their neighbours; links with one of the ``wanted``."""
        chosen = set(wanted)
        links = [link for link in self.links if link.a in chosen or link.b in chosen]
        shown = chosen.union(*((link.a, link.b) for link in links))
        return Graph({key: node for key, node in self.nodes.items() if key in shown}, links)

    def only(self, wanted: Iterable[str]) -> Graph:
        """The part with the nodes ``wanted``."""
        chosen = set(wanted)
        links = [link for link in self.links if link.a in chosen and link.b in chosen]
        return Graph({key: node for key, node in self.nodes.items() if key in chosen}, links)


def build_graph(nodes: Iterable[Node], facts: Mapping[str, PageFacts]) -> Graph:
    """The graph of the devices ``nodes``; ``facts`` of their pages, by id."""
    known = {node.id: node for node in sorted(nodes, key=lambda one: one.id)}
    finder = _Finder(known, facts)
    sightings = [
        sighting
        for key in known
        for sighting in _sightings(key, facts.get(key, NO_FACTS), finder)
        if key != sighting.other
    ]
    links = _joined(sightings)
    all_nodes = {**known, **{key: finder.foreign[key] for key in sorted(finder.foreign)}}
    return Graph(all_nodes, links)


@dataclass(frozen=True, slots=True)
class _Sighting:
    """``me`` sees ``other`` at ``port``; ``remote`` are names of the port of ``other``."""

    me: str
    other: str
    port: Port
    remote: tuple[str, ...]
    sources: tuple[str, ...]


class _Finder:
    """Finds the node that a neighbour is, and makes those of others."""

    def __init__(self, nodes: Mapping[str, Node], facts: Mapping[str, PageFacts]) -> None:
        self.foreign: dict[str, Node] = {}
        self._devices = DeviceFinder(
            Identifiers(node.id, node.name, node.addresses, node.own | facts.get(node.id, NO_FACTS).own)
            for node in nodes.values()
        )
        self.by_digits = self._devices.by_digits

    def find(self, one: Neighbour) -> str:
        """The id of the node; empty when the neighbour says nothing about itself."""
        found = self._devices.find(chassis=one.chassis, address=one.address, name=one.name)
        return found or self._foreign(one)

    def _foreign(self, one: Neighbour) -> str:
        identifier = one.chassis or one.address or one.name.casefold()
        key = f":{identifier}"
        if not identifier or (key not in self.foreign and len(self.foreign) >= MOST_FOREIGN):
            return ""
        before = self.foreign.get(key)
        if before is None or (one.name and before.name != one.name and before.name == identifier):
            name = one.name or one.address or identifier
            self.foreign[key] = Node(id=key, name=name, state=FOREIGN, address=one.address)
        return key


def _sightings(me: str, facts: PageFacts, finder: _Finder) -> Iterator[_Sighting]:
    by_port: dict[tuple[str, str], _Sighting] = {}
    for one in facts.neighbours:
        other = finder.find(one)
        if not other:
            continue
        at = one.port.key or one.port.name, other
        remote = tuple(name for name in (one.remote_port, one.remote_description) if name)
        before = by_port.get(at)
        if before is not None:  # by LLDP and by CDP
            remote = tuple(dict.fromkeys((*before.remote, *remote)))
            sources = tuple(dict.fromkeys((*before.sources, one.source)))
            by_port[at] = replace(before, remote=remote, sources=sources)
        else:
            by_port[at] = _Sighting(me, other, one.port, remote, (one.source,))
    yield from by_port.values()
    taken = {at[0] for at in by_port}
    for learned in facts.learned:
        behind = {other for digits in learned.addresses if (other := finder.by_digits.get(digits, "")) not in ("", me)}
        if len(behind) == 1 and (learned.port.key or learned.port.name) not in taken:
            yield _Sighting(me, behind.pop(), learned.port, (), (FORWARDING,))


def _joined(sightings: Iterable[_Sighting]) -> list[Link]:
    pairs: dict[tuple[str, str], tuple[list[_Sighting], list[_Sighting]]] = {}
    for one in sightings:
        pair = min(one.me, one.other), max(one.me, one.other)
        side = pairs.setdefault(pair, ([], []))[one.me != pair[0]]
        if len(side) < MOST_BETWEEN:
            side.append(one)
    links = []
    for (a, b), (from_a, from_b) in sorted(pairs.items()):
        direct = any(FORWARDING not in one.sources for one in (*from_a, *from_b))
        if direct:  # what a forwarding table shows may lead over the links that LLDP and CDP show
            from_a, from_b = ([one for one in side if FORWARDING not in one.sources] for side in (from_a, from_b))
        links += [_link(a, b, *both) for both in _matched(from_a, from_b)]
    return links


def _matched(
    from_a: Sequence[_Sighting], from_b: Sequence[_Sighting]
) -> Iterator[tuple[_Sighting | None, _Sighting | None]]:
    """Sightings of the same link by both ends: by the names of ports, then, where one is left on each side, those."""
    ours, theirs = list(from_a), list(from_b)
    alone = []
    for one in ours:
        same = next((two for two in theirs if _names(two.port, one.remote) or _names(one.port, two.remote)), None)
        if same is None:
            alone.append(one)
        else:
            theirs.remove(same)
            yield one, same
    if len(alone) == 1 and len(theirs) == 1:
        yield alone.pop(), theirs.pop()
    yield from ((one, None) for one in alone)
    yield from ((None, two) for two in theirs)


def _names(port: Port, names: Sequence[str]) -> bool:
    return bool(port.name) and port.name.casefold() in {name.casefold() for name in names}


def _link(a: str, b: str, one: _Sighting | None, two: _Sighting | None) -> Link:
    seen = [side for side in (one, two) if side is not None]
    sources = tuple(sorted({source for side in seen for source in side.sources}))
    a_port = one.port if one is not None else Port(next(iter(two.remote if two else ()), ""))
    b_port = two.port if two is not None else Port(next(iter(one.remote if one else ()), ""))
    return Link(a, b, a_port, b_port, sources)
