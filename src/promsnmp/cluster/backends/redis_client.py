"""The way to Redis: the only file that knows its client library.

Everything that is asked of Redis is one script, which Redis runs as a whole. A script may be sent a second time when a
connection broke under it, so scripts must bear that. No call lasts longer than a few timeouts, whatever Redis does.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

from promsnmp.cluster.backends.redis_url import RedisAddress
from promsnmp.errors import CoordinatorError, SettingsError

TIMEOUT = 2.0
"""Seconds that Redis has for an answer, and a connection to be made."""


class Script:
    """A Lua script, and the name by which Redis knows it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisClient:
    """Runs scripts on the Redis of a place. Raises SettingsError when the library is missing, or refuses the place."""

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
            self._client.connection_pool.make_connection()  # does not connect, and takes no options that are none
        except (ValueError, TypeError, exceptions.RedisError):  # whose texts may quote a part of the password
            raise SettingsError(
                "REDIS_URL cannot be used: its port is no number, or its options are none of redis-py's; "
                "in a password, write %2F for /, %23 for #, %3F for ? and %40 for @"
            ) from None

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """What the script returns; texts are bytes. Raises CoordinatorError."""
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
    """What went wrong, for people, in one line."""
    text = " ".join(str(error).partition(" script: ")[0].split())[:200] or type(error).__name__
    wants_password = any(word in text.lower() for word in ("auth", "password"))  # redis.io/commands/auth
    return f"{text.rstrip('.')}: is REDIS_PASSWORD right?" if wants_password else text


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
