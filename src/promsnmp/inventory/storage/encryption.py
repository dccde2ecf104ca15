"""Encrypts and decrypts the inventory file: AES-GCM, byte for byte as the original PromSNMP writes it.

The file is base64 (RFC 4648 section 4, one line) of nonce, ciphertext and tag. GCM (NIST SP 800-38D) authenticates what
it encrypts: a modified file cannot be decrypted, but a wrong key and a damaged ciphertext look the same.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterator
from pathlib import Path

import pybase64
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from promsnmp.errors import InventoryDamaged, InventoryKeyError

NONCE_SIZE = 12
TAG_SIZE = 16
KEY_LENGTHS = (16, 24, 32)
CHUNK_SIZE = 192 * 1024
"""Octets to encrypt at once: chunks that fit into the CPU cache are faster than the whole file, and other threads can
run in between."""


def check_key(key: bytes, source: str) -> bytes:
    """Returns the key. Raises InventoryKeyError naming ``source`` when AES has no keys of its length."""
    if len(key) not in KEY_LENGTHS:
        raise InventoryKeyError(
            f"{source} is {len(key)} bytes long; it must be 16, 24 or 32 (make one: openssl rand -hex 16)"
        )
    return key


def encrypt(plain: bytes, key: bytes) -> bytes:
    """Base64 of a fresh random nonce, the ciphertext and its tag."""
    return b"".join(encrypt_parts(plain, key))


def encrypt_parts(plain: bytes, key: bytes) -> Iterator[bytes]:
    """``encrypt`` in chunks of about CHUNK_SIZE octets."""
    nonce = os.urandom(NONCE_SIZE)
    encryptor = Cipher(AES(key), GCM(nonce)).encryptor()
    rest = nonce
    for start in range(0, len(plain), CHUNK_SIZE):
        octets = rest + encryptor.update(plain[start : start + CHUNK_SIZE])
        whole = len(octets) // 3 * 3  # what base64 writes without padding
        yield pybase64.b64encode(octets[:whole])
        rest = octets[whole:]
    yield pybase64.b64encode(rest + encryptor.finalize() + encryptor.tag)


def decrypts_to(path: Path, plain: bytes, key: bytes) -> bool:
    """Whether the file, as ``encrypt`` writes it, has this content; in chunks, so that it takes half as long as
    ``decrypt``. Raises OSError."""
    with path.open("rb") as file:
        try:
            nonce = pybase64.b64decode(file.read(NONCE_SIZE // 3 * 4), validate=True)
            decryptor = Cipher(AES(key), GCM(nonce)).decryptor()
            at, rest = 0, b""
            while part := file.read(CHUNK_SIZE):
                octets = rest + pybase64.b64decode(part, validate=True)
                size = min(len(octets), len(plain) - at)
                if decryptor.update(octets[:size]) != plain[at : at + size]:
                    return False
                at, rest = at + size, octets[size:]
            decryptor.finalize_with_tag(rest)
        except (ValueError, InvalidTag):  # not base64, or no nonce or tag
            return False
    return at == len(plain)


def decrypt(data: bytes, key: bytes, name: str) -> bytes:
    """The decrypted content of the file ``name``.

    Raises InventoryDamaged when it is not an encrypted inventory, InventoryKeyError when the key does not decrypt it.
    """
    raw = _decode(data.strip(), name)
    try:
        return AESGCM(key).decrypt(raw[:NONCE_SIZE], raw[NONCE_SIZE:], None)
    except InvalidTag:
        raise InventoryKeyError(
            f"{name} cannot be decrypted: the key is wrong, or the file is damaged; set PROM_ENCRYPT_KEY to the key "
            "that it was written with, or restore the file from a backup (nothing was changed)"
        ) from None


def looks_encrypted(data: bytes) -> bool:
    """Whether this may be the content of an inventory file, by its form."""
    try:
        return len(pybase64.b64decode(data.strip(), validate=True)) >= NONCE_SIZE + TAG_SIZE
    except binascii.Error:
        return False


def _decode(data: bytes, name: str) -> bytes:
    if data[:1] in (b"{", b"["):
        raise InventoryDamaged(f"{name} is plain JSON, not encrypted; to import it: promsnmp inventory import {name}")
    try:
        raw = pybase64.b64decode(data, validate=True)
    except binascii.Error:
        raise InventoryDamaged(
            f"{name} is damaged (not base64); restore it from a backup (nothing was changed)"
        ) from None
    if len(raw) < NONCE_SIZE + TAG_SIZE:
        what = "empty" if not data else "truncated"
        raise InventoryDamaged(
            f"{name} is damaged ({what}); restore it from a backup, or delete it to start with an empty inventory"
        )
    return raw
