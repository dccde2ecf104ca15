"""Seals: made by whoever has the key, for one request, for a short time, and for changes once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.cluster.peers.signing import HEADER, WINDOW, Seals, digest_of
from promsnmp.errors import PeerError

KEY = b"0123456789ABCDEF"


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def pair(theirs: bytes = KEY) -> tuple[Seals, Seals, Clock]:
    clock = Clock()
    return Seals(lambda: KEY, "pod-0", clock=clock), Seals(lambda: theirs, "pod-1", clock=clock), clock


@given(name=st.text(), user=st.text(), body=st.binary(), target=st.binary().map(lambda one: b"/" + one))
def test_a_seal_says_who_sent_what_and_for_whom(name: str, user: str, body: bytes, target: bytes) -> None:
    sender = Seals(lambda: KEY, name)
    header, value = sender.seal("POST", target, digest_of(body), user=user)
    assert header == HEADER
    assert not set(value) - set(range(0x21, 0x7F)) - {0x20}
    peer = Seals(lambda: KEY, "pod-1").check(value, "POST", target)
    assert (peer.name, peer.user) == (name, user)
    assert peer.fits(body)
    assert not peer.fits(body + b"x")


@pytest.mark.parametrize(("method", "target"), [("POST", b"/x/1"), ("DELETE", b"/x/2"), ("GET", b"/x")])
def test_a_seal_fits_its_own_request_only(method: str, target: bytes) -> None:
    sender, receiver, _ = pair()
    _, value = sender.seal("DELETE", b"/x/1")
    with pytest.raises(PeerError, match="not one of this cluster's"):
        receiver.check(value, method, target)


def test_every_request_has_a_number_of_its_own() -> None:
    sender, receiver, _ = pair()
    peers = [receiver.check(sender.seal("POST", b"/x")[1], "POST", b"/x") for _ in range(100)]
    assert len({peer.number for peer in peers}) == 100


@pytest.mark.parametrize("value", [b"", b"1", b"1 a - 1 2 3", b"\xff \xff", b" ", b"1 - - x y " + b"0" * 64])
def test_what_is_no_seal_is_refused(value: bytes) -> None:
    with pytest.raises(PeerError):
        pair()[1].check(value, "GET", b"/")


def test_another_key_is_refused() -> None:
    sender, receiver, _ = pair(b"FEDCBA9876543210")
    with pytest.raises(PeerError, match="PROM_ENCRYPT_KEY"):
        receiver.check(sender.seal("GET", b"/")[1], "GET", b"/")


def test_a_changed_word_is_refused() -> None:
    sender, receiver, _ = pair()
    _, value = sender.seal("GET", b"/", user="eva")
    with pytest.raises(PeerError):
        receiver.check(value.replace(b"eva", b"adm"), "GET", b"/")


@pytest.mark.parametrize("seconds", [WINDOW + 1, -WINDOW - 1])
def test_a_seal_is_good_for_a_short_time(seconds: float) -> None:
    sender, receiver, clock = pair()
    _, value = sender.seal("GET", b"/")
    assert receiver.check(value, "GET", b"/").name == "pod-0"
    clock.now += seconds
    with pytest.raises(PeerError, match="clocks"):
        receiver.check(value, "GET", b"/")


def test_a_change_cannot_be_sent_a_second_time_at_any_moment() -> None:
    sender, receiver, clock = pair()
    _, value = sender.seal("POST", b"/x", digest_of(b"body"))
    receiver.check(value, "POST", b"/x")
    for _ in range(40):
        with pytest.raises(PeerError):
            receiver.check(value, "POST", b"/x")
        receiver.check(sender.seal("POST", b"/y")[1], "POST", b"/y")
        clock.now += WINDOW / 10


def test_a_seal_stamped_ahead_of_time_cannot_be_replayed_when_its_time_comes() -> None:
    sender, receiver, clock = pair()
    clock.now += WINDOW - 1
    _, value = sender.seal("POST", b"/x")
    clock.now -= WINDOW - 1
    receiver.check(value, "POST", b"/x")
    for _ in range(30):
        clock.now += WINDOW / 10
        receiver.check(sender.seal("POST", b"/y")[1], "POST", b"/y")
        with pytest.raises(PeerError):
            receiver.check(value, "POST", b"/x")


def test_a_new_key_of_the_inventory_is_a_new_key_of_the_seals() -> None:
    keys = [KEY]
    one = Seals(lambda: keys[0], "pod-0")
    _, value = one.seal("GET", b"/")
    keys[0] = b"FEDCBA9876543210"
    with pytest.raises(PeerError):
        one.check(value, "GET", b"/")
    assert one.check(one.seal("GET", b"/")[1], "GET", b"/").name == "pod-0"
