"""How often somebody may guess."""

from __future__ import annotations

from promsnmp.http.security.login_limit import MAX_ALL_FAILURES, MAX_FAILURES, MAX_NETWORKS, WINDOW, LoginLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_network_waits_after_too_many_failures_and_others_do_not() -> None:
    clock = Clock()
    limit = LoginLimit(clock)
    for number in range(MAX_FAILURES):
        assert limit.allows("2001:db8::1")
        limit.note_failure(f"2001:db8::{number:x}")
    assert not limit.allows("2001:db8::ffff:1"), "the same /64"
    assert limit.allows("2001:db8:0:1::1")
    assert limit.allows("192.0.2.1")
    clock.now += WINDOW + 1
    assert limit.allows("2001:db8::1")


def test_many_addresses_do_not_help_and_take_no_memory() -> None:
    limit = LoginLimit(Clock())
    for number in range(MAX_ALL_FAILURES):
        limit.note_failure(f"10.0.{number >> 8}.{number & 255}")
    assert not limit.allows("192.0.2.1")
    for number in range(MAX_NETWORKS * 2):
        limit.note_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(limit._failures) <= MAX_NETWORKS


def test_ipv4_in_ipv6_is_the_same_client() -> None:
    limit = LoginLimit(Clock())
    for _ in range(MAX_FAILURES):
        limit.note_failure("::ffff:192.0.2.1")
    assert not limit.allows("192.0.2.1")
    assert limit.allows("192.0.2.2")
