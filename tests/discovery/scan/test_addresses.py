"""Sets of addresses: what they contain, in which order they are visited, and that no list of a million is made."""

from __future__ import annotations

import ipaddress
import itertools
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from promsnmp.discovery.scan.addresses import Addresses, Span
from promsnmp.discovery.scan.target_syntax import read_scope


def test_a_million_addresses_take_no_memory() -> None:
    tracemalloc.start()
    try:
        scope, _ = read_scope(["10.0.0.0/12"])
        count = sum(1 for _ in itertools.islice(scope.addresses.spread(), 50_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert peak < 100_000


def test_neighbours_in_number_are_asked_far_apart_and_no_network_is_asked_more_than_its_share() -> None:
    scope, _ = read_scope(["10.0.0.0/16"])
    order = [ipaddress.ip_address(one) for one in itertools.islice(scope.addresses.spread(), 2560)]
    assert all(abs(int(one) - int(other)) > 1000 for one, other in itertools.pairwise(order))
    networks = [int(one) >> 8 & 0xFF for one in order]
    assert {networks.count(number) for number in range(256)} <= {8, 9, 10, 11, 12}


SPANS = st.tuples(st.sampled_from([4, 6]), st.integers(1 << 25, (1 << 25) + 60), st.integers(0, 20)).map(
    lambda drawn: Span(drawn[0], drawn[1], drawn[1] + drawn[2])
)


def members(spans: list[Span]) -> set[str]:
    kinds = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}
    return {str(kinds[span.version](number)) for span in spans for number in range(span.first, span.last + 1)}


@given(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6))
def test_sets_of_addresses_are_sets(some: list[Span], others: list[Span]) -> None:
    found = Addresses(some).without(others)
    expected = members(some) - members(others)
    assert {str(ipaddress.ip_address(one)) for one in found.spread()} == expected
    assert found.size == len(expected)
    assert all((one in found) == (one in expected) for one in members(some) | members(others))
    assert all(
        low.last + 1 < high.first or low.version != high.version for low, high in itertools.pairwise(found.spans)
    )


@given(st.lists(SPANS, max_size=6), st.data())
def test_the_order_can_be_taken_up_at_any_position(some: list[Span], data: st.DataObject) -> None:
    found = Addresses(some)
    order = list(found.spread())
    start = data.draw(st.integers(0, len(order)))
    assert list(Addresses(reversed(some)).spread(start)) == order[start:]
    chosen = data.draw(st.lists(st.sampled_from(order), max_size=5)) if order else []
    strangers = ["192.0.2.1", "2001:db8::1", "core1.example.net", "fe80::1%eth0"]
    assert found.first_position([*chosen, *strangers]) == min(map(order.index, chosen), default=len(order))
