"""Request signatures: only with the key, for one request, for a short time, and only once for changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.cluster.peers.signing import MAX_CLOCK_SKEW, SIGNATURE_HEADER, RequestSigner, body_digest
from promsnmp.errors import PeerError

KEY = b"0123456789ABCDEF"


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def pair(theirs: bytes = KEY) -> tuple[RequestSigner, RequestSigner, Clock]:
    clock = Clock()
    return RequestSigner(lambda: KEY, "pod-0", clock=clock), RequestSigner(lambda: theirs, "pod-1", clock=clock), clock


@given(name=st.text(), user=st.text(), body=st.binary(), target=st.binary().map(lambda one: b"/" + one))
def test_a_signature_names_the_sender_and_the_user(name: str, user: str, body: bytes, target: bytes) -> None:
    sender = RequestSigner(lambda: KEY, name)
    header, value = sender.sign("POST", target, body_digest(body), user=user)
    assert header == SIGNATURE_HEADER
    assert not set(value) - set(range(0x21, 0x7F)) - {0x20}
    peer = RequestSigner(lambda: KEY, "pod-1").verify(value, "POST", target)
    assert (peer.name, peer.user) == (name, user)
    assert peer.matches(body)
    assert not peer.matches(body + b"x")


@pytest.mark.parametrize(("method", "target"), [("POST", b"/x/1"), ("DELETE", b"/x/2"), ("GET", b"/x")])
def test_a_signature_is_valid_only_for_its_own_request(method: str, target: bytes) -> None:
    sender, receiver, _ = pair()
    _, value = sender.sign("DELETE", b"/x/1")
    with pytest.raises(PeerError, match="PROM_ENCRYPT_KEY"):
        receiver.verify(value, method, target)


def test_every_request_has_a_unique_id() -> None:
    sender, receiver, _ = pair()
    peers = [receiver.verify(sender.sign("POST", b"/x")[1], "POST", b"/x") for _ in range(100)]
    assert len({peer.request_id for peer in peers}) == 100


@pytest.mark.parametrize("value", [b"", b"1", b"1 a - 1 2 3", b"\xff \xff", b" ", b"1 - - x y " + b"0" * 64])
def test_a_malformed_signature_is_refused(value: bytes) -> None:
    with pytest.raises(PeerError):
        pair()[1].verify(value, "GET", b"/")


def test_another_key_is_refused() -> None:
    sender, receiver, _ = pair(b"FEDCBA9876543210")
    with pytest.raises(PeerError, match="PROM_ENCRYPT_KEY"):
        receiver.verify(sender.sign("GET", b"/")[1], "GET", b"/")


def test_a_changed_word_is_refused() -> None:
    sender, receiver, _ = pair()
    _, value = sender.sign("GET", b"/", user="eva")
    with pytest.raises(PeerError):
        receiver.verify(value.replace(b"eva", b"adm"), "GET", b"/")


@pytest.mark.parametrize("seconds", [MAX_CLOCK_SKEW + 1, -MAX_CLOCK_SKEW - 1])
def test_a_signature_is_valid_for_a_short_time(seconds: float) -> None:
    sender, receiver, clock = pair()
    _, value = sender.sign("GET", b"/")
    assert receiver.verify(value, "GET", b"/").name == "pod-0"
    clock.now += seconds
    with pytest.raises(PeerError, match="clocks"):
        receiver.verify(value, "GET", b"/")


def test_a_change_cannot_be_sent_a_second_time_at_any_moment() -> None:
    sender, receiver, clock = pair()
    _, value = sender.sign("POST", b"/x", body_digest(b"body"))
    receiver.verify(value, "POST", b"/x")
    for _ in range(40):
        with pytest.raises(PeerError):
            receiver.verify(value, "POST", b"/x")
        receiver.verify(sender.sign("POST", b"/y")[1], "POST", b"/y")
        clock.now += MAX_CLOCK_SKEW / 10


def test_a_signature_from_the_future_cannot_be_replayed_later() -> None:
    sender, receiver, clock = pair()
    clock.now += MAX_CLOCK_SKEW - 1
    _, value = sender.sign("POST", b"/x")
    clock.now -= MAX_CLOCK_SKEW - 1
    receiver.verify(value, "POST", b"/x")
    for _ in range(30):
        clock.now += MAX_CLOCK_SKEW / 10
        receiver.verify(sender.sign("POST", b"/y")[1], "POST", b"/y")
        with pytest.raises(PeerError):
            receiver.verify(value, "POST", b"/x")


def test_a_new_key_of_the_inventory_is_a_new_key_of_the_signatures() -> None:
    keys = [KEY]
    one = RequestSigner(lambda: keys[0], "pod-0")
    _, value = one.sign("GET", b"/")
    keys[0] = b"FEDCBA9876543210"
    with pytest.raises(PeerError):
        one.verify(value, "GET", b"/")
    assert one.verify(one.sign("GET", b"/")[1], "GET", b"/").name == "pod-0"
