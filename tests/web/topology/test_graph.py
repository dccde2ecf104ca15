"""Devices and links from what all say: who is who, what is one link, what a forwarding table may add."""

from __future__ import annotations

from collections.abc import Mapping

from promsnmp.web.peers.neighbour_messages import read_part, write_part
from promsnmp.web.topology.graph import FOREIGN, MOST_BETWEEN, Graph, Node, build_graph
from promsnmp.web.topology.neighbours import facts_of
from tests.support.web.neighbours import bridge_port, cdp, interface, learned, lldp, own


def node(number: int, name: str = "", own: str = "") -> Node:
    """The device ``id-N`` at 10.0.0.N; ``own``: its MAC address in the inventory."""
    known, addresses = frozenset(filter(None, [own])), frozenset([f"10.0.0.{number}"])
    return Node(id=f"id-{number}", name=name or f"switch-{number}", state="up", addresses=addresses, own=known)


def graph(nodes: list[Node], pages: Mapping[int, str]) -> Graph:
    return build_graph(nodes, {f"id-{number}": facts_of([text]) for number, text in pages.items()})


def ends(made: Graph) -> list[tuple[str, str, str, str]]:
    return [(one.a, one.a_port.name, one.b, one.b_port.name) for one in made.links]


def test_two_devices_that_see_each_other_have_one_link() -> None:
    pages = {
        1: own("02AA") + interface(1, "Te1", 10_000) + lldp(1, "Te1", "other name", "Eth1", "02BB"),
        2: own("02BB") + interface(9, "Eth1", 1000) + lldp(9, "Eth1", "other name", "Te1", "02AA"),
    }
    made = graph([node(1), node(2)], pages)
    assert ends(made) == [("id-1", "Te1", "id-2", "Eth1")]
    assert made.links[0].speed == 1e9


def test_parallel_links_stay_apart() -> None:
    pages = {
        1: "".join(lldp(at, f"p{at}", "switch-2", f"q{at}") for at in (1, 2)),
        2: "".join(lldp(at, f"q{at}", "switch-1", f"p{at}") for at in (2, 1)),
    }
    assert ends(graph([node(1), node(2)], pages)) == [("id-1", "p1", "id-2", "q1"), ("id-1", "p2", "id-2", "q2")]


def test_links_between_two_devices_are_bounded() -> None:
    pages = {
        me: "".join(lldp(at, f"p{at}", f"switch-{other}", f"q{at}") for at in range(MOST_BETWEEN + 50))
        for me, other in ((1, 2), (2, 1))
    }
    assert len(graph([node(1), node(2)], pages).links) == 2 * MOST_BETWEEN


def test_names_count_with_and_without_a_domain_and_only_when_unique() -> None:
    nodes = [node(1, "core.example.net"), node(2, "edge"), node(3, "edge")]
    made = graph(nodes, {2: lldp(1, "p1", "CORE", "x"), 1: lldp(2, "p2", "edge", "y")})
    assert ("id-1", "x", "id-2", "p1") in ends(made)
    assert [one.state for one in made.nodes.values() if one.name == "edge"] == ["up", "up", FOREIGN]


def test_an_address_finds_a_device_and_lldp_and_cdp_are_one_sighting() -> None:
    page = interface(1, "p1") + lldp(1, "p1", "unknown", "x", address="10.0.0.2") + cdp(1, "unknown", "x", "0A000002")
    made = graph([node(1), node(2)], {1: page})
    assert [one.sources for one in made.links] == [("cdp", "lldp")]
    assert set(made.nodes) == {"id-1", "id-2"}


def test_a_forwarding_table_counts_only_where_nothing_else_shows_a_neighbour() -> None:
    known = [node(1), node(2, own="02005e000002"), node(3, own="02005e000003")]
    behind = {2: "02:00:5E:00:00:02", 3: "02:00:5E:00:00:03"}
    table = bridge_port(1, 1, "p1") + bridge_port(2, 2, "p2") + interface(1, "p1") + interface(2, "p2")
    table += learned(1, behind[2]) + learned(1, "02:00:00:00:00:99") + learned(2, behind[3]) + learned(2, behind[2])
    made = graph(known, {1: table})
    assert ends(made) == [("id-1", "p1", "id-2", "")]  # at p2 there are two known devices
    assert made.links[0].sources == ("fdb",)
    assert ends(graph(known, {1: table + lldp(1, "p1", "switch-3", "x")})) == [("id-1", "p1", "id-3", "x")]


def test_a_device_is_no_neighbour_of_its_own() -> None:
    assert graph([node(1)], {1: own("02AA") + lldp(1, "p1", "x", "p2", "02AA")}).links == []


def test_what_replicas_tell_each_other_is_the_same_afterwards() -> None:
    page = own("02AA") + interface(1, "p1") + lldp(1, "p1", "b", "x", "02BB", "10.0.0.2") + bridge_port(1, 1, "p1")
    facts = {"id-1": facts_of([page + learned(1, "02:00:5E:00:00:02")])}
    rates = {"id-1": {facts["id-1"].neighbours[0].port.key: (1.5, 2.5)}}
    part = read_part(write_part([node(1)], facts, rates))
    assert part["id-1"].facts == facts["id-1"]
    assert part["id-1"].rates == rates["id-1"]
