"""Which keys protect nothing."""

from __future__ import annotations

import secrets

import pytest

from promsnmp.inventory.storage.key import new_key
from promsnmp.inventory.storage.known_keys import is_known, key_warning


@pytest.mark.parametrize(
    "key",
    [
        "change-me-16byte",
        "0123456789ABCDEF",
        "0123456789abcdef",
        "0123456789abcdef" * 2,
        "0123456789abcdef01234567",
        "xxxxxxxxxxxxxxxx",
        "0" * 32,
        "abcdabcdabcdabcd",
        "1234567890123456",
        "ChangeMe_24_bytes_please",
    ],
)
def test_placeholders_defaults_and_repetitions_are_known(key: str) -> None:
    assert is_known(key.encode())
    assert "promsnmp inventory rekey" in key_warning(key.encode())
    assert key not in key_warning(key.encode())


def test_random_keys_are_not_known() -> None:
    for _ in range(1000):
        assert not is_known(new_key())
        assert not is_known(secrets.token_hex(8).encode())
    assert key_warning(new_key()) == ""
