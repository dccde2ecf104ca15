"""Request signatures: only with the key, for one request to one process, and once; and the signatures of answers."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promsnmp.cluster.peers.challenge import ProvenPeer
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.replays import ReplayGuard
from promsnmp.cluster.peers.signing import (
    ANSWER_HEADER,
    SIGNATURE_HEADER,
    InvalidSignature,
    OtherRecipient,
    RequestSigner,
    RequestVerifier,
    SignedRequest,
    UsedBefore,
    body_digest,
)
from promsnmp.errors import PeerError

KEY = ClusterKey("a key for the tests of signatures, 32+")
HEADERS = [(b"accept", b"*/*"), (b"if-match", b'"7"'), (b"accept", b"text/plain"), (b"host", b"x")]


class Recipient:
    """A process that verifies requests."""

    def __init__(self, instance: str = "process of pod-1", key: ClusterKey = KEY) -> None:
        self.replays = ReplayGuard()
        self.verifier = RequestVerifier(key, instance, self.replays)
        self.instance = instance

    @property
    def proven(self) -> ProvenPeer:
        return ProvenPeer("pod-1", self.instance, "192.0.2.1:8080", self.replays.epoch)

    def takes(self, value: bytes, method: str, target: bytes, headers: list[tuple[bytes, bytes]]) -> SignedRequest:
        request = self.verifier.verify(value, method, target, headers)
        self.verifier.accept(request)
        return request


def sender(key: ClusterKey = KEY) -> RequestSigner:
    return RequestSigner(key, "pod-0", "process of pod-0")


header_names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1).map(str.encode)
header_values = st.binary().map(lambda value: bytes(one for one in value if one not in b"\r\n\0").strip())


@given(
    user=st.text(),
    body=st.binary(),
    target=st.binary().map(lambda one: b"/" + one),
    headers=st.lists(st.tuples(header_names, header_values)),
    request_id=st.text("0123456789abcdef", max_size=24),
)
@example(user="", body=b"", target=b"/", headers=[(b"-", b"")], request_id="")
def test_a_signature_names_the_sender_and_the_user_and_covers_everything(
    user: str, body: bytes, target: bytes, headers: list[tuple[bytes, bytes]], request_id: str
) -> None:
    to = Recipient()
    (name, value), _ = sender().sign(
        to.proven, "POST", target, headers, body_digest(body), user=user, request_id=request_id
    )
    assert name == SIGNATURE_HEADER
    assert not set(value) - set(range(0x21, 0x7F)) - {0x20}
    request = to.takes(value, "POST", target, headers)
    identity = request.identity
    assert (identity.name, identity.user, identity.request_id) == ("pod-0", user, request_id)
    assert request.digest == body_digest(body) != body_digest(body + b"x")
    unsigned = {b"host", b"te", b"date", b"server", b"upgrade", b"trailer", b"connection"}
    assert request.headers == [pair for pair in headers if pair[0] not in unsigned]


@pytest.mark.parametrize(("method", "target"), [("POST", b"/x/1"), ("DELETE", b"/x/2"), ("GET", b"/x")])
def test_a_signature_is_valid_only_for_its_own_request(method: str, target: bytes) -> None:
    to = Recipient()
    (_, value), _ = sender().sign(to.proven, "DELETE", b"/x/1")
    with pytest.raises(InvalidSignature, match="CLUSTER_KEY"):
        to.verifier.verify(value, method, target, [])


@pytest.mark.parametrize(
    "changed",
    [
        [(b"accept", b"*/*"), (b"accept", b"text/plain")],
        [*HEADERS, (b"if-match", b'"8"')],
        [(b"accept", b"*/*"), (b"if-match", b'"8"'), (b"accept", b"text/plain")],
        [(b"accept", b"text/plain"), (b"if-match", b'"7"'), (b"accept", b"*/*")],
        [],
    ],
)
def test_a_changed_header_is_refused(changed: list[tuple[bytes, bytes]]) -> None:
    to = Recipient()
    (_, value), _ = sender().sign(to.proven, "PUT", b"/x", HEADERS)
    with pytest.raises(InvalidSignature):
        to.verifier.verify(value, "PUT", b"/x", changed)


def test_a_header_that_a_proxy_added_is_dropped() -> None:
    to = Recipient()
    (_, value), _ = sender().sign(to.proven, "PUT", b"/x", HEADERS)
    added = [(b"x-request-id", b"1"), (b"if-none-match", b"*"), (b"content-type", b"text/html")]
    request = to.takes(value, "PUT", b"/x", [*added, *HEADERS])
    assert request.headers == [pair for pair in HEADERS if pair[0] != b"host"]


@pytest.mark.parametrize(
    "value", [b"", b"2", b"1 a - 1 2 3", b"\xff \xff", b" ", b"1 - - x y " + b"0" * 64, b"2 " * 9 + b"- " + b"0" * 64]
)
def test_a_malformed_signature_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidSignature):
        Recipient().verifier.verify(value, "GET", b"/", [])


def test_another_key_is_refused() -> None:
    to = Recipient()
    (_, value), _ = sender(ClusterKey(secrets.token_hex(32))).sign(to.proven, "GET", b"/")
    with pytest.raises(InvalidSignature, match="CLUSTER_KEY"):
        to.verifier.verify(value, "GET", b"/", [])


def test_a_changed_word_is_refused() -> None:
    to = Recipient()
    (_, value), _ = sender().sign(to.proven, "GET", b"/", user="eva")
    with pytest.raises(InvalidSignature):
        to.verifier.verify(value.replace(b"eva", b"adm"), "GET", b"/", [])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_is_accepted_once(method: str) -> None:
    to, signer = Recipient(), sender()
    (_, value), _ = signer.sign(to.proven, method, b"/x")
    to.takes(value, method, b"/x", [])
    for _ in range(3):
        with pytest.raises(UsedBefore):
            to.takes(value, method, b"/x", [])
        to.takes(signer.sign(to.proven, method, b"/x")[0][1], method, b"/x", [])


def test_a_request_to_a_process_is_refused_by_every_other_one_and_after_a_restart() -> None:
    first = Recipient()
    (_, value), _ = sender().sign(first.proven, "POST", b"/x")
    first.takes(value, "POST", b"/x", [])
    for other in (Recipient("process of pod-2"), Recipient(first.instance)):
        with pytest.raises(OtherRecipient):
            other.takes(value, "POST", b"/x", [])


# --- answers

ANSWER = [(b"content-type", b"text/plain"), (b"etag", b'"1"'), (b"date", b"today")]


def signed_answer(to: Recipient, signer: RequestSigner, body: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The MAC of a request, and the headers of its answer."""
    (_, value), mac = signer.sign(to.proven, "GET", b"/x")
    request = to.takes(value, "GET", b"/x", [])
    header = to.verifier.sign_answer(request, 200, ANSWER, body_digest(body))
    assert header[0] == ANSWER_HEADER
    return mac, [*ANSWER, header]


def test_an_answer_has_the_headers_that_its_signature_covers() -> None:
    to, signer = Recipient(), sender()
    mac, headers = signed_answer(to, signer, b"page")
    received = [(b"via", b"a proxy"), (b"set-cookie", b"x"), *headers]
    assert signer.verify_answer(mac, 200, received, body_digest(b"page")) == ANSWER[:2]


def test_an_answer_to_another_request_or_a_changed_one_is_refused() -> None:
    to, signer = Recipient(), sender()
    mac, headers = signed_answer(to, signer, b"page")
    other, _ = signed_answer(to, signer, b"page")
    digest = body_digest(b"page")
    swapped = [(name, b'"2"' if name == b"etag" else value) for name, value in headers]
    for wrong in (
        (other, 200, headers, digest),
        (mac, 404, headers, digest),
        (mac, 200, swapped, digest),
        (mac, 200, headers, body_digest(b"egap")),
        (mac, 200, ANSWER, digest),
        (mac, 200, [], digest),
    ):
        with pytest.raises(PeerError, match="not from a replica"):
            signer.verify_answer(*wrong)
