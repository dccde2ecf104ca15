"""Authenticates and encrypts USM messages: MACs of RFC 3414 and RFC 7860, DES-CBC of RFC 3414, AES-CFB of RFC 3826.

What does not change from message to message (the keyed HMAC, the AES key schedule) is made once. CFB is built here from
the block cipher: a message is then decrypted in one call without a cipher object of its own, and the code does not
depend on a mode that ``cryptography`` is removing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NamedTuple, Protocol

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher as CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from promsnmp.snmp.credentials import SecurityLevel, User
from promsnmp.snmp.v3.keys import LocalizedKeys
from promsnmp.snmp.v3.protocols import AuthProtocol, Cipher, PrivProtocol

PRIV_PARAMETERS_SIZE = 8  # the salt on the wire: RFC 3414 section 8.1.1.1, RFC 3826 section 3.1.2.1
_BLOCK = 16


class Encrypted(NamedTuple):
    """Ciphertext and its msgPrivacyParameters."""

    ciphertext: bytes
    parameters: bytes


class Privacy(Protocol):
    """A privacy protocol with its key. ``parameters`` are msgPrivacyParameters, 8 octets."""

    def encrypt(self, plaintext: bytes, boots: int, time: int, salt: int) -> Encrypted: ...

    def decrypt(self, ciphertext: bytes, boots: int, time: int, parameters: bytes) -> bytes:
        """Raises ValueError when ``ciphertext`` has a length that it cannot have."""


class Authenticator:
    """An authentication protocol with its key: makes and checks msgAuthenticationParameters."""

    __slots__ = ("_keyed", "_zeros", "size")

    def __init__(self, protocol: AuthProtocol, key: bytes) -> None:
        spec = AuthProtocol(protocol).spec
        self.size = spec.mac_size
        self._keyed = hmac.new(key, digestmod=spec.hash_name)
        self._zeros = bytes(spec.mac_size)

    def mac(self, message: bytes, at: int) -> bytes:
        """The MAC of ``message`` with the ``size`` octets at ``at`` taken as zeros (RFC 3414 section 6.3)."""
        keyed = self._keyed.copy()
        keyed.update(message[:at])
        keyed.update(self._zeros)
        keyed.update(message[at + self.size :])
        return keyed.digest()[: self.size]

    def sign(self, message: bytes, at: int) -> bytes:
        """``message`` with its MAC written at ``at``."""
        return message[:at] + self.mac(message, at) + message[at + self.size :]

    def verifies(self, message: bytes, at: int) -> bool:
        """Whether the octets at ``at`` are the MAC of ``message``; takes the same time wherever they differ."""
        return hmac.compare_digest(self.mac(message, at), message[at : at + self.size])


class Des:
    """DES-CBC (RFC 3414 section 8)."""

    __slots__ = ("_cipher", "_pre_iv")

    def __init__(self, key: bytes) -> None:
        self._cipher = TripleDES(key[:8] * 3)  # three times one key is single DES
        self._pre_iv = int.from_bytes(key[8:16], "big")

    def encrypt(self, plaintext: bytes, boots: int, time: int, salt: int) -> Encrypted:
        """Padded to whole blocks; of ``salt`` the low 32 bits are used (section 8.1.1.1: boots, then a counter)."""
        parameters = boots.to_bytes(4, "big") + (salt & 0xFFFFFFFF).to_bytes(4, "big")
        padded = plaintext + bytes(-len(plaintext) % 8)
        return Encrypted(CipherContext(self._cipher, CBC(self._iv(parameters))).encryptor().update(padded), parameters)

    def decrypt(self, ciphertext: bytes, boots: int, time: int, parameters: bytes) -> bytes:
        """The padding stays at the end. Raises ValueError unless ``ciphertext`` is whole blocks."""
        if len(ciphertext) % 8:
            raise ValueError("the ciphertext is not whole blocks")
        return CipherContext(self._cipher, CBC(self._iv(parameters))).decryptor().update(ciphertext)

    def _iv(self, parameters: bytes) -> bytes:
        return (self._pre_iv ^ int.from_bytes(parameters, "big")).to_bytes(8, "big")


class Aes:
    """AES in CFB mode with 128-bit feedback (RFC 3826 section 3); the key's size selects 128, 192 or 256 bits."""

    __slots__ = ("_block",)

    def __init__(self, key: bytes) -> None:
        self._block = CipherContext(AES(key), ECB()).encryptor()  # noqa: S305  # CFB is made of it below

    def encrypt(self, plaintext: bytes, boots: int, time: int, salt: int) -> Encrypted:
        parameters = salt.to_bytes(8, "big")
        feedback = _aes_iv(boots, time, parameters)
        out = bytearray()
        for at in range(0, len(plaintext), _BLOCK):
            feedback = _xor(plaintext[at : at + _BLOCK], self._block.update(feedback))
            out += feedback
        return Encrypted(bytes(out), parameters)

    def decrypt(self, ciphertext: bytes, boots: int, time: int, parameters: bytes) -> bytes:
        if not ciphertext:
            raise ValueError("the ciphertext is empty")
        whole = (len(ciphertext) - 1) // _BLOCK * _BLOCK
        return _xor(ciphertext, self._block.update(_aes_iv(boots, time, parameters) + ciphertext[:whole]))


CIPHERS: dict[Cipher, Callable[[bytes], Privacy]] = {Cipher.DES_CBC: Des, Cipher.AES_CFB: Aes}
"""The class of each cipher; it takes a key of the size that the protocol's entry gives."""


def _aes_iv(boots: int, time: int, parameters: bytes) -> bytes:
    return boots.to_bytes(4, "big") + time.to_bytes(4, "big") + parameters


def _xor(data: bytes, key_stream: bytes) -> bytes:
    """``data`` XOR as much of ``key_stream`` as it needs."""
    size = len(data)
    return (int.from_bytes(data, "little") ^ int.from_bytes(key_stream[:size], "little")).to_bytes(size, "little")


class SecurityProtocols(NamedTuple):
    """The keyed protocols of one user at one engine; None where the security level needs none."""

    auth: Authenticator | None = None
    priv: Privacy | None = None


def security_protocols(user: User, keys: LocalizedKeys) -> SecurityProtocols:
    """The protocols of ``user`` with its localised ``keys``. Raises ValueError for an unknown protocol."""
    if user.level == SecurityLevel.NO_AUTH_NO_PRIV:
        return SecurityProtocols()
    auth = Authenticator(user.auth_protocol, keys.auth)
    if user.level == SecurityLevel.AUTH_NO_PRIV:
        return SecurityProtocols(auth)
    return SecurityProtocols(auth, CIPHERS[PrivProtocol(user.priv_protocol).spec.cipher](keys.priv))
