"""USM keys: from a passphrase to the keys that one user has at one engine (RFC 3414 appendix A.2, RFC 7860).

Turning a passphrase into a key hashes 1 MiB on purpose, about 1 to 2 ms; ``KeyCache`` makes that happen once for a user
and not at every poll of every device. The cache is passed in, bounded, and never holds a passphrase.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from cachetools import LRUCache

from promsnmp.snmp.credentials import SecurityLevel, User
from promsnmp.snmp.v3.protocols import AuthProtocol, KeyExtension, PrivProtocol

PASSPHRASE_OCTETS = 1 << 20  # RFC 3414 appendix A.2.1: the passphrase is repeated up to this length


@dataclass(frozen=True, slots=True)
class LocalizedKeys:
    """The keys of one user at one engine; empty where the security level needs none."""

    auth: bytes = field(default=b"", repr=False)
    priv: bytes = field(default=b"", repr=False)


def password_to_key(protocol: AuthProtocol, passphrase: bytes) -> bytes:
    """Ku, the user's key before it is bound to an engine (RFC 3414 appendix A.2, RFC 7860 section 9.3).

    Raises ValueError for an empty passphrase.
    """
    if not passphrase:
        raise ValueError("a passphrase is empty")
    repeated = passphrase * (PASSPHRASE_OCTETS // len(passphrase) + 1)
    return _digest(protocol, repeated[:PASSPHRASE_OCTETS])


def localise(protocol: AuthProtocol, key: bytes, engine_id: bytes) -> bytes:
    """Kul, the key ``key`` bound to ``engine_id`` (RFC 3414 section 2.6)."""
    return _digest(protocol, key + engine_id + key)


def extend_blumenthal(protocol: AuthProtocol, key: bytes, size: int) -> bytes:
    """A localised key made ``size`` octets long: the hash of all so far is appended until there are enough
    (draft-blumenthal-aes-usm-04 section 3.1.2.1)."""
    while len(key) < size:
        key += _digest(protocol, key)
    return key[:size]


def extend_reeder(protocol: AuthProtocol, key: bytes, size: int, engine_id: bytes) -> bytes:
    """A localised key made ``size`` octets long: its last part serves as the passphrase of the next
    (draft-reeder-snmpv3-usm-3desede-00 section 2.1), as Cisco and others do for AES."""
    part = key
    while len(key) < size:
        part = localise(protocol, password_to_key(protocol, part), engine_id)
        key += part
    return key[:size]


def local_priv_key(auth: AuthProtocol, priv: PrivProtocol, key: bytes, engine_id: bytes) -> bytes:
    """The privacy key at ``engine_id`` from Ku ``key``, of the size that ``priv`` requires.

    The hash is the authentication protocol's (RFC 3414 section 2.6, RFC 3826 section 1.2). Raises ValueError for an
    unknown privacy protocol.
    """
    spec = PrivProtocol(priv).spec
    local = localise(auth, key, engine_id)
    match spec.extension:
        case KeyExtension.BLUMENTHAL:
            return extend_blumenthal(auth, local, spec.key_size)
        case KeyExtension.REEDER:
            return extend_reeder(auth, local, spec.key_size, engine_id)


def _digest(protocol: AuthProtocol, data: bytes) -> bytes:
    return hashlib.new(AuthProtocol(protocol).spec.hash_name, data, usedforsecurity=False).digest()


class KeyCache:
    """Localised keys of the ``size`` most recently used users and engines, and the Ku of ``users`` users.

    For one thread. Entries are found by a digest of the credentials under a secret of this cache, so changed
    credentials never find old keys.
    """

    def __init__(self, *, size: int = 16384, users: int = 256) -> None:
        self._secret = secrets.token_bytes(32)
        self._local: LRUCache[tuple[bytes, bytes], LocalizedKeys] = LRUCache(size)
        self._keys: LRUCache[bytes, bytes] = LRUCache(users)

    def __len__(self) -> int:
        return len(self._local)

    def keys(self, user: User, engine_id: bytes) -> LocalizedKeys:
        """The keys of ``user`` at ``engine_id``. Raises ValueError where a passphrase that is needed is empty."""
        if user.level == SecurityLevel.NO_AUTH_NO_PRIV:
            return LocalizedKeys()
        name = self._name(
            str(int(user.level)), user.auth_protocol, user.auth_passphrase, user.priv_protocol, user.priv_passphrase
        )
        local_keys = self._local.get((name, engine_id))
        if local_keys is None:
            local_keys = self._local[name, engine_id] = self._derive(user, engine_id)
        return local_keys

    def _derive(self, user: User, engine_id: bytes) -> LocalizedKeys:
        protocol = user.auth_protocol
        auth = localise(protocol, self._user_key(protocol, user.auth_passphrase), engine_id)
        if user.level != SecurityLevel.AUTH_PRIV:
            return LocalizedKeys(auth)
        key = self._user_key(protocol, user.priv_passphrase)
        return LocalizedKeys(auth, local_priv_key(protocol, user.priv_protocol, key, engine_id))

    def _user_key(self, protocol: AuthProtocol, passphrase: str) -> bytes:
        name = self._name(protocol, passphrase)
        user_key = self._keys.get(name)
        if user_key is None:
            user_key = self._keys[name] = password_to_key(protocol, passphrase.encode())
        return user_key

    def _name(self, *parts: str) -> bytes:
        """A digest of ``parts`` that reveals nothing without the secret of this cache."""
        digest = hashlib.blake2b(key=self._secret, digest_size=32)
        for part in parts:
            octets = part.encode()
            digest.update(len(octets).to_bytes(4, "big") + octets)
        return digest.digest()
