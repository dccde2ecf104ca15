"""Neighbours from the text of pages: LLDP, CDP and forwarding tables, and the ports at which they are."""

from __future__ import annotations

from promsnmp.web.topology.neighbours import MOST_LEARNED, NO_FACTS, facts_of, octets_of
from tests.support.web.neighbours import bridge_port, cdp, interface, labels, learned, lldp, own


def test_a_neighbour_by_lldp_has_the_interface_at_which_it_is() -> None:
    page = (
        own("02005E010000") + interface(47, "Te1/1/1", 10_000) + lldp(47, "Te1/1/1", "core", "Eth1/2", "02005E060000")
    )
    facts = facts_of([page])
    assert facts.own == {"02005e010000"}
    (one,) = facts.neighbours
    assert (one.name, one.chassis, one.remote_port, one.source) == ("core", "02005e060000", "Eth1/2", "lldp")
    assert (one.port.name, one.port.key, one.port.speed) == ("Te1/1/1", labels(47, "Te1/1/1"), 10e9)


def test_the_management_address_belongs_to_its_neighbour() -> None:
    page = lldp(1, "p1", "a", "x", address="192.0.2.7") + lldp(2, "p2", "b", "y", address="none of the kind")
    assert [one.address for one in facts_of([page]).neighbours] == ["192.0.2.7", ""]


def test_a_neighbour_by_cdp_has_a_name_without_the_serial_number() -> None:
    page = interface(3, "Gi0/3") + cdp(3, "nexus.example(FOX1234)", "Ethernet1/1", "0A000001")
    (one,) = facts_of([page]).neighbours
    assert (one.name, one.address, one.remote_port, one.port.name) == (
        "nexus.example",
        "10.0.0.1",
        "Ethernet1/1",
        "Gi0/3",
    )


def test_a_port_with_few_addresses_in_the_forwarding_table_counts() -> None:
    page = (
        interface(5, "Gi0/5")
        + bridge_port(9, 5, "Gi0/5")
        + learned(9, "02:00:5E:00:00:01")
        + learned(0, "02:00:5E:00:00:02")
    )
    page += "".join(learned(8, f"02:00:5E:00:01:{number:02X}") for number in range(MOST_LEARNED + 1))
    (one,) = facts_of([page]).learned
    assert (one.port.name, one.addresses) == ("Gi0/5", ("02005e000001",))


def test_the_memory_of_facts_counts_all_their_texts() -> None:
    long = "x" * 100_000
    page = interface(1, long) + cdp(1, long, long, "")
    assert len(labels(1, long)) < octets_of(facts_of([page])) < len(labels(1, long)) + 2_000, "other texts are cut"
    many = "".join(lldp(number, "p", f"n{number}", "x") for number in range(100))
    assert octets_of(facts_of([many])) > 100 * octets_of(NO_FACTS)


def test_a_page_without_neighbours_says_nothing() -> None:
    assert facts_of([]) == NO_FACTS
    assert facts_of(['sysUpTime{x="lldpRem"} 1\nlldpRemBroken{\nlldpRemNoLabels 3\n']).neighbours == ()
