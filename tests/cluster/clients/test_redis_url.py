"""How REDIS_URL and its companions are read."""

from __future__ import annotations

import pytest

from promsnmp.cluster.clients.redis_url import RedisAddress, address_toward, parse_redis_address
from promsnmp.errors import SettingsError


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"host": "redis"}, "redis://redis:6379"),
        ({"host": "redis", "port": 7000}, "redis://redis:7000"),
        ({"host": "::1"}, "redis://[::1]:6379"),
        ({"host": "redis", "password": "p@ss/word:#"}, "redis://:p%40ss%2Fword%3A%23@redis:6379"),
        ({"url": "rediss://redis:6380/2"}, "rediss://redis:6380/2"),
        ({"url": "redis://redis", "password": "secret"}, "redis://:secret@redis"),
        ({"url": "redis://:own@redis", "password": "secret"}, "redis://:own@redis"),
        ({"url": "redis://redis", "host": "elsewhere"}, "redis://redis"),
        ({"url": "unix:///run/redis.sock?db=1"}, "unix:///run/redis.sock?db=1"),
    ],
)
def test_an_address_is_a_url(given: dict[str, object], url: str) -> None:
    assert parse_redis_address(**given) == RedisAddress(url)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://user:pw@s1,s2:5000,[fd00::1]:26380/mymaster/3",
        "redis-sentinel://user:pw@s1,s2:5000,[fd00::1]:26380/3#mymaster",
    ],
)
def test_sentinels_are_given_in_either_of_two_forms(url: str) -> None:
    address = parse_redis_address(url)
    assert address.sentinels == (("s1", 26379), ("s2", 5000), ("fd00::1", 26380))
    assert address.service == "mymaster"
    assert address.url == "redis://user:pw@sentinel/3"


def test_sentinels_may_want_tls_and_a_password_of_their_own() -> None:
    address = parse_redis_address(
        "rediss+sentinel://s1/mymaster?sentinel_password=theirs&ssl_ca_certs=/ca.pem", password="servers"
    )
    assert address.url == "rediss://:servers@sentinel/0?ssl_ca_certs=%2Fca.pem"
    assert address.sentinel_options == {"password": "theirs"}


@pytest.mark.parametrize(
    "url", ["redis", "http://redis:6379", "redis://", "redis+sentinel://s1", "redis+sentinel://s1:port/m", "s1:6379"]
)
def test_an_invalid_address_is_refused_with_the_name_of_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL"):
        parse_redis_address(url)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"host": "redis", "password": "change-me"}, True),
        ({"url": "rediss://user:change%2Dme@redis/2"}, True),
        ({"url": "redis+sentinel://:change-me@s1/mymaster"}, True),
        ({"url": "redis://change-me"}, False),
        ({"url": "redis://change-me@redis"}, False),
        ({"host": "redis"}, False),
        ({"host": "redis", "password": "9f8e7d6c5b4a3021a1b2c3d4e5f60718"}, False),
        ({"url": "unix:///run/redis.sock?db=1"}, False),
    ],
)
def test_a_password_that_everybody_knows_is_noticed(given: dict[str, str], known: bool) -> None:
    url, host, password = given.get("url", ""), given.get("host", ""), given.get("password", "")
    assert parse_redis_address(url, host=host, password=password).has_known_password is known


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_redis_address("redis://:secret@redis"))
    assert "secret" not in repr(parse_redis_address("redis+sentinel://s1/m?sentinel_password=secret"))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://127.0.0.1:6379", "127.0.0.1"),
        ("redis://:pw@127.0.0.1/2", "127.0.0.1"),
        ("redis://[::1]:6379/2", "::1"),
        ("redis+sentinel://127.0.0.1/mymaster", "127.0.0.1"),
        ("redis://no-such-name.invalid", ""),
    ],
)
def test_the_own_address_is_that_of_the_route_to_redis(url: str, address: str) -> None:
    assert address_toward(parse_redis_address(url)) == address
