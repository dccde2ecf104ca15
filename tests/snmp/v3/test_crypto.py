"""Ciphers and MACs of USM against the vectors of NIST SP 800-38A, FIPS 81, RFC 2202 and RFC 4231."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.snmp.v3.crypto import CIPHERS, Aes, Authenticator, Des, Privacy, security_protocols
from promsnmp.snmp.v3.keys import LocalizedKeys
from promsnmp.snmp.v3.protocols import Cipher

PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
# NIST SP 800-38A appendix F.3.13, F.3.15, F.3.17; their IV is 00 01 02 .. 0f.
CFB128 = [
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        (
            "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
            "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"
        ),
    ),
    (
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        (
            "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a"
            "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff"
        ),
    ),
    (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        (
            "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b"
            "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471"
        ),
    ),
]
BOOTS, TIME, SALT = 0x00010203, 0x04050607, 0x08090A0B0C0D0E0F


@pytest.mark.parametrize(("key", "cipher"), CFB128)
def test_aes_is_cfb128_over_boots_time_and_salt(key: str, cipher: str) -> None:
    aes = Aes(bytes.fromhex(key))
    sealed = aes.encrypt(PLAIN, BOOTS, TIME, SALT)
    assert sealed.ciphertext.hex() == cipher
    assert sealed.parameters == SALT.to_bytes(8, "big")
    assert aes.decrypt(bytes.fromhex(cipher), BOOTS, TIME, sealed.parameters) == PLAIN


@pytest.mark.parametrize(("key", "cipher"), CFB128)
@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 33, 63])
def test_aes_takes_any_length(key: str, cipher: str, size: int) -> None:
    aes = Aes(bytes.fromhex(key))
    assert aes.encrypt(PLAIN[:size], BOOTS, TIME, SALT).ciphertext == bytes.fromhex(cipher)[:size]
    assert aes.decrypt(bytes.fromhex(cipher)[:size], BOOTS, TIME, SALT.to_bytes(8, "big")) == PLAIN[:size]


def test_des_is_cbc_with_the_salt_in_its_iv() -> None:
    # FIPS 81 appendix C: CBC of "Now is the time for all " under this key and IV.
    des = Des(bytes.fromhex("0123456789abcdef") + bytes.fromhex("1234567890abcdef"))
    sealed = des.encrypt(b"Now is the time for all ", 0, 0, 0)
    assert sealed.ciphertext.hex() == "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"
    assert sealed.parameters == bytes(8)


def test_the_salt_of_des_is_boots_and_a_counter() -> None:
    sealed = Des(bytes(range(16))).encrypt(b"x", 7, 0, 0x1_0000_0009)
    assert sealed.parameters.hex() == "0000000700000009"
    assert len(sealed.ciphertext) == 8


@pytest.mark.parametrize("size", [1, 7, 9])
def test_des_refuses_partial_blocks(size: int) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        Des(bytes(16)).decrypt(bytes(size), 0, 0, bytes(8))


def test_aes_refuses_empty_ciphertext() -> None:
    with pytest.raises(ValueError, match="empty"):
        Aes(bytes(16)).decrypt(b"", 0, 0, bytes(8))


@pytest.mark.parametrize("protocol", PrivProtocol)
def test_every_privacy_protocol_encrypts_with_the_cipher_of_its_entry(protocol: PrivProtocol) -> None:
    user = User("joe", SecurityLevel.AUTH_PRIV, priv_protocol=protocol)
    keys = LocalizedKeys(bytes(16), bytes(range(protocol.spec.key_size)))
    priv = security_protocols(user, keys).priv
    assert isinstance(priv, Des if protocol is PrivProtocol.DES else Aes)
    ciphertext, parameters = priv.encrypt(PLAIN, BOOTS, TIME, SALT)
    assert priv.decrypt(ciphertext, BOOTS, TIME, parameters) == PLAIN


def test_every_cipher_has_a_class() -> None:
    assert set(CIPHERS) == set(Cipher)


def test_an_unknown_privacy_protocol_is_refused() -> None:
    user = User("joe", SecurityLevel.AUTH_PRIV, priv_protocol="3DES")  # type: ignore[arg-type]  # what types forbid
    with pytest.raises(ValueError, match="3DES"):
        security_protocols(user, LocalizedKeys(bytes(16), bytes(16)))


def test_an_unknown_auth_protocol_is_refused() -> None:
    user = User("joe", SecurityLevel.AUTH_NO_PRIV, auth_protocol="ROT13")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ROT13"):
        security_protocols(user, LocalizedKeys(bytes(16)))


@given(st.binary(min_size=1, max_size=400), st.integers(0, 2**31 - 1), st.integers(0, 2**64 - 1))
def test_encrypted_text_decrypts_to_the_original(plain: bytes, number: int, salt: int) -> None:
    ciphers: list[Privacy] = [Des(bytes(range(16))), Aes(bytes(range(16))), Aes(bytes(range(32)))]
    for cipher in ciphers:
        ciphertext, parameters = cipher.encrypt(plain, number, number, salt)
        assert cipher.decrypt(ciphertext, number, number, parameters)[: len(plain)] == plain


@pytest.mark.parametrize(
    ("protocol", "mac"),
    [  # RFC 2202 sections 2 and 3, RFC 4231 section 4.3 (test case 2): key "Jefe"
        (AuthProtocol.MD5, "750c783e6ab0b503eaa86e310a5db738"),
        (AuthProtocol.SHA, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (AuthProtocol.SHA224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
        (AuthProtocol.SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            AuthProtocol.SHA384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            AuthProtocol.SHA512,
            (
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
                "caeab1a34d4a6b4b636e070a38bce737"
            ),
        ),
    ],
)
def test_a_mac_is_the_truncated_hmac(protocol: AuthProtocol, mac: str) -> None:
    auth = Authenticator(protocol, b"Jefe")
    message = b"what do ya want for nothing?"
    assert auth.mac(message, len(message)) != bytes.fromhex(mac)[: auth.size]  # the zeros in its own place count
    bare = auth._keyed.copy()
    bare.update(message)
    assert bare.hexdigest() == mac


@pytest.mark.parametrize(("protocol", "size"), list(zip(AuthProtocol, (12, 12, 16, 24, 32, 48), strict=True)))
def test_a_signed_message_verifies_and_an_altered_one_does_not(protocol: AuthProtocol, size: int) -> None:
    auth = Authenticator(protocol, bytes(20))
    signed = auth.sign(b"head" + bytes(size) + b"tail", 4)
    assert auth.size == size
    assert auth.verifies(signed, 4)
    for at in range(len(signed)):
        assert not auth.verifies(signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :], 4)
    assert not Authenticator(protocol, b"\x01" * 20).verifies(signed, 4)
