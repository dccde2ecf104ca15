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

HEADER = b"x-promsnmp-peer"
WINDOW = 60.0
"""Seconds by which the clocks of two replicas may differ, the way between them included."""
_VERSION = b"1"
_INFO = b"promsnmp: requests between replicas, 1"
_SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Peer:
    """Who sealed a request: a replica, and the user on whose behalf it asks (empty: on its own)."""

    name: str
    user: str = ""
    digest: str = ""
    """Of the body that it has sealed; ``fits`` compares."""
    number: str = ""
    """Names the request among all."""

    def fits(self, body: bytes) -> bool:
        """Whether ``body`` is the one that was sealed."""
        return hmac.compare_digest(digest_of(body), self.digest)


def new_number() -> str:
    """The number of one request: 24 hexadecimal digits that nobody has used or will use."""
    return secrets.token_hex(12)


def digest_of(body: bytes) -> str:
    """SHA-256 in hexadecimal; ``-`` for nothing."""
    return hashlib.sha256(body).hexdigest() if body else "-"


class Seals:
    """Makes and checks seals. ``secret`` gives the key of the inventory as it is now; ``clock`` is Unix time."""

    def __init__(self, secret: Callable[[], bytes], name: str, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._name = name
        self._clock = clock
        self._derived: tuple[bytes, bytes] = b"", b""
        self._used: tuple[set[bytes], set[bytes]] = set(), set()
        self._turned_at = clock()

    def seal(
        self, method: str, target: bytes, digest: str = "-", *, user: str = "", number: str = ""
    ) -> tuple[bytes, bytes]:
        """The header for a request, whose body has ``digest``; without a ``number`` it gets one."""
        moment, nonce = b"%d" % (self._clock() * 1000), (number or new_number()).encode()
        said = b" ".join((_VERSION, _word(self._name), _word(user), moment, nonce, digest.encode()))
        return HEADER, b"%b %b" % (said, self._mac(said, method, target))

    def check(self, value: bytes, method: str, target: bytes) -> Peer:
        """Who sealed the request whose header has ``value``. Raises PeerError for a seal that does not fit."""
        said, _, mac = value.rpartition(b" ")
        if not hmac.compare_digest(mac, self._mac(said, method, target)):
            raise PeerError("the seal is not one of this cluster's: do all replicas have the same PROM_ENCRYPT_KEY?")
        _, name, user, moment, nonce, digest = said.split(b" ")
        if abs(self._clock() - int(moment) / 1000) > WINDOW:
            raise PeerError(f"the seal's time is more than {WINDOW:g} s off: are the replicas' clocks set?")
        if method not in _SAFE_METHODS and self._is_used(nonce):
            raise PeerError("the seal was used before")
        return Peer(_text(name), _text(user), digest.decode(), nonce.decode())

    def _mac(self, said: bytes, method: str, target: bytes) -> bytes:
        message = b"\n".join((said, method.encode(), target))
        return hmac.digest(self._key(), message, "sha256").hex().encode()

    def _key(self) -> bytes:
        secret, key = self._derived
        if (now := self._secret()) != secret:
            key = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(now)
            self._derived = now, key
        return key

    def _is_used(self, nonce: bytes) -> bool:
        """Whether a nonce came before; what is older than two windows is refused by its time."""
        if self._clock() - self._turned_at > 2 * WINDOW or self._clock() < self._turned_at:
            self._used, self._turned_at = (set(), self._used[0]), self._clock()
        if nonce in self._used[0] or nonce in self._used[1]:
            return True
        self._used[0].add(nonce)
        return False


def _word(text: str) -> bytes:
    """A text as one word of a header; ``-`` for an empty one."""
    return quote(text, safe="@").replace("-", "%2D").encode() or b"-"


def _text(word: bytes) -> str:
    return "" if word == b"-" else unquote(word.decode())
