"""The map: what is drawn, the same as a table, and as JSON."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from promsnmp.inventory.model import Inventory
from promsnmp.inventory.query import parse_parameters
from promsnmp.web.sources import Sources
from promsnmp.web.topology.graph import Graph, Link, Node
from promsnmp.web.topology.service import NO_RATES, LinkRates, Topology

MOST_NODES = 2_000
"""Nodes that are drawn: those with the most links."""
MOST_LINKS = 10_000
MOST_ROWS = 500
"""Links in the table."""
MOST_QUERY = 1_000
LABELLED = 150
"""Nodes up to which each has its name; on a larger map those with one link show it from near only."""
_WIDE = 1_500.0
"""Width up to which nodes have their smallest size."""
_WIDTHS = ((100e9, 4.0), (10e9, 3.0), (1e9, 2.0))
"""Widths of links by speed, bit/s."""


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A node and its place."""

    node: Node
    x: int
    y: int
    is_leaf: bool


@dataclass(frozen=True, slots=True)
class DrawnLink:
    """A link, its ends, and how it is drawn."""

    link: Link
    a: Node
    b: Node
    rates: LinkRates
    x1: int
    y1: int
    x2: int
    y2: int
    width: float

    @property
    def share(self) -> float | None:
        """Utilisation of the busier direction, from 0 to 1; None: unknown."""
        return share_of(self.link, self.rates)

    @property
    def use(self) -> str:
        """``unknown``, ``low``, ``raised`` (from 75 %) or ``high`` (from 90 %)."""
        share = self.share
        return "unknown" if share is None else "high" if share >= 0.9 else "raised" if share >= 0.75 else "low"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the picture shows; all numbers are in its own units."""

    nodes: Sequence[DrawnNode]
    links: Sequence[DrawnLink]
    left: float
    top: float
    width: float
    height: float
    radius: float
    """Of nodes."""

    @property
    def has_all_labels(self) -> bool:
        return len(self.nodes) <= LABELLED


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link in the table."""

    a: Node
    b: Node
    link: Link
    rates: LinkRates

    @property
    def share(self) -> float | None:
        return share_of(self.link, self.rates)


@dataclass(frozen=True, slots=True)
class MapChoice:
    """What the parameters of the page say."""

    text: str
    hides_foreign: bool

    def url(self, path: str, *, hides_foreign: bool | None = None) -> str:
        hides = self.hides_foreign if hides_foreign is None else hides_foreign
        pairs = {"query": self.text, "others": "hide" if hides else ""}
        text = urlencode({key: value for key, value in pairs.items() if value}, errors="replace")
        return f"{path}?{text}" if text else path


def share_of(link: Link, rates: LinkRates) -> float | None:
    """Utilisation of the busier direction, from 0 to 1; None: unknown."""
    known = [rate for rate in (rates.forth, rates.back) if rate is not None]
    return min(max(known) / link.speed, 1.0) if known and link.speed else None


def read_choice(query: Sequence[tuple[str, str]]) -> MapChoice:
    last = dict(query)
    return MapChoice(last.get("query", "").strip()[:MOST_QUERY], last.get("others") == "hide")


def map_view(
    sources: Sources, topology: Topology, inventory: Inventory, query: Sequence[tuple[str, str]]
) -> Mapping[str, object]:
    """The values of the page; ``status`` is 400 when the query is wrong. Called in a thread."""
    choice, error = read_choice(query), ""
    try:
        graph = chosen(sources, topology, inventory, choice)
    except ValueError as problem:
        graph, error = Graph(), str(problem)
    drawn = _bounded(graph, topology)
    rows = [
        LinkRow(graph.nodes[one.a], graph.nodes[one.b], one, _rates(topology, one)) for one in graph.links[:MOST_ROWS]
    ]
    alone = graph.alone()
    return {
        "status": 400 if error else 200,
        "error": error,
        "choice": choice,
        "drawing": draw(drawn, topology),
        "rows": rows,
        "link_count": len(graph.links),
        "node_count": len(graph.nodes),
        "foreign_count": sum(node.is_foreign for node in graph.nodes.values()),
        "left_out": len(graph.nodes) - len(drawn.nodes) - sum(key not in topology.places for key in alone),
        "alone": [graph.nodes[key] for key in alone[:MOST_ROWS]],
        "alone_count": len(alone),
        "alone_drawn": all(key in topology.places for key in alone),
        "unread": topology.unread,
        "omitted": topology.omitted,
        "silent": topology.silent,
    }


def map_document(sources: Sources, topology: Topology, inventory: Inventory, query: Sequence[tuple[str, str]]) -> bytes:
    """The map as JSON, all of it. Raises ValueError when the query is wrong."""
    graph = chosen(sources, topology, inventory, read_choice(query))
    nodes = [
        {
            "id": node.id,
            "name": node.name,
            "state": node.state,
            "address": node.address,
            "inInventory": not node.is_foreign,
            **({"x": topology.places[key][0], "y": topology.places[key][1]} if key in topology.places else {}),
        }
        for key, node in graph.nodes.items()
    ]
    links = [_link_document(one, _rates(topology, one)) for one in graph.links]
    document = {"nodes": nodes, "links": links, "unknownReplicas": list(topology.silent)}
    return json.dumps(document, indent=1).encode()


def _link_document(link: Link, rates: LinkRates) -> dict[str, object]:
    return {
        "a": link.a,
        "b": link.b,
        "aPort": link.a_port.name,
        "bPort": link.b_port.name,
        "seenBy": list(link.sources),
        "bitsPerSecond": link.speed or None,
        "forthBitsPerSecond": rates.forth,
        "backBitsPerSecond": rates.back,
    }


def chosen(sources: Sources, topology: Topology, inventory: Inventory, choice: MapChoice) -> Graph:
    """The devices that the query selects, with their neighbours. Raises ValueError."""
    graph = topology.graph
    if choice.text:
        devices = sources.select.select(parse_parameters([("query", choice.text)]), inventory.devices)
        graph = graph.around(device.id for device in devices if device.id in graph.nodes)
    if choice.hides_foreign:
        graph = graph.only(key for key, node in graph.nodes.items() if not node.is_foreign)
    return graph


def _bounded(graph: Graph, topology: Topology) -> Graph:
    placed = [key for key in graph.nodes if key in topology.places]
    if len(placed) > MOST_NODES:
        degrees = graph.degrees()
        placed = sorted(placed, key=lambda key: (-degrees.get(key, 0), key))[:MOST_NODES]
    return graph.only(placed)


def _rates(topology: Topology, link: Link) -> LinkRates:
    return topology.rates.get(link, NO_RATES)


def draw(graph: Graph, topology: Topology) -> Drawing:
    """The picture of a graph whose nodes have places."""
    degrees = graph.degrees()
    nodes = [
        DrawnNode(node, round(topology.places[key][0]), round(topology.places[key][1]), degrees.get(key, 0) < 2)
        for key, node in graph.nodes.items()
    ]
    xs, ys = [one.x for one in nodes] or [0], [one.y for one in nodes] or [0]
    radius = round(7 * min(max((max(xs) - min(xs)) / _WIDE, 1.0), 4.0), 1)
    margin = 60 + 3 * radius
    return Drawing(
        nodes,
        list(_drawn_links(graph, topology, radius)),
        min(xs) - margin,
        min(ys) - margin,
        max(xs) - min(xs) + 2 * margin,
        max(ys) - min(ys) + 2 * margin,
        radius,
    )


def _drawn_links(graph: Graph, topology: Topology, radius: float) -> Iterator[DrawnLink]:
    """Links between the same nodes lie beside each other."""
    together: defaultdict[tuple[str, str], list[Link]] = defaultdict(list)
    for link in graph.links[:MOST_LINKS]:
        together[link.a, link.b].append(link)
    for (a, b), links in together.items():
        (x1, y1), (x2, y2) = topology.places[a], topology.places[b]
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        for number, link in enumerate(links):
            aside = min(radius, 5.0) * (number - (len(links) - 1) / 2)
            dx, dy = -(y2 - y1) / length * aside, (x2 - x1) / length * aside
            width = next((width for speed, width in _WIDTHS if link.speed >= speed), 1.0) * radius / 7
            yield DrawnLink(
                link, graph.nodes[a], graph.nodes[b], _rates(topology, link),
                round(x1 + dx), round(y1 + dy), round(x2 + dx), round(y2 + dy), round(width, 1),
            )  # fmt: skip
