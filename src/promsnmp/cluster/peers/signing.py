"""How replicas know each other's requests: a seal in a header that only who has the inventory's key can make.

The key of the seals is derived from PROM_ENCRYPT_KEY (HKDF, RFC 5869). A seal covers who sends, for whom, when, and the
whole request, so it fits no other one; and it is good for a short time, and once for requests that change something.
The body is covered by its digest, since the seal is looked at before the body has come. A request that carries a seal
was passed on by a replica already, and is never passed on again: there are no loops.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from promsnmp.errors import PeerError

SIGNATURE_HEADER = b"x-promsnmp-peer"
MAX_CLOCK_SKEW = 60.0
"""Seconds by which the clocks of two replicas may differ, the way between them included."""
_VERSION = b"1"
_INFO = b"promsnmp: requests between replicas, 1"
_SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Who sealed a request: a replica, and the user on whose behalf it asks (empty: on its own)."""

    name: str
    user: str = ""
    digest: str = ""
    """Of the body that it has sealed; ``matches`` compares."""
    request_id: str = ""
    """Names the request among all."""

    def matches(self, body: bytes) -> bool:
        """Whether ``body`` is the one that was sealed."""
        return hmac.compare_digest(body_digest(body), self.digest)


def new_request_id() -> str:
    """The number of one request: 24 hexadecimal digits that nobody has used or will use."""
    return secrets.token_hex(12)


def body_digest(body: bytes) -> str:
    """SHA-256 in hexadecimal; ``-`` for nothing."""
    return hashlib.sha256(body).hexdigest() if body else "-"


class RequestSigner:
    """Makes and checks seals. ``secret`` gives the key of the inventory as it is now; ``clock`` is Unix time."""

    def __init__(self, secret: Callable[[], bytes], name: str, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._name = name
        self._clock = clock
        self._derived: tuple[bytes, bytes] = b"", b""
        self._used: tuple[set[bytes], set[bytes]] = set(), set()
        self._rotated_at = clock()

    def sign(
        self, method: str, target: bytes, digest: str = "-", *, user: str = "", request_id: str = ""
    ) -> tuple[bytes, bytes]:
        """The header for a request, whose body has ``digest``; without a ``request_id`` it gets one."""
        sent_at, nonce = b"%d" % (self._clock() * 1000), (request_id or new_request_id()).encode()
        signed = b" ".join((_VERSION, _word(self._name), _word(user), sent_at, nonce, digest.encode()))
        return SIGNATURE_HEADER, b"%b %b" % (signed, self._mac(signed, method, target))

    def verify(self, value: bytes, method: str, target: bytes) -> PeerIdentity:
        """Who sealed the request whose header has ``value``. Raises PeerError for a seal that does not fit."""
        signed, _, mac = value.rpartition(b" ")
        if not hmac.compare_digest(mac, self._mac(signed, method, target)):
            raise PeerError("the seal is not one of this cluster's: do all replicas have the same PROM_ENCRYPT_KEY?")
        _, name, user, sent_at, nonce, digest = signed.split(b" ")
        if abs(self._clock() - int(sent_at) / 1000) > MAX_CLOCK_SKEW:
            raise PeerError(f"the seal's time is more than {MAX_CLOCK_SKEW:g} s off: are the replicas' clocks set?")
        if method not in _SAFE_METHODS and self._is_used(nonce):
            raise PeerError("the seal was used before")
        return PeerIdentity(_text(name), _text(user), digest.decode(), nonce.decode())

    def _mac(self, signed: bytes, method: str, target: bytes) -> bytes:
        message = b"\n".join((signed, method.encode(), target))
        return hmac.digest(self._key(), message, "sha256").hex().encode()

    def _key(self) -> bytes:
        secret, key = self._derived
        if (now := self._secret()) != secret:
            key = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(now)
            self._derived = now, key
        return key

    def _is_used(self, nonce: bytes) -> bool:
        """Whether a nonce came before; what is older than two windows is refused by its time."""
        if self._clock() - self._rotated_at > 2 * MAX_CLOCK_SKEW or self._clock() < self._rotated_at:
            self._used, self._rotated_at = (set(), self._used[0]), self._clock()
        if nonce in self._used[0] or nonce in self._used[1]:
            return True
        self._used[0].add(nonce)
        return False


def _word(text: str) -> bytes:
    """A text as one word of a header; ``-`` for an empty one."""
    return quote(text, safe="@").replace("-", "%2D").encode() or b"-"


def _text(word: bytes) -> str:
    return "" if word == b"-" else unquote(word.decode())
