from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from promsnmp.errors import InventoryDamaged, InventoryKeyError
from promsnmp.inventory.storage.encryption import check_key, decrypt, encrypt
from tests.support.inventory.original import java_encrypt
from tests.support.inventory.samples import KEY


@pytest.mark.parametrize("key", [KEY, KEY + b"01234567", KEY * 2])
def test_a_file_of_the_original_opens_and_ours_opens_there(key: bytes) -> None:
    assert decrypt(java_encrypt(b'{"devices":[]}', key), key, "f") == b'{"devices":[]}'
    raw = base64.b64decode(encrypt(b"ours", key), validate=True)
    decryptor = Cipher(algorithms.AES(key), modes.GCM(raw[:12], raw[-16:])).decryptor()
    assert decryptor.update(raw[12:-16]) + decryptor.finalize() == b"ours"


def test_a_known_answer_opens() -> None:
    """Test case 2 of the GCM specification (McGrew and Viega, appendix B): key, nonce and text of zeros."""
    answer = bytes.fromhex("0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf")
    sealed = base64.b64encode(bytes(12) + answer)
    assert decrypt(sealed, bytes(16), "f") == bytes(16)


def test_one_line_with_its_end_or_blanks_around_it_opens() -> None:
    sealed = encrypt(b"x", KEY)
    assert b"\n" not in sealed
    assert decrypt(b" " + sealed + b"\r\n", KEY, "f") == b"x"


def test_the_same_content_is_encrypted_differently_each_time() -> None:
    assert encrypt(b"x", KEY) != encrypt(b"x", KEY)


def test_a_wrong_key_is_reported_without_showing_a_key() -> None:
    with pytest.raises(InventoryKeyError, match="cannot be decrypted: the key is wrong") as caught:
        decrypt(encrypt(b"x", KEY), b"FEDCBA9876543210", "inv.json")
    assert "FEDCBA" not in str(caught.value)
    assert "0123456789ABCDEF" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"AAAA", "truncated"), (b"not base64!", "not base64"), (b"AAA", "not base64"),
     (b"\x00\xff" * 40, "not base64"),
     (b' {"devices":[]}', "plain JSON.*promsnmp inventory import inv.json"), (b"[]", "plain JSON")],
)  # fmt: skip
def test_a_file_that_is_not_encrypted_is_damaged(data: bytes, reason: str) -> None:
    with pytest.raises(InventoryDamaged, match=reason):
        decrypt(data, KEY, "inv.json")


@given(st.binary(max_size=60), st.integers(0, 10_000), st.integers(1, 255))
def test_every_changed_byte_is_detected(plain: bytes, place: int, change: int) -> None:
    raw = bytearray(base64.b64decode(encrypt(plain, KEY)))
    raw[place % len(raw)] ^= change
    with pytest.raises(InventoryKeyError):
        decrypt(base64.b64encode(raw), KEY, "f")


@pytest.mark.parametrize("size", [0, 1, 15, 17, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(InventoryKeyError, match=f"K is {size} bytes long; it must be 16, 24 or 32"):
        check_key(b"k" * size, "K")
