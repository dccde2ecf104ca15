"""Keys of USM users against the vectors of RFC 3414 and draft-reeder, and their cache."""

from __future__ import annotations

import pytest

from promsnmp.snmp.credentials import AuthProtocol, PrivProtocol, SecurityLevel, User
from promsnmp.snmp.v3 import keys
from promsnmp.snmp.v3.keys import KeyCache, LocalizedKeys

ENGINE = bytes.fromhex("000000000000000000000002")
PASSPHRASE = b"maplesyrup"
USER = User("joe", SecurityLevel.AUTH_PRIV, AuthProtocol.SHA, "authentic", PrivProtocol.AES, "private!")

# RFC 3414 appendices A.3.1 and A.3.2: passphrase, engine, Ku, Kul.
VECTORS = [
    (AuthProtocol.MD5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
    (AuthProtocol.SHA, "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"),
]


@pytest.mark.parametrize(("protocol", "ku", "kul"), VECTORS)
def test_keys_are_those_of_rfc_3414_appendix_a_3(protocol: AuthProtocol, ku: str, kul: str) -> None:
    key = keys.password_to_key(protocol, PASSPHRASE)
    assert key.hex() == ku
    assert keys.localise(protocol, key, ENGINE).hex() == kul


@pytest.mark.parametrize(
    ("protocol", "second"),
    [
        (AuthProtocol.MD5, "79eff44a90650ee0a3a40abfac5acc12"),
        (AuthProtocol.SHA, "9b8b6d78936ba6e7d19dfd9cd2d5065547743fb5"),
    ],
)
def test_reeders_extension_is_that_of_the_drafts_vectors(protocol: AuthProtocol, second: str) -> None:
    kul = keys.localise(protocol, keys.password_to_key(protocol, PASSPHRASE), ENGINE)
    assert keys.extend_reeder(protocol, kul, 2 * len(kul), ENGINE).hex() == kul.hex() + second


@pytest.mark.parametrize("protocol", AuthProtocol)
@pytest.mark.parametrize("size", [16, 24, 32, 80, 200])
def test_both_extensions_give_the_size_asked_for_and_keep_what_was_there(protocol: AuthProtocol, size: int) -> None:
    kul = keys.localise(protocol, b"k" * 16, ENGINE)
    for extended in (keys.extend_blumenthal(protocol, kul, size), keys.extend_reeder(protocol, kul, size, ENGINE)):
        assert len(extended) == size
        assert extended[: len(kul)] == kul[:size]


def test_blumenthals_extension_hashes_the_whole_key_so_far() -> None:
    kul = bytes(range(16))
    once = keys.extend_blumenthal(AuthProtocol.MD5, kul, 32)
    assert keys.extend_blumenthal(AuthProtocol.MD5, once, 48) == keys.extend_blumenthal(AuthProtocol.MD5, kul, 48)


@pytest.mark.parametrize("protocol", AuthProtocol)
def test_a_passphrase_longer_than_the_repetition_is_cut(protocol: AuthProtocol) -> None:
    long = b"x" * (keys.PASSPHRASE_OCTETS + 5)
    assert keys.password_to_key(protocol, long) == keys.password_to_key(protocol, b"x")


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        keys.password_to_key(AuthProtocol.MD5, b"")


def test_a_cache_hands_out_the_keys_it_made_before() -> None:
    cache = KeyCache()
    assert cache.keys(USER, ENGINE) is cache.keys(USER, ENGINE)


@pytest.mark.parametrize(
    "change",
    [
        {"auth_passphrase": "another one"},
        {"priv_passphrase": "another one"},
        {"auth_protocol": AuthProtocol.SHA512},
        {"priv_protocol": PrivProtocol.AES256},
        {"auth_passphrase": "authenti", "priv_passphrase": "cprivate!"},
    ],
)
def test_changed_credentials_never_find_old_keys(change: dict[str, str]) -> None:
    cache = KeyCache()
    fields = {name: getattr(USER, name) for name in USER.__slots__} | change
    assert cache.keys(USER, ENGINE) != cache.keys(User(**fields), ENGINE)


def test_another_engine_has_other_keys() -> None:
    cache = KeyCache()
    first, second = cache.keys(USER, ENGINE), cache.keys(USER, ENGINE + b"x")
    assert first.auth != second.auth
    assert first.priv != second.priv


def test_a_cache_keeps_to_its_size() -> None:
    cache = KeyCache(size=3)
    for number in range(10):
        cache.keys(USER, bytes(5) + bytes([number]))
    assert len(cache) == 3


def test_a_level_without_security_needs_no_keys() -> None:
    assert KeyCache().keys(User("joe"), ENGINE) == LocalizedKeys()


def test_no_key_and_no_passphrase_shows_in_a_repr() -> None:
    cache = KeyCache()
    made = cache.keys(USER, ENGINE)
    shown = repr(made) + repr(cache) + repr(vars(cache)["_local"])
    assert made.auth.hex() not in shown
    assert repr(made.auth) not in shown
    assert USER.auth_passphrase not in shown


def test_an_unknown_privacy_protocol_gets_no_key() -> None:
    with pytest.raises(ValueError, match="3DES"):
        keys.local_priv_key(AuthProtocol.SHA, "3DES", bytes(20), ENGINE)  # type: ignore[arg-type]  # what types forbid
