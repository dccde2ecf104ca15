"""Places of nodes: the same for the same graph, apart from each other, and kept."""

from __future__ import annotations

import math
import time
from itertools import combinations

from promsnmp.web.topology.layout import SPACING, place

Net = tuple[list[str], list[tuple[str, str]]]


def network(distribution: int, access: int, leaves: int) -> Net:
    """Two cores, distribution switches at both, access switches, and hosts."""
    nodes, edges = ["core1", "core2"], [("core1", "core2")]
    for one in range(distribution):
        nodes.append(f"d{one}")
        edges += [("core1", f"d{one}"), ("core2", f"d{one}")]
        for two in range(access):
            nodes.append(f"d{one}a{two}")
            edges.append((f"d{one}", f"d{one}a{two}"))
            for three in range(leaves):
                nodes.append(f"d{one}a{two}h{three}")
                edges.append((f"d{one}a{two}", nodes[-1]))
    return nodes, edges


def test_nodes_stand_apart_and_the_same_graph_looks_the_same() -> None:
    nodes, edges = network(3, 4, 12)
    places = place(nodes, edges, {})
    assert places == place(nodes[::-1], [(b, a) for a, b in reversed(edges)], {})
    assert set(places) == set(nodes)
    closest = min(math.dist(one, two) for one, two in combinations(places.values(), 2))
    assert closest > 0.3 * SPACING


def test_nodes_that_come_and_go_move_nobody() -> None:
    nodes, edges = network(3, 4, 5)
    places = place(nodes, edges, {})
    more = place([*nodes, "new", "alone"], [*edges, ("new", "d1a1")], places)
    assert all(more[key] == places[key] for key in nodes)
    assert math.dist(more["new"], places["d1a1"]) < 6 * SPACING
    fewer = place(nodes[:-5], edges, more)
    assert all(fewer[key] == places[key] for key in nodes[:-5])
    assert place(nodes, edges, {**more, **fewer}) == {key: places[key] for key in nodes}


def test_a_graph_that_is_mostly_new_is_laid_out_anew() -> None:
    nodes, edges = network(2, 2, 2)
    assert place(nodes, edges, {"core1": (5000.0, 5000.0)}) == place(nodes, edges, {})


def test_parts_and_single_nodes_stand_beside_each_other() -> None:
    places = place(["a", "b", "c", "d", "e"], [("a", "b"), ("c", "d")], {})
    assert min(math.dist(one, two) for one, two in combinations(places.values(), 2)) >= 0.9 * SPACING


def test_two_thousand_nodes_take_little_time() -> None:
    for net in (network(10, 20, 9), network(40, 48, 0)):
        began = time.thread_time()
        place(*net, {})
        assert time.thread_time() - began < 1.0  # 0.05 s on an idle machine


def test_a_ring_of_switches_is_round() -> None:
    nodes = [f"s{number:02}" for number in range(12)]
    places = place(nodes, [(one, nodes[(at + 1) % 12]) for at, one in enumerate(nodes)], {})
    xs, ys = zip(*places.values(), strict=True)
    assert 0.4 < (max(xs) - min(xs)) / (max(ys) - min(ys)) < 2.5
