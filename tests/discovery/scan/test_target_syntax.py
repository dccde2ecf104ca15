"""The syntax of addresses, networks and ranges; no list of a million addresses is ever made."""

from __future__ import annotations

import ipaddress

import pytest

from promsnmp.discovery.scan.addresses import Span
from promsnmp.discovery.scan.target_syntax import MAX_NETWORK_SIZE, read_networks, read_scope, read_target


def listed(*targets: str, exclude: tuple[str, ...] = ()) -> list[str]:
    """All addresses of a scope, in their order as numbers."""
    scope, problems = read_scope(targets, exclude)
    assert not problems
    found = list(scope.addresses.spread())
    assert len(found) == scope.addresses.size == len(set(found))
    return [str(one) for one in sorted(map(ipaddress.ip_address, found), key=lambda one: (one.version, int(one)))]


@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [("192.0.2.7", "192.0.2.7", "192.0.2.7", 1), (" 192.0.2.7 ", "192.0.2.7", "192.0.2.7", 1),
     ("192.0.2.0/24", "192.0.2.1", "192.0.2.254", 254), ("192.0.2.77/24", "192.0.2.1", "192.0.2.254", 254),
     ("192.0.2.0/255.255.255.0", "192.0.2.1", "192.0.2.254", 254), ("192.0.2.4/30", "192.0.2.5", "192.0.2.6", 2),
     ("192.0.2.4/31", "192.0.2.4", "192.0.2.5", 2), ("192.0.2.4/32", "192.0.2.4", "192.0.2.4", 1),
     ("10.0.0.0/16", "10.0.0.1", "10.0.255.254", 65_534),
     ("10.0.0.0/12", "10.0.0.1", "10.15.255.254", MAX_NETWORK_SIZE - 2),
     ("192.0.2.1-192.0.2.50", "192.0.2.1", "192.0.2.50", 50), ("192.0.2.1-50", "192.0.2.1", "192.0.2.50", 50),
     ("192.0.2.1 - 50", "192.0.2.1", "192.0.2.50", 50), ("192.0.2.250-192.0.3.5", "192.0.2.250", "192.0.3.5", 12),
     ("2001:db8::7", "2001:db8::7", "2001:db8::7", 1), ("[2001:db8::7]", "2001:db8::7", "2001:db8::7", 1),
     ("2001:db8::/120", "2001:db8::1", "2001:db8::ff", 255), ("2001:db8::/127", "2001:db8::", "2001:db8::1", 2),
     ("2001:db8::4/128", "2001:db8::4", "2001:db8::4", 1),
     ("2001:db8::/108", "2001:db8::1", "2001:db8::f:ffff", MAX_NETWORK_SIZE - 1),
     ("2001:db8::1-2001:db8::ff", "2001:db8::1", "2001:db8::ff", 255),
     ("2001:db8::1-ff", "2001:db8::1", "2001:db8::ff", 255),
     ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", 1), ("::ffff:192.0.2.0/120", "192.0.2.1", "192.0.2.254", 254)],
)  # fmt: skip
def test_targets_are_parsed_into_addresses(text: str, first: str, last: str, count: int) -> None:
    span = read_target(text)
    assert isinstance(span, Span)
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    assert span.size == count
    assert span == (low.version, int(low), int(high))


@pytest.mark.parametrize("name", ["switch.example.net", "my-device", "core-1-2", "x1", "fe80::1%eth0"])
def test_names_stay_names(name: str) -> None:
    assert read_target(name) == name
    scope, problems = read_scope([name, name])
    assert (scope.names, scope.size, problems) == ((name,), 1, [])


@pytest.mark.parametrize(
    "text",
    ["", " ", "10.0.0.256", "10.0.0", "10.0.0.1:161", "10.0.0.0/33", "10.0.0.0/", "/24", "10.0.0.9-3", "10.0.0.1-256",
     "10.0.0.1-", "10.0.0.1-2001:db8::1", "2001:db8::1-fffff", "2001:db8::1-g", "10.0.0.1-\u0662", "[2001:db8::1]:161",
     "a b", "-x", "10.0.0.1-host", "http://10.0.0.1", "::/200", "255.255.255.255", "0.0.0.0", "224.0.0.1", "ff02::1",
     "\x00"],
)  # fmt: skip
def test_an_invalid_target_is_a_problem_with_its_place(text: str) -> None:
    scope, (problem,) = read_scope(["192.0.2.1", text])
    assert problem.startswith("potentialTargets[1]: ")
    assert scope.size == 1


def test_a_port_in_a_target_is_refused_with_advice() -> None:
    assert "give the port separately" in read_scope(["10.0.0.1:1161"])[1][0]


@pytest.mark.parametrize("text", ["10.0.0.0/11", "0.0.0.0/0", "10.0.0.0-10.255.255.255", "2001:db8::/107"])
def test_more_than_a_slash_12_needs_force(text: str) -> None:
    scope, (problem,) = read_scope([text])
    assert scope.size == 0
    assert "a /12" in problem
    assert "force" in problem
    forced, problems = read_scope([text], force=True)
    assert not problems
    assert forced.size > MAX_NETWORK_SIZE


@pytest.mark.parametrize("text", ["2001:db8::/64", "::/0"])
def test_a_network_beyond_all_limits_is_refused_even_when_forced(text: str) -> None:
    assert "the limit is" in read_scope([text], force=True)[1][0]


def test_multicast_and_its_like_are_left_out_of_what_was_forced() -> None:
    scope, _ = read_scope(["0.0.0.0/0"], force=True)
    for address in ("0.1.2.3", "224.0.0.5", "240.0.0.1", "255.255.255.255"):
        assert address not in scope.addresses
    assert "10.1.2.3" in scope.addresses


def test_duplicate_targets_are_asked_once() -> None:
    assert len(listed("192.0.2.0/24", "192.0.2.7", "192.0.2.200-192.0.3.3")) == 254 + 5
    assert listed("192.0.2.0/30", "192.0.2.0") == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]  # named on its own


def test_excluded_addresses_are_not_probed_including_network_addresses() -> None:
    found = listed("10.0.0.0-10.0.1.255", "10.9.9.9", exclude=("10.0.0.64/26", "10.0.1.5-9", "10.9.9.9"))
    assert len(found) == 512 - 64 - 5
    assert not {"10.0.0.64", "10.0.0.127", "10.0.1.5", "10.0.1.9", "10.9.9.9"} & set(found)
    assert {"10.0.0.63", "10.0.0.128", "10.0.1.4", "10.0.1.10"} <= set(found)


def test_a_name_cannot_be_excluded_and_a_bad_exclusion_is_a_problem() -> None:
    _, problems = read_scope(["10.0.0.0/24"], ["printer", "10.0.0.300"])
    assert [problem.partition(":")[0] for problem in problems] == ["exclude[0]", "exclude[1]"]
    assert "is a name" in problems[0]


def test_networks_that_are_allowed_have_their_edges_and_may_be_large() -> None:
    networks, problems = read_networks(["10.0.0.0/8", "2001:db8::/32", "x"], "neighbours")
    assert ("10.0.0.0" in networks, "10.255.255.255" in networks, "11.0.0.0" in networks) == (True, True, False)
    assert ("2001:db8:ffff::1" in networks, "2001:db9::" in networks, "fe80::1%eth0" in networks) == (
        True,
        False,
        False,
    )
    assert [problem.partition(":")[0] for problem in problems] == ["neighbours[2]"]
