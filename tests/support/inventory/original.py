"""The inventory file as the original PromSNMP encrypts it."""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def java_encrypt(plain: bytes, key: bytes) -> bytes:
    """Encrypts as AES/GCM/NoPadding with a 128-bit tag does: base64 of nonce, ciphertext and tag."""
    nonce = os.urandom(12)
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    text = encryptor.update(plain) + encryptor.finalize()
    return base64.b64encode(nonce + text + encryptor.tag)
