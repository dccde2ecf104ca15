"""Signs and verifies the requests between replicas: a header that needs the inventory's key.

The key of the signatures is derived from PROM_ENCRYPT_KEY (HKDF, RFC 5869). A signature covers the sender, the user,
the time and the whole request, so it fits no other request; it is valid for a short time, and only once for requests
that change something. It covers the body by its digest, since it is verified before the body has arrived. A signed
request was forwarded by a replica already, and is never forwarded again: there are no loops.
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
"""Seconds by which the clocks of two replicas may differ, including the transmission time."""
_VERSION = b"1"
_INFO = b"promsnmp: requests between replicas, 1"
_SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """Who signed a request: a replica, and the user on whose behalf it asks (empty: on its own)."""

    name: str
    user: str = ""
    digest: str = ""
    """Digest of the signed body; see ``matches``."""
    request_id: str = ""
    """Unique among all requests."""

    def matches(self, body: bytes) -> bool:
        """Whether ``body`` is the signed body."""
        return hmac.compare_digest(body_digest(body), self.digest)


def new_request_id() -> str:
    """A unique ID of a request: 24 random hexadecimal digits."""
    return secrets.token_hex(12)


def body_digest(body: bytes) -> str:
    """SHA-256 in hexadecimal; ``-`` for an empty body."""
    return hashlib.sha256(body).hexdigest() if body else "-"


class RequestSigner:
    """Makes and verifies signatures. ``secret`` returns the current key of the inventory; ``clock`` is Unix time."""

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
        """The header for a request whose body has ``digest``; without ``request_id``, a new ID is made."""
        sent_at, nonce = b"%d" % (self._clock() * 1000), (request_id or new_request_id()).encode()
        signed = b" ".join((_VERSION, _word(self._name), _word(user), sent_at, nonce, digest.encode()))
        return SIGNATURE_HEADER, b"%b %b" % (signed, self._mac(signed, method, target))

    def verify(self, value: bytes, method: str, target: bytes) -> PeerIdentity:
        """Who signed the request whose header has ``value``. Raises PeerError for an invalid signature."""
        signed, _, mac = value.rpartition(b" ")
        if not hmac.compare_digest(mac, self._mac(signed, method, target)):
            raise PeerError("invalid signature; check that all replicas have the same PROM_ENCRYPT_KEY")
        _, name, user, sent_at, nonce, digest = signed.split(b" ")
        if abs(self._clock() - int(sent_at) / 1000) > MAX_CLOCK_SKEW:
            raise PeerError(
                f"the time of the signature is off by more than {MAX_CLOCK_SKEW:g} s; check the clocks of the replicas"
            )
        if method not in _SAFE_METHODS and self._is_used(nonce):
            raise PeerError("the signature was used before")
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
        """Whether a nonce was used before; signatures older than two windows are rejected by their time."""
        if self._clock() - self._rotated_at > 2 * MAX_CLOCK_SKEW or self._clock() < self._rotated_at:
            self._used, self._rotated_at = (set(), self._used[0]), self._clock()
        if nonce in self._used[0] or nonce in self._used[1]:
            return True
        self._used[0].add(nonce)
        return False


def _word(text: str) -> bytes:
    """A text as one word of a header; ``-`` for an empty text."""
    return quote(text, safe="@").replace("-", "%2D").encode() or b"-"


def _text(word: bytes) -> str:
    return "" if word == b"-" else unquote(word.decode())
