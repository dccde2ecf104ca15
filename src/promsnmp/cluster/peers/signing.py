"""Signs the requests between replicas and their answers, and verifies them.

A signature is a header with a MAC, whose key derives from the key of the cluster. That of a request covers the sender,
the recipient (one process and its epoch), the user, a number, method, target, body, and the headers that it names. The
recipient drops every other header, since proxies between the replicas may have added it, and accepts each number once
(``replays.py``). The MAC of an answer covers the MAC of the request, the status, the body, and the headers that it
names. No part depends on a clock.

A signed request was forwarded by a replica already, and is never forwarded again: there are no loops.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote, unquote

from promsnmp.cluster.peers.challenge import ProvenPeer
from promsnmp.cluster.peers.cluster_key import ClusterKey
from promsnmp.cluster.peers.replays import ReplayGuard
from promsnmp.errors import PeerError
from promsnmp.support.http_client import HeaderPairs

SIGNATURE_HEADER = b"x-promsnmp-peer"
ANSWER_HEADER = b"x-promsnmp-answer"
VERSION = b"2"
_UNSIGNED = frozenset(
    [SIGNATURE_HEADER, ANSWER_HEADER, b"host", b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding",
     b"upgrade", b"content-length", b"date", b"server"]
)  # fmt: skip
"""Headers of a connection, which each connection has of its own (RFC 9110 section 7.6.1)."""


class InvalidSignature(PeerError):
    """The request is not from a replica of this cluster, or was changed on its way."""


class OtherRecipient(PeerError):
    """The request is for another process, which was here before, or for an earlier epoch."""


class UsedBefore(PeerError):
    """The request was accepted before: this is a copy."""


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Who signed a request: a replica, and the user on whose behalf it asks (empty: on its own)."""

    name: str
    user: str = ""
    request_id: str = ""
    """Unique among all requests that have one."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request whose signature is valid."""

    identity: PeerIdentity
    headers: list[tuple[bytes, bytes]]
    """Those that the signature covers."""
    digest: bytes
    """Of the body that belongs to it; see ``body_digest``."""
    mac: bytes
    recipient: tuple[str, str]
    """Instance and epoch."""
    number: tuple[str, int]
    """Instance of the sender, and its number."""


def new_request_id() -> str:
    """A unique ID of a request: 24 random hexadecimal digits."""
    return secrets.token_hex(12)


def body_digest(body: bytes) -> bytes:
    """SHA-256 in hexadecimal; ``-`` for an empty body."""
    return hashlib.sha256(body).hexdigest().encode() if body else b"-"


def covered(headers: HeaderPairs, names: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """The headers with these names, in the order in which they are."""
    wanted = frozenset(names)
    return [pair for pair in headers if pair[0] in wanted]


class RequestSigner:
    """Signs the requests of the process ``instance``, and verifies the answers."""

    def __init__(self, key: ClusterKey, name: str, instance: str) -> None:
        self._key = key
        self._sender = _word(name) + b" " + _word(instance)
        self._numbers = count(1)

    def sign(
        self,
        to: ProvenPeer,
        method: str,
        target: bytes,
        headers: HeaderPairs = (),
        digest: bytes = b"-",
        *,
        user: str = "",
        request_id: str = "",
    ) -> tuple[tuple[bytes, bytes], bytes]:
        """The header for a request to ``to`` whose body has ``digest``, and its MAC."""
        names = _names(headers)
        words = (
            VERSION, self._sender, _word(to.instance), _word(to.epoch), b"%d" % next(self._numbers), _word(user),
            _word(request_id), digest, _list(names),
        )  # fmt: skip
        signed = b" ".join(words)
        mac = _request_mac(self._key, signed, method, target, headers, names)
        return (SIGNATURE_HEADER, b"%b %b" % (signed, mac)), mac

    def verify_answer(self, mac: bytes, status: int, headers: HeaderPairs, digest: bytes) -> list[tuple[bytes, bytes]]:
        """The headers of an answer that its MAC covers. Raises InvalidSignature when it does not answer the request
        that was signed with ``mac``."""
        value = next((value for name, value in headers if name == ANSWER_HEADER), b"")
        listed, _, answer_mac = value.partition(b" ")
        names = _listed(listed)
        expected = _answer_mac(self._key, mac, status, covered(headers, names), names, digest)
        if not hmac.compare_digest(answer_mac, expected):
            raise InvalidSignature("the answer is not from a replica of this cluster, or was changed on its way")
        return covered(headers, names)


class RequestVerifier:
    """Verifies requests to the process ``instance``, and signs the answers."""

    def __init__(self, key: ClusterKey, instance: str, replays: ReplayGuard) -> None:
        self._key = key
        self._instance = instance
        self._replays = replays

    def verify(self, value: bytes, method: str, target: bytes, headers: HeaderPairs) -> SignedRequest:
        """The request whose signature is ``value``. Raises InvalidSignature. It may still be another process's, or a
        copy: see ``accept``."""
        signed, _, mac = value.rpartition(b" ")
        words = signed.split(b" ")
        if words[0] != VERSION or len(words) != 10:
            raise InvalidSignature("the signature is of another version of PromSNMP")
        _, name, sender, recipient, epoch, number, user, request_id, digest, listed = words
        names = _listed(listed)
        if not hmac.compare_digest(mac, _request_mac(self._key, signed, method, target, headers, names)):
            raise InvalidSignature("invalid signature; check that all replicas have the same CLUSTER_KEY or key file")
        return SignedRequest(
            PeerIdentity(_text(name), _text(user), _text(request_id)),
            covered(headers, names),
            digest,
            mac,
            (_text(recipient), _text(epoch)),
            (_text(sender), int(number)),
        )

    def accept(self, request: SignedRequest) -> None:
        """Accepts a request once. Raises OtherRecipient and UsedBefore."""
        self._replays.make_room(request.number[0])
        if request.recipient != (self._instance, self._replays.epoch):
            raise OtherRecipient("the request is for another process, which is not here any more")
        if not self._replays.accept(*request.number):
            raise UsedBefore("the signature was used before")

    def sign_answer(
        self, request: SignedRequest, status: int, headers: HeaderPairs, digest: bytes
    ) -> tuple[bytes, bytes]:
        """The header for an answer whose body has ``digest``."""
        names = _names(headers)
        mac = _answer_mac(self._key, request.mac, status, headers, names, digest)
        return ANSWER_HEADER, b"%b %b" % (_list(names), mac)


def _request_mac(
    key: ClusterKey, signed: bytes, method: str, target: bytes, headers: HeaderPairs, names: Sequence[bytes]
) -> bytes:
    lines = (signed, method.encode(), target, *_lines(headers, names))
    return hmac.digest(key.derive("requests"), b"\n".join(lines), "sha256").hex().encode()


def _answer_mac(
    key: ClusterKey, mac: bytes, status: int, headers: HeaderPairs, names: Sequence[bytes], digest: bytes
) -> bytes:
    lines = (mac, b"%d" % status, digest, *_lines(headers, names))
    return hmac.digest(key.derive("answers"), b"\n".join(lines), "sha256").hex().encode()


def _names(headers: HeaderPairs) -> list[bytes]:
    """The names of the headers that are signed, each once."""
    return [name for name in dict.fromkeys(name for name, _ in headers) if name not in _UNSIGNED]


def _list(names: list[bytes]) -> bytes:
    """Names of headers as one word; ``-`` for none. A header may be named ``-`` (RFC 9110 section 5.6.2): alone, it
    is written twice."""
    return b"-,-" if names == [b"-"] else b",".join(names) or b"-"


def _listed(word: bytes) -> list[bytes]:
    return [] if word in (b"", b"-") else list(dict.fromkeys(word.split(b",")))


def _lines(headers: HeaderPairs, names: Sequence[bytes]) -> list[bytes]:
    """One line for each name, with all values of that name (RFC 9110 section 5.3)."""
    return [b"%b: %b" % (name, b", ".join(value for key, value in headers if key == name)) for name in names]


def _word(text: str) -> bytes:
    """A text as one word of a header; ``-`` for an empty text."""
    return quote(text, safe="@").replace("-", "%2D").encode() or b"-"


def _text(word: bytes) -> str:
    return "" if word == b"-" else unquote(word.decode())
