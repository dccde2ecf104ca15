"""Connections to a real Redis: with a password, over TLS, through sentinels, and the errors when access is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from promsnmp.cluster.clients.redis_client import RedisClient, Script
from promsnmp.cluster.clients.redis_url import parse_redis_address
from promsnmp.errors import CoordinatorError, SettingsError
from tests.support.cluster.redis_server import RedisServer, Sentinel
from tests.support.service.certificates import Authority
from tests.support.tools import PROJECT, free_tcp_port

ECHO = Script("return ARGV[1]")


async def asked(url: str, password: str = "", *, arguments: int = 1) -> object:
    redis_client = RedisClient(parse_redis_address(url, password=password), timeout=5.0)
    try:
        return await redis_client.run(ECHO, [], ["here"] * arguments)
    finally:
        await redis_client.close()


async def test_a_wrong_password_is_reported_without_showing_it(tmp_path: Path) -> None:
    with RedisServer(tmp_path, password="right") as server:
        assert await asked(server.url) == b"here"
        assert await asked(f"redis://127.0.0.1:{server.port}", password="right") == b"here"
        with pytest.raises(CoordinatorError, match="REDIS_PASSWORD") as caught:
            await asked(f"redis://127.0.0.1:{server.port}", password="wrong")
        assert "wrong" not in str(caught.value)
        for arguments in (1, 20):  # each command gets its own answer
            with pytest.raises(CoordinatorError, match="REDIS_PASSWORD"):
                await asked(f"redis://127.0.0.1:{server.port}", arguments=arguments)


async def test_a_missing_server_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CoordinatorError, match=r"127\.0\.0\.1"):
        await asked(f"redis://127.0.0.1:{free_tcp_port()}")


async def test_tls_is_spoken_and_the_certificate_is_checked(tmp_path: Path) -> None:
    authority, certificate = Authority("redis"), tmp_path / "ca.crt"
    certificate.write_bytes(authority.cert)
    authority.server().write(tmp_path, "redis")
    port = free_tcp_port()
    options = ["--tls-port", str(port), "--tls-cert-file", f"{tmp_path}/redis.crt", "--tls-key-file"]
    options += [f"{tmp_path}/redis.key", "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"]
    with RedisServer(tmp_path, options=options):
        assert await asked(f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}") == b"here"
        with pytest.raises(CoordinatorError, match=r"(?i)certificate"):
            await asked(f"rediss://127.0.0.1:{port}")


async def test_sentinels_name_the_server(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, Sentinel(tmp_path, server) as sentinel:
        assert await asked(f"redis+sentinel://127.0.0.1:{sentinel.port}/promsnmp/0") == b"here"
        with pytest.raises(CoordinatorError, match="other"):
            await asked(f"redis+sentinel://127.0.0.1:{sentinel.port}/other")


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379?db=many",
        "redis://:secret@127.0.0.1?nonsense=1",
        "redis+sentinel://:secret@127.0.0.1/service?nonsense=1",
        "redis://:secret#more@127.0.0.1:6379",
        "redis://:secret?more=1@127.0.0.1:6379",
        "redis://:secret@127.0.0.1:99999",
    ],
)
async def test_a_url_that_the_library_rejects_is_a_settings_error_without_the_password(url: str) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL") as caught:
        RedisClient(parse_redis_address(url))
    assert not {"secret", "more"} & set(re.findall(r"\w+", str(caught.value)))


def test_without_the_library_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from promsnmp.cluster.clients.redis_client import RedisClient\n"
        "from promsnmp.cluster.clients.redis_url import parse_redis_address\n"
        "from promsnmp.errors import SettingsError\n"
        "try: RedisClient(parse_redis_address(host='redis'))\n"
        "except SettingsError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT / "src", check=True)
    assert "pip install '.[redis]'" in ran.stdout
