"""Client of Redis: the only file that imports the library redis.

Every request is one Lua script, which Redis runs atomically. A script may be sent twice when the connection breaks, so
scripts must be idempotent. No call lasts longer than a few timeouts, whatever Redis does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

from promsnmp.cluster.clients.redis_url import RedisAddress
from promsnmp.errors import CoordinatorError, SettingsError

TIMEOUT = 2.0
"""Seconds to wait for an answer, and for a connection."""


class Script:
    """A Lua script and its SHA-1, by which Redis knows it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisClient:
    """Runs scripts on a Redis. Raises SettingsError when the library is missing, or rejects the address."""

    def __init__(self, address: RedisAddress, *, timeout: float = TIMEOUT) -> None:
        try:
            from redis import asyncio as library
            from redis import exceptions
        except ImportError:
            raise SettingsError(
                "ELECTION_BACKEND=redis needs the library redis; run: pip install 'promsnmp[redis]'"
            ) from None
        self._redis_error = exceptions.RedisError
        self._no_script = exceptions.NoScriptError
        try:
            self._client = _client(library, address, timeout)
            self._client.connection_pool.make_connection()  # does not connect, but rejects unknown options
        except (ValueError, TypeError, exceptions.RedisError):  # their texts may quote a part of the password
            raise SettingsError(
                "REDIS_URL is invalid: the port is not a number, or an option is unknown to redis-py; "
                "in a password, write %2F for /, %23 for #, %3F for ? and %40 for @"
            ) from None

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """The result of the script; texts are bytes. Raises CoordinatorError."""
        call = (len(keys), *keys, *arguments)
        try:
            try:
                return await self._client.evalsha(script.digest, *call)
            except self._no_script:
                return await self._client.eval(script.text, *call)
        except (self._redis_error, OSError, asyncio.IncompleteReadError) as error:
            raise CoordinatorError(_text(error)) from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()


def _text(error: Exception) -> str:
    """The error in one line, for people."""
    text = " ".join(str(error).partition(" script: ")[0].split())[:200] or type(error).__name__
    wants_password = any(word in text.lower() for word in ("auth", "password"))  # redis.io/commands/auth
    return f"{text.rstrip('.')}; check REDIS_PASSWORD" if wants_password else text


def _client(library: Any, address: RedisAddress, timeout: float) -> Any:
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Broken

    own: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 1, supported_errors=(Broken,)),  # the server may have closed an idle connection
        "protocol": 2,
    }
    if not address.sentinels:
        return library.Redis.from_url(address.url, **own)
    options = {**library.ConnectionPool.from_url(address.url).connection_kwargs, **own}
    options.pop("host", None)
    options.pop("port", None)
    options["ssl"] = address.url.startswith("rediss:")
    secure = {name: value for name, value in options.items() if name.startswith("ssl")}
    sentinel_kwargs = {**own, **secure, **address.sentinel_options}
    sentinel: Any = Sentinel(address.sentinels, sentinel_kwargs=sentinel_kwargs, **options)  # type: ignore[no-untyped-call]
    return sentinel.master_for(address.service, library.Redis)
