"""How often somebody may guess."""

from __future__ import annotations

from promsnmp.http.security.login_limit import (
    MAX_ALL_FAILURES,
    MAX_FAILURES,
    MAX_KNOWN,
    MAX_NETWORKS,
    MAX_REFUSED,
    WINDOW,
    LoginLimit,
)


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


def test_a_window_ends_although_there_are_more_failures() -> None:
    clock = Clock()
    limit = LoginLimit(clock)
    for _ in range(MAX_FAILURES):
        limit.note_failure("192.0.2.1")
        clock.now += WINDOW / (MAX_FAILURES - 1)
    assert limit.allows("192.0.2.1")


def test_a_user_is_kept_in_from_the_same_network_only_and_not_beside_much_guessing() -> None:
    clock = Clock()
    limit = LoginLimit(clock)
    limit.note_success("192.0.2.1", "alice")
    assert limit.keeps("192.0.2.1", "alice")
    assert not limit.keeps("192.0.2.1", "bob")
    assert not limit.keeps("192.0.2.2", "alice")
    for _ in range(MAX_REFUSED):
        assert limit.keeps("192.0.2.1", "alice")
        limit.note_refusal("192.0.2.1")
    assert not limit.keeps("192.0.2.1", "alice")
    assert limit.allows("192.0.2.2"), "what is refused counts for its network only"
    clock.now += WINDOW + 1
    assert limit.keeps("192.0.2.1", "alice")
    for number in range(MAX_KNOWN + 1):
        limit.note_success("192.0.2.1", str(number))
    assert len(limit._known) <= MAX_KNOWN
